"""What a gauge shows, as a sentence: the title of an alert, and what a shift is told."""

from typing import Final, assert_never

from canary.gauge import Gauge, GaugeName, Resource
from canary.quantity import amount, whole_percent

_KINDS: Final = {Resource.STORAGE: "storage", Resource.MESSAGE: "messages"}
"""What a mailbox's quota counts, in words."""
_WAYS: Final = {
    Resource.EMAIL: "by e-mail",
    Resource.PORTAL: "by the portal",
    Resource.FORM: "by the contact form",
    Resource.OTHER: "in no way that it tells apart",
}
"""How tickets came, in words; ``other`` where a system keeps no marker of a channel."""
_ACCOUNT: Final = "account "
"""So begins the place of an account's own mailbox."""


def called(gauge: Gauge) -> str:
    """A gauge's name, with what it counts: a place has several of one name."""
    if gauge.resource is None:
        return str(gauge.name)
    return f"{gauge.name} {_KINDS.get(gauge.resource, gauge.resource)}"


def headline(gauge: Gauge) -> str:
    """A reading as one readable sentence, without its state: ``mailbox support is 100 % full (200 KiB of 200 KiB)``."""
    match gauge.name:
        case GaugeName.MAILBOX_CAPACITY:
            return _capacity(gauge)
        case GaugeName.MAILBOX_BACKLOG:
            said = f"{_mailbox(gauge.place)} holds {_messages(gauge)} that nobody fetches"
        case GaugeName.CERTIFICATE_EXPIRY:
            said = _certificate(gauge)
        case GaugeName.TICKET_API:
            return _interface(gauge)
        case GaugeName.DNS_MAIL:
            kind = f" ({gauge.resource.upper()})" if gauge.resource is not None else ""
            said = f"the mail DNS of {gauge.place}{kind}{_not_as_it_should_be(gauge)}"
        case GaugeName.CLOCK_SKEW:
            said = _clock(gauge)
        case GaugeName.INTAKE_TRAFFIC:
            said = _traffic(gauge)
        case _:
            assert_never(gauge.name)
    return f"{said}: {gauge.detail}" if gauge.detail else said


def is_full(gauge: Gauge) -> bool:
    """Whether nothing more fits into a mailbox."""
    return gauge.name is GaugeName.MAILBOX_CAPACITY and gauge.share is not None and gauge.share >= 1


def _capacity(gauge: Gauge) -> str:
    if gauge.value is None:
        return f"nobody knows how full {_mailbox(gauge.place)} is"
    if gauge.share is None or gauge.limit is None:
        return f"{_mailbox(gauge.place)} holds {amount(gauge.value, gauge.unit)}, its limit is not known"
    by_number = " by number" if gauge.resource is Resource.MESSAGE else ""
    of = f"{amount(gauge.value, gauge.unit)} of {amount(gauge.limit, gauge.unit)}"
    return f"{_mailbox(gauge.place)} is {whole_percent(gauge.share)} full{by_number} ({of})"


def _mailbox(place: str) -> str:
    return f"mailbox of {place}" if place.startswith(_ACCOUNT) else f"mailbox {place}"


def _messages(gauge: Gauge) -> str:
    return amount(gauge.value, gauge.unit) if gauge.value is not None else "messages"


def _certificate(gauge: Gauge) -> str:
    if gauge.value is None:
        return f"the certificate of {gauge.place} can't be read"
    if gauge.value <= 0:
        return f"the certificate of {gauge.place} has expired"
    return f"the certificate of {gauge.place} expires in {amount(gauge.value, gauge.unit)}"


def _interface(gauge: Gauge) -> str:
    system = f"ticketing system {gauge.place}"
    if gauge.resource is Resource.REQUEST and gauge.value is not None:
        of = f" of {gauge.limit:g}" if gauge.limit else ""
        said = f"{system} lets us make {gauge.value:g}{of} more requests"
    elif gauge.value is None:
        said = f"nobody knows how {system} answers"
    else:
        said = f"{system} {'refuses us' if gauge.value == 0 else 'answers'}"
    return f"{said}: {gauge.detail}" if gauge.detail else said


def _clock(gauge: Gauge) -> str:
    if gauge.value is None:
        return f"nobody knows how far the clock of {gauge.place} is off"
    return f"the clock of {gauge.place} is {amount(gauge.value, gauge.unit)} off"


def _traffic(gauge: Gauge) -> str:
    way = f" {_WAYS[gauge.resource]}" if gauge.resource in _WAYS else ""
    if gauge.value is None:
        return f"nobody knows whether customers' tickets come{way} to ticketing system {gauge.place} as they usually do"
    if gauge.limit is not None and gauge.value >= gauge.limit:
        return f"customers' tickets no longer come{way} to ticketing system {gauge.place}"
    return f"customers' tickets come{way} to ticketing system {gauge.place}"


def _not_as_it_should_be(gauge: Gauge) -> str:
    return " is not as it should be" if gauge.value == 0 else ""
