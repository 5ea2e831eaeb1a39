"""Unit tests of the rules about places."""

from dataclasses import replace
from math import ceil

from canary.instruments import metrics
from dashboards.rule import Severity
from dashboards.rule_case import STALE, Case, Firing, Given, Moment, always, step_for, switched
from dashboards.rule_scene import DOMAIN, TEAM, Scene, place_info

_HOUR, _DAY = 3600.0, 86400.0


def place_cases(scene: Scene) -> list[Case]:
    """Of each mailbox that is configured, and of certificates, mail DNS and an API."""
    boxes = scene.estate.mailboxes or (scene.mailbox,)
    return [
        case
        for one in boxes
        for make in (_filling, _full_soon, _full, _backlog, _backlog_of_the_dead)
        for case in [make(replace(scene, estate=replace(scene.estate, mailboxes=(one,))))]
    ] + [_certificates(scene), _not_trusted(scene), _mail_dns(scene), _api_budget(scene), _quiet(scene)]


def _about(place: str, kind: str) -> dict[str, str]:
    return {"place": place, "kind": kind, "team": TEAM, "domain": DOMAIN}


def _fires(scene: Scene, name: str, value: float) -> Firing:
    place = scene.mailbox.name
    (rule,) = scene.rules_about(place, name, label="place")
    return Firing(rule, {**_about(place, "mailbox"), "resource": "storage"}, value)


def _used(scene: Scene, *changes: tuple[float, float]) -> list[Given]:
    place = scene.mailbox.name
    labels = {"place": place, "resource": "storage", "instance": "a"}
    return [
        place_info(place, "mailbox"),
        Given(metrics.MAILBOX_USED_RATIO, labels, switched(*changes)),
        Given(metrics.MAILBOX_USED_RATIO, {**labels, "instance": "b"}, switched(*changes)),
    ]


def _filling(scene: Scene) -> Case:
    name, warn = "IntakeMailboxFilling", scene.mailbox.limits.warn_share
    above = warn + (1 - warn) / 4
    return Case(
        f"{scene.mailbox.name}: above its limit for ten minutes is told, and a short dip below it is no end",
        300.0,
        _used(scene, (0, warn - 0.02), (300, above), (1500, warn - 0.02)),
        [
            Moment(240, name),
            Moment(600, name),
            Moment(1200, name, [_fires(scene, name, above)]),
            Moment(2400, name, [_fires(scene, name, above)]),
            Moment(3600, name),
        ],
    )


def _full_soon(scene: Scene) -> Case:
    name, place = "IntakeMailboxFullWithin24h", scene.mailbox.name
    ahead = scene.mailbox.limits.forecast.total_seconds()
    storage, message = ({"place": place, "resource": one} for one in ("storage", "message"))
    return Case(
        f"{place}: half full and growing fast enough pages before it is full; one that does not grow does not",
        300.0,
        [
            place_info(place, "mailbox"),
            Given(metrics.MAILBOX_USED_RATIO, storage, lambda now: 0.55 + 0.6 * now / ahead),
            Given(metrics.MAILBOX_USED_RATIO, message, always(0.9)),
        ],
        [Moment(600, name), Moment(2700, name, [_fires(scene, name, 0)])],
    )


def _full(scene: Scene) -> Case:
    name, page = "IntakeMailboxFull", scene.mailbox.limits.page_share
    return Case(
        f"{scene.mailbox.name}: full pages at once, and ends when it is emptied",
        300.0,
        _used(scene, (0, page - 0.01), (300, page), (900, 0.1)),
        [Moment(240, name), Moment(360, name, [_fires(scene, name, page)]), Moment(960, name)],
    )


