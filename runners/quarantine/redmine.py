"""Redmine: it has no rules of its own; its mail handler sets fields, and a private issue is told to nobody.

Read on 2026-11-30 in redmine 5.0.4 (`app/models/mail_handler.rb`, `extra/mail_handler/rdm-mailhandler.rb`, and
`app/models/issue.rb`: whoever can't see an issue is not mailed of it) and on its wiki. Tried on 5.0.4 by the tests of this
program.
"""

import shlex

from runners.quarantine.facts import Facts
from runners.quarantine.guide import Part, Rendered, Step

_TRIED = "Redmine 5.0.4"
_MAIL = "https://www.redmine.org/projects/redmine/wiki/RedmineReceivingEmails"
_HANDLER = "https://github.com/redmine/redmine/blob/5.0-stable/app/models/mail_handler.rb"
_ISSUE = "https://github.com/redmine/redmine/blob/5.0-stable/app/models/issue.rb"


def render(facts: Facts) -> Rendered:
    """The mail handler's words for canaries, and the steps around them."""
    alias = f"""# Canaries of intake-prober: for the mail server's pipe. Mail of these requesters whose subject begins with
# {facts.marker} goes here instead of to the usual command (a sieve, procmail or transport rule of yours decides):
#   {" ".join(facts.requesters)}
rdm-mailhandler.rb --url REPLACE_WITH_YOUR_URL --key-file REPLACE_WITH_THE_KEY_FILE \\
  --project REPLACE_WITH_THE_PROJECT --unknown-user ignore --private \\
  --category {shlex.quote(facts.group)}
"""
    return Rendered(
        steps=_steps(facts),
        files={"mail-handler.txt": alias},
        uses={"mail-handler.txt": Step("the mail handler's command for canaries' mail", _MAIL, _TRIED)},
    )


def _steps(facts: Facts) -> dict[Part, tuple[Step, ...]]:
    return {
        Part.RULE: (
            Step(
                f"Make an issue category {facts.group} in the project, without an assignee: an unknown category is left out without a word. See that the project has no default assignee: whoever is assigned sees the issue.",
                _ISSUE,
                _TRIED,
            ),
            Step(
                "Redmine has no rule that looks at a sender: let the mail server hand canaries' mail to the handler with the category set, and as private issues.",
                _MAIL,
                _TRIED,
            ),
            Step(
                "Give the prober's role Issues visibility: All issues, else it can't see what is private. It needs no other right for that.",
                _ISSUE,
                _TRIED,
            ),
            Step(
                "The mail handler can't set a custom field: judge by the category, `quarantine: {group: …}`. A plugin for rules could set the list field Tags as well."
            ),
        ),
        Part.GROUP: (Step("The same command sets the category: --category.", _MAIL, _TRIED),),
        Part.NOTIFICATIONS: (
            Step(
                "Who can't see an issue is not mailed of it, neither when it is made nor when it is closed: --private keeps out everybody whose role has Issues visibility: All non private issues (Developer and Reporter, as Redmine comes).",
                _ISSUE,
                _TRIED,
            ),
            Step(
                "Whose role sees all issues (Manager) is mailed if the account says For any event on all my projects: choose less there.",
                _ISSUE,
                _TRIED,
            ),
            Step(
                "Set the canary's account to No events. The mail handler's --no-notification does not do it: it is about accounts that it makes itself, and about nobody else.",
                _HANDLER,
                _TRIED,
            ),
        ),
        Part.VIEWS: (
            Step(
                "A private issue is in no list of whoever sees all non private issues only.", _ISSUE, _TRIED
            ),
            Step(
                f"For those who see all issues, save the team's public queries in the project with Category is not {facts.group}: the filter is not there over all projects.",
                tried=_TRIED,
            ),
        ),
        Part.SLA: (Step("Redmine keeps none; exclude the category in a plugin that does."),),
        Part.SURVEY: (Step("Redmine sends none; exclude the category in a plugin that does."),),
        Part.REPORTS: (
            Step(
                "The project's issue summary counts what its reader can see: base figures of those who see all issues on a query that excludes the category."
            ),
        ),
        Part.BOTS: (Step("Redmine has none; exclude the category where webhooks feed one."),),
        Part.LOOPS: (
            Step(
                "Register each requester as a user: mail of an unknown sender is dropped in silence by default.",
                _HANDLER,
                _TRIED,
            ),
            Step(
                "Never send from the emission address, and without Auto-Submitted: both are dropped in silence.",
                _HANDLER,
                _TRIED,
            ),
        ),
    }
