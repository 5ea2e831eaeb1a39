"""What of the configuration a quarantine rule is made of; placeholders where there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from canary.quarantine import Mark
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
"""Those where a ticket's group is seen at once, and its tags later or never; Request Tracker without a field besides."""
_QUEUE_NUMBER: Final = "REPLACE-WITH-THE-NUMBER-OF-THE-QUEUE"
"""django-helpdesk's API shows a queue by its number, which nobody knows before it is made."""


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
        mark: what of the two is judged by: the tag, the group, or both.
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
    mark: Mark
    given: Mapping[str, str]
    header: str = HEADER

    @property
    def product(self) -> str:
        """The product's own name."""
        return PRODUCTS[self.vendor]

    @property
    def mark_setting(self) -> str:
        """The keys of ``quarantine`` in the configuration."""
        said = (("tag", self.mark.tag), ("group", self.mark.group))
        quoted = ((key, value.replace("'", "''")) for key, value in said if value is not None)
        return ", ".join(f"{key}: '{value}'" for key, value in quoted)


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
        mark=_usual_mark(vendor, "synthetic", {}),
        given={},
    )


def _of_system(config: "Config", system: "TicketingConfig") -> Facts:
    paths = {name: one for name, one in config.paths.items() if one.path.ticketing == system.name}
    senders = {config.accounts[name].address.lower() for one in paths.values() for name in one.senders}
    forwarders = {address for one in paths.values() for address in one.path.requesters}
    given = {"custom_field": system.custom_field or ""} if system.type is TicketingType.RT else {}
    mark = system.mark or _usual_mark(system.vendor, system.tag, given)
    return Facts(
        vendor=system.vendor,
        name=system.name,
        url=system.url,
        requesters=tuple(sorted(senders | forwarders)) or ("canary@probe.example",),
        marker=config.prober.marker,
        tag=mark.tag or system.tag,
        group=mark.group or _GROUP,
        targets=tuple(sorted({one.target for one in paths.values() if one.target is not None})),
        paths=tuple(sorted(paths)),
        mark=mark,
        given=given,
    )


def _usual_mark(vendor: str, tag: str, given: Mapping[str, str]) -> Mark:
    """What to judge by where the configuration does not say it yet."""
    if vendor == "helpdesk":
        return Mark(group=_QUEUE_NUMBER)
    if vendor in _BY_GROUP or (vendor == "rt" and not given.get("custom_field")):
        return Mark(group=_GROUP)
    return Mark(tag=tag)
