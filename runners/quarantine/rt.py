"""Request Tracker: a scrip on create, in Perl, loaded as initial data; it runs in the ticket's own creation.

Read on 2026-11-30: the documentation of scrips and of initialdata (bestpractical.com, 5.0 and 6.0).
"""

from runners.quarantine.facts import Facts
from runners.quarantine.guide import Part, Rendered, Step

_SCRIPS = "https://docs.bestpractical.com/rt/latest/RT/Scrip.html"
_CONDITIONS = "https://docs.bestpractical.com/rt/latest/customizing/scrip_conditions_and_action.html"
_DATA = "https://docs.bestpractical.com/rt/latest/initialdata.html"
_EMAIL = "https://docs.bestpractical.com/rt/latest/RT/Interface/Email.html"


def render(facts: Facts) -> Rendered:
    """The scrip as initial data, and the steps around it."""
    return Rendered(
        steps=_steps(facts),
        files={"quarantine.initialdata": _initialdata(facts)},
        uses={
            "quarantine.initialdata": Step(
                "for `rt-setup-database --action insert --datafile quarantine.initialdata`", _DATA
            )
        },
    )


def _perl(word: str) -> str:
    """A word as Perl's single quotes take it."""
    return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _initialdata(facts: Facts) -> str:
    senders = ", ".join(_perl(one) for one in facts.requesters)
    field = facts.given.get("custom_field") or ""
    marked = (
        f"$self->TicketObj->AddCustomFieldValue(Field => {_perl(field)}, Value => {_perl(facts.tag)}, RecordTransaction => 0);"
        if field
        else f"$self->TicketObj->SetQueue({_perl(facts.group)});"
    )
    return f"""# Canaries of intake-prober: quarantine.
@Scrips = (
    {{
        Description    => 'Canaries of intake-prober: quarantine',
        Queue          => 0,
        ScripCondition => 'User Defined',
        ScripAction    => 'User Defined',
        Template       => 'Blank',
        CustomIsApplicableCode => <<'PERL',
return 0 unless $self->TransactionObj->Type eq 'Create';
my $marker = {_perl(facts.marker.lower())};
return 0 unless index(lc($self->TicketObj->Subject // ''), $marker) == 0;
my %own = map {{ lc($_) => 1 }} ({senders});
my @asked = split /\\s*,\\s*/, lc($self->TicketObj->RequestorAddresses // '');
return (grep {{ $own{{$_}} }} @asked) ? 1 : 0;
PERL
        CustomPrepareCode => 'return 1;',
        CustomCommitCode  => <<'PERL',
{marked}
return 1;
PERL
    }},
);
1;
"""


def _steps(facts: Facts) -> dict[Part, tuple[Step, ...]]:
    return {
        Part.RULE: (
            Step(
                "Load the scrip, or make it by hand: Admin, Global, Scrips; condition and action User Defined, template Blank.",
                _CONDITIONS,
            ),
            Step(
                "It runs with the transaction Create, before the creation is answered; its order among the scrips is SortOrder.",
                _SCRIPS,
            ),
            Step(
                f"With `custom_field` it adds the value `{facts.tag}` to that field: give the field to the queue, and the prober SeeCustomField. Without it moves the ticket to the queue {facts.group}."
            ),
        ),
        Part.GROUP: (
            Step(f"Make a queue {facts.group} without watchers, and with rights for the prober alone."),
        ),
        Part.NOTIFICATIONS: (
            Step(
                "Give the queue scrips of its own: the stock scrips On Create Autoreply and Notify AdminCcs are global, so disable them for the queue, or add the condition.",
                _CONDITIONS,
            ),
            Step(
                "The prober closes with the status rejected: the stock scrips mail the requester on resolved, and nobody on rejected."
            ),
        ),
        Part.VIEWS: (
            Step(f"Add Queue != '{facts.group}' (or the field's value) to dashboards and saved searches."),
        ),
        Part.SLA: (Step("SLAs are a setting of each queue: leave it off for the quarantine's queue."),),
        Part.SURVEY: (Step("Request Tracker sends none; exclude the queue in a scrip that does."),),
        Part.REPORTS: (Step("Exclude the queue in charts and reports: their query is TicketSQL."),),
        Part.BOTS: (Step("Exclude the queue in scrips that feed a bot."),),
        Part.LOOPS: (
            Step(
                "Mail with RT's own X-RT-Loop-Prevention is dropped; automatic mail makes a ticket without replies. A canary has neither.",
                _EMAIL,
            ),
        ),
    }
