import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.gauge import Resource
from probes.mailbox.quota import Use, has_quota, parse_command_output, quota_uses


@pytest.mark.parametrize(
    ("capabilities", "does"),
    [
        ({"IMAP4REV1", "IDLE"}, False),
        ({"QUOTA"}, True),
        ({"QUOTA=RES-STORAGE", "QUOTASET"}, True),
        ({"STATUS=SIZE"}, False),
    ],
)
def test_quota__is_announced_in_the_old_form_or_the_new(capabilities: set[str], does: bool) -> None:
    assert has_quota(frozenset(capabilities)) is does


def test_storage__is_counted_in_units_of_1024_and_messages_singly() -> None:
    uses = quota_uses([("User quota", "STORAGE", 10, 2048), ("User quota", "MESSAGE", 3, 1000)])

    assert uses == [
        Use(Resource.STORAGE, 10_240, 2_097_152, "quota root 'User quota'"),
        Use(Resource.MESSAGE, 3, 1000, "quota root 'User quota'"),
    ]


def test_several_roots__the_fullest_decides_for_each_resource() -> None:
    uses = quota_uses(
        [("user", "STORAGE", 10, 1000), ("domain", "STORAGE", 900, 1000), ("user", "MESSAGE", 5, 10)]
    )

    assert [(one.resource, one.used, one.how) for one in uses] == [
        (Resource.STORAGE, 900 * 1024, "quota root 'domain'"),
        (Resource.MESSAGE, 5, "quota root 'user'"),
    ]


def test_limit_of_zero__is_no_limit() -> None:
    assert quota_uses([("", "STORAGE", 10, 0)]) == [Use(Resource.STORAGE, 10_240, None, "quota")]


def test_resource_that_we_do_not_know__is_left_out() -> None:
    assert quota_uses([("", "ANNOTATION-STORAGE", 1, 2), ("", "MAILBOX", 1, 2)]) == []


@pytest.mark.parametrize(
    ("output", "uses"),
    [
        (b"1000 2000\n", [(Resource.STORAGE, 1000, 2000)]),
        (b"1000", [(Resource.STORAGE, 1000, None)]),
        (b'{"used_bytes": 7, "limit_bytes": 9}', [(Resource.STORAGE, 7, 9)]),
        (b'{"used_messages": 7, "limit_messages": 9}', [(Resource.MESSAGE, 7, 9)]),
        (b'{"used_bytes": "7"}', []),
        (b'{"used_bytes": -7}', []),
        (b"a b", []),
        (b"[1, 2]", []),
        (b"", []),
    ],
)
def test_output_of_a_command__is_json_or_two_numbers(
    output: bytes, uses: list[tuple[Resource, int, int | None]]
) -> None:
    assert [(one.resource, one.used, one.limit) for one in parse_command_output(output)] == uses


@given(st.binary(max_size=200))
def test_any_output__never_raises(output: bytes) -> None:
    assert all(one.used is not None for one in parse_command_output(output))


_QUOTAS = st.lists(
    st.tuples(
        st.text(max_size=5),
        st.sampled_from(["STORAGE", "MESSAGE", "MAILBOX", "X"]),
        st.integers(0, 10**12),
        st.integers(0, 10**12),
    ),
    max_size=6,
)


@given(_QUOTAS)
def test_any_quotas__give_at_most_one_use_a_resource_and_the_highest_share(
    quotas: list[tuple[str, str, int, int]],
) -> None:
    uses = quota_uses(quotas)

    assert len({one.resource for one in uses}) == len(uses)
    for use in uses:
        name = "STORAGE" if use.resource is Resource.STORAGE else "MESSAGE"
        shares = [used / limit for _, one, used, limit in quotas if one == name and limit > 0]
        if shares and use.used is not None and use.limit is not None:
            assert use.used / use.limit == pytest.approx(max(shares))
