"""Zendesk: triggers run when a ticket is created, from first to last; what comes after must leave the tag alone.

Read on 2026-11-30, as far as a search gave their text: the addresses beside each step. The operators of
`subject_includes_word` stand in public clients; an SLA policy's `filter` is written as the conditions reference says.
"""

from runners.quarantine.facts import Facts
from runners.quarantine.guide import Part, Rendered, Step, as_json

_CONDITIONS = "https://developer.zendesk.com/documentation/ticketing/reference-guides/conditions-reference/"
_ACTIONS = "https://developer.zendesk.com/documentation/ticketing/reference-guides/actions-reference/"
_TRIGGERS = "https://developer.zendesk.com/rest_api/docs/core/triggers"
_SLA = "https://developer.zendesk.com/api-reference/ticketing/business-rules/sla_policies/"
_CSAT = "https://support.zendesk.com/hc/en-us/articles/4408886194202"
_SUSPENDED = "https://support.zendesk.com/hc/en-us/articles/4408828416282-Causes-for-ticket-suspension"
_SUSPENSION = "https://support.zendesk.com/hc/en-us/articles/4408889141146"


def render(facts: Facts) -> Rendered:
    """Bodies for the API of triggers, views, SLA policies and automations, and the steps around them."""
    without = {"field": "current_tags", "operator": "not_includes", "value": facts.tag}
    marked = {"field": "current_tags", "operator": "includes", "value": facts.tag}
    trigger = {
        "trigger": {
            "title": "Canaries of intake-prober: quarantine",
            "active": True,
            "position": 1,
            "conditions": {
                "all": [
                    {"field": "update_type", "operator": "is", "value": "Create"},
                    {"field": "subject_includes_word", "operator": "includes", "value": facts.marker},
                ],
                "any": [
                    {"field": "requester_id", "operator": "is", "value": _user(one)}
                    for one in facts.requesters
                ],
            },
            "actions": [
                {"field": "current_tags", "value": facts.tag},
                {"field": "group_id", "value": _group(facts)},
            ],
        }
    }
    view = {
        "view": {
            "title": "Canaries of intake-prober (for its operators)",
            "all": [marked, {"field": "status", "operator": "less_than", "value": "closed"}],
            "restriction": {"type": "Group", "id": _group(facts)},
        }
    }
    condition = {"all": [without]}
    sla = {
        "sla_policy": {
            "filter": {"all": [without, "REPLACE WITH THE CONDITIONS THAT THE POLICY HAS NOW"], "any": []}
        }
    }
    survey = {
        "automation": {
            "title": "Request customer satisfaction rating",
            "all": [without, "REPLACE WITH THE CONDITIONS THAT THE AUTOMATION HAS NOW"],
        }
    }
    return Rendered(
        steps=_steps(facts),
        files={
            "trigger.json": as_json(trigger),
            "view.json": as_json(view),
            "condition-for-other-triggers-and-views.json": as_json(condition),
            "sla-policy.json": as_json(sla),
            "satisfaction-automation.json": as_json(survey),
        },
        uses={
            "trigger.json": Step("the body of POST /api/v2/triggers", _TRIGGERS),
            "view.json": Step("the body of POST /api/v2/views", _CONDITIONS),
            "condition-for-other-triggers-and-views.json": Step(
                "the condition to add under `all` of every trigger that notifies and of every view of agents",
                _CONDITIONS,
            ),
            "sla-policy.json": Step(
                "the body of PUT /api/v2/slas/policies/{id}, once for each policy; it replaces the filter",
                _SLA,
            ),
            "satisfaction-automation.json": Step(
                "the body of PUT /api/v2/automations/{id}, for the one that sends the survey", _CSAT
            ),
        },
    )


def _user(address: str) -> str:
    return f"REPLACE WITH THE USER ID OF {address}"


def _group(facts: Facts) -> str:
    return facts.group if facts.group.isdecimal() else f"REPLACE WITH THE ID OF GROUP {facts.group}"


def _steps(facts: Facts) -> dict[Part, tuple[Step, ...]]:
    return {
        Part.RULE: (
            Step("Find the user ids of the requesters: GET /api/v2/users/search.json?query=ADDRESS."),
            Step(
                f"Make the trigger of trigger.json: on Create, with the marker in the subject and one of the requesters, it adds the tag `{facts.tag}`.",
                _ACTIONS,
            ),
            Step(
                "Put it before all other triggers: they are checked from first to last, and a new one is added last.",
                _TRIGGERS,
            ),
        ),
        Part.GROUP: (
            Step(
                f"Make a group {facts.group} without any agent; the trigger sets it by `group_id`. A group that nobody is in notifies nobody."
            ),
        ),
        Part.NOTIFICATIONS: (
            Step(
                f"Add the condition `current_tags` not includes `{facts.tag}` to every trigger that notifies somebody or calls a webhook, unless canaries are to prove the acknowledgement (`reply:`): then leave that one trigger as it is.",
                _CONDITIONS,
            ),
        ),
        Part.VIEWS: (
            Step(
                f"Add the condition `current_tags` not includes `{facts.tag}` to each shared view; view.json is the one in which the prober's operators find what is left over.",
                _CONDITIONS,
            ),
        ),
        Part.SLA: (
            Step(
                "Add the same condition to the filter of each SLA policy: its filter is written like a trigger's conditions.",
                _CONDITIONS,
            ),
        ),
        Part.SURVEY: (
            Step(
                "Add the same condition to the automation that asks for a rating: it runs 24 h after a ticket is solved, not closed.",
                _CSAT,
            ),
            Step(
                "The prober closes without solving first, so that the survey has no cause; keep the condition all the same."
            ),
        ),
        Part.REPORTS: (
            Step(
                f"In Explore, filter every report and dashboard by: ticket tags do not contain `{facts.tag}`."
            ),
        ),
        Part.BOTS: (
            Step(
                "Where AI agents answer e-mail or forms, exclude the tag or the requesters in their conditions: they are billed by automated resolution.",
                "https://www.zendesk.com/pricing/",
            ),
            Step(
                "In which screen an AI agent for e-mail is told whom to leave alone differs by plan: ask Zendesk."
            ),
        ),
        Part.LOOPS: (
            Step(
                "Stay below what Zendesk takes for a loop: a large number of mails of one sender in a short time are suspended, and the sender is blocked for an hour. The prober's cap is 12 an hour and sender.",
                _SUSPENDED,
            ),
            Step(
                "Never mark a canary as spam: that suspends its requester, and all that it sends is suspended from then on.",
                _SUSPENSION,
            ),
            Step(
                "Allow the requesters in the allowlist only if customers' domains are allowed as well: an exempted canary proves nothing about suspension.",
                _SUSPENSION,
            ),
        ),
    }
