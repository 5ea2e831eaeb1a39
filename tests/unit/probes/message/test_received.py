from datetime import UTC, datetime
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.message.extract import parse_header
from probes.message.received import RAW_FIELDS, RAW_OCTETS, RELAYS, authentication_results, relays


def _mail(*received: str, authentication: str = "") -> Message:
    lines = [f"Received: {one}" for one in received]
    if authentication:
        lines.insert(0, f"Authentication-Results: {authentication}")
    return parse_header("\r\n".join([*lines, "Subject: x", "", ""]).encode())


_SUBMISSION = (
    "from [10.0.0.5] (client.test [192.0.2.7])\r\n\tby relay.probe.test (Postfix) with ESMTPSA id 4A1B2C\r\n"
    "\tfor <support@acme.test>; Mon, 2 Mar 2026 12:00:00 +0000 (UTC)"
)
_MX = (
    "from relay.probe.test (relay.probe.test. [198.51.100.9])\r\n by mx.acme.test with ESMTPS id x7-20020a\r\n"
    " (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384); Mon, 02 Mar 2026 04:00:03 -0800 (PST)"
)
_LMTP = "from mx.acme.test by store.acme.test with LMTP id kA9B; Mon, 2 Mar 2026 12:00:04 +0000"


def test_no_received_field__is_no_relay() -> None:
    assert relays(_mail()) == ()


def test_three_fields__are_three_relays_oldest_first_with_delays() -> None:
    found = relays(_mail(_LMTP, _MX, _SUBMISSION))

    assert [one.by_host for one in found] == ["relay.probe.test", "mx.acme.test", "store.acme.test"]
    assert [one.from_host for one in found] == ["[10.0.0.5]", "relay.probe.test", "mx.acme.test"]
    assert [one.protocol for one in found] == ["ESMTPSA", "ESMTPS", "LMTP"]
    assert [one.queue_id for one in found] == ["4A1B2C", "x7-20020a", "kA9B"]
    assert [one.delay_seconds for one in found] == [None, 3.0, 1.0]
    assert found[1].remote_at == datetime(2026, 3, 2, 12, 0, 3, tzinfo=UTC)
    assert not any(one.is_clock_suspect for one in found)


def test_one_relay_an_hour_ahead__is_the_only_suspect() -> None:
    ahead = _MX.replace("04:00:03", "05:00:03")

    found = relays(_mail(_LMTP, _LMTP, ahead, _SUBMISSION))

    assert [one.is_clock_suspect for one in found] == [False, True, False, False]
    assert [one.delay_seconds for one in found] == [None, 3603.0, None, 0.0]


def test_two_relays_that_contradict_each_other__are_both_suspect() -> None:
    found = relays(_mail(_SUBMISSION, _LMTP))

    assert [one.is_clock_suspect for one in found] == [True, True]
    assert [one.delay_seconds for one in found] == [None, None]


def test_stamps_that_differ_by_their_resolution__are_no_contradiction() -> None:
    later = "by b.test with LMTP id 1; Mon, 2 Mar 2026 12:00:00 +0000"
    sooner = "by a.test with ESMTP id 2; Mon, 2 Mar 2026 12:00:01 +0000"

    found = relays(_mail(later, sooner))

    assert [one.is_clock_suspect for one in found] == [False, False]
    assert found[1].delay_seconds == 0.0


def test_stamp_that_is_no_date__is_a_relay_without_a_time_and_breaks_no_delay() -> None:
    found = relays(_mail(_LMTP, "by odd.test with SMTP; the day after tomorrow", _SUBMISSION))

    assert found[1].remote_at is None
    assert found[1].delay_seconds is None
    assert found[2].delay_seconds == 4.0


def test_words_in_comments__are_no_clauses() -> None:
    found = relays(_mail("(from nowhere (by nobody)) by a.test (with love) with ESMTP id 7; bad"))

    assert (found[0].by_host, found[0].from_host, found[0].protocol) == ("a.test", None, "ESMTP")


def test_escaped_parenthesis__begins_and_ends_no_comment() -> None:
    found = relays(_mail("by a.test (with \\) love) from \\(b.test\\) id 7; bad"))

    assert (found[0].by_host, found[0].from_host, found[0].protocol) == ("a.test", "(b.test)", None)


def test_authentication_results__are_read_from_the_topmost_field() -> None:
    mail = _mail(
        authentication="mx.acme.test; spf=pass (sender is allowed) smtp.mailfrom=probe.test;\r\n dkim=fail header.d=a;"
        " dkim=pass header.d=probe.test; dmarc=pass action=none header.from=probe.test"
    )

    found = authentication_results(mail)

    assert found is not None
    assert found.server == "mx.acme.test"
    assert found.facts() == {
        "intake.mail.dkim": "pass",
        "intake.mail.dmarc": "pass",
        "intake.mail.spf": "pass",
    }


