"""What the store keeps of the calls that all processes together took of vendors' windows of requests."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from canary.call_share import Grant, Stretch, Want
from canary.hush import Hush


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

    async def hush(self, account: str) -> Hush | None:
        """When the systems of an account last asked to be left alone, whatever the time is now."""
        ...

    async def keep_hush(self, account: str, hush: Hush) -> None:
        """Keep that one asked for it; of two the one that lasts longer stands (repeatable)."""
        ...
