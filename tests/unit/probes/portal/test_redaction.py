"""A trace of a few events: what stays is whole JSON, whatever the secrets look like."""

import io
import json
import zipfile
from typing import Any

import pytest

from probes.portal.redaction import clean_trace

HTML = ["HTML", {}, ["BODY", {}, ["INPUT", {"type": "hidden", "name": "n", "value": "en"}], "true 1234"]]


def event(**fields: object) -> str:
    return json.dumps(fields)


def archive(*lines: str, network: tuple[str, ...] = (), **resources: bytes) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as written:
        written.writestr("trace.trace", "\n".join(lines))
        written.writestr("trace.network", "\n".join(network))
        written.writestr("trace.stacks", '{"files":["x.py"]}')
        for name, content in resources.items():
            written.writestr(f"resources/{name.replace('_', '.')}", content)
    return raw.getvalue()


def events_of(trace: bytes) -> list[dict[str, Any]]:
    with zipfile.ZipFile(io.BytesIO(trace)) as read:
        return [json.loads(line) for line in read.read("trace.trace").decode().splitlines()]


@pytest.mark.parametrize("secret", ["true", "null", "1234", "type", '":{[', "\\", "</script>"])
def test_secret_that_looks_like_json__spoils_nothing(secret: str) -> None:
    raw = archive(
        event(type="frame-snapshot", snapshot={"html": HTML, "timestamp": 1234.5, "isMainFrame": True}),
        event(type="log", message=f'  fill("{secret}")', time=1234),
    )

    snapshot, log = events_of(clean_trace(raw, [secret], harmless=[]).trace)

    assert snapshot["snapshot"]["timestamp"] == 1234.5
    assert snapshot["snapshot"]["isMainFrame"] is True
    assert (log["message"], log["time"]) == ('  fill("***")', 1234)


def test_line_that_is_no_json__goes() -> None:
    raw = archive("{broken secret-1234", event(type="log", message="kept"), "[]")

    assert [one["message"] for one in events_of(clean_trace(raw, [], harmless=[]).trace)] == ["kept"]


def test_what_was_typed__stays_only_if_it_is_the_canary_s_own() -> None:
    raw = archive(
        event(type="before", method="fill", params={"selector": "#a", "value": "my own subject"}),
        event(type="before", method="fill", params={"selector": "#b", "value": "x"}),
        event(
            type="after", result={"cookies": [{"value": "c"}]}, error={"message": "m", "stack": "at /home"}
        ),
    )

    own, other, after = events_of(clean_trace(raw, [], harmless=["my own subject"]).trace)

    assert (own["params"]["value"], other["params"]["value"]) == ("my own subject", "***")
    assert after == {"type": "after", "error": {"message": "m"}}


def test_bodies_and_sources__go__and_pictures_and_styles_stay() -> None:
    raw = archive(a_html=b"<p>", b_json=b"{}", c_js=b"x", d_dat=b"a=b", e_css=b"p{}", f_png=b"\x89PNG")

    with zipfile.ZipFile(io.BytesIO(clean_trace(raw, [], harmless=[]).trace)) as read:
        assert read.namelist() == ["trace.trace", "trace.network", "resources/e.css", "resources/f.png"]


def test_token_of_an_answer__is_masked_wherever_else_it_stands__but_not_if_it_is_the_canary_s_own() -> None:
    answer = json.dumps(
        {"session": {"token": "t0ken-of-answer"}, "ticket_token": "kcanary12345", "n": 1}
    ).encode()
    raw = archive(event(type="console", text="I got t0ken-of-answer for kcanary12345"), a_json=answer)

    cleaned = clean_trace(raw, [], harmless=["Re: kcanary12345"])

    assert events_of(cleaned.trace)[0]["text"] == "I got *** for kcanary12345"
    assert cleaned.secrets == {"t0ken-of-answer"}


def test_what_is_no_archive__is_told() -> None:
    with pytest.raises(zipfile.BadZipFile):
        clean_trace(b"no zip", [], harmless=[])
