"""Templates: what they refuse when the configuration is read, and what they come to."""

from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.contracts import Blind
from probes.ticketing.generic.mistakes import Mistake
from probes.ticketing.generic.templates import compile_shape, compile_template, filled

WORDS = {"since": None, "ticket": None, "ids": None, "tag": None, "secret": frozenset({"key"})}
AT = datetime(2026, 11, 30, 6, 45, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ sinse }}", "there is no sinse here"),
        ("{{ secret.other }}", "secret has no other here"),
        ("{{ since | isso }}", "there is no filter isso"),
        ("{{ since", "this is not a template"),
        ("{% for one in ids %}x{% endfor %}", "a template fills in values"),
        ("{{ ids() }}", "a template fills in values"),
        ("{{ ticket[tag] }}", "a part is named as it stands"),
        ("{{ ticket.id + 1 }}", "a template fills in values"),
        ("{{ tag if tag else 'x' }}", "a template fills in values"),
        ("{{ since | strftime }}", "takes one argument"),
        ("{{ since | zone('Europe/Nowhere') }}", "there is no time zone"),
        ("{{ ids | join(between=',') }}", "takes no named arguments"),
    ],
)
def test_template_that_cannot_be_used__is_a_mistake_with_a_remedy(source: str, words: str) -> None:
    with pytest.raises(Mistake) as caught:
        compile_template(source, "find.mine.query.after", WORDS)

    assert words in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    "source", ["{{ ticket.thread }}", "/threads/{{ ticket.thread }}", "{{ ticket.none }}x"]
)
def test_name_without_a_value__is_blind_and_names_the_place(source: str) -> None:
    template = compile_template(source, "find.mine.query.after", WORDS)

    for fill in (template.value, template.text, template.path):
        if source == "{{ ticket.none }}x" or "thread" in source:
            with pytest.raises(Blind, match=r"find\.mine\.query\.after"):
                fill({"ticket": {"none": None}})


@pytest.mark.parametrize("source", ["{{ answer.version }}", "v{{ answer.version }}"])
def test_answer_without_content__is_told_as_such(source: str) -> None:
    template = compile_template(source, "clean.close[1].form.version", {"answer": None})

    for fill in (template.value, template.text, template.path):
        with pytest.raises(Blind, match="the request before it was answered without content"):
            fill({"answer": None})
        with pytest.raises(Blind, match="no attribute 'version'"):
            fill({"answer": {}})


@pytest.mark.parametrize("source", ["{{ ticket.__class__ }}", "{{ ticket.items }}", "{{ ids.append }}"])
def test_what_is_no_data__cannot_be_reached(source: str) -> None:
    template = compile_template(source, "key", WORDS)

    with pytest.raises(Blind):
        template.value({"ticket": {"id": 1}, "ids": [1]})


def test_name_whose_value_is_known_beforehand__needs_no_word_and_keeps_its_type() -> None:
    fixed = {"given": {"closed": 5, "project": "a b"}}
    template = compile_template("{{ given.closed }}", "key", WORDS, fixed)

    assert template.value({}) == 5
    assert template.names == frozenset()
    assert compile_template("/p/{{ given.project }}/x", "key", WORDS, fixed).path({}) == "/p/a%20b/x"
    with pytest.raises(Mistake, match="given has no opened here"):
        compile_template("{{ given.opened }}", "key", WORDS, fixed)


def test_template_alone__keeps_its_type() -> None:
    shape = compile_shape(
        {"n": "{{ ticket.id }}", "t": "no {{ ticket.id }}", "l": "{{ ids }}"}, "json", WORDS
    )

    assert filled(shape, {"ticket": {"id": 7}, "ids": ["1", "2"]}) == {"n": 7, "t": "no 7", "l": ["1", "2"]}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ since | iso }}", "2026-11-30T06:45:00Z"),
        ("{{ since | epoch }}", 1796021100),
        ("{{ since | epoch_ms }}", 1796021100250),
        ("{{ since | zone('Europe/Berlin') | strftime('%d.%m.%Y %H:%M') }}", "30.11.2026 07:45"),
        (">={{ since | iso }}", ">=2026-11-30T06:45:00Z"),
        ("{{ ids | join(',') }}", "4,5"),
        ("{{ ids | quote(\"'\") | join(' OR ') }}", "'4' OR '5'"),
        ("{{ ids | plus(tag) }}", ["4", "5", "synthetic"]),
        ("{{ ticket.id | plus(1) }}", 8),
        ("{{ ticket.id | upto(3) }}", [8, 9, 10]),
        ("{{ ('a' ~ ':' ~ 'b') | b64 }}", "YTpi"),
        ("{{ ticket.words[0] }}", "x"),
        ("{# no comment #} {{ tag }}", "{# no comment #} synthetic"),
    ],
)
def test_filter__gives_what_a_vendor_takes(source: str, expected: object) -> None:
    words = {"since": AT, "ids": ["4", "5"], "tag": "synthetic", "ticket": {"id": 7, "words": ["x"]}}

    assert compile_template(source, "key", WORDS).value(words) == expected


@given(st.text(min_size=1))
def test_value_in_a_path__is_one_piece_of_it_or_refused(value: str) -> None:
    template = compile_template("/tickets/{{ ticket.id }}/notes", "key", WORDS)

    try:
        path = template.path({"ticket": {"id": value}})
    except (Blind, UnicodeEncodeError):
        return
    pieces = path.split("/")
    assert len(pieces) == 4
    assert "?" not in path
    assert unquote(pieces[2]) == value


@given(st.text())
def test_value_in_a_text__is_never_read_as_a_template(value: str) -> None:
    template = compile_template("<{{ ticket.id }}>", "key", WORDS)

    assert template.text({"ticket": {"id": value}}) == f"<{value}>"


@given(st.text())
def test_quoted_literal__ends_where_it_should(value: str) -> None:
    text = compile_template('{{ ticket.id | quote("\'") }}', "key", WORDS).text({"ticket": {"id": value}})

    inner = text[1:-1].replace("\\\\", "").replace("\\'", "")
    assert (text[0], text[-1]) == ("'", "'")
    assert "'" not in inner
