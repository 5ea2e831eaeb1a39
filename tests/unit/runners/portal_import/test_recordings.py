"""A whole recording becomes a whole path."""

import re
from pathlib import Path

import pytest

from runners.config.reading import read_tree
from runners.portal_import.imported import Imported
from runners.portal_import.recording import import_recording
from runners.portal_import.writing import path_data, path_text
from tests.unit.runners.config.examples import FULL, read
from tests.unit.runners.portal_import.recordings import HELPDESK, HELPDESK_PYTEST, REQUEST_TRACKER

TAIL = {"ticketing": "desk", "every": "15m", "deadline": "10m"}


def imported(text: str) -> Imported:
    return import_recording(text.encode())


def test_form_of_the_helpdesk__recorded_for_asyncio__is_a_path_with_submit_and_confirm() -> None:
    assert path_data(imported(HELPDESK)) == {
        "channel": "portal",
        "url": "https://desk.acme.example/tickets/submit/",
        "steps": [
            {"fill": {"role": "textbox", "name": "Summary of the problem", "with": "{{ subject }}"}},
            {"fill": {"role": "textbox", "name": "Description of your issue", "with": "{{ body }}"}},
            {"select": {"label": "Priority", "value": "2"}},
            {"upload": {"role": "button", "name": "Attach File"}},
            {"fill": {"role": "textbox", "name": "Your E-Mail Address", "with": "{{ sender }}"}},
            {"submit": {"role": "button", "name": "Submit Ticket"}},
            {"confirm": {"text": r"/\[support-(?P<ticket>\d+)\] \. .* \[Open\]/"}},
        ],
        "request": {"attachment": {"name": "note.txt", "file": "note.txt"}},
        **TAIL,
    }
    assert imported(HELPDESK).notes == []


def test_form_of_the_helpdesk__recorded_for_pytest_without_an_assertion__is_to_be_completed() -> None:
    path = imported(HELPDESK_PYTEST)

    assert path_data(path)["steps"] == [
        *path_data(imported(HELPDESK))["steps"][:-1],  # type: ignore[index] # a list
        {"confirm": None},
    ]
    assert [(one.line, one.why) for one in path.notes] == [(16, "nothing shows that the request was taken")]


def test_self_service_of_request_tracker__is_a_log_in_and_a_form_with_a_rich_text_editor() -> None:
    path = imported(REQUEST_TRACKER)

    assert path_data(path) == {
        "channel": "portal",
        "url": "https://rt.acme.example/",
        "login": [
            {"fill": {"css": "#user", "with": "canary"}},
            {"fill": {"css": 'input[name="pass"]', "with": {"env": "PORTAL_PASSWORD"}}},
            {"click": {"role": "button", "name": "Login"}},
        ],
        "steps": [
            {"go": "/SelfService/CreateTicketInQueue.html"},
            {"click": {"role": "link", "name": "Support"}},
            {"fill": {"css": 'input[name="Subject"]', "with": "{{ subject }}"}},
            {"frame": {"css": 'iframe[title="Rich Text Editor, Content"]'}},
            {"fill": {"css": "body", "with": "{{ body }}"}},
            {"frame": "main"},
            {"submit": {"role": "button", "name": "Create ticket"}},
            {"confirm": {"text": r"/Ticket (?P<ticket>\d+) created in queue 'Support'/"}},
        ],
        **TAIL,
    }
    assert [one.why for one in path.notes] == ["nothing shows that the log-in went well"]


@pytest.mark.parametrize(
    "text", [HELPDESK, HELPDESK_PYTEST, REQUEST_TRACKER], ids=["async", "pytest", "sync"]
)
def test_text__is_read_by_our_own_yaml_as_the_same_data(text: str) -> None:
    path = imported(text)

    tree = read_tree("intake.yaml", path_text(path, name="support-portal", source="recorded.py"))

    assert tree.errors == []
    assert tree.value == {"paths": {"support-portal": path_data(path)}}


@pytest.mark.parametrize("text", [HELPDESK, REQUEST_TRACKER], ids=["async", "sync"])
def test_text__put_into_a_configuration__is_taken_as_it_stands(tmp_path: Path, text: str) -> None:
    (tmp_path / "note.txt").write_text("hello")
    block = path_text(imported(text), name="support-portal", source="recorded.py").partition("paths:\n")[2]

    config = read(tmp_path, FULL.replace("paths:\n", f"paths:\n{block}"), needs_secrets=False)

    assert "support-portal" in {str(one) for one in config.paths}


def test_text__says_in_its_head_what_was_guessed_and_what_is_next() -> None:
    head = path_text(imported(REQUEST_TRACKER), name="desk-portal", source="recorded.py").partition("paths:")[
        0
    ]

    assert head.splitlines() == [
        "# From recorded.py, by `intake-prober portal import`. Look it through, then: intake-prober portal try desk-portal",
        "# Guessed: line 13: the secret is read from $PORTAL_PASSWORD.",
        "# Guessed: line 18: the field takes {{ subject }}.",
        "# Guessed: line 20: a rich text editor, found as {css: body}.",
        "# Guessed: line 24: the field takes {{ body }}.",
        "# Guessed: line 25: it sends the request.",
    ]


def test_text__where_something_is_missing__says_what_at_its_place() -> None:
    text = path_text(imported(HELPDESK_PYTEST), name="portal", source="recorded.py")

    assert re.search(r"\n      - confirm:   # complete it: what the page shows, .*\n", text)
