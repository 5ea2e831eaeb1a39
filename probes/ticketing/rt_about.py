"""What is known of Request Tracker, for docs/ticketing.md."""

from typing import Final

from probes.ticketing.about import Abilities, About, Fact, Guard, Known

ABOUT: Final = About(
    system="Request Tracker 5 (REST2)",
    met="Request Tracker 5.0.3: in the tests, with SQLite",
    contract="Request Tracker 6: its documentation",
    rights=(
        Fact(
            "SeeQueue, ShowTicket and ModifyTicket on the queue; for the tag SeeCustomField and ModifyCustomField;"
            " DeleteTicket with `cleanup: delete`; a privileged user",
            Known.SEEN,
            "tests/real/test_request_tracker.py",
        ),
    ),
    view=Fact("TicketSQL reads the table", Known.SOURCE, "lib/RT/Tickets.pm of 5.0.3"),
    guards=(
        Guard(
            Fact(
                "a mail with `X-RT-Loop-Prevention` of its own name is dropped, with a mail to OwnerEmail",
                Known.SOURCE,
                "lib/RT/Interface/Email.pm of 5.0.3",
            ),
            "send no canary from an address that Request Tracker itself sends from",
        ),
        Guard(
            Fact(
                "an automatic mail (`Precedence: bulk`, `Auto-Submitted`) makes a ticket, and no acknowledgement",
                Known.SOURCE,
                "lib/RT/Interface/Email.pm of 5.0.3",
            ),
            "mark no canary as automatic where the path says `reply: true`",
        ),
        Guard(
            Fact(
                "`[rtname #12]` in a subject appends the mail to ticket 12",
                Known.SOURCE,
                "lib/RT/Interface/Email.pm of 5.0.3",
            ),
            "nothing to do: a canary's subject has no brackets",
        ),
    ),
    aside="bounces and the owner's mail tell: let a mailbox read them",
    limits=(
        Fact(
            "text and files of a ticket are in a list of its own, with the content inside the JSON: one call a matching"
            " ticket, remembered, 40 a look; no list shows them of several tickets",
            Known.SOURCE,
            "lib/RT/REST2/Resource/Attachments.pm of 5.0.3",
        ),
        Fact(
            "three calls to close one ticket: what it does not change it answers 200, so it is read back",
            Known.SEEN,
            "tests/real/test_request_tracker.py",
        ),
    ),
)
ABILITIES: Final = Abilities(
    poll="1 search for all, 1 call a new ticket of ours",
    wide="1 search for all, 1 call a new ticket of our senders",
    close="one by one, if unchanged",
    delete=True,
    tag="a custom field, where one is named",
    channel=True,
    files="compared, those that are no text",
    aside="",
    budget="`RateLimit-*` of whatever stands before it",
    view="strong",
    cap="none",
)
