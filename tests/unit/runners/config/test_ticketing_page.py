"""The page of the ticketing systems, and the facts behind it: each has a source, and none rests on memory alone."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from probes.ticketing.about import About, Known
from runners.config.document_about import AboutDocument
from runners.config.presets import preset_names
from runners.config.ticketing_page import abilities_of, about_of, systems, ticketing_page

ROOT = Path(__file__).parents[4]
SYSTEMS = systems()
FACT = {"says": "it is so", "known": "documented", "source": "its manual"}


def said(name: str) -> About:
    return SYSTEMS[name][0]


def test_page__is_what_the_adapters_say() -> None:
    page = (ROOT / "docs" / "ticketing.md").read_text(encoding="utf-8")

    assert page == ticketing_page(), "run python -m runners.config.ticketing_page"


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_fact__names_its_source(name: str) -> None:
    nameless = [one.says for one in said(name).facts() if len(one.source) < 8]

    assert nameless == []


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_fact_that_was_seen_or_simulated__names_a_file_that_is_there(name: str) -> None:
    about = said(name)
    named = {one.source for one in about.facts() if one.known is Known.SEEN}
    if about.contract.startswith("tests/"):
        named.add(about.contract)

    assert [one for one in sorted(named) if not (ROOT / one).is_file()] == []


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_fact_that_is_only_remembered__says_what_holds_if_it_is_not_so(name: str) -> None:
    bare = [one.says for one in said(name).facts() if one.known is Known.MEMORY and not one.instead]

    assert bare == []


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system__says_whom_it_has_met_its_rights_and_how_its_protections_are_kept_off(
    name: str,
) -> None:
    about = said(name)

    assert about.met or about.contract
    assert about.rights
    assert about.guards
    assert [one.fact.says for one in about.guards if not one.avoid] == []


@pytest.mark.parametrize("name", preset_names())
def test_preset_without_a_look_aside__says_why(name: str) -> None:
    assert bool(abilities_of(name).aside) != bool(about_of(name).aside)


@pytest.mark.parametrize("name", preset_names())
def test_preset_with_a_cap__names_the_protection_that_it_keeps_off(name: str) -> None:
    is_named = any("`cap" in one.avoid for one in about_of(name).guards)

    assert is_named == (abilities_of(name).cap != "none")


def test_abilities__are_read_out_of_the_preset() -> None:
    zendesk = abilities_of("zendesk")

    assert zendesk.poll == "1 call a sender"
    assert zendesk.wide == "1 call for all, 1 a ticket of ours"
    assert zendesk.aside == "suspended"
    assert zendesk.close == "100 at once"
    assert (zendesk.tag, zendesk.files, zendesk.delete) == ("yes", "names only", True)
    assert zendesk.budget == "`X-Rate-Limit-Remaining`, `X-Rate-Limit`, `zendesk-ratelimit-tickets-index`"
    assert zendesk.cap == "12/h"


def test_fact_that_is_only_remembered_and_leads_nowhere__is_refused() -> None:
    about = {"system": "a system", "rights": [{**FACT, "known": "memory"}], "view": FACT}

    with pytest.raises(ValidationError, match="needs `instead`"):
        AboutDocument.model_validate(about, strict=False)
