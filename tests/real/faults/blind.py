"""Faults of our own sight: the ticketing API can't be read while the ticket may well exist."""

from tests.real.faults.fault import Fault, blindness

CREATED = "ticket.created"


def _status(status: int, reason: str, words: str, **more: object) -> Fault:
    switches = {"desk_api_status": status, **more}
    return blindness(
        f"ticketing API: {words}", f"every call is answered {status}", CREATED, reason, switches=switches
    )


BLIND = [
    _status(401, "credentials_rejected", "unauthorised"),
    _status(403, "credentials_rejected", "forbidden"),
    _status(429, "rate_limited", "rate-limited", desk_api_retry_after_seconds=2),
    _status(500, "ticket_api_unreadable", "server error"),
    _status(503, "ticket_api_unreadable", "unavailable"),
    blindness(
        "ticketing API: HTML instead of JSON",
        "200 with a page of HTML",
        CREATED,
        "ticket_api_unreadable",
        switches={"desk_api_html": True},
    ),
    blindness(
        "ticketing API: JSON without the fields",
        "200 with JSON that lacks them",
        CREATED,
        "ticket_api_unreadable",
        switches={"desk_api_garbled": True},
    ),
    blindness(
        "ticketing API: hangs",
        "connections are taken and never answered",
        CREATED,
        "ticket_api_unreadable",
        switches={"desk_api_hang": True},
    ),
    Fault(
        "ticketing API: slow",
        "each answer takes a second",
        switches={"desk_api_delay_seconds": 1.0},
        changes={"paths": {"support-email": {"deadline": "8s", "horizon": "20s"}}},
    ),
]
