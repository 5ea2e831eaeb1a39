"""Zammad: a postmaster filter works on the mail before the ticket is made, so that its group and tags are there at once.

Read on 2026-11-30 in zammad/zammad: `app/models/channel/filter/database.rb` (all rules of a filter must match; `matches
regex`; tags by `x-zammad-ticket-tags`), `app/models/channel/email_parser.rb`; and in its documentation.
"""

import re

from runners.quarantine.facts import Facts
from runners.quarantine.guide import Part, Rendered, Step, as_json

_FILTERS = "https://github.com/zammad/zammad-admin-documentation/blob/6.0/channels/email/filters.rst"
_SOURCE = "https://github.com/zammad/zammad/blob/develop/app/models/channel/filter/database.rb"
_TRIGGERS = "https://docs.zammad.org/en/pre-release/api/trigger.html"
_ORDER = "https://github.com/zammad/zammad-admin-documentation/blob/5.0/manage/trigger/how-do-they-work.rst"


def render(facts: Facts) -> Rendered:
    """Bodies for the API of postmaster filters and triggers, and the steps around them."""
    senders = "|".join(re.escape(one) for one in facts.requesters)
    group = facts.group if facts.group.isdecimal() else f"REPLACE WITH THE ID OF GROUP {facts.group}"
    postmaster = {
        "name": "000 canaries of intake-prober: quarantine",
        "channel": "email",
        "active": True,
        "match": {
            "from": {"operator": "matches regex", "value": f"(?i)(^|[<\\s])({senders})($|[>\\s])"},
            "subject": {"operator": "matches regex", "value": f"(?i)^{re.escape(facts.marker)}\\b"},
        },
        "perform": {
            "x-zammad-ticket-group_id": {"value": group},
            "x-zammad-ticket-tags": {"operator": "add", "value": facts.tag},
        },
    }
    trigger = {
        "name": "000 canaries of intake-prober: quarantine (portal and forms)",
        "active": True,
        "condition": {
            "ticket.action": {"operator": "is", "value": "create"},
            "ticket.title": {"operator": "contains", "value": facts.marker},
            "customer.email": {"operator": "is", "value": facts.requesters[0]},
        },
        "perform": {
            "ticket.group_id": {"value": group},
            "ticket.tags": {"operator": "add", "value": facts.tag},
        },
        "disable_notification": True,
    }
    return Rendered(
        steps=_steps(facts),
        files={"postmaster-filter.json": as_json(postmaster), "trigger.json": as_json(trigger)},
        uses={
            "postmaster-filter.json": Step("the body of POST /api/v1/postmaster_filters, for mail", _SOURCE),
            "trigger.json": Step(
                "the body of POST /api/v1/triggers, for portal and forms; one for each requester", _TRIGGERS
            ),
        },
    )


def _steps(facts: Facts) -> dict[Part, tuple[Step, ...]]:
    return {
        Part.RULE: (
            Step(
                f"Make the postmaster filter: From is a requester and Subject begins with `{facts.marker}`; it sets the group and adds the tag `{facts.tag}`.",
                _FILTERS,
            ),
            Step(
                "All conditions of a filter must match, and filters run by name: 000 makes it the first.",
                _SOURCE,
            ),
            Step("For portal and forms make the trigger; triggers run in the order of their names.", _ORDER),
        ),
        Part.GROUP: (
            Step(
                f"Make a group {facts.group} to which no agent has access: agents with full access to a group are notified of its new tickets, and no switch of the API prevents that.",
                "https://github.com/zammad/zammad/blob/develop/app/models/transaction/notification.rb",
            ),
            Step("Give the prober's own user access to the group, and notifications off in its profile."),
            Step("The group action has an effect on new tickets alone.", _FILTERS),
        ),
        Part.NOTIFICATIONS: (
            Step(
                f"Add the condition Group is not {facts.group} to the trigger `auto reply (on new tickets)`, unless canaries are to prove the acknowledgement (`reply:`)."
            ),
        ),
        Part.VIEWS: (
            Step(
                f"An overview shows only groups that its reader may read; where admins read all, add Group is not {facts.group}."
            ),
        ),
        Part.SLA: (Step(f"Add the condition Group is not {facts.group} to each SLA."),),
        Part.SURVEY: (
            Step(
                "Zammad has none of its own; add the condition to the trigger or webhook that starts yours."
            ),
        ),
        Part.REPORTS: (
            Step(f"Make a report profile with the condition Group is not {facts.group}, and use that."),
        ),
        Part.BOTS: (
            Step(
                "Add the condition to each trigger or webhook that hands tickets to a bot or to an AI agent."
            ),
        ),
        Part.LOOPS: (
            Step(
                "Keep the requesters from being agents or addresses of the system: such mail makes an agent's article."
            ),
            Step(
                "No limit on mails of one sender was found in its source; its form takes 20 an hour and 240 a day of one address, so `cap` stays below."
            ),
        ),
    }
