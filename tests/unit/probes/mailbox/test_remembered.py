"""What was read is not remembered for ever: a daemon runs for a year."""

from hypothesis import given
from hypothesis import strategies as st

from probes.mailbox.mails import MOST_REMEMBERED, remembered


@given(st.integers(0, 3), st.integers(1, 5))
def test_newest_uids__are_kept_and_no_more_than_the_bound(first: int, apart: int) -> None:
    read = frozenset(range(first, first + apart * (MOST_REMEMBERED + 1), apart))

    kept = remembered(read)

    assert len(kept) == MOST_REMEMBERED // 2
    assert min(kept) > max(read - kept)


def test_few_uids__are_all_kept() -> None:
    read = frozenset(range(MOST_REMEMBERED))

    assert remembered(read) == read
