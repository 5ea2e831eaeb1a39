"""What the store keeps of the calls that all processes together took of vendors' windows of requests."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from canary.call_share import Grant, Stretch, Want


class CallStore(Protocol):
    """The verbs of `runners.contracts.Store` that are about calls. Raises `StoreError` from any verb.

    ``account``: whose limits they are, as the configuration says. Accounts of which nobody took any for
    `canary.call_share.KEPT` go when the store forgets. Nothing of any credential or ticket is kept.
    """

    async def stretches(self, account: str) -> Sequence[Stretch]:
        """What was taken of each window of an account, as the last one who took left it."""
        ...

    async def take_calls(self, account: str, wants: Sequence[Want], *, now: datetime) -> Sequence[Grant]:
        """Take calls, as `canary.call_share.take` does of each window; one grant a want, in their order.

        Not repeatable: whoever is cancelled, or asks twice, has taken what nobody makes; it counts until it expires.
        """
        ...
