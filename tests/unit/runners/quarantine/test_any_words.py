"""Whatever a tag, a group, a marker or an address is made of: what is rendered stays what it is."""

import ast
import json
import re
from dataclasses import replace
from pathlib import PurePath
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from canary.quarantine import Mark
from runners.quarantine.facts import PRODUCTS, facts_of
from runners.quarantine.guide import Part, guide_text
from runners.quarantine.vendors import rendered_for

LINES = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), min_size=1, max_size=30)
ADDRESSES = st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,12}@[a-z]{1,8}\.test", fullmatch=True)
MARKERS = st.from_regex(r"[a-z][a-z0-9]{2,12}", fullmatch=True)


def strings_in(value: object) -> set[str]:
    """Every text of a JSON value."""
    match value:
        case str():
            return {value}
        case dict():
            return set().union(*(strings_in(one) for one in value.values())) if value else set()
        case list():
            return set().union(*(strings_in(one) for one in value)) if value else set()
        case _:
            return set()


@pytest.mark.parametrize("vendor", PRODUCTS)
@given(tag=LINES, group=LINES, marker=MARKERS, senders=st.lists(ADDRESSES, min_size=1, max_size=3))
def test_any_words__leave_each_file_well_formed(
    vendor: str, tag: str, group: str, marker: str, senders: list[str]
) -> None:
    facts = replace(facts_of(None, vendor), tag=tag, group=group, marker=marker, requesters=tuple(senders))

    rendered = rendered_for(facts)

    assert guide_text(facts, rendered, with_files=True).startswith("# Quarantine of canaries in ")
    for name, text in rendered.files.items():
        match PurePath(name).suffix:
            case ".json":
                json.loads(text)
            case ".xml":
                ET.fromstring(text)  # noqa: S314 -- our own text
                assert re.fullmatch(r"[A-Za-z]\w*", PurePath(name).name.partition(".")[0]) is not None
            case ".py":
                ast.parse(text)
            case _:
                assert marker in text


@given(tag=LINES, group=LINES)
def test_zendesk__sets_the_very_tag__and_leaves_it_out_everywhere_else(tag: str, group: str) -> None:
    files = rendered_for(replace(facts_of(None, "zendesk"), tag=tag, group=group)).files

    trigger = json.loads(files["trigger.json"])["trigger"]
    condition = json.loads(files["condition-for-other-triggers-and-views.json"])

    assert {"field": "current_tags", "value": tag} in trigger["actions"]
    assert condition == {"all": [{"field": "current_tags", "operator": "not_includes", "value": tag}]}


@given(senders=st.lists(ADDRESSES, min_size=1, max_size=3, unique=True))
def test_zammad_filter__matches_each_sender_alone_and_bracketed_and_no_longer_address(
    senders: list[str],
) -> None:
    files = rendered_for(replace(facts_of(None, "zammad"), requesters=tuple(senders))).files

    pattern = re.compile(json.loads(files["postmaster-filter.json"])["match"]["from"]["value"])

    for one in senders:
        assert pattern.search(one.upper())
        assert pattern.search(f"A Customer <{one}>")
        assert not pattern.search(f"{one}.attacker")
        assert not pattern.search(f"x{one}") or f"x{one}" in senders


@given(tag=LINES, group=LINES)
def test_setting_of_any_words__is_yaml_that_says_them(tag: str, group: str) -> None:
    facts = replace(facts_of(None, "zendesk"), mark=Mark(tag=tag, group=group))

    assert yaml.safe_load("{" + facts.mark_setting + "}") == {"tag": tag, "group": group}


def literal(text: str) -> str:
    """What a literal of TicketSQL says."""
    return re.sub(r"\\(.)", r"\1", text)


@given(tag=LINES, group=LINES)
def test_request_tracker__is_told_the_very_words_in_conditions_and_settings(tag: str, group: str) -> None:
    facts = replace(facts_of(None, "rt"), tag=tag, group=group)
    by_field = replace(facts, mark=Mark(tag=tag), given={"custom_field": "Synthetic"})

    (moved,) = rendered_for(replace(facts, mark=Mark(group=group))).steps[Part.VIEWS]
    (marked,) = rendered_for(by_field).steps[Part.VIEWS]

    said = moved.text.partition("`Queue != '")[2].partition("'` to dashboards")[0]
    assert literal(said) == group
    assert re.search(r"(?<!\\)(\\\\)*'", said) is None
    said = marked.text.partition("} != '".replace("} ", "}' "))[2].partition("'` to dashboards")[0]
    assert literal(said) == tag
    assert re.search(r"(?<!\\)(\\\\)*'", said) is None
    setting = marked.text.rpartition("`quarantine: ")[2].removesuffix("`.")
    assert yaml.safe_load(setting) == {"tag": tag, "group": group}
