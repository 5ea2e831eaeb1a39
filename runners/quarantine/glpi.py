"""GLPI: a business rule for tickets, on adding: it sees title and From header, and assigns a group.

Read on 2026-11-30 in glpi-project/glpi: `src/RuleTicket.php` (`ONADD` 1; criteria `name`, `_from`; action
`_groups_id_assign`, `slas_id_ttr`), `src/Rule.php` (`REGEX_MATCH` 6).
"""

import re

from runners.quarantine.facts import Facts
from runners.quarantine.guide import Part, Rendered, Step, as_json

_RULES = "https://github.com/glpi-project/glpi/blob/10.0/bugfixes/src/RuleTicket.php"
_CONSTANTS = "https://github.com/glpi-project/glpi/blob/10.0/bugfixes/src/Rule.php"
_API = "https://github.com/glpi-project/glpi/blob/10.0/bugfixes/apirest.md"
_REGEX_MATCH = 6
_ON_ADD = 1


def render(facts: Facts) -> Rendered:
    """Bodies for the API: the rule, its criteria, its action; and the steps around them."""
    senders = "|".join(re.escape(one) for one in facts.requesters)
    rule_id = "REPLACE WITH THE ID THAT rule.json GOT"
    rule = {
        "input": {
            "name": "Canaries of intake-prober: quarantine",
            "sub_type": "RuleTicket",
            "match": "AND",
            "condition": _ON_ADD,
            "is_active": 0,
            "ranking": 1,
        }
    }
    criteria = {
        "input": [
            {"rules_id": rule_id, "criteria": name, "condition": _REGEX_MATCH, "pattern": pattern}
            for name, pattern in (
                ("name", f"/^{re.escape(facts.marker)}\\b/i"),
                ("_from", f"/(^|[<\\s])({senders})($|[>\\s])/i"),
            )
        ]
    }
    action = {
        "input": {
            "rules_id": rule_id,
            "action_type": "assign",
            "field": "_groups_id_assign",
            "value": f"REPLACE WITH THE ID OF GROUP {facts.group}",
        }
    }
    return Rendered(
        steps=_steps(facts),
        files={
            "rule.json": as_json(rule),
            "criteria.json": as_json(criteria),
            "action.json": as_json(action),
        },
        uses={
            "rule.json": Step("the body of POST /apirest.php/RuleTicket; not active yet", _API),
            "criteria.json": Step("the body of POST /apirest.php/RuleCriteria", _CONSTANTS),
            "action.json": Step("the body of POST /apirest.php/RuleAction", _RULES),
        },
    )


def _steps(facts: Facts) -> dict[Part, tuple[Step, ...]]:
    return {
        Part.RULE: (
            Step(
                "Make a business rule for tickets on Add with both criteria (AND), put it last so that nothing assigns after it, and activate it.",
                _RULES,
            ),
            Step(
                "A ticket of the portal has no From header: make a second rule with the criterion Requester for it.",
                _RULES,
            ),
        ),
        Part.GROUP: (
            Step(
                f"Make a group {facts.group} that may be assigned to, without members; the rule's action is Technician group, assign.",
                _RULES,
            ),
        ),
        Part.NOTIFICATIONS: (
            Step(
                "In the canary user's settings switch notifications off, unless canaries are to prove the acknowledgement; a group without members has nobody to be told."
            ),
        ),
        Part.VIEWS: (Step(f"Save the technicians' searches with Technician group is not {facts.group}."),),
        Part.SLA: (
            Step(
                "Let the rules that set a service level not match: add the same criteria negated, or delete the times by this rule (actions Time to own and Time to resolve, delete).",
                _RULES,
            ),
        ),
        Part.SURVEY: (
            Step(
                "A survey's rate is set by entity: put canaries into an entity of their own with the rate 0, by a rule of the mails receiver."
            ),
        ),
        Part.REPORTS: (
            Step(
                f"Filter statistics and dashboards by Technician group is not {facts.group}, or by that entity."
            ),
        ),
        Part.BOTS: (Step("GLPI has none of its own; exclude the group in plugins that answer tickets."),),
        Part.LOOPS: (
            Step(
                "Make each requester a user, or allow anonymous tickets: mail of an unknown sender is refused, and the prober reads that from NotImportedEmail.",
                "https://github.com/glpi-project/glpi/blob/10.0/bugfixes/src/MailCollector.php",
            ),
            Step(
                "The mails receiver takes 10 mails a run by default: a backlog delays canaries and customers alike.",
                "https://github.com/glpi-project/glpi/blob/10.0/bugfixes/src/MailCollector.php",
            ),
        ),
    }
