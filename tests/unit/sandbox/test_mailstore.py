"""The mail store: quota, sub-addresses, fillers."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.mailstore import DELETED, Account, MailStore, OverQuota

AT = datetime(2026, 11, 25, tzinfo=UTC)


def make() -> tuple[MailStore, Account]:
    store = MailStore(AT)
    return store, store.add_account("support@acme.test", "secret")


def test_store__beyond_either_limit__is_refused() -> None:
    store, account = make()
    inbox = account.folders["INBOX"]
    store.set_quota(account, limit_bytes=10, limit_messages=None)
    store.store(account, inbox, b"x" * 10)
    with pytest.raises(OverQuota):
        store.store(account, inbox, b"x")
    store.set_quota(account, limit_bytes=None, limit_messages=1)
    with pytest.raises(OverQuota):
        store.store(account, inbox, b"x")


def test_remove__makes_room_and_says_so() -> None:
    store, account = make()
    inbox = account.folders["INBOX"]
    message = store.store(account, inbox, b"x" * 10, flags=[DELETED])
    watcher = asyncio.Event()
    inbox.watchers.add(watcher)

    store.remove(inbox, [message])

    assert account.used_bytes == 0
    assert watcher.is_set()
    assert store.room_made.is_set()
    assert inbox.uidnext == 2


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("support@acme.test", True),
        ("support+token@acme.test", True),
        ("SUPPORT@Acme.Test", True),
        ("suport@acme.test", False),
        ("support@other.test", False),
        ("support", False),
        ("", False),
    ],
)
def test_find__knows_sub_addresses_and_no_others(address: str, found: bool) -> None:
    store, account = make()

    assert store.find(address) is (account if found else None)


@given(st.integers(min_value=200, max_value=1_000_000))
def test_fill__takes_exactly_the_bytes__and_empty_gives_them_back(size: int) -> None:
    store, account = make()
    store.store(account, account.folders["INBOX"], b"real")

    store.fill(account, size_bytes=size, unread=False)

    assert account.used_bytes == size + 4
    store.empty(account, everything=False)
    assert account.used_bytes == 4


def test_repr__shows_no_password() -> None:
    assert "secret" not in repr(make()[1])


def test_uidvalidities__differ_between_folders() -> None:
    _, account = make()

    assert len({folder.uidvalidity for folder in account.folders.values()}) == 4
