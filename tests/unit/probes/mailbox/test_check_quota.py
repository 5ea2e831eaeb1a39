"""`check` of a mailbox's quota: judged by the thresholds of its gauge, with a remedy that exists."""

from dataclasses import dataclass
from typing import cast

import pytest

from probes.contracts import CheckState
from probes.mailbox.check import QuotaRule, check_quota
from probes.mailbox.connection import Connection


@dataclass
class Told:
    """What a server tells of quotas: all that is asked of a connection here."""

    used: int
    limit: int
    capabilities: frozenset[str] = frozenset({"QUOTA"})

    def quotas(self, folder: str) -> list[tuple[str, str, int, int]]:
        del folder
        return [("root", "STORAGE", self.used, self.limit)]


@pytest.mark.parametrize(
    ("used", "state", "finding"),
    [
        (200, CheckState.FAIL, "100 % used: 200.0 KiB of 200.0 KiB"),
        (170, CheckState.WARN, "85 % used: 170.0 KiB of 200.0 KiB"),
        (10, CheckState.OK, "5 % used: 10.0 KiB of 200.0 KiB"),
    ],
)
def test_quota__is_judged_by_the_thresholds_of_the_gauge(used: int, state: CheckState, finding: str) -> None:
    found = check_quota(cast("Connection", Told(used, 200)), "INBOX", QuotaRule())

    assert found[:3] == ("imap.quota", state, finding)
    assert bool(found[3]) is (state is not CheckState.OK)


@pytest.mark.parametrize(("can_declare", "is_named"), [(True, True), (False, False)])
def test_unknown_quota__names_the_key_only_where_there_is_one(*, can_declare: bool, is_named: bool) -> None:
    told = Told(0, 0, frozenset())

    found = check_quota(cast("Connection", told), "INBOX", QuotaRule(can_declare=can_declare))

    assert found[1] is CheckState.WARN
    assert ("`capacity`" in found[3]) is is_named
