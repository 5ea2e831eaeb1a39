"""ServiceNow: a business rule before the insert of an incident sets its group, in the record's own transaction.

Read on 2026-11-30: fields of a business rule (`sys_script`) in the SDK's public specification; inbound actions in
ServiceNow's documentation. A script may only look at what is there before the insert: caller and short description.
"""

import json

from runners.quarantine.facts import Facts
from runners.quarantine.guide import Part, Rendered, Step, as_json

_RULE = "https://github.com/modesty/fluent-mcp/blob/main/res/spec/fluent_spec_business-rule.md"
_INBOUND = "https://docs.servicenow.com/bundle/istanbul-servicenow-platform/page/administer/notification/task/t_ConfigureTheProcessingOrder.html"
_GROUP_ID = "REPLACE_WITH_THE_SYS_ID_OF_THE_GROUP"


def render(facts: Facts) -> Rendered:
    """The body of a business rule for the Table API, and the steps around it."""
    script = f"""(function executeRule(current) {{
  var senders = {json.dumps(list(facts.requesters))};
  var email = String(current.caller_id.email || '').toLowerCase();
  var subject = String(current.short_description || '').toLowerCase();
  if (senders.indexOf(email) < 0 || subject.indexOf({json.dumps(facts.marker.lower())}) !== 0) return;
  current.assignment_group = '{_GROUP_ID}';
  current.assigned_to = '';
}})(current);
"""
    rule = {
        "name": "Canaries of intake-prober: quarantine",
        "collection": "incident",
        "when": "before",
        "order": "10000",
        "action_insert": "true",
        "action_update": "false",
        "active": "true",
        "advanced": "true",
        "filter_condition": f"short_descriptionSTARTSWITH{facts.marker}^EQ",
        "script": script,
    }
    return Rendered(
        steps=_steps(facts),
        files={"business-rule.json": as_json(rule)},
        uses={
            "business-rule.json": Step(
                "the body of POST /api/now/table/sys_script; the fields are those of a business rule", _RULE
            )
        },
    )


def _steps(facts: Facts) -> dict[Part, tuple[Step, ...]]:
    group = facts.group
    return {
        Part.RULE: (
            Step(
                "Make a user for each requester, so that an incident has a caller whose address the rule can see."
            ),
            Step(
                "Make the business rule before the insert of an incident, late in the order, and test it in a sub-production instance.",
                _RULE,
            ),
            Step(
                "Let the inbound action that makes incidents do its work before: a rule runs on the insert that it makes.",
                _INBOUND,
            ),
        ),
        Part.GROUP: (
            Step(
                f"Make a group {group} without members and without a group e-mail; put its sys_id into the script. Assignment rules run on records without a group or later: add Assignment group is not {group} to them."
            ),
        ),
        Part.NOTIFICATIONS: (
            Step(
                f"Add Assignment group is not {group} to the notifications of incidents, unless canaries are to prove the acknowledgement (`reply:`)."
            ),
        ),
        Part.VIEWS: (
            Step(f"Add Assignment group is not {group} to shared lists, workspaces and dashboards."),
        ),
        Part.SLA: (
            Step(f"Add Assignment group is not {group} to the start condition of each SLA definition."),
        ),
        Part.SURVEY: (Step(f"Add Assignment group is not {group} to the trigger condition of the survey."),),
        Part.REPORTS: (
            Step(
                f"Add Assignment group is not {group} to report sources and to the indicators of Performance Analytics."
            ),
        ),
        Part.BOTS: (
            Step("Add the same to flows, predictive assignment and AI agents that begin with an incident."),
        ),
        Part.LOOPS: (
            Step(
                "Look at glide.pop3.ignore_headers, glide.pop3.ignore_senders and glide.pop3.ignore_subjects: none may match a canary. The prober reads what was ignored from sys_email."
            ),
            Step(
                "Mail whose sender equals its recipient is ignored: never send canaries from the instance's own address."
            ),
        ),
    }
