"""The transcript: no secret and no stranger's word is in it, its structure is, and its file is whole or not there."""

import base64
import json
import os
import stat
import string
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from canary.signature import mint_id, mint_token, verify
from probes.http_exchange import Exchange
from probes.masking import Masker, Secret
from probes.origins import origin_of
from runners.transcript import MOST_EXCHANGES, FileExists, Transcript, write_whole
from runners.transcript_shapes import OUR_ADDRESS, SYSTEM, Shapes
from runners.transcript_words import WORD, vocabulary
from tests.fakes.clock import START

URL = "https://desk.acme.test/api/tickets?page=2&since=2026-03-02T12%3A00%3A00Z"
OURS = "canary@probe.test"
KEY = b"signing-key-of-32-bytes-for-test"
TOKEN = mint_token(mint_id(START, b"abcd"), "support-email", KEY)
SEEN = {
    "id": 4711,
    "subject": "Where are my forty chairs?",
    "status": "solved",
    "created_at": "2026-03-02T11:58:01.123+01:00",
    "requester": {"name": "Jane Miller", "mail": "jane.miller@customer.test", "vip": True, "score": 0.75},
    "tags": [],
    "next": "https://desk.acme.test/api/tickets/4711/files?cursor=aGVsbG8&limit=20",
    "etag": None,
    "count": 7,
}


def shapes(*secrets: str) -> Shapes:
    return Shapes(
        vocabulary=vocabulary(None),
        origin=origin_of("https://desk.acme.test"),
        marker="intakecanary",
        addresses=frozenset({OURS}),
        is_ours=lambda word: verify(word, keys=[KEY], paths=["support-email"]) is not None,
        masker=Masker(Secret(one) for one in secrets),
    )


def exchange(
    content: bytes = b"{}",
    *,
    url: str = URL,
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    answered: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),),
    status: int | None = 200,
    failure: str = "",
) -> Exchange:
    return Exchange("GET", url, headers, body, status, answered, content, 0.25, failure)


def told(*exchanges: Exchange, secrets: tuple[str, ...] = ()) -> str:
    transcript = Transcript()
    for one in exchanges:
        transcript(one)
    return transcript.text(shapes(*secrets), kind="http")


def only(*exchanges: Exchange, secrets: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 -- JSON
    return json.loads(told(*exchanges, secrets=secrets))["exchanges"][0]


WORDS = st.text(
    st.sampled_from(string.ascii_letters + string.digits + "éßЖ漢@.-_/ "), min_size=5, max_size=60
)
NAMES = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)


def has_no_letters_of_a_shape(text: str) -> bool:
    """Whether a text is not itself what a shape looks like, such as ``aaaaa``."""
    return bool(set(text.lower()) - set("ax1@.-_/ 0"))


def within(text: str, structure: Any) -> Any:  # noqa: ANN401 -- JSON
    """The structure with a stranger's text in place of each ``None``."""
    match structure:
        case None:
            return text
        case list():
            return [within(text, one) for one in structure]
        case dict():
            return {name: within(text, one) for name, one in structure.items()}
        case _:
            return structure


