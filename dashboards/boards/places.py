"""Places: mailboxes before they are full, certificates, the mail's DNS, ticketing APIs."""

from typing import Final

from canary.instruments import metrics
from dashboards import figures
from dashboards.asking import GREEN, ORANGE, RED, Ask
from dashboards.boards import words
from dashboards.figures import DAY_SECONDS, LOOKBACK, age, now, until
from dashboards.layout import PLACES, Band, Board, Line, Placeable, values_of
from dashboards.panels import bars, gauges, lines, tiles, timeline
from dashboards.promql import Query, increase, last, max_by, min_by, over_time, sum_by

_PLACE: Final = ("place",)
_SHARE: Final = ("place", "resource")
_WAY: Final = ("place", "way")
_FIT_SECONDS: Final = 6 * 3600.0
_FULL_IN: Final = ((None, RED), (DAY_SECONDS, ORANGE), (7 * DAY_SECONDS, GREEN))
_WAITS: Final = ((None, GREEN), (900, ORANGE), (3600, RED))


def places() -> Board:
    """What an alert of a place links to."""
    return Board(
        uid="intake-places",
        title="Support intake: places",
        says="Mailboxes, certificates, mail DNS and ticketing APIs: what breaks intake next, before it does.",
        variables=[values_of("place", "Place", metrics.PLACE_INFO)],
        since="now-7d",
        bands=[
            Band(
                "Does anything run out?",
                [Line(5, [(7, _share()), (6, _full()), (6, _oldest()), (5, _api())])],
            ),
            Band(
                "Mailboxes",
                [
                    Line(9, [(12, _forecast()), (12, _bytes())]),
                    Line(8, [(8, _backlog()), (8, _messages()), (8, _growth())]),
                ],
            ),
            Band(
                "Certificates, DNS, clocks",
                [Line(8, [(6, _certificates()), (6, _trusted()), (6, _records()), (6, _skew())])],
            ),
            Band(
                "Ticketing APIs",
                [Line(8, [(8, _answers()), (8, _budget()), (8, _requests())])],
            ),
            Band("Real tickets", [Line(8, [(16, _traffic()), (8, _newest())])]),
            Band("How old the readings are", [Line(7, [(24, _readings())])]),
        ],
        links=[("Prober's page", "${page}/")],
    )


def _share() -> Placeable:
    return tiles(
        "Mailbox: share used",
        "Above 80 %: make room today. Above 95 %: mail bounces soon. Remove old mail, or raise the limit.",
        Ask(now(metrics.MAILBOX_USED_RATIO, _SHARE, PLACES), "{{place}} {{resource}}"),
        unit="percentunit",
        levels=words.SHARE_USED,
        empty="no mailbox is read",
        decimals=0,
    )


def _full() -> Placeable:
    return tiles(
        "Full in",
        "By the prober's own fit of its growth. Below a day it pages: make room before you look for the cause.",
        Ask(until(metrics.MAILBOX_FULL, _SHARE, PLACES), "{{place}} {{resource}}"),
        unit="dtdurations",
        levels=_FULL_IN,
        empty="none grows",
    )


def _oldest() -> Placeable:
    waits = age(metrics.MAILBOX_OLDEST_UNPROCESSED, _PLACE, PLACES)
    waiting = now(metrics.MAILBOX_BACKLOG, _PLACE, PLACES)
    return tiles(
        "Oldest mail waits for",
        "Mail that nobody fetched. Above 15 minutes the fetcher of the ticketing system stands: restart it.",
        Ask(Query(f"{waits} and on (place) {waiting} > 0", waits.labels), "{{place}}"),
        unit="dtdurations",
        levels=_WAITS,
        empty="nothing waits",
    )


def _api() -> Placeable:
    return tiles(
        "Ticketing API answers",
        "NO: tickets can't be seen, and canaries become inconclusive. Look at credentials and at the vendor's status page.",
        Ask(min_by(_PLACE, last(metrics.TICKET_API_UP, LOOKBACK, PLACES)), "{{place}}"),
        words=words.FINE,
        empty="none is read",
    )


def _forecast() -> Placeable:
    ahead = max_by(
        _SHARE,
        over_time(
            "predict_linear", metrics.MAILBOX_USED_RATIO, _FIT_SECONDS, DAY_SECONDS, matchers=(PLACES,)
        ),
    )
    return lines(
        "Share used, and what it will be in a day",
        "Dashed: a straight line through the last six hours, 24 hours ahead. Where it crosses 100 %, mail is refused a day later.",
        Ask(now(metrics.MAILBOX_USED_RATIO, _SHARE, PLACES), "{{place}} {{resource}}"),
        Ask(ahead, "{{place}} {{resource}} in a day"),
        unit="percentunit",
        levels=words.SHARE_USED,
        most=1.0,
        dashed=" in a day$",
    )


def _bytes() -> Placeable:
    return lines(
        "Bytes, and the limit",
        "Dashed: the limit. A limit that moves was changed by somebody; ask before you rely on it.",
        Ask(now(metrics.MAILBOX_USED, _PLACE, PLACES), "{{place}}"),
        Ask(now(metrics.MAILBOX_LIMIT, _PLACE, PLACES), "{{place}}: limit"),
        unit="bytes",
        dashed=": limit$",
    )


