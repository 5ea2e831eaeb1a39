"""Names: where a domain's mail goes, and the addresses of hosts; cancellable look-ups with limits."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from random import Random
from typing import Final

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from canary.observation import Fact
from canary.reason import Reason
from probes.contracts import Clock
from probes.reasons import Failure, explain

SYSTEM: Final = "system"
_MOST_HOSTS = 6
"""How many mail hosts of a domain are resolved and tried; a domain rarely has more that matter."""


@dataclass(frozen=True, slots=True)
class MailHost:
    """A host that takes a domain's mail.

    Attributes:
        preference: the lower, the sooner (RFC 5321 section 5.1).
        addresses: IPv6 and IPv4, in the order in which they are tried; empty: it has none.
    """

    name: str
    preference: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MailRoute:
    """Where mail goes: hosts with addresses, best first.

    Attributes:
        is_implicit: the domain has no MX and is its own mail host (RFC 5321 section 5.1).
        unresolved: what is wrong with mail hosts that were left out.
        is_whole: no host was left out because nobody answered for its name.
    """

    hosts: tuple[MailHost, ...]
    facts: Mapping[str, Fact]
    is_implicit: bool = False
    unresolved: tuple[str, ...] = ()
    is_whole: bool = True


class Resolver:
    """Looks names up through the system's name servers, or one that is named.

    Hosts files are honoured for addresses with the system's servers; ``localhost`` never leaves the machine
    (RFC 6761 section 6.3). Look-ups are ours, not getaddrinfo's, which no cancellation could end.
    """

    def __init__(
        self,
        server: str = SYSTEM,
        *,
        clock: Clock,
        random: Random,
        try_seconds: float = 2.0,
        limit_seconds: float = 6.0,
        hosts_file: str = "/etc/hosts",
    ) -> None:
        """Take note of ``system`` or ``address:port``; the system's configuration is read at the first look-up.

        Raises:
            ValueError: the server is neither.
        """
        self._nameserver = None if server == SYSTEM else _nameserver(server)
        self._clock = clock
        self._random = random
        self._try_seconds = try_seconds
        self._limit_seconds = limit_seconds
        self._hosts_file = hosts_file
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def ask(self, name: str, kind: str) -> Sequence[str]:
        """The records of a name, as text.

        Raises:
            dns.exception.DNSException: as dnspython says; no name server at all is `NoNameservers`.
            TimeoutError: no answer within the limit.
        """
        answer = await self._resolve(name, kind)
        return tuple(record.to_text() for record in answer)

    async def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records of a name, the strings of each joined (RFC 7208 section 3.3); none: empty.

        Raises:
            dns.exception.DNSException: the servers did not answer.
            TimeoutError: no answer within the limit.
        """
        try:
            answer = await self._resolve(name, "TXT")
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        return tuple(
            b"".join(record.strings).decode("utf-8", "replace")
            for record in answer
            if isinstance(record, TXT)
        )

    async def mail_hosts(self, domain: str) -> MailRoute:
        """Where a domain's mail goes, hosts of equal preference shuffled (RFC 5321 section 5.1).

        Raises:
            Failure: no record (`dns_no_record`), a null MX (RFC 7505), or no answer (`dns_unanswered`).
        """
        if domain.startswith("[") and domain.endswith("]"):
            return self._literal(domain)
        try:
            records = [record for record in await self._resolve(domain, "MX") if isinstance(record, MX)]
        except dns.resolver.NoAnswer:
            return await self._own_host(domain)
        except (dns.exception.DNSException, OSError) as error:
            raise _failure(error, domain, "MX") from error
        exchanges = [
            (record.preference, self._random.random(), record.exchange.to_text(omit_final_dot=True))
            for record in records
        ]
        if [name for _, _, name in exchanges] in ([""], ["."]):
            detail = f"{domain} says that it takes no mail (null MX)"
            raise Failure(Reason.DNS_NULL_MX, detail, facts=_facts(domain, "MX", ["."]), is_answer=True)
        found = [(preference, name) for preference, _, name in sorted(exchanges) if name not in {"", "."}]
        return await self._resolved(domain, found[:_MOST_HOSTS])

    async def host(self, name: str) -> MailRoute:
        """One host with its addresses.

        Raises:
            Failure: it has none, or nobody answered.
        """
        try:
            addresses = await self.addresses(name)
        except (dns.exception.DNSException, OSError) as error:
            raise _failure(error, name, "A") from error
        facts = _facts(name, "A", addresses)
        if not addresses:
            raise Failure(
                Reason.DNS_NO_RECORD, f"{name} has no address (A, AAAA)", facts=facts, is_answer=True
            )
        return MailRoute((MailHost(name, 0, addresses),), facts)

    async def addresses(self, host: str) -> tuple[str, ...]:
        """The addresses of a host, IPv6 first; empty: it exists but has none.

        Raises:
            dns.exception.DNSException: it does not exist, or nobody answered.
            TimeoutError: no answer within the limit.
        """
        if known := self._known_addresses(host):
            return known
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._addresses(host, kind)) for kind in ("AAAA", "A")]
        results = [task.result() for task in tasks]
        found = tuple(address for result in results if isinstance(result, tuple) for address in result)
        errors = [result for result in results if isinstance(result, Exception)]
        silent = [error for error in errors if not isinstance(error, dns.resolver.NXDOMAIN)]
        if not found and errors:
            raise (silent or errors)[0]
        return found

    async def _own_host(self, domain: str) -> MailRoute:
        route = await self._resolved(domain, [(0, domain)])
        return MailRoute(route.hosts, route.facts, is_implicit=True)

    async def _resolved(self, domain: str, found: Sequence[tuple[int, str]]) -> MailRoute:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._try_host(name)) for _, name in found]
        hosts, missing, silent = [], [], []
        for (preference, name), task in zip(found, tasks, strict=True):
            match task.result():
                case tuple() as addresses if addresses:
                    hosts.append(MailHost(name, preference, addresses))
                case dns.resolver.NXDOMAIN() | ():
                    missing.append(f"{name} has no address")
                case error:
                    silent.append(f"{name}: no answer ({type(error).__name__})")
        facts = _facts(domain, "MX", [f"{preference} {name}" for preference, name in found])
        if not hosts:
            reason = Reason.DNS_UNANSWERED if silent else Reason.DNS_NO_RECORD
            raise Failure(reason, f"mail for {domain}: {'; '.join(silent + missing)}", facts=facts)
        return MailRoute(tuple(hosts), facts, unresolved=(*missing, *silent), is_whole=not silent)

    async def _try_host(self, name: str) -> tuple[str, ...] | Exception:
        try:
            return await self.addresses(name)
        except (dns.exception.DNSException, OSError) as error:
            return error

    async def _addresses(self, host: str, kind: str) -> tuple[str, ...] | Exception:
        try:
            answer = await self._resolve(host, kind)
        except dns.resolver.NoAnswer:
            return ()
        except (dns.exception.DNSException, OSError) as error:
            return error
        return tuple(record.to_text() for record in answer)

    def _known_addresses(self, host: str) -> tuple[str, ...]:
        if _is_address(host):
            return (host,)
        name = host.rstrip(".").lower()
        if name == "localhost" or name.endswith(".localhost"):
            return ("127.0.0.1", "::1")
        if self._nameserver is not None:
            return ()
        try:
            lines = Path(self._hosts_file).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ()
        entries = [line.partition("#")[0].lower().split() for line in lines]
        return tuple(
            entry[0] for entry in entries if len(entry) > 1 and name in entry[1:] and _is_address(entry[0])
        )

    def _literal(self, domain: str) -> MailRoute:
        """An address literal, ``[192.0.2.1]`` or ``[IPv6:2001:db8::1]`` (RFC 5321 section 4.1.3)."""
        address = domain[1:-1].removeprefix("IPv6:")
        if not _is_address(address):
            raise Failure(Reason.DNS_NO_RECORD, f"{domain} is no address literal", is_answer=True)
        return MailRoute((MailHost(address, 0, (address,)),), _facts(domain, "A", [address]))

    async def _resolve(self, name: str, kind: str) -> dns.resolver.Answer:
        resolver = self._configured()
        async with self._clock.timeout(self._limit_seconds):
            return await resolver.resolve(name, kind, search=False, lifetime=self._limit_seconds)

    def _configured(self) -> dns.asyncresolver.Resolver:
        if self._resolver is None:
            resolver = dns.asyncresolver.Resolver(configure=self._nameserver is None)
            if self._nameserver is not None:
                resolver.nameservers = [self._nameserver[0]]
                resolver.port = self._nameserver[1]
            resolver.timeout = self._try_seconds
            resolver.lifetime = self._limit_seconds
            self._resolver = resolver
        return self._resolver


