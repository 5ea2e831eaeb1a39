"""What is known of django-helpdesk, for docs/ticketing.md."""

from typing import Final

from probes.ticketing.about import Abilities, About, Fact, Guard, Known

ABOUT: Final = About(
    system="django-helpdesk 2.6.1",
    met="django-helpdesk 2.6.1: in the tests, and in every `make demo`",
    contract="",
    rights=(
        Fact(
            "a staff user with access to the queue, and its token; the API knows no lesser right that may close a ticket",
            Known.SOURCE,
            "TicketViewSet in helpdesk/views/api.py of 2.6.1: IsAdminUser",
        ),
    ),
    view=Fact("its list reads the table", Known.SOURCE, "helpdesk/views/api.py of 2.6.1"),
    guards=(
        Guard(
            Fact(
                "a mail of an ignored address makes no ticket",
                Known.SOURCE,
                "extract_email_metadata in helpdesk/email.py of 2.6.1",
            ),
            "keep the canary's address out of `IgnoreEmail`",
        ),
        Guard(
            Fact(
                "an automatic mail (`Auto-Submitted`, `X-Auto-Response-Suppress`) makes a ticket, and no acknowledgement",
                Known.SOURCE,
                "is_autoreply in helpdesk/email.py of 2.6.1",
            ),
            "mark no canary as automatic where the path says `reply: true`",
        ),
    ),
    aside="a mail that it ignores leaves nothing",
    limits=(
        Fact(
            "the list has no search and no order: pages are read from the last one backwards, 100 tickets each",
            Known.SEEN,
            "tests/real/test_helpdesk.py",
        ),
        Fact("one change a ticket: it has no bulk change", Known.SOURCE, "helpdesk/views/api.py of 2.6.1"),
    ),
)
ABILITIES: Final = Abilities(
    poll="open tickets, 2 pages at most",
    wide="100 pages at most",
    close="one by one",
    delete=True,
    tag="the resolution's first word",
    channel=True,
    files="compared, where the file is served to us",
    aside="",
    budget="`RateLimit-*` of whatever stands before it",
    view="strong",
    cap="none",
)