def _backlog(scene: Scene) -> Case:
    name, place, age = "IntakeMailboxBacklog", scene.mailbox.name, scene.mailbox.backlog_age_seconds
    (rule,) = scene.rules_about(place, name, label="place")
    step = step_for(age + 600)
    fires = (ceil((age + 600) / step) + 2) * step
    return Case(
        f"{place}: mail that nobody fetches is told, and an empty backlog ends it though the oldest is remembered",
        step,
        [
            place_info(place, "mailbox"),
            Given(
                metrics.MAILBOX_OLDEST_UNPROCESSED,
                {"place": place},
                lambda now: 0.0 if now <= fires else None,
            ),
            Given(metrics.MAILBOX_BACKLOG, {"place": place}, switched((0, 4), (fires + step, 0))),
        ],
        [
            Moment(age // step * step, name),
            Moment(fires, name, [Firing(rule, _about(place, "mailbox"), fires)]),
            Moment(fires + 2 * step, name),
        ],
    )


def _backlog_of_the_dead(scene: Scene) -> Case:
    name, place, step = "IntakeMailboxBacklog", scene.mailbox.name, 300.0
    age = scene.mailbox.backlog_age_seconds
    arrived = -max(age, 600.0)
    dead, alive = ({"place": place, "instance": one} for one in ("a", "b"))
    return Case(
        f"{place}: a pod that died while one mail waited says nothing once its successor sees none",
        step,
        [
            place_info(place, "mailbox"),
            Given(metrics.MAILBOX_OLDEST_UNPROCESSED, dead, switched((0, arrived), (step, STALE))),
            Given(metrics.MAILBOX_BACKLOG, dead, switched((0, 1), (step, STALE))),
            Given(metrics.MAILBOX_BACKLOG, alive, switched((step, 0))),
        ],
        [Moment(4 * step, name)],
    )


def _certificates(scene: Scene) -> Case:
    name, at = "IntakeCertificateExpiring", 2 * _HOUR
    ends = {"far.example:443": 60 * _DAY, "near.example:443": 10 * _DAY, "now.example:443": 1.5 * _DAY}

    def firing(place: str, severity: Severity) -> Firing:
        return Firing(scene.rule(name, severity), _about(place, "endpoint"), ends[place] - at)

    return Case(
        "a certificate is a ticket two weeks before its end and a page two days before",
        300.0,
        [
            *(place_info(place, "endpoint") for place in ends),
            *(
                Given(metrics.CERTIFICATE_EXPIRY, {"place": place}, always(end))
                for place, end in ends.items()
            ),
        ],
        [
            Moment(
                at,
                name,
                [
                    firing("near.example:443", Severity.TICKET),
                    firing("now.example:443", Severity.TICKET),
                    firing("now.example:443", Severity.PAGE),
                ],
            )
        ],
    )


def _not_trusted(scene: Scene) -> Case:
    name, place = "IntakeCertificateNotTrusted", "www.acme.example:443"
    return Case(
        "a certificate that clients refuse pages at once though it ends late, and no more when it is replaced",
        300.0,
        [
            place_info(place, "endpoint"),
            place_info("mx.acme.example:25", "endpoint"),
            Given(metrics.CERTIFICATE_EXPIRY, {"place": place}, always(60 * _DAY)),
            Given(metrics.CERTIFICATE_TRUSTED, {"place": place}, switched((0, 1), (300, 0), (900, 1))),
            Given(metrics.CERTIFICATE_TRUSTED, {"place": "mx.acme.example:25"}, always(1)),
        ],
        [
            Moment(240, name),
            Moment(360, name, [scene.firing(name, _about(place, "endpoint"))]),
            Moment(960, name),
        ],
    )


def _mail_dns(scene: Scene) -> Case:
    name, place = "IntakeMailDnsUnexpected", DOMAIN
    labels = {"place": place, "record": "spf"}
    return Case(
        "a record of mail that is not as expected pages after ten minutes, the right ones never",
        300.0,
        [
            place_info(place, "domain"),
            Given(metrics.DNS_MAIL_OK, labels, switched((0, 1), (600, 0), (1800, 1))),
            Given(metrics.DNS_MAIL_OK, {**labels, "record": "mx"}, always(1)),
        ],
        [
            Moment(1080, name),
            Moment(1500, name, [scene.firing(name, {**_about(place, "domain"), **labels})]),
            Moment(1860, name),
        ],
    )


def _quiet(scene: Scene) -> Case:
    name, place = "IntakeCustomersQuiet", "desk"
    way = {"place": place, "way": "email"}
    return Case(
        "a ticketing system to which no real ticket comes, for longer than is usual at that hour",
        300.0,
        [
            place_info(place, "ticketing"),
            Given(metrics.TRAFFIC, way, switched((0, 1), (600, 12), (1800, 0))),
            Given(metrics.TRAFFIC_LIMIT, way, always(9)),
        ],
        [
            Moment(300, name),
            Moment(900, name, [scene.firing(name, {**_about(place, "ticketing"), **way}, value=12.0)]),
            Moment(1860, name),
        ],
    )


def _api_budget(scene: Scene) -> Case:
    name, place = "IntakeTicketApiBudgetLow", "desk"
    return Case(
        "a ticketing API whose budget is nearly used up for a quarter of an hour",
        300.0,
        [
            place_info(place, "ticketing"),
            Given(
                metrics.TICKET_API_BUDGET_REMAINING,
                {"place": place},
                switched((0, 50), (300, 5), (1800, 90)),
            ),
            Given(metrics.TICKET_API_BUDGET_LIMIT, {"place": place}, always(100)),
        ],
        [
            Moment(900, name),
            Moment(1500, name, [scene.firing(name, _about(place, "ticketing"), value=0.05)]),
            Moment(1860, name),
        ],
    )
