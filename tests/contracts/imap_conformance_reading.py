"""What the prober relies on when it reads and searches a mailbox; a part of the conformance suite."""

from datetime import date

import pytest

from tests.contracts.imap_account import ImapServer, mail, mail_with_attachment, selected
from tests.contracts.imap_wire import Wire


class ReadingConformance:
    # Reading

    def test_examine__and_body_peek__leave_the_mail_unseen(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail())
        with selected(imap_server, readonly=True) as client:
            client.fetch(client.search("ALL"), ["BODY.PEEK[]", "BODY[]"])

            assert client.search("UNSEEN") == client.search("ALL")

    def test_select__and_body__mark_the_mail_seen_and_say_so(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail())
        with selected(imap_server) as client:
            (uid,) = client.search("UNSEEN")
            client.fetch([uid], ["BODY.PEEK[HEADER]"])
            still_unseen = client.search("UNSEEN")
            fetched = client.fetch([uid], ["BODY[TEXT]"])

            assert still_unseen == [uid]
            assert b"\\Seen" in fetched[uid][b"FLAGS"]
            assert client.search("UNSEEN") == []

    def test_fetch__of_sections_and_partials__gives_exactly_these_bytes(
        self, imap_server: ImapServer
    ) -> None:
        imap_server.deliver(mail("sections", body="0123456789\n"))
        with selected(imap_server) as client:
            (uid,) = client.search("ALL")
            got = client.fetch(
                [uid],
                [
                    "BODY.PEEK[HEADER.FIELDS (SUBJECT X-CANARY)]",
                    "BODY.PEEK[TEXT]<2.4>",
                    "RFC822.SIZE",
                    "BODY.PEEK[]",
                ],
            )[uid]

        header = next(value for key, value in got.items() if b"HEADER.FIELDS" in key)
        partial = next(value for key, value in got.items() if b"TEXT" in key)
        assert header == b"Subject: sections\r\nX-Canary: token abc\r\n\r\n"
        assert partial == b"2345"
        assert got[b"RFC822.SIZE"] == len(got[b"BODY[]"])

    def test_fetch__of_mime_parts__finds_them_by_number(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail_with_attachment())
        with selected(imap_server) as client:
            (uid,) = client.search("ALL")
            got = client.fetch(
                [uid], ["BODY.PEEK[1.1]", "BODY.PEEK[1.2]", "BODY.PEEK[2.MIME]", "BODY.PEEK[9]"]
            )[uid]

        assert got[b"BODY[1.1]"].strip() == b"plain part"
        assert got[b"BODY[1.2]"].strip() == b"<p>html part</p>"
        assert b"a.pdf" in got[b"BODY[2.MIME]"]
        assert not got[b"BODY[9]"]

    def test_bodystructure__of_a_nested_mail__shows_parts_and_file_names(
        self, imap_server: ImapServer
    ) -> None:
        imap_server.deliver(mail_with_attachment())
        with selected(imap_server) as client:
            (uid,) = client.search("ALL")
            structure = client.fetch([uid], ["BODYSTRUCTURE"])[uid][b"BODYSTRUCTURE"]

        parts, subtype = structure[0], structure[1]
        assert subtype.lower() == b"mixed"
        assert [part.lower() for part in parts[0][0][0][:2]] == [b"text", b"plain"]
        assert [part.lower() for part in parts[1][:2]] == [b"application", b"pdf"]
        assert b"a.pdf" in parts[1][8][1]

    def test_envelope__has_the_parsed_addresses(self, imap_server: ImapServer) -> None:
        imap_server.deliver(mail("an envelope"))
        with selected(imap_server) as client:
            (uid,) = client.search("ALL")
            envelope = client.fetch([uid], ["ENVELOPE"])[uid][b"ENVELOPE"]

        assert envelope.subject == b"an envelope"
        assert (envelope.from_[0].name, envelope.from_[0].mailbox) == (b"A Customer", b"customer")
        assert envelope.reply_to[0].host == b"probe.test"
        assert envelope.cc is None

    # Searching

    @pytest.mark.parametrize(
        ("keys", "expected"),
        [
            (["ALL"], [1, 2, 3]),
            (["SUBJECT", "second"], [2]),
            (["SUBJECT", "SECOND"], [2]),
            (["FROM", "stranger@"], [3]),
            (["TO", "support@acme.test"], [1, 2, 3]),
            (["HEADER", "X-Canary", "abc"], [1, 2, 3]),
            (["HEADER", "X-Missing", ""], []),
            (["BODY", "needle"], [2]),
            (["TEXT", "needle"], [2]),
            (["OR", "SUBJECT", "first", "SUBJECT", "third"], [1, 3]),
            (["NOT", "SUBJECT", "first"], [2, 3]),
            (["LARGER", "5000"], [3]),
            (["SMALLER", "5000"], [1, 2]),
            (["UNSEEN"], [1, 2, 3]),
            (["SEEN"], []),
            (["DELETED"], []),
            (["SINCE", date(2020, 1, 1)], [1, 2, 3]),
            (["BEFORE", date(2020, 1, 1)], []),
            (["UNSEEN", "SUBJECT", "first"], [1]),
            (["2:*"], [2, 3]),
        ],
    )
    def test_search__finds_what_the_keys_say(
        self, imap_server: ImapServer, keys: list[object], expected: list[int]
    ) -> None:
        imap_server.deliver(mail("the first"))
        imap_server.deliver(mail("the second", body="hay needle hay\n"))
        imap_server.deliver(
            mail("the third", body="x" * 60 + "\n" + ("y" * 60 + "\n") * 100, sender="stranger@x.test")
        )
        with selected(imap_server) as client:
            uids = client.search("ALL")

            assert [uids.index(uid) + 1 for uid in client.search(keys)] == expected

    def test_search__of_a_utf8_subject_by_literal__finds_the_encoded_one(
        self, imap_server: ImapServer
    ) -> None:
        imap_server.deliver(mail("Grüße aus Köln"))
        imap_server.deliver(mail("something else"))
        with selected(imap_server) as client:
            assert client.search(["SUBJECT", "Köln"], charset="UTF-8") == client.search("ALL")[:1]

    def test_search__in_an_unknown_charset__is_refused(self, imap_server: ImapServer) -> None:
        with Wire(imap_server) as wire:
            wire.ask(b"SELECT INBOX")

            assert b" NO [BADCHARSET" in wire.ask(b"SEARCH CHARSET X-NONE SUBJECT a")[-1]

    def test_search__after_more_mail__sees_it_without_selecting_again(self, imap_server: ImapServer) -> None:
        with selected(imap_server) as client:
            before = client.search("ALL")
            imap_server.deliver(mail())
            client.noop()

            assert before == []
            assert len(client.search("ALL")) == 1
