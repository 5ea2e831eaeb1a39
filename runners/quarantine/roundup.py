"""Roundup: an auditor, a few lines of Python in the tracker's `detectors`, sets the keyword before the issue is made.

Read on 2026-11-30 in 2.6.0: `roundup/hyperdb.py` (auditors run by priority, 100 if not said) and the classic template's
`detectors/nosyreaction.py`; tried on 2.6.0 by the tests of this program.
"""

from runners.quarantine.facts import Facts
from runners.quarantine.guide import Part, Rendered, Step

_TRIED = "Roundup 2.6.0"
_DETECTORS = "https://www.roundup-tracker.org/docs/reference.html"
_MAILGW = "https://www.roundup-tracker.org/docs/user_guide.html"


def render(facts: Facts) -> Rendered:
    """The detector, and the steps around it."""
    return Rendered(
        steps=_steps(facts),
        files={"intake_prober_quarantine.py": _detector(facts)},
        uses={
            "intake_prober_quarantine.py": Step(
                "for the tracker's folder detectors; restart the tracker's server after", _DETECTORS, _TRIED
            )
        },
    )


def _detector(facts: Facts) -> str:
    return f'''"""Keeps the synthetic issues of intake-prober from people: the keyword is set, and nobody is on the nosy list."""

SENDERS = frozenset({sorted(facts.requesters)!r})
MARKER = {facts.marker.lower()!r}
KEYWORD = {facts.tag!r}


def quarantine(db, cl, nodeid, newvalues):
    address = (db.user.get(db.getuid(), "address") or "").lower()
    title = (newvalues.get("title") or "").lower()
    if address not in SENDERS or not title.startswith(MARKER):
        return
    keyword = db.keyword.lookup(KEYWORD)
    newvalues["keyword"] = sorted({{*newvalues.get("keyword", []), keyword}})
    newvalues["nosy"] = []
    newvalues["assignedto"] = None


def init(db):
    # after the template's own auditors, which put the author and others on the nosy list
    db.issue.audit("create", quarantine, priority=900)
'''


def _steps(facts: Facts) -> dict[Part, tuple[Step, ...]]:
    return {
        Part.RULE: (
            Step(f"Make the keyword `{facts.tag}`: an issue can't bear one that isn't there.", tried=_TRIED),
            Step(
                "Put the detector into the tracker's folder detectors and restart its server; auditors run before the issue is made.",
                _DETECTORS,
                _TRIED,
            ),
        ),
        Part.GROUP: (Step("Roundup has no queues; the detector leaves the issue without an assignee."),),
        Part.NOTIFICATIONS: (
            Step(
                "The detector empties the nosy list: the nosy reactor mails whoever is on it.",
                _DETECTORS,
                _TRIED,
            ),
        ),
        Part.VIEWS: (Step(f"Give the shared queries the filter keyword is not `{facts.tag}`."),),
        Part.SLA: (Step("Roundup keeps none; exclude the keyword in a detector that does."),),
        Part.SURVEY: (Step("Roundup sends none; exclude the keyword in a detector that does."),),
        Part.REPORTS: (Step("Exclude the keyword in scripts that count issues."),),
        Part.BOTS: (Step("Exclude the keyword in detectors that feed a bot."),),
        Part.LOOPS: (
            Step(
                "Register each requester, or let mail make users: an unknown sender gets a bounce.", _MAILGW
            ),
            Step(
                "Subjects that say autoreply or out of office are dropped; a canary's says neither.", _MAILGW
            ),
        ),
    }
