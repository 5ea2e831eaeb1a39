"""The gauge `dns.mail`: whether a domain's MX, SPF, DKIM and DMARC records are what they should be."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import dns.exception

from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.reason import Reason
from probes.contracts import Check, CheckState, Clock
from probes.dns import Resolver
from probes.reasons import Failure

_DMARC_PARENTS = 3
"""How many names above the domain DMARC is looked for at, the shortest that are no top-level domain (RFC 7489
section 6.6.3: the organizational domain, which only a list of public suffixes could tell)."""


@dataclass(frozen=True, slots=True)
class MailDnsExpectation:
    """What a domain's records should be.

    Attributes:
        mx: names that the MX must be, in any order; None: any that has an address.
        must_have_mx: False where another server delivers for us, by its own view of names.
        spf: what the SPF record must contain; None: only noted.
        dkim_selectors: selectors that must have a key.
        dmarc: the policy (none, quarantine, reject) that must be stated; None: only noted.
    """

    mx: tuple[str, ...] | None = None
    must_have_mx: bool = True
    spf: str | None = None
    dkim_selectors: tuple[str, ...] = ()
    dmarc: str | None = None


@dataclass(frozen=True, slots=True)
class RecordFinding:
    """What one kind of record came to. ``is_good`` None: nobody answered."""

    record: Resource
    is_good: bool | None
    is_expected: bool
    detail: str
    remedy: str = ""


async def look_at_mail_dns(
    domain: str, expected: MailDnsExpectation, *, resolver: Resolver
) -> tuple[RecordFinding, ...]:
    """Look up all four kinds of record; never raises for what is outside."""
    kinds: tuple[tuple[Resource, _Kind], ...] = (
        (Resource.MX, _mx),
        (Resource.SPF, _spf),
        (Resource.DKIM, _dkim),
        (Resource.DMARC, _dmarc),
    )
    return tuple([await _guarded(record, kind, domain, expected, resolver) for record, kind in kinds])


async def check_mail_dns(domain: str, expected: MailDnsExpectation, *, resolver: Resolver) -> Sequence[Check]:
    """One line a kind of record. What is wrong but was not demanded is a warning."""
    return [
        _check(domain, finding) for finding in await look_at_mail_dns(domain, expected, resolver=resolver)
    ]


class MailDnsReader:
    """Satisfies `probes.contracts.GaugeReader`: one gauge a demanded kind of record, 1 as expected, else 0."""

    def __init__(
        self, place: str, domain: str, expected: MailDnsExpectation, *, resolver: Resolver, clock: Clock
    ) -> None:
        self._place = place
        self._domain = domain
        self._expected = expected
        self._resolver = resolver
        self._clock = clock

    @property
    def place(self) -> str:
        """The place's name in the configuration."""
        return self._place

    @property
    def name(self) -> GaugeName:
        """What it reads."""
        return GaugeName.DNS_MAIL

    async def read(self) -> Sequence[Gauge]:
        """Read now; a record about which nobody answered is ``unknown``."""
        findings = await look_at_mail_dns(self._domain, self._expected, resolver=self._resolver)
        return [
            Gauge(
                place=self._place,
                name=GaugeName.DNS_MAIL,
                value=None if finding.is_good is None else float(finding.is_good),
                unit="1",
                limit=None,
                read_at=self._clock.now(),
                state=_state(finding),
                resource=finding.record,
                detail=finding.detail,
            )
            for finding in findings
            if finding.is_expected
        ]


_Kind = Callable[[str, MailDnsExpectation, Resolver], Awaitable[RecordFinding]]


async def _guarded(
    record: Resource, kind: _Kind, domain: str, expected: MailDnsExpectation, resolver: Resolver
) -> RecordFinding:
    demanded = {
        Resource.MX: expected.must_have_mx,
        Resource.SPF: expected.spf is not None,
        Resource.DKIM: bool(expected.dkim_selectors),
        Resource.DMARC: expected.dmarc is not None,
    }[record]
    try:
        return await kind(domain, expected, resolver)
    except (dns.exception.DNSException, OSError) as error:
        detail = f"{record} of {domain}: no answer ({type(error).__name__})"
        return RecordFinding(record, None, demanded, detail, "Ask another resolver for the same name.")