def test_authentication_results_of_none__are_no_results() -> None:
    found = authentication_results(_mail(authentication="mx.acme.test 1; none"))

    assert found is not None
    assert (found.server, dict(found.results)) == ("mx.acme.test", {})


def test_no_such_field__is_none() -> None:
    assert authentication_results(_mail(_MX)) is None


@given(st.lists(st.text(max_size=120), max_size=6), st.text(max_size=120))
def test_any_text__never_raises(received: list[str], authentication: str) -> None:
    message = Message()
    for one in received:
        message["Received"] = one
    message["Authentication-Results"] = authentication

    found = relays(message)

    assert len(found) == len(received)
    assert authentication_results(message) is not None


@given(st.permutations(range(5)))
def test_stamps_in_any_order__leave_the_suspects_out_of_a_rising_run(order: list[int]) -> None:
    fields = [f"by h{n}.test with SMTP; Mon, 2 Mar 2026 12:{n:02d}:00 +0000" for n in reversed(order)]

    found = relays(_mail(*fields))

    sure = [one.remote_at for one in found if not one.is_clock_suspect and one.remote_at is not None]
    assert sure == sorted(sure)
    assert (order == list(range(5))) == (not any(one.is_clock_suspect for one in found))


def test_field__is_kept_as_it_stands_on_one_line_without_local_parts() -> None:
    (found,) = relays(_mail(_SUBMISSION.replace("for <", 'for <"a b>@x"@spool.test>,<')))

    assert found.raw == (
        "from [10.0.0.5] (client.test [192.0.2.7]) by relay.probe.test (Postfix) with ESMTPSA id 4A1B2C "
        "for ***; Mon, 2 Mar 2026 12:00:00 +0000 (UTC)"
    )


def test_fields_of_a_loop__are_kept_of_the_newest_and_never_too_long() -> None:
    long = f"by a.test ({'é' * 5000}\x1b[31m) with LMTP id 1; Mon, 2 Mar 2026 12:00:00 +0000"

    found = relays(_mail(*[long] * 60))

    kept = [one.raw for one in found if one.raw]
    assert [bool(one.raw) for one in found] == [False] * (RELAYS - RAW_FIELDS) + [True] * RAW_FIELDS
    assert {len(one.encode()) for one in kept} == {RAW_OCTETS}


@given(st.text(max_size=200), st.sampled_from(["jane", "jane.doe+tag", '"jane doe"', "j@ne", "<jane"]))
def test_address_anywhere_in_a_field__never_keeps_its_local_part(noise: str, local: str) -> None:
    (found,) = relays(_mail(f"{' '.join(noise.split())} for <{local}@customer.test> by b.test"))

    assert found.raw.isascii()
    assert f"{local}@" not in found.raw
    assert "jane@" not in found.raw


_SHAPES = (
    "for <{0} @c.test>; Mon, 2 Mar 2026 12:00:00 +0000",
    "for <{0}(a (b) remark)@c.test>",
    "for {0} (remark) @c.test",
    "for {0}",
    "for<{0}>",
    "for <x@c.test>, {0}, <y>",
    'for "{0} by {0}"@c.test',
    "for (remark) {0}; Mon, 2 Mar 2026 12:00:00 +0000",
    "(authenticated sender: {0})",
    "(Authenticated user: {0} bits=256)",
    "(envelope-from <{0}@c.test>)",
    "envelope-from={0}",
    "(AUTH: LOGIN {0})",
    "({0}(remark)@c.test)",
    "from <{0} @c.test>",
)


@given(st.from_regex(r"joe7[a-z0-9.+-]{0,8}", fullmatch=True), st.sampled_from(_SHAPES), st.booleans())
def test_whose_a_mail_is__is_never_kept_however_it_is_written(local: str, shape: str, is_upper: bool) -> None:
    said = shape.format(local.upper() if is_upper else local)

    (found,) = relays(_mail(f"from a.test {said} by b.test with ESMTP id 4F2"))

    assert "joe7" not in found.raw.lower()
    assert found.raw.startswith("from a.test ")


def test_clauses_after_whom_it_is_for__are_kept() -> None:
    (found,) = relays(_mail("by b.test for <joe@c.test> with ESMTP id 4F2; Mon, 2 Mar 2026 12:00:00 +0000"))

    assert found.raw == "by b.test for *** with ESMTP id 4F2; Mon, 2 Mar 2026 12:00:00 +0000"


@pytest.mark.parametrize("word", ["a", "a ", "a(", '"', "<", "for ", 'for "', "for <", "for (", "for a ("])
def test_field_of_one_word_again_and_again__is_masked_at_once(word: str) -> None:
    (found,) = relays(_mail(f"by b.test {word * 20_000}"))

    assert len(found.raw) <= RAW_OCTETS
