"""Request Tracker: two scrips on create, in Perl, loaded as initial data; they run in the ticket's own creation.

Read on 2026-11-30: the documentation of scrips and of initialdata (bestpractical.com, 5.0 and 6.0), and in 5.0.3
`lib/RT/Scrips.pm` (all scrips of a transaction are found and prepared before the first of them acts, so that a ticket
which one of them moves is still mailed of by the queue that it came to) and `lib/RT/Action/SendEmail.pm` (whom a
transaction's SquelchMailTo names is not mailed). Tried on 5.0.3 by the tests of this program.
"""

from dataclasses import replace

from canary.quarantine import Mark
from runners.quarantine.facts import Facts
from runners.quarantine.guide import Part, Rendered, Step

_TRIED = "Request Tracker 5.0.3"
_SCRIPS = "https://docs.bestpractical.com/rt/latest/RT/Scrip.html"
_CONDITIONS = "https://docs.bestpractical.com/rt/latest/customizing/scrip_conditions_and_action.html"
_DATA = "https://docs.bestpractical.com/rt/latest/initialdata.html"
_EMAIL = "https://docs.bestpractical.com/rt/latest/RT/Interface/Email.html"
_QUIET = """# Everybody but the requester is left out of the mails of this transaction: the scrips that send them come after.
my $ticket = $self->TicketObj;
my %asked = map { lc($_) => 1 } $ticket->Requestors->MemberEmailAddresses;
my %others;
for my $object ($ticket, $ticket->QueueObj) {
    for my $role ($object->Roles) {
        $others{lc $_} = 1 for grep { defined && length } $object->RoleGroup($role)->MemberEmailAddresses;
    }
}
$self->TransactionObj->AddAttribute(Name => 'SquelchMailTo', Content => $_) for grep { !$asked{$_} } sort keys %others;
return 1;"""


def render(facts: Facts) -> Rendered:
    """The scrips as initial data, and the steps around them."""
    return Rendered(
        steps=_steps(facts),
        files={"quarantine.initialdata": _initialdata(facts)},
        uses={
            "quarantine.initialdata": Step(
                "for `rt-setup-database --action insert --datafile quarantine.initialdata` (Debian: `rt-setup-database-5 … --skip-create`)",
                _DATA,
                _TRIED,
            )
        },
    )


def _perl(word: str) -> str:
    """A word as Perl's single quotes take it."""
    return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _field(facts: Facts) -> str:
    """The custom field that takes the tag; empty where the queue alone is judged by."""
    return facts.given.get("custom_field") or "" if facts.mark.tag is not None else ""


def _moves(facts: Facts) -> bool:
    return facts.mark.group is not None or not _field(facts)


def _marked(facts: Facts) -> str:
    lines = []
    if field := _field(facts):
        value = f"Field => {_perl(field)}, Value => {_perl(facts.tag)}, RecordTransaction => 0"
        lines.append(f"my ($tagged, $why) = $self->TicketObj->AddCustomFieldValue({value});")
        lines.append('$RT::Logger->error("The tag of a canary was not set: $why") unless $tagged;')
    if _moves(facts):
        lines.append(f"my ($moved, $reason) = $self->TicketObj->SetQueue({_perl(facts.group)});")
        lines.append('$RT::Logger->error("A canary was not moved: $reason") unless $moved;')
    return "\n".join(lines)