def _nameserver(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit() and _is_address(host.strip("[]")):
        return host.strip("[]"), int(port)
    if _is_address(text):
        return text, 53
    raise ValueError(f"not a resolver: {text!r}. Write system, an address, or address:port")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _facts(name: str, kind: str, answers: Sequence[str]) -> Mapping[str, Fact]:
    return {"dns.question.name": name, "intake.dns.type": kind, "dns.answers": ", ".join(answers)}


def _failure(error: Exception, name: str, kind: str) -> Failure:
    fault = explain(error, limit_reason=Reason.DNS_UNANSWERED)
    reason = fault.reason if fault is not None else Reason.DNS_UNANSWERED
    if reason is not Reason.DNS_NO_RECORD:
        reason = Reason.DNS_UNANSWERED  # a resolver's port that is closed is no refusal of the target
    what = "does not exist" if reason is Reason.DNS_NO_RECORD else f"no answer ({type(error).__name__})"
    rcode = {Reason.DNS_NO_RECORD: "NXDOMAIN"}.get(reason, "")
    facts = dict(_facts(name, kind, ())) | ({"intake.dns.rcode": rcode} if rcode else {})
    is_answer = reason is Reason.DNS_NO_RECORD
    return Failure(reason, f"{kind} of {name}: {what}", facts=facts, is_answer=is_answer)
