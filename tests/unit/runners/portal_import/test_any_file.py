"""Whatever the file holds: a path, or a refusal that says why; never a traceback."""

import ast
import contextlib
import json
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.config.document_portal import PortalPathDocument
from runners.config.reading import read_tree
from runners.portal_import.recording import import_recording
from runners.portal_import.source import MOST_BYTES, NoRecording
from runners.portal_import.writing import path_data, path_text
from tests.unit.runners.cli.conftest import Run
from tests.unit.runners.portal_import.recordings import HELPDESK, recorded

TEXTS = st.text(max_size=12).map(repr)
ARGUMENTS = st.one_of(
    TEXTS,
    st.sampled_from(
        ['""', "1", "-1", "None", "name", "[]", '["a", "b"]', "*rest", "x=1", 'name="a"', "exact=True", "timeout=1e309",
         're.compile("(")', 're.compile("a", re.M)', 'f"{name}"', '"a" + "b"', 'os.getenv("A")', "lambda: 0", "{}",
         'url="https://a.example:99999/"', "page", "page.locator('a')"]
    ),
)  # fmt: skip
LINKS = st.sampled_from(
    ["goto", "locator", "get_by_role", "get_by_label", "get_by_text", "get_by_test_id", "frame_locator", "content_frame",
     "first", "last", "nth", "filter", "visible", "click", "fill", "type", "press", "check", "set_checked", "select_option",
     "set_input_files", "keyboard", "once", "wait_for", "wait_for_url", "wait_for_selector", "to_be_visible",
     "to_contain_text", "to_have_url", "new_page", "new_context", "expect_popup", "value", "close"]
)  # fmt: skip
ROOTS = st.sampled_from(
    ["page", "page1", "expect(page)", 'expect(page.locator("a"))', "context", "name", "self.page", "f()"]
)


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line that looks as if it were recorded."""
    chain = draw(ROOTS)
    for link in draw(st.lists(LINKS, max_size=4)):
        chain += f".{link}"
        if draw(st.booleans()):
            chain += f"({', '.join(draw(st.lists(ARGUMENTS, max_size=2)))})"
    return draw(
        st.sampled_from(
            ["{}", "name = {}", "page1 = {}", "with {} as page1: pass", "if {}: pass", "def f(): {}"]
        )
    ).format(chain)


LOCATED = st.sampled_from(
    ["get_by_role({0}, name={1})", "get_by_label({0})", "get_by_text({0}, exact=True)", "locator({0})", "locator({0}).nth(1)",
     "frame_locator({0}).get_by_label({1})", "get_by_placeholder({0})"]
)  # fmt: skip
DONE = st.sampled_from(
    [
        "click()",
        "fill({2})",
        "press({2})",
        "select_option({2})",
        "set_input_files({2})",
        "check()",
        "click(timeout=90000)",
    ]
)
LOOKED_AT = st.sampled_from(
    ["expect(page.get_by_text({0})).to_be_visible()", 'expect(page.locator("#b")).to_contain_text({0})', "page.goto({0})",
     "expect(page).to_have_url({0})", "expect(page).to_have_url(re.compile({0}))"]
)  # fmt: skip
WORDS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["button", "textbox", "Password", "Subject", "/a/", "{{ x }}", "//", "a\nb", "/*/", "#a, b", ">>", "text=x", "\u200b",
         "https://a.example/#b", "https://u:p@h.example/#/x?token=1"]
    ),
).map(repr)  # fmt: skip


@st.composite
def recordings(draw: st.DrawFn) -> list[str]:
    """Lines that are all of the recorder's kinds, with odd words in them."""
    kinds = draw(
        st.lists(
            st.one_of(LOOKED_AT, st.tuples(LOCATED, DONE).map(lambda two: f"page.{two[0]}.{two[1]}")),
            max_size=6,
        )
    )
    return [one.format(draw(WORDS), draw(WORDS), draw(WORDS)) for one in kinds]


def try_it(content: bytes) -> None:
    with contextlib.suppress(NoRecording):
        path = import_recording(content)
        text = path_text(path, name="portal", source="recorded.py")
        tree = read_tree("intake.yaml", text)
        assert tree.errors == []
        assert json.loads(json.dumps(tree.value)) == {"paths": {"portal": dict(path_data(path))}}
        assert all(one.remedy and str(one) for one in path.notes)
        complete = dict(path_data(path))
        complete["url"] = complete["url"] or "https://support.acme.example/"
        steps = complete["steps"]
        assert isinstance(steps, list)
        complete["steps"] = [one for one in steps if None not in one.values()] or [{"go": "/"}]
        assert PortalPathDocument.model_validate(complete).url == complete["url"]