async def _mx(domain: str, expected: MailDnsExpectation, resolver: Resolver) -> RecordFinding:
    remedy = f"Correct the domain's MX: dig MX {domain}."
    try:
        route = await resolver.mail_hosts(domain)
    except Failure as failure:
        return RecordFinding(
            Resource.MX,
            None if failure.fault.reason is Reason.DNS_UNANSWERED else False,
            is_expected=expected.must_have_mx,
            detail=failure.fault.detail,
            remedy=remedy,
        )
    found = {host.name.lower() for host in route.hosts}
    wanted = {name.lower().rstrip(".") for name in expected.mx} if expected.mx is not None else found
    detail = ", ".join([f"{host.preference} {host.name}" for host in route.hosts] + list(route.unresolved))
    is_good: bool | None = found == wanted and not route.unresolved
    if not route.is_whole and found <= wanted:
        is_good = None  # whoever was not answered for may be well
    if found != wanted:
        detail += f"; expected {', '.join(sorted(wanted))}"
    return RecordFinding(
        Resource.MX, is_good, is_expected=expected.must_have_mx, detail=detail, remedy=remedy
    )


async def _spf(domain: str, expected: MailDnsExpectation, resolver: Resolver) -> RecordFinding:
    records = [text for text in await resolver.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]
    is_demanded = expected.spf is not None
    remedy = f"Publish exactly one SPF record (RFC 7208): dig TXT {domain}."
    if len(records) != 1:
        detail = f"{len(records) or 'no'} SPF record{'s' if len(records) > 1 else ''}"
        return RecordFinding(
            Resource.SPF, is_good=False, is_expected=is_demanded, detail=detail, remedy=remedy
        )
    is_good = (expected.spf or "").lower() in records[0].lower()
    detail = records[0] if is_good else f"{records[0]}; expected {expected.spf} in it"
    return RecordFinding(Resource.SPF, is_good, is_demanded, detail, remedy)


async def _dkim(domain: str, expected: MailDnsExpectation, resolver: Resolver) -> RecordFinding:
    remedy = "Publish the selector's public key (RFC 6376 section 3.6)."
    missing = []
    for selector in expected.dkim_selectors:
        records = await resolver.texts(f"{selector}._domainkey.{domain}")
        tags = [_tags(record) for record in records]
        if not any(one.get("p") for one in tags):
            missing.append(selector)
    if not expected.dkim_selectors:
        return RecordFinding(
            Resource.DKIM, is_good=True, is_expected=False, detail="not looked up: no selector is named"
        )
    detail = (
        f"no key for {', '.join(missing)}" if missing else f"keys for {', '.join(expected.dkim_selectors)}"
    )
    return RecordFinding(Resource.DKIM, not missing, is_expected=True, detail=detail, remedy=remedy)


async def _dmarc(domain: str, expected: MailDnsExpectation, resolver: Resolver) -> RecordFinding:
    is_demanded = expected.dmarc is not None
    labels = domain.split(".")
    parents = [".".join(labels[index:]) for index in range(1, len(labels) - 1)]
    names = [domain, *parents[-_DMARC_PARENTS:]]
    for name in names:
        records = [text for text in await resolver.texts(f"_dmarc.{name}") if text.startswith("v=DMARC1")]
        if len(records) == 1:
            tags = _tags(records[0])
            policy = tags.get("p", "") if name == domain else tags.get("sp", tags.get("p", ""))
            is_good = not is_demanded or policy.lower() == (expected.dmarc or "").lower()
            detail = f"policy {policy or 'missing'}" + ("" if is_good else f"; expected {expected.dmarc}")
            return RecordFinding(Resource.DMARC, is_good, is_demanded, detail, f"dig TXT _dmarc.{name}")
    remedy = f"Publish one DMARC record (RFC 7489): dig TXT _dmarc.{domain}."
    return RecordFinding(
        Resource.DMARC, is_good=False, is_expected=is_demanded, detail="no DMARC record", remedy=remedy
    )


def _tags(record: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in record.split(";")]
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _state(finding: RecordFinding) -> GaugeState:
    if finding.is_good is None:
        return GaugeState.UNKNOWN
    return GaugeState.OK if finding.is_good else GaugeState.PAGE


def _check(domain: str, finding: RecordFinding) -> Check:
    if finding.is_good:
        return Check(domain, f"dns.{finding.record}", CheckState.OK, finding.detail)
    is_failure = finding.is_expected and finding.is_good is False
    state = CheckState.FAIL if is_failure else CheckState.WARN
    return Check(domain, f"dns.{finding.record}", state, finding.detail, finding.remedy)