def _backlog() -> Placeable:
    return lines(
        "Unprocessed messages",
        "Saw teeth are a fetcher at work; a line that only climbs is a fetcher that stands.",
        Ask(now(metrics.MAILBOX_BACKLOG, _PLACE, PLACES), "{{place}}"),
        is_stepped=True,
    )


def _messages() -> Placeable:
    return lines(
        "Messages, and the limit",
        "Some servers limit the number, not only the bytes. Dashed: the limit.",
        Ask(now(metrics.MAILBOX_MESSAGES, _PLACE, PLACES), "{{place}}"),
        Ask(now(metrics.MAILBOX_MESSAGES_LIMIT, _PLACE, PLACES), "{{place}}: limit"),
        unit="short",
        dashed=": limit$",
    )


def _growth() -> Placeable:
    return lines(
        "Growth",
        "By the prober's own fit. Below 0 it shrinks: somebody makes room.",
        Ask(now(metrics.MAILBOX_GROWTH, _PLACE, PLACES), "{{place}}"),
        unit="Bps",
        least=None,
    )


def _certificates() -> Placeable:
    return gauges(
        "Certificates: days left",
        "Below 14 days: renew. Below 2: now. After that, mail servers and browsers refuse to talk.",
        Ask(figures.days_left(PLACES), "{{place}}"),
        unit="d",
        levels=words.DAYS_LEFT,
        empty="no certificate is read",
    )


def _trusted() -> Placeable:
    return timeline(
        "Certificates that clients take",
        "Red: chain, name or end are wrong, and browsers and mail servers refuse it. Install the right one with its whole chain.",
        Ask(min_by(_PLACE, last(metrics.CERTIFICATE_TRUSTED, LOOKBACK, PLACES)), "{{place}}"),
        words=words.FINE,
    )


def _records() -> Placeable:
    return timeline(
        "Mail DNS as expected",
        "Red: MX, SPF, DKIM or DMARC differ from the configuration. Mail goes astray or to spam: call whoever runs the zone.",
        Ask(min_by(("place", "record"), last(metrics.DNS_MAIL_OK, LOOKBACK, PLACES)), "{{place}} {{record}}"),
        words=words.FINE,
    )


def _skew() -> Placeable:
    return lines(
        "Clocks: theirs less ours",
        "More than some seconds: times that a remote says can't be trusted. Look at NTP on both sides.",
        Ask(now(metrics.CLOCK_SKEW, _PLACE, PLACES), "{{place}}"),
        unit="s",
        least=None,
    )


def _answers() -> Placeable:
    return timeline(
        "Ticketing API answers, over time",
        "Red: it doesn't answer as it should; in that time canaries are inconclusive.",
        Ask(min_by(_PLACE, last(metrics.TICKET_API_UP, LOOKBACK, PLACES)), "{{place}}"),
        words=words.FINE,
    )


def _budget() -> Placeable:
    left = min_by(_PLACE, last(metrics.TICKET_API_BUDGET_REMAINING, LOOKBACK, PLACES))
    most = max_by(_PLACE, last(metrics.TICKET_API_BUDGET_LIMIT, LOOKBACK, PLACES))
    return lines(
        "API budget left",
        "Below 10 %: the vendor will refuse us, and perhaps the helpdesk too. Probe less often, or look for who else uses the account.",
        Ask(Query(f"{left} / {most}", left.labels), "{{place}}"),
        unit="percentunit",
        levels=((None, RED), (0.1, GREEN)),
        most=1.0,
    )


def _requests() -> Placeable:
    grown = sum_by(("place", "outcome"), increase(metrics.TICKET_API_REQUESTS, "$__interval", PLACES))
    return bars(
        "Requests to ticketing APIs",
        "rate_limited: probe less often. unauthorised: renew the credentials. error: the vendor's side.",
        Ask(grown, "{{place}} {{outcome}}"),
    )


def _traffic() -> Placeable:
    silence = now(metrics.TRAFFIC, _WAY, PLACES)
    limit = now(metrics.TRAFFIC_LIMIT, _WAY, PLACES)
    return lines(
        "Silence of customers, as a share of what is far out of the ordinary",
        "At 100 % it is long since no real ticket came, for this hour of the week. Is it a holiday? Else write as a customer does, "
        "from another provider than the canary's.",
        Ask(Query(f"{silence} / {limit}", silence.labels), "{{place}} {{way}}"),
        unit="percentunit",
        levels=((None, GREEN), (1.0, RED)),
    )


def _newest() -> Placeable:
    return lines(
        "Age of the newest real ticket",
        "Counts and times only, from looks that are made anyway. It means little without what is usual at this hour.",
        Ask(age(metrics.TRAFFIC_NEWEST, _WAY, PLACES), "{{place}} {{way}}"),
        unit="s",
    )


def _readings() -> Placeable:
    return lines(
        "Age of each place's last reading",
        "Older than 30 minutes: the place can't be read, and all above about it is old. Look at the prober's log.",
        Ask(age(metrics.PLACE_READING, ("place", "kind"), PLACES), "{{place}} {{kind}}"),
        unit="s",
    )