@given(st.lists(lines(), min_size=1, max_size=6))
def test_lines_as_if_recorded__are_a_path_that_can_be_read_or_a_refusal(some: list[str]) -> None:
    kept = [one for one in some if _is_python(one)]
    try_it(recorded(*kept))


@given(recordings())
def test_recording_with_odd_words__is_a_path_that_the_configuration_takes(some: list[str]) -> None:
    try_it(recorded(*some))


def _is_python(line: str) -> bool:
    try:
        ast.parse(line)
    except (SyntaxError, ValueError):
        return False
    return True


@given(st.binary(max_size=200))
def test_bytes_of_any_kind__are_refused_or_taken(content: bytes) -> None:
    try_it(content)


@pytest.mark.parametrize("module", ["ast", "argparse", "asyncio.runners", "typing", "re._parser"])
def test_module_of_the_standard_library__is_refused_or_taken(module: str) -> None:
    imported = __import__(module, fromlist=["__file__"])
    assert imported.__file__
    try_it(pathlib.Path(imported.__file__).read_bytes())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "nothing in it is done to a page"),
        (b"import re\n", "nothing in it is done to a page"),
        (b"import { test } from '@playwright/test';\n", "line 1: it is not Python"),
        (b"\x00", "it is not Python"),
        (b"\xff\xfe", "it is not Python"),
        (b"# coding: no-such\n", "it is not Python"),
        (b"a" * (MOST_BYTES + 1), f"it has more than {MOST_BYTES} bytes: no recording is so long"),
    ],
    ids=["empty", "nothing", "TypeScript", "zero", "not UTF-8", "unknown coding", "too long"],
)
def test_file_that_is_no_recording__is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(NoRecording) as refused:
        import_recording(content)

    assert str(refused.value).endswith(why)


@pytest.mark.parametrize(
    "content",
    [
        b"page" + b".a" * 5000,
        b"page.fill('#a', " + b"+".join([b"'a'"] * 5000) + b")",
        b"page.click(" * 90 + b"1" + b")" * 90,
        b"a = b\nb = a\na.click()\nb.click()\n",
        b"def f(page):\n    f(page)\nf(page)\n",
        b"page = page.first\npage.click()\n",
    ],
    ids=[
        "a long chain",
        "a long sum",
        "deep calls",
        "a circle of names",
        "a circle of calls",
        "a name of itself",
    ],
)
def test_file_made_to_exhaust__is_refused_or_taken(content: bytes) -> None:
    try_it(content)


def test_file_that_would_do_harm__is_never_run(tmp_path: pathlib.Path) -> None:
    there = tmp_path / "there"

    try_it(f"open({str(there)!r}, 'w')\npage.goto('https://a.example/')\n".encode())

    assert not there.exists()


# -- the command -----------------------------------------------------------------------------------------------------


def test_command__prints_the_path_and_on_standard_error_what_is_left_to_do(run: Run) -> None:
    pathlib.Path("recorded.py").write_bytes(recorded('page.get_by_label("Subject").fill("x")'))

    said = run("portal", "import", "recorded.py", "--path", "support-portal")

    assert said.status == 0
    assert said.out.startswith("# From recorded.py, by `intake-prober portal import`.")
    assert "\n  support-portal:\n    channel: portal\n" in said.out
    assert said.err == (
        "recorded.py:7: nothing in it sends the request. Add submit: with the button, and confirm: behind it.\n"
    )


def test_command_with_json__answers_one_object_and_is_silent_beside_it(run: Run) -> None:
    pathlib.Path("recorded.py").write_text(HELPDESK)

    said = run("portal", "import", "recorded.py", "--json")

    answer = said.answer("portal import")
    assert said.err == ""
    assert (answer["name"], answer["path"]["channel"], answer["notes"], answer["exit"]) == (
        "portal",
        "portal",
        [],
        0,
    )
    assert answer["guesses"][0] == "line 12: the field takes {{ subject }}"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("none.py",), "intake-prober: none.py can't be read: No such file or directory."),
        ((".",), "intake-prober: . can't be read: Is a directory."),
        (("bad.py",), "intake-prober: bad.py: line 1: it is not Python."),
        (("good.py", "--path", "a b"), "intake-prober: 'a b' is no name for a path."),
    ],
)  # fmt: skip
def test_command__for_what_it_cannot_take__exits_2_and_says_why(
    run: Run, words: tuple[str, ...], error: str
) -> None:
    pathlib.Path("bad.py").write_text("const page = 1;\n")
    pathlib.Path("good.py").write_text(HELPDESK)

    said = run("portal", "import", *words)

    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(error)
