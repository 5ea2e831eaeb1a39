"""django-helpdesk: it has no rules and no tags; a queue of its own is the quarantine.

Read on 2026-11-30 in django-helpdesk 2.6.1: `helpdesk/models.py` (Queue, IgnoreEmail), `helpdesk/email.py` (a new ticket's
mails are sent after it is saved, as its queue then says) and `helpdesk/user.py` (with permissions by queue, staff still
sees every queue that takes public submissions). Tried on 2.6.1 by the tests of this program.
"""

from runners.quarantine.facts import Facts
from runners.quarantine.guide import Part, Rendered, Step

_TRIED = "django-helpdesk 2.6.1"
_MODELS = "https://github.com/django-helpdesk/django-helpdesk/blob/main/helpdesk/models.py"
_EMAIL = "https://github.com/django-helpdesk/django-helpdesk/blob/main/helpdesk/email.py"
_USER = "https://github.com/django-helpdesk/django-helpdesk/blob/main/helpdesk/user.py"


def render(facts: Facts) -> Rendered:
    """The receiver that moves a canary's ticket, and the steps around it."""
    queue = facts.group if facts.group.isdecimal() else "0  # REPLACE: the number of the queue"
    receiver = f'''"""Keeps the synthetic tickets of intake-prober from people: they are made in a queue of their own.

For a module that your project's AppConfig.ready() imports.
"""

from django.db.models.signals import pre_save
from django.dispatch import receiver
from helpdesk.models import Ticket

SENDERS = frozenset({sorted(facts.requesters)!r})
MARKER = {facts.marker.lower()!r}
QUEUE_ID = {queue}


@receiver(pre_save, sender=Ticket)
def quarantine(sender, instance, **kwargs):
    if instance.pk is not None:
        return
    title = (instance.title or "").lower()
    if (instance.submitter_email or "").lower() in SENDERS and title.startswith(MARKER):
        instance.queue_id = QUEUE_ID
        instance.assigned_to = None
'''
    return Rendered(
        steps=_steps(),
        files={"intake_prober_quarantine.py": receiver},
        uses={
            "intake_prober_quarantine.py": Step(
                "a receiver of Django's signal before a ticket is saved", tried=_TRIED
            )
        },
    )


def _steps() -> dict[Part, tuple[Step, ...]]:
    return {
        Part.RULE: (
            Step(
                "It has no rules: put the receiver into an app of the project, import it in that app's AppConfig.ready(), and restart every process that makes tickets: the web server and whatever runs get_email.",
                tried=_TRIED,
            ),
            Step(
                "Or send canaries to an address whose queue is the quarantine; then canary and customer don't share the last step."
            ),
            Step(
                "It keeps no tags that a rule could set: judge by the queue's number, `quarantine: {group: '3'}`. The number is in the address of the queue's page in the admin site.",
                _MODELS,
                _TRIED,
            ),
        ),
        Part.GROUP: (
            Step(
                "Make a queue without public submission, without e-mail submission and without default owner. Give it the e-mail address of the queue that canaries come to: the acknowledgement is sent from it (without one its sender is called NO QUEUE EMAIL ADDRESS DEFINED).",
                _MODELS,
                _TRIED,
            ),
            Step("Give the prober's user access to the queue, if users are restricted to queues.", _MODELS),
        ),
        Part.NOTIFICATIONS: (
            Step(
                "Leave the queue's new ticket CC and updated ticket CC empty: those of the queue that the mail came to are not asked any more.",
                _MODELS,
                _TRIED,
            ),
        ),
        Part.VIEWS: (
            Step(
                "Restrict agents to their queues (HELPDESK_ENABLE_PER_QUEUE_STAFF_PERMISSION): neither the dashboard nor the list of tickets shows them the quarantine's queue then. A superuser sees all queues, and everybody one that takes public submissions.",
                _USER,
                _TRIED,
            ),
            Step("Without that setting, exclude the queue in saved queries; the dashboard shows it."),
        ),
        Part.SLA: (
            Step("Leave the queue's escalation days empty: escalate_tickets then passes it over.", _MODELS),
        ),
        Part.SURVEY: (Step("It sends none; exclude the queue in a receiver that does."),),
        Part.REPORTS: (
            Step(
                "Its reports count all queues that the reader may see: restrict the reader, or take the queue out by hand."
            ),
        ),
        Part.BOTS: (Step("Its webhooks tell of every ticket: exclude the queue at their receiver."),),
        Part.LOOPS: (
            Step("See that no ignored address (IgnoreEmail) matches a requester.", _MODELS),
            Step("A subject with [queue-number] threads into an old ticket; a canary's has none.", _EMAIL),
        ),
    }