def _initialdata(facts: Facts) -> str:
    senders = ", ".join(_perl(one) for one in facts.requesters)
    return f"""# Canaries of intake-prober: quarantine.
my $is_canary = <<'PERL';
return 0 unless $self->TransactionObj->Type eq 'Create';
my $marker = {_perl(facts.marker.lower())};
return 0 unless index(lc($self->TicketObj->Subject // ''), $marker) == 0;
my %own = map {{ lc($_) => 1 }} ({senders});
my @asked = split /\\s*,\\s*/, lc($self->TicketObj->RequestorAddresses // '');
return (grep {{ $own{{$_}} }} @asked) ? 1 : 0;
PERL
@Scrips = (
    {{
        Description     => 'Canaries of intake-prober: nobody else is mailed',
        Queue           => 0,
        ObjectSortOrder => -1,
        ScripCondition  => 'User Defined',
        ScripAction     => 'User Defined',
        Template        => 'Blank',
        CustomIsApplicableCode => $is_canary,
        CustomPrepareCode => <<'PERL',
{_QUIET}
PERL
        CustomCommitCode  => 'return 1;',
    }},
    {{
        Description    => 'Canaries of intake-prober: quarantine',
        Queue          => 0,
        ScripCondition => 'User Defined',
        ScripAction    => 'User Defined',
        Template       => 'Blank',
        CustomIsApplicableCode => $is_canary,
        CustomPrepareCode => 'return 1;',
        CustomCommitCode  => <<'PERL',
{_marked(facts)}
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
                "Load the scrips, or make them by hand: Admin, Global, Scrips; condition and action User Defined, template Blank; the first goes to the top of the list. Loading the file twice makes them twice: delete the old ones before.",
                _CONDITIONS,
                _TRIED,
            ),
            Step(
                "They run with the transaction Create, before the creation is answered; their order among the scrips is SortOrder.",
                _SCRIPS,
                _TRIED,
            ),
            _mark_step(facts),
        ),
        Part.GROUP: (_queue_step(facts),),
        Part.NOTIFICATIONS: (
            Step(
                "The first scrip keeps all watchers of the ticket and of its queue from being mailed of its creation, the requester excepted: the acknowledgement comes as a customer's does. To disable a stock scrip for the quarantine's queue does nothing: all scrips are prepared before the ticket is moved.",
                tried=_TRIED,
            ),
            Step(
                "A scrip of yours that mails an address which is no watcher asks none of this: add the condition of these scrips to it, turned round.",
                _CONDITIONS,
            ),
            Step(
                "The prober closes with the status rejected: the stock scrips mail the requester on resolved, and nobody on rejected.",
                tried=_TRIED,
            ),
        ),
        Part.VIEWS: (_view_step(facts),),
        Part.SLA: (
            Step(
                "SLAs are a setting of each queue: leave it off for the quarantine's queue. The dates that the queue of arrival sets are set before the ticket is moved."
            ),
        ),
        Part.SURVEY: (
            Step("Request Tracker sends none; exclude the queue or the tag in a scrip that does."),
        ),
        Part.REPORTS: (
            Step("Exclude the queue or the tag in charts and reports: their query is TicketSQL."),
        ),
        Part.BOTS: (Step("Exclude the queue or the tag in scrips that feed a bot."),),
        Part.LOOPS: (
            Step(
                "Mail with RT's own X-RT-Loop-Prevention is dropped; automatic mail makes a ticket without replies. A canary has neither.",
                _EMAIL,
            ),
        ),
    }


def _mark_step(facts: Facts) -> Step:
    words = []
    if field := _field(facts):
        words.append(
            f"The second adds the value `{facts.tag}` to the custom field {field}: apply the field to the queue that canaries come to, and give the prober SeeCustomField there."
        )
    if _moves(facts):
        words.append(f"The second moves the ticket to the queue {facts.group}, which must be there before.")
        words.append(
            "The prober looks there too, also where `queue` names the one that canaries come to. With `custom_field` it can mark by a tag instead."
        )
    return Step(" ".join(words), tried=_TRIED)


def _queue_step(facts: Facts) -> Step:
    if not _moves(facts):
        return Step("The ticket stays in the queue that it came to, without an owner.", tried=_TRIED)
    return Step(
        f"Make a queue {facts.group} without watchers, with the same lifecycle, and with rights for the prober alone: SeeQueue, ShowTicket and ModifyTicket; with `custom_field` SeeCustomField and ModifyCustomField, and the field applied to it.",
        tried=_TRIED,
    )


def _view_step(facts: Facts) -> Step:
    if _moves(facts):
        return Step(
            f"Agents without a right in the queue {facts.group} see none of its tickets, in no search. For whoever sees all queues add `Queue != {_perl(facts.group)}` to dashboards and saved searches.",
            tried=_TRIED,
        )
    both = replace(facts, mark=Mark(facts.tag, facts.group))
    condition = f"'CF.{{{_field(facts)}}}' != {_perl(facts.tag)}"
    return Step(
        f"Add `{condition}` to dashboards and saved searches (it lets tickets without a value through). The home page's own list of unowned tickets has no condition of yours: take it off, or let the rule move the ticket, `quarantine: {{{both.mark_setting}}}`.",
        tried=_TRIED,
    )
