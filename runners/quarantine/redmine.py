"""Redmine: it has no rules of its own; its mail handler sets fields, and the canary's account is told nothing.

Read on 2026-11-30 in redmine 5.0.4 (`app/models/mail_handler.rb`, `extra/mail_handler/rdm-mailhandler.rb`) and on its wiki.
"""

import shlex

from runners.quarantine.facts import Facts
from runners.quarantine.guide import Part, Rendered, Step

_MAIL = "https://www.redmine.org/projects/redmine/wiki/RedmineReceivingEmails"
_HANDLER = "https://github.com/redmine/redmine/blob/5.0-stable/app/models/mail_handler.rb"


def render(facts: Facts) -> Rendered:
    """The mail handler's words for canaries, and the steps around them."""
    alias = f"""# Canaries of intake-prober: for the mail server's pipe. Mail of these requesters whose subject begins with
# {facts.marker} goes here instead of to the usual command (a sieve, procmail or transport rule of yours decides):
#   {" ".join(facts.requesters)}
rdm-mailhandler.rb --url REPLACE_WITH_YOUR_URL --key-file REPLACE_WITH_THE_KEY_FILE \\
  --project REPLACE_WITH_THE_PROJECT --unknown-user ignore --no-notification \\
  --category {shlex.quote(facts.group)}
"""
    return Rendered(
        steps=_steps(facts),
        files={"mail-handler.txt": alias},
        uses={"mail-handler.txt": Step("the mail handler's command for canaries' mail", _MAIL)},
    )


def _steps(facts: Facts) -> dict[Part, tuple[Step, ...]]:
    return {
        Part.RULE: (
            Step(f"Make an issue category {facts.group} in the project, without an assignee."),
            Step(
                "Redmine has no rule that looks at a sender: let the mail server hand canaries' mail to the handler with the category set; --no-notification keeps everybody from being mailed.",
                _MAIL,
            ),
            Step(
                "The mail handler can't set a custom field: judge by the category, `quarantine: {group: …}`. A plugin for rules could set the list field Tags as well."
            ),
        ),
        Part.GROUP: (Step("The same command sets the category: --category.", _MAIL),),
        Part.NOTIFICATIONS: (
            Step("Set the canary's account to No events, and use --no-notification.", _MAIL),
        ),
        Part.VIEWS: (Step(f"Save the team's public queries with Category is not {facts.group}."),),
        Part.SLA: (Step("Redmine keeps none; exclude the category in a plugin that does."),),
        Part.SURVEY: (Step("Redmine sends none; exclude the category in a plugin that does."),),
        Part.REPORTS: (
            Step(
                "The project's issue summary counts all issues: base figures on a query that excludes the category."
            ),
        ),
        Part.BOTS: (Step("Redmine has none; exclude the category where webhooks feed one."),),
        Part.LOOPS: (
            Step(
                "Register each requester as a user: mail of an unknown sender is dropped in silence by default.",
                _HANDLER,
            ),
            Step(
                "Never send from the emission address, and without Auto-Submitted: both are dropped in silence.",
                _HANDLER,
            ),
        ),
    }
