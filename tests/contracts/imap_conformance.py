"""What the prober and a helpdesk rely on in an IMAP server: one suite for the sandbox's server and for Dovecot.

A subclass `TestSomething(ImapConformance)` needs a fixture `imap_server` that gives an `ImapServer`. Its account
has a storage quota of `quota_bytes`; each test empties the account first.
"""

import imaplib
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from tests.contracts.imap_account import (
    TIMEOUT_SECONDS,
    WAKE_SECONDS,
    ImapServer,
    connected,
    logged_in,
    mail,
    names_exists,
    selected,
    trust,
)
from tests.contracts.imap_conformance_reading import ReadingConformance
from tests.contracts.imap_wire import Wire


class ImapConformance(ReadingConformance):
    @pytest.fixture(autouse=True)
    def _empty(self, imap_server: ImapServer) -> None:
        with logged_in(imap_server) as client:
            for _flags, _delimiter, name in client.list_folders():
                client.select_folder(name)
                if found := client.search("ALL"):
                    client.delete_messages(found)
                    client.expunge()

    # Connection and login

    def test_certificate__of_both_listeners__verifies_against_the_ca(self, imap_server: ImapServer) -> None:
        with (
            connected(imap_server),
            IMAPClient(
                imap_server.host,
                imap_server.imaps_port,
                ssl_context=trust(imap_server),
                timeout=TIMEOUT_SECONDS,
            ) as implicit,
        ):
            implicit.login(imap_server.username, imap_server.password)

            assert implicit.select_folder("INBOX")[b"EXISTS"] == 0

    def test_wrong_password__is_refused_and_the_connection_lives(self, imap_server: ImapServer) -> None:
        with connected(imap_server) as client:
            with pytest.raises(LoginError, match="AUTHENTICATIONFAILED"):
                client.login(imap_server.username, "wrong")

            client.login(imap_server.username, imap_server.password)

    def test_capabilities__change_with_login__quota_only_after_it(self, imap_server: ImapServer) -> None:
        with connected(imap_server) as client:
            before = set(client.capabilities())
            client.login(imap_server.username, imap_server.password)
            after = set(client.capabilities())

        assert b"IDLE" in before
        assert b"QUOTA" not in before
        assert {b"IDLE", b"QUOTA", b"UIDPLUS", b"MOVE", b"SPECIAL-USE", b"NAMESPACE"} <= after

    def test_command_before_login__is_bad__and_unknown_one_too(self, imap_server: ImapServer) -> None:
        with Wire(imap_server, log_in=False) as wire:
            assert wire.ask(b"SELECT INBOX")[-1].split()[1] == b"BAD"
            assert wire.ask(b"NONSENSE")[-1].split()[1] == b"BAD"

    def test_authenticate_plain__with_initial_response__logs_in(self, imap_server: ImapServer) -> None:
        with connected(imap_server) as client:
            client.plain_login(imap_server.username, imap_server.password)

            assert client.select_folder("INBOX")[b"EXISTS"] == 0

    def test_standard_library__login_search_fetch_logout__works(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail("for imaplib"))
        client = imaplib.IMAP4(imap_server.host, imap_server.port, timeout=TIMEOUT_SECONDS)
        client.starttls(trust(imap_server))
        client.login(imap_server.username, imap_server.password)
        client.select("INBOX")

        found = client.search(None, "NOT", "DELETED")
        (fetched, _end) = client.fetch("1", "(RFC822)")[1]
        ended = client.logout()

        assert found == ("OK", [b"1"])
        assert isinstance(fetched, tuple)
        assert b"Subject: for imaplib" in fetched[1]
        assert ended[0] == "BYE"

    def test_tagged_answers__always_carry_a_text(self, imap_server: ImapServer) -> None:
        with Wire(imap_server) as wire:
            for command in (b"NOOP", b"SELECT INBOX", b"SEARCH ALL", b"STATUS INBOX (MESSAGES)", b"CLOSE"):
                assert len(wire.ask(command)[-1].split(b" ", 2)) == 3, command

    # Folders

    def test_select__of_a_mailbox_with_mail__says_what_a_client_needs(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail())
        with logged_in(imap_server) as client:
            writable = client.select_folder("INBOX")
            read_only = client.select_folder("INBOX", readonly=True)

        assert writable[b"EXISTS"] == 1
        assert writable[b"READ-WRITE"] == [b""] or writable[b"READ-WRITE"] is True
        assert int(writable[b"UIDVALIDITY"]) == int(read_only[b"UIDVALIDITY"]) > 0
        assert int(writable[b"UIDNEXT"]) > 1
        assert b"\\Deleted" in writable[b"PERMANENTFLAGS"]
        assert list(read_only[b"PERMANENTFLAGS"]) == []

    def test_select__of_a_missing_folder__is_refused(self, imap_server: ImapServer) -> None:
        with logged_in(imap_server) as client, pytest.raises(IMAPClientError):
            client.select_folder("No such folder")

    def test_folder__created__is_listed_and_deleted(self, imap_server: ImapServer) -> None:
        with logged_in(imap_server) as client:
            client.create_folder("Kept aside")
            listed = [name for _, _, name in client.list_folders()]
            client.delete_folder("Kept aside")

            assert "Kept aside" in listed
            assert "INBOX" in listed
            assert "Kept aside" not in [name for _, _, name in client.list_folders()]

    def test_status__of_another_folder__counts_messages_and_bytes(self, imap_server: ImapServer) -> None:
        raw = mail()
        imap_server.deliver(raw)
        with logged_in(imap_server) as client:
            status = client.folder_status("INBOX", ["MESSAGES", "UNSEEN", "UIDNEXT", "UIDVALIDITY", "SIZE"])

        assert status[b"MESSAGES"] == 1
        assert status[b"UNSEEN"] == 1
        assert status[b"SIZE"] >= len(raw)

    # Changing

    def test_store_and_search__of_flags_and_keywords__agree(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail())
        with selected(imap_server) as client:
            (uid,) = client.search("ALL")
            client.add_flags([uid], ["\\Flagged", "canary"])
            client.remove_flags([uid], ["\\Flagged"])

            assert client.search(["KEYWORD", "canary"]) == [uid]
            assert client.search("FLAGGED") == []

    def test_uid_expunge__removes_only_what_it_names(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail("one"))
        imap_server.deliver(mail("two"))
        with selected(imap_server) as client:
            first, second = client.search("ALL")
            client.delete_messages([first, second])
            client.uid_expunge([first])

            assert client.search("ALL") == [second]

    def test_uids__after_an_expunge__are_not_used_again(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail("one"))
        with selected(imap_server) as client:
            (first,) = client.search("ALL")
            client.delete_messages([first])
            client.expunge()
            imap_server.deliver(mail("two"))
            client.noop()
            (second,) = client.search("ALL")

        assert second > first

    def test_expunge__by_another_session__is_told_at_noop(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail())
        with selected(imap_server) as watcher, selected(imap_server) as helpdesk:
            helpdesk.delete_messages(helpdesk.search("ALL"))
            helpdesk.expunge()
            _, told = watcher.noop()

        assert (1, b"EXPUNGE") in told

    def test_move__keeps_time_and_flags_and_empties_the_source(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail("to be moved"))
        with selected(imap_server) as client:
            client.create_folder("Elsewhere")
            (uid,) = client.search("ALL")
            client.add_flags([uid], ["\\Flagged"])
            before = client.fetch([uid], ["INTERNALDATE"])[uid][b"INTERNALDATE"]
            client.move([uid], "Elsewhere")
            left = client.search("ALL")
            client.select_folder("Elsewhere", readonly=True)
            (moved,) = client.search("ALL")
            got = client.fetch([moved], ["INTERNALDATE", "FLAGS"])[moved]
            client.select_folder("INBOX")
            client.delete_folder("Elsewhere")

        assert left == []
        assert got[b"INTERNALDATE"] == before
        assert b"\\Flagged" in got[b"FLAGS"]

    def test_copy__to_a_missing_folder__says_trycreate(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail())
        with selected(imap_server) as client, pytest.raises(IMAPClientError, match="TRYCREATE"):
            client.copy(client.search("ALL"), "No such folder")

    def test_append__keeps_flags_and_time__and_names_the_uid(self, imap_server: ImapServer) -> None:
        at = datetime(2026, 2, 1, 10, 0, tzinfo=timezone(timedelta(hours=5)))
        with selected(imap_server) as client:
            answer = client.append("INBOX", mail("appended"), flags=["\\Seen"], msg_time=at)
            client.noop()
            (uid,) = client.search("ALL")
            got = client.fetch([uid], ["INTERNALDATE", "FLAGS"])[uid]

        assert f"{uid}] ".encode() in answer
        assert got[b"INTERNALDATE"].astimezone(UTC) == datetime(2026, 2, 1, 5, 0, tzinfo=UTC)
        assert b"\\Seen" in got[b"FLAGS"]

    def test_append__beyond_the_quota__is_refused_and_stores_nothing(self, imap_server: ImapServer) -> None:
        with selected(imap_server) as client:
            with pytest.raises(IMAPClientError, match="OVERQUOTA"):
                client.append("INBOX", mail(body=("x" * 70 + "\n") * (imap_server.quota_bytes // 70)))
            client.noop()

            assert client.search("ALL") == []

    def test_quota__grows_with_mail__in_units_of_1024_bytes(self, imap_server: ImapServer) -> None:
        with logged_in(imap_server) as client:
            imap_server.deliver(mail(body=("x" * 70 + "\n") * 2000))
            _, quotas = client.get_quota_root("INBOX")

        (storage,) = (quota for quota in quotas if quota.resource == "STORAGE")
        assert storage.limit == imap_server.quota_bytes // 1024
        assert 138 <= storage.usage <= 150

    # Literals

    def test_non_synchronising_literal__is_taken_without_an_invitation(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail("by literal"))
        with Wire(imap_server) as wire:
            wire.ask(b"SELECT INBOX")

            assert b"* SEARCH 1" in wire.ask(b"SEARCH SUBJECT {10+}\r\nby literal")

    # IDLE

    def test_idle__when_mail_comes__tells_it_at_once(self, imap_server: ImapServer) -> None:
        with selected(imap_server) as client:
            client.idle()
            imap_server.deliver(mail())
            began = time.perf_counter()
            events = client.idle_check(timeout=WAKE_SECONDS)
            took = time.perf_counter() - began
            _, rest = client.idle_done()

        assert names_exists([*events, *rest], 1)
        assert took < WAKE_SECONDS / 2

    def test_idle__for_mail_that_came_between_search_and_idle__tells_it(
        self, imap_server: ImapServer
    ) -> None:
        with selected(imap_server) as client:
            client.search("ALL")
            imap_server.deliver(mail())
            client.idle()
            # It may be in the client's own buffer, where idle_check can't see it: idle_done gives it then.
            events = client.idle_check(timeout=1)
            _, rest = client.idle_done()

        assert names_exists([*events, *rest], 1)

    def test_idle__when_another_session_expunges__tells_it(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail())
        with selected(imap_server) as watcher, selected(imap_server) as helpdesk:
            watcher.idle()
            helpdesk.delete_messages(helpdesk.search("ALL"))
            helpdesk.expunge()
            told: list[tuple[object, ...]] = []
            ends_at = time.perf_counter() + WAKE_SECONDS
            while (1, b"EXPUNGE") not in told and time.perf_counter() < ends_at:
                told += watcher.idle_check(timeout=1)
            watcher.idle_done()

        assert (1, b"EXPUNGE") in told

    def test_idle__ended_and_begun_again__goes_on(self, imap_server: ImapServer) -> None:
        with selected(imap_server) as client:
            for number in (1, 2):
                client.idle()
                imap_server.deliver(mail(f"mail {number}"))
                events = client.idle_check(timeout=WAKE_SECONDS)
                _, rest = client.idle_done()

                assert names_exists([*events, *rest], number)
                assert len(client.search("ALL")) == number
