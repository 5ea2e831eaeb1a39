"""A secret that was rotated is read anew, once, and only where it may have been refused."""

import asyncio
from dataclasses import dataclass, field

import pytest

from canary.alert import Alert
from runners.alerts.contracts import Undelivered
from runners.alerts.renewing import RenewableSecret, Renewing
from tests.fakes.sink import FakeSink
from tests.unit.runners.alerts.cases import an_alert


@dataclass
class Vault:
    """Remembers what it gave, until it is asked anew."""

    current: str
    remembered: str = "old"
    asked: list[bool] = field(default_factory=list)

    async def fetch(self, renew: bool) -> str:
        self.asked.append(renew)
        if renew:
            self.remembered = self.current
        return self.remembered


def renewing(vault: Vault, refusal: Undelivered) -> tuple[Renewing, FakeSink]:
    def failing(alert: Alert) -> Undelivered | None:
        del alert
        return None if vault.remembered == "new" else refusal

    sink = FakeSink("pager", failing)
    return Renewing(sink, [RenewableSecret(vault.fetch)]), sink


def test_rotated_secret__is_read_anew_and_the_alert_sent() -> None:
    made, sink = renewing(Vault("new"), Undelivered("400", permanent=True))

    asyncio.run(made.deliver(an_alert()))

    assert (sink.tried, len(sink.taken), made.name) == (2, 1, "pager")


def test_same_secret__is_not_tried_again() -> None:
    made, sink = renewing(Vault("old"), Undelivered("400", permanent=True))

    with pytest.raises(Undelivered, match="400"):
        asyncio.run(made.deliver(an_alert()))

    assert sink.tried == 1


def test_sink_that_is_down__costs_the_vault_nothing() -> None:
    vault = Vault("new")
    made, sink = renewing(vault, Undelivered("503", permanent=False))

    with pytest.raises(Undelivered, match="503"):
        asyncio.run(made.deliver(an_alert()))

    assert (sink.tried, vault.asked) == (1, [])


def test_refused_log_in__may_be_the_secret_although_it_may_pass() -> None:
    made, sink = renewing(Vault("new"), Undelivered("535", permanent=False, suspects_secret=True))

    asyncio.run(made.deliver(an_alert()))

    assert sink.tried == 2
