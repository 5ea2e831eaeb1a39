"""What of the configuration a quarantine rule is made of; placeholders where there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from runners.config.document_places import TicketingType

if TYPE_CHECKING:
    from runners.config.config import Config, TicketingConfig

PRODUCTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "zendesk": "Zendesk",
        "salesforce": "Salesforce",
        "freshdesk": "Freshdesk",
        "zammad": "Zammad",
        "servicenow": "ServiceNow",
        "glpi": "GLPI",
        "redmine": "Redmine",
        "roundup": "Roundup",
        "rt": "Request Tracker",
        "helpdesk": "django-helpdesk",
    }
)
"""The vendors whose rule is known, by the name of their type, each with the product's own name."""
HEADER: Final = "X-Intake-Canary"
_GROUP: Final = "Canaries"
_BY_GROUP: Final = frozenset({"zammad", "servicenow", "glpi", "redmine", "helpdesk"})
"""Those where a ticket's group is seen at once, and its tags later or never."""


class UnknownTarget(Exception):
    """There is no such ticketing system and no such vendor; the message says which there are."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Facts:
    """Whom the rule catches, and what it sets.

    Attributes:
        vendor: the type of the system; ``name``: what it is called in the configuration, None without one.
        requesters: addresses of canaries' senders and of listed forwarders, in order; never empty.
        tag: what the rule sets; ``group``: where it puts the ticket, as the API shows it.
        targets: the support addresses that canaries are sent to.
        paths: those that end in the system.
        mark_setting: the keys of ``quarantine`` in the configuration.
        given: further facts of the system, by name: a field, a closed status.
    """

    vendor: str
    name: str | None
    url: str
    requesters: tuple[str, ...]
    marker: str
    tag: str
    group: str
    targets: tuple[str, ...]
    paths: tuple[str, ...]
    mark_setting: str
    given: Mapping[str, str]
    header: str = HEADER

    @property
    def product(self) -> str:
        """The product's own name."""
        return PRODUCTS[self.vendor]


def facts_of(config: "Config | None", target: str) -> Facts:
    """The facts for a ticketing system by its name, or for a vendor by its type.

    Args:
        config: the configuration; None: there is none, and only a vendor can be named.
        target: a name of ``ticketing``, or a vendor.

    Raises:
        UnknownTarget: it is neither, or its vendor's rule is not known, or several systems are of that vendor.
    """
    systems = dict(config.ticketing) if config is not None else {}
    if config is not None and target in systems:
        system = systems[target]
        if system.vendor not in PRODUCTS:
            raise UnknownTarget(
                f"ticketing.{target} is of type {system.vendor}, whose own rules are not known",
                f"Look at one that is like it: render quarantine {'|'.join(PRODUCTS)}; docs/guides/quarantine.md says what a rule must do.",
            )
        return _of_system(config, system)
    if target not in PRODUCTS:
        known = ", ".join([*systems, *PRODUCTS])
        raise UnknownTarget(f"there is no ticketing system and no vendor {target}", f"There are {known}.")
    same = [one for one in systems.values() if one.vendor == target]
    if len(same) > 1:
        names = ", ".join(one.name for one in same)
        raise UnknownTarget(f"several ticketing systems are of type {target}", f"Name one of {names}.")
    if config is not None and same:
        return _of_system(config, same[0])
    return _placeholders(config, target)


def _placeholders(config: "Config | None", vendor: str) -> Facts:
    senders = {one.address.lower() for one in config.accounts.values()} if config is not None else set()
    return Facts(
        vendor=vendor,
        name=None,
        url="https://REPLACE-WITH-YOUR-HOST.example",
        requesters=tuple(sorted(senders)) or ("canary@probe.example",),
        marker=config.prober.marker if config is not None else "intakecanary",
        tag="synthetic",
        group=_GROUP,
        targets=(),
        paths=(),
        mark_setting=setting_of(vendor, None, None),
        given={},
    )


def _of_system(config: "Config", system: "TicketingConfig") -> Facts:
    paths = {name: one for name, one in config.paths.items() if one.path.ticketing == system.name}
    senders = {config.accounts[name].address.lower() for one in paths.values() for name in one.senders}
    forwarders = {address for one in paths.values() for address in one.path.requesters}
    mark = system.mark
    tag = mark.tag if mark is not None else None
    group = mark.group if mark is not None else None
    given = {"custom_field": system.custom_field or ""} if system.type is TicketingType.RT else {}
    return Facts(
        vendor=system.vendor,
        name=system.name,
        url=system.url,
        requesters=tuple(sorted(senders | forwarders)) or ("canary@probe.example",),
        marker=config.prober.marker,
        tag=tag or system.tag,
        group=group or _GROUP,
        targets=tuple(sorted({one.target for one in paths.values() if one.target is not None})),
        paths=tuple(sorted(paths)),
        mark_setting=setting_of(system.vendor, tag, group),
        given=given,
    )


def setting_of(vendor: str, tag: str | None, group: str | None) -> str:
    """The keys of ``quarantine`` with a tag and a group, or with what is usual there, as they are written in YAML."""
    if tag is None and group is None:
        tag, group = (None, _GROUP) if vendor in _BY_GROUP else ("synthetic", None)
    said = (("tag", tag), ("group", group))
    return ", ".join(f"{key}: {_quoted(value)}" for key, value in said if value is not None)


def _quoted(value: str) -> str:
    """A text in single quotes, as YAML 1.2 section 7.3.2 writes it."""
    return "'" + value.replace("'", "''") + "'"
