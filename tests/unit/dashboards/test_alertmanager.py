"""Routes by team, inhibition that can come true, receivers without a secret."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.alertmanager import alertmanager_configuration, alertmanager_text, inhibitions
from dashboards.rules import alert_rules
from tests.unit.dashboards.estates import ESTATES, MANY, PLAIN


def receivers(name: str) -> set[str]:
    return {one["name"] for one in alertmanager_configuration(ESTATES[name])["receivers"]}


@pytest.mark.parametrize("name", ESTATES)
def test_route__leads_to_a_receiver_that_is_there(name: str) -> None:
    named = set(re.findall(r"receiver: (\S+)", alertmanager_text(ESTATES[name])))

    assert named == receivers(name)


def test_team__has_a_pager_and_tickets_of_its_own() -> None:
    assert {"intake-pager-support", "intake-tickets-sales", "intake-pager-intake-ops"} <= receivers("plain")
    assert receivers("nothing") == {"intake-pager", "intake-tickets", "intake-heartbeat"}


@pytest.mark.parametrize("name", ESTATES)
def test_equal_label__is_one_that_source_and_target_have(name: str) -> None:
    """A label that is missing on both sides counts as equal, and would mute what has nothing to do with it."""
    rules = alert_rules(ESTATES[name])
    everything = {"alertname", *(label for one in rules for label in one.label_names(ESTATES[name]))}

    for one in inhibitions(ESTATES[name]):
        for side in (one.source, one.target):
            (names,) = [matcher for matcher in side if matcher.label in {"alertname", "category"}]
            if names.label == "category" or names.value == "Intake.+":
                continue
            for alert in names.value.replace("[.]", ".").split("|"):
                has = {"alertname"} | next(
                    (set(rule.label_names(ESTATES[name])) for rule in rules if rule.name == alert), everything
                )
                assert {matcher.label for matcher in side} | set(one.equal) <= has, alert


def test_domain_that_is_empty__is_equal_to_none() -> None:
    for one in inhibitions(PLAIN):
        if "domain" in one.equal:
            assert 'domain=~".+"' in [str(matcher) for matcher in one.source]


def test_blindness__mutes_nothing() -> None:
    sources = " ".join(str(matcher) for one in inhibitions(MANY) for matcher in one.source)

    assert "Blind" not in sources
    assert "Unseen" not in sources


def test_page_about_the_prober__is_one_for_all_paths_and_comes_before_the_route_of_other_pages() -> None:
    routes = alertmanager_configuration(PLAIN)["route"]["routes"]
    pages = [one for one in routes if 'severity="page"' in one["matchers"]]

    assert [(one["matchers"][0], one["group_by"]) for one in pages] == [
        ('category="prober"', ["alertname"]),
        ('severity="page"', ["path", "place"]),
    ]


def test_heartbeat__is_repeated_at_each_look_at_its_group() -> None:
    """With the same time for both, the last word is often just too young: Alertmanager 0.25 told every second minute."""
    (beat,) = [
        one
        for one in alertmanager_configuration(PLAIN)["route"]["routes"]
        if one["receiver"] == "intake-heartbeat"
    ]

    assert (beat["group_interval"], beat["repeat_interval"]) == ("1m", "30s")


def test_mailbox_that_is_full__mutes_the_paths_through_it_alone() -> None:
    by_place = {
        str(one.source[1]): str(one.target[1])
        for one in inhibitions(PLAIN)
        if str(one.source[0]) == 'alertname="IntakeMailboxFull"' and not one.equal
    }

    assert by_place == {
        'place="sales"': 'path=~"sales-email"',
        'place="support"': 'path=~"support-email"',
    }


@given(st.sampled_from(sorted(ESTATES)))
def test_secret__is_a_file_and_never_a_text(name: str) -> None:
    for receiver in alertmanager_configuration(ESTATES[name])["receivers"]:
        for kind, configs in receiver.items():
            for one in configs if kind != "name" else []:
                assert not {"routing_key", "service_key", "api_url", "password"} & set(one)
