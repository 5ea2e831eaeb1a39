"""What is known of a ticketing system, fact by fact with its source, and what its adapter can do: for docs/ticketing.md."""

from dataclasses import dataclass
from enum import StrEnum


class Known(StrEnum):
    """How a fact is known."""

    DOCUMENTED = "documented"
    SOURCE = "source"
    SEEN = "seen"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is said of a system.

    Attributes:
        source: the page, the file of its source, or the test that shows it; of what is only remembered, why.
        instead: what holds where the fact does not; never empty of what is only remembered.
    """

    says: str
    known: Known
    source: str
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Guard:
    """A protection of the system that may eat canaries, and the configuration that keeps it off."""

    fact: Fact
    avoid: str


@dataclass(frozen=True, slots=True)
class About:
    """One system.

    Attributes:
        system: its name and version, for people.
        met: the real system that the tests start; empty: none was ever met.
        contract: what else was met, a simulator or a document; empty: nothing.
        view: which endpoint is read, and whether it is the table or an index.
        aside: why nothing that is held aside is shown, where it is not.
        limits: what a look can't do with fewer calls, and why.
    """

    system: str
    met: str
    contract: str
    rights: tuple[Fact, ...]
    view: Fact
    guards: tuple[Guard, ...]
    aside: str = ""
    limits: tuple[Fact, ...] = ()

    def facts(self) -> tuple[Fact, ...]:
        """All that is said."""
        return (*self.rights, self.view, *(one.fact for one in self.guards), *self.limits)


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an adapter can do; each a few words for a table.

    Attributes:
        aside: what of mail that became no ticket is shown; empty: nothing.
        budget: the header fields of rate limits that it reads; empty: none are told.
    """

    poll: str
    wide: str
    close: str
    delete: bool
    tag: str
    channel: bool
    files: str
    aside: str
    budget: str
    view: str
    cap: str