STRUCTURES = st.recursive(
    st.none() | st.booleans() | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(text=WORDS, structure=STRUCTURES)
def test_strangers_text__is_nowhere_in_the_transcript_wherever_it_stood(text: str, structure: Any) -> None:  # noqa: ANN401
    assume(has_no_letters_of_a_shape(text))
    assume(text.lower() not in vocabulary(None).whole)
    # a text of the protocol's own words alone, such as SUBMITTER/EMAIL, is nobody's
    assume(not set(WORD.findall(text.lower())) <= vocabulary(None).words)
    body = json.dumps(
        {"rows": [within(text, structure), text, f"before {text} after", {"note": text}]}
    ).encode()
    header = quote(text)
    answered = (
        ("Content-Type", "application/json"),
        ("X-Requester", header),
        ("Link", f"<{SYSTEM}/{header}>"),
    )
    baseline = told(exchange(within_words(body, text), answered=(("Content-Type", "application/json"),)))
    assume(text not in baseline and header not in baseline)

    transcript = told(exchange(body, answered=answered))

    assert text not in transcript
    assert header not in transcript


def within_words(body: bytes, text: str) -> bytes:
    """The same body without the text: whatever is told of it is structure."""
    return body.replace(json.dumps(text)[1:-1].encode(), b"")


@given(secret=st.text(string.ascii_letters + string.digits + "+/=:;!", min_size=8, max_size=50))
def test_secret__is_nowhere_in_any_form(secret: str) -> None:
    assume(has_no_letters_of_a_shape(secret))
    pair = base64.b64encode(f"prober:{secret}".encode()).decode()
    forms = [
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        base64.b64encode(secret.encode()).decode(),
        pair,
    ]
    baseline = told(exchange(b'{"said": "", "echo": {"key": [1]}}'))
    assume(not any(one in baseline for one in forms))
    body = json.dumps({"said": secret, "echo": {secret: [f"Basic {pair}"]}, "url": f"/a?key={quote(secret)}"})

    transcript = told(
        exchange(
            body.encode(),
            url=f"https://desk.acme.test/api/{quote(secret, safe='')}/tickets?k={quote_plus(secret)}",
            headers=(("Authorization", f"Basic {pair}"), ("X-Api-Key", secret), ("X-Odd", f"for {secret}")),
            body=json.dumps({"password": secret, "note": [secret, pair]}).encode(),
            answered=(("Set-Cookie", f"sid={secret}"), ("X-Echo", secret), ("Location", f"/login/{pair}")),
        ),
        secrets=(secret,),
    )

    assert not [one for one in forms if one in transcript]


@given(secret=st.text(string.ascii_letters + string.digits, min_size=8, max_size=50))
def test_credential_that_nobody_registered__is_not_shown_where_credentials_stand(secret: str) -> None:
    assume(has_no_letters_of_a_shape(secret))
    assume(secret not in told(exchange(b'{"session_token": ""}', body=b"grant_type=client_credentials")))

    transcript = told(
        exchange(
            json.dumps({"session_token": secret}).encode(),
            url=f"{URL}&api_key={secret}",
            headers=(("Authorization", f"Token token={secret}"), ("Cookie", secret)),
            body=f"grant_type=client_credentials&client_secret={secret}".encode(),
            answered=(("Set-Cookie", f"a={secret}; Path=/"),),
        )
    )

    assert secret not in transcript


def test_answer__keeps_types_names_formats_and_small_numbers() -> None:
    assert only(exchange(json.dumps(SEEN).encode()))["answer"]["body"] == {
        "id": 1111,
        "subject": "Aaaaa aaa aa aaaaa aaaaaa?",
        "status": "solved",
        "created_at": "0000-00-00T00:00:00.000+01:00",
        "requester": {
            "name": "Aaaa Aaaaaa",
            "mail": "aaaa.aaaaaa@aaaaaaaa.aaaa",
            "vip": True,
            "score": 1.11,
        },
        "tags": [],
        "next": f"{SYSTEM}/api/tickets/1111/aaaaa?cursor=xxxxxxx&limit=20",
        "etag": None,
        "count": 7,
    }


def test_own_words__are_told_apart_from_strangers() -> None:
    body = {"subject": f"intakecanary {TOKEN} hello", "from": OURS, "quoted": f"<{TOKEN}@probe.test>"}

    seen = only(exchange(json.dumps(body).encode()))["answer"]["body"]

    assert seen["subject"] == f"intakecanary {TOKEN[:17]}… aaaaa"
    assert seen["from"] == OUR_ADDRESS
    assert TOKEN not in told(exchange(json.dumps(body).encode()))


def test_token_of_another_prober__is_a_strangers_word() -> None:
    foreign = mint_token(mint_id(START, b"abcd"), "support-email", b"another-key-of-32-bytes-for-test")

    assert foreign[:17] not in told(exchange(json.dumps([foreign]).encode()))


def test_request__shows_method_path_and_parameters_without_what_is_filled_in() -> None:
    request = only(exchange(url=f"{URL}&email=jane@customer.test&query={quote(OURS)}"))["request"]

    assert request["method"] == "GET"
    assert request["url"] == (
        f"{SYSTEM}/api/tickets?page=2&since=0000-00-00T00:00:00Z&email=aaaa@aaaaaaaa.aaaa&query={OUR_ADDRESS}"
    )


def test_rate_limits_and_links__keep_what_an_adapter_reads_of_them() -> None:
    answered = (
        ("Content-Type", "application/json; charset=utf-8"),
        ("X-RateLimit-Remaining", "4711"),
        ("zendesk-ratelimit-tickets-index", "total=100; remaining=99; resets=41"),
        ("Retry-After", "120"),
        ("Link", '<https://desk.acme.test/api/tickets?page=3&after=aGVsbG8>; rel="next"'),
        ("ETag", 'W/"4b1f"'),
        ("Date", "Mon, 02 Mar 2026 12:00:00 GMT"),
    )

    assert only(exchange(answered=answered))["answer"]["headers"] == [
        "Content-Type: application/json; charset=utf-8",
        "X-RateLimit-Remaining: 4711",
        "zendesk-ratelimit-tickets-index: total=100; remaining=99; resets=41",
        "Retry-After: 120",
        f'Link: <{SYSTEM}/api/tickets?page=3&after=xxxxxxx>; rel="next"',
        'ETag: W/"xxxx"',
        "Date: Mon, 02 Mar 2026 12:00:00 GMT",
    ]


def test_names_that_are_data__are_shapes() -> None:
    people = {"Jane": {"id": 1, "mail": "j@x.test"}, "John": {"id": 2, "mail": "k@x.test"}}
    body = {"people": people, "jane@customer.test": 1, "2": "a", "über uns": 3}

    assert only(exchange(json.dumps(body).encode()))["answer"]["body"] == {
        "people": {"Aaaa": {"id": 1, "mail": "a@a.aaaa"}, "Aaaa #2": {"id": 2, "mail": "a@a.aaaa"}},
        "aaaa@aaaaaaaa.aaaa": 1,
        "2": "a",
        "aaaa aaa": 3,
    }


def test_names_of_what_is_counted_or_listed__are_shapes_unless_they_are_known() -> None:
    body = {
        "voters": {"janedoe": 1, "max.mustermann": 2},
        "by_tag": {"divorce": [1], "cancer-patient": [2]},
        "page": {"size": 25, "total": 2},
        "subject": "x",
    }

    assert only(exchange(json.dumps(body).encode()))["answer"]["body"] == {
        "voters": {"aaaaaaa": 1, "aaa.aaaaaaaaaa": 2},
        "by_tag": {"aaaaaaa": [1], "aaaaaa-aaaaaaa": [2]},
        "page": {"size": 25, "total": 2},
        "subject": "a",
    }


def test_number_of_a_limits_header_that_is_no_count__and_the_length_of_what_we_sent__are_not_shown() -> None:
    answered = (("X-RateLimit-User", "4917012345678"), ("X-RateLimit-Reset", "1772452800"))
    shown = only(
        exchange(headers=(("Content-Length", "33"), ("Accept", "application/json")), answered=answered)
    )

    assert shown["answer"]["headers"] == ["X-RateLimit-User: 1111111111111", "X-RateLimit-Reset: 1772452800"]
    assert shown["request"]["headers"] == ["Accept: application/json"]


def test_long_list__shows_its_first_rows_and_how_many_more() -> None:
    body = only(exchange(json.dumps(list(range(40))).encode()))["answer"]["body"]

    assert body == [0, 1, 2, 3, 4, "… 35 more"]


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (b"", "", None),
        (b"<html>Jane</html>", "text/html", "… 17 bytes of text/html, not JSON"),
        (b'{"cut": "Ja', "application/json", "… 11 bytes of application/json, not JSON"),
        (b"[" * 100_000, "", "… 100000 bytes of no type, not JSON"),
        (b"\xff\xfe\x00", "image/jane", "… 3 bytes of aaaaa/aaaa, not JSON"),
    ],
    ids=["nothing", "web page", "cut off", "too deep", "bytes"],
)
def test_answer_that_is_no_json__is_told_by_its_size_and_kind(
    content: bytes, kind: str, expected: str | None
) -> None:
    assert only(exchange(content, answered=(("content-type", kind),)))["answer"]["body"] == expected


def test_request_without_an_answer__says_the_kind_of_failure_alone() -> None:
    seen = only(exchange(b"", status=None, answered=(), failure="ConnectTimeout"))

    assert (seen["answer"], seen["failure"]) == (None, "ConnectTimeout")


def test_more_exchanges_than_are_kept__are_counted() -> None:
    whole = json.loads(told(*(exchange() for _ in range(MOST_EXCHANGES + 3))))

    assert (len(whole["exchanges"]), whole["left_out"]) == (MOST_EXCHANGES, 3)


def test_file__is_its_owners_alone_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_whole(tmp_path / "t.json", "{}", force=False)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "t.json").stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["t.json"]


def test_file_that_exists__is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text("mine")

    with pytest.raises(FileExists):
        write_whole(file, "{}", force=False)

    assert file.read_text() == "mine"
    assert [one.name for one in tmp_path.iterdir()] == ["t.json"]


def test_file_that_exists__is_replaced_by_force_and_becomes_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text("mine")
    file.chmod(0o644)

    write_whole(file, "{}", force=True)

    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("{}", 0o600)


def test_file_in_no_folder__is_not_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_whole(tmp_path / "nowhere" / "t.json", "{}", force=False)
