"""Freshdesk: an automation on ticket creation. It runs a moment after the ticket is made, so that a look may be first.

Read on 2026-11-30: the addresses beside each step. The interface for automations, `/api/v2/automations/1/rules`, is used
by public clients (its conditions and actions as here) and is not in what could be read of Freshdesk's reference.
"""

from runners.quarantine.facts import Facts
from runners.quarantine.guide import Part, Rendered, Step, as_json

_CREATION = "https://crmsupport.freshworks.com/support/solutions/articles/50000009491-automation-rules-examples-ticket-creation"
_UPDATES = "https://support.freshdesk.com/support/solutions/articles/99047"
_FLOOD = "https://partnersupport.freshworks.com/support/solutions/articles/225492"


def render(facts: Facts) -> Rendered:
    """The body of a rule on creation, and the steps around it."""
    group = int(facts.group) if facts.group.isdecimal() else f"REPLACE WITH THE ID OF GROUP {facts.group}"
    rule = {
        "name": "Canaries of intake-prober: quarantine",
        "position": 1,
        "active": True,
        "conditions": [
            {
                "name": "condition_set_1",
                "match_type": "all",
                "properties": [
                    {
                        "resource_type": "ticket",
                        "field_name": "from_email",
                        "operator": "in",
                        "value": list(facts.requesters),
                    },
                    {
                        "resource_type": "ticket",
                        "field_name": "subject",
                        "operator": "starts_with",
                        "value": [facts.marker],
                    },
                ],
            }
        ],
        "actions": [
            {"field_name": "add_tag", "value": [facts.tag]},
            {"field_name": "group_id", "value": group},
            {"field_name": "skip_notification"},
        ],
    }
    return Rendered(
        steps=_steps(facts),
        files={"rule-on-creation.json": as_json(rule)},
        uses={
            "rule-on-creation.json": Step(
                "the body of POST /api/v2/automations/1/rules; else the same by hand under Admin, Workflows, Automations, Ticket Creation"
            )
        },
    )


def _steps(facts: Facts) -> dict[Part, tuple[Step, ...]]:
    return {
        Part.RULE: (
            Step(
                f"Make a rule on ticket creation: Requester email is one of the requesters AND Subject starts with `{facts.marker}`; action: add tag `{facts.tag}`.",
                _CREATION,
            ),
            Step(
                "Put it first, and let rules stop after the first match: Admin, Automations, execute the first matching rule."
            ),
            Step(
                "It may run some seconds after the ticket is there. If canaries are called missed although the rule works, leave require_quarantine off: a miss is then told and stops nothing."
            ),
        ),
        Part.GROUP: (
            Step(
                f"Make a group {facts.group} without agents and without escalation; the rule assigns it. The group comes before an agent.",
                _CREATION,
            ),
        ),
        Part.NOTIFICATIONS: (
            Step(
                "Add the action Skip new ticket email notifications to the rule, unless canaries are to prove the acknowledgement (`reply:`)."
            ),
        ),
        Part.VIEWS: (
            Step(
                f"Agents' default views show their own groups; filter shared views by Tags is not `{facts.tag}`."
            ),
        ),
        Part.SLA: (
            Step(
                f"Put an SLA policy for the group {facts.group} first, with the longest times and no escalation."
            ),
        ),
        Part.SURVEY: (
            Step(
                f"A survey is sent by a rule on ticket updates, or by a setting of the survey for all: add the condition Tag is not `{facts.tag}`, or send it by a rule alone.",
                _UPDATES,
            ),
        ),
        Part.REPORTS: (Step(f"In Analytics, filter each report by Tags not in `{facts.tag}`."),),
        Part.BOTS: (Step("Exclude the requesters where Freddy answers e-mail; its sessions are billed."),),
        Part.LOOPS: (
            Step(
                "More than 50 mails of one address in 30 minutes delete the contact and send its mail to spam; still going at 60 minutes, it is blocked. The prober's cap is 12 an hour and sender.",
                _FLOOD,
            ),
            Step(
                "Never mark a canary as spam: its contact is blocked. Make each requester a contact beforehand."
            ),
        ),
    }
