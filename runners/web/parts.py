"""What the page is made of: the parts that the daemon hands to it."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Protocol

from canary.path import Path, PathName
from canary.silence import Window
from probes.contracts import Clock
from probes.masking import Masker
from runners.contracts import Store
from runners.web.events import Broadcaster
from runners.web.sparks import Sparks

if TYPE_CHECKING:
    from starlette.requests import Request

    from runners.web.access import Access


class Health(Protocol):
    """What the daemon says of itself."""

    def alive(self) -> bool:
        """Whether the process does its work at all; else it is to be killed."""
        ...

    def ready(self) -> Sequence[str]:
        """What is stuck, in one sentence each; nothing: all runs."""
        ...


Metrics = Callable[[str], Awaitable[tuple[str, bytes]]]
"""Takes what the asker accepts; gives the media type and the text."""


def _nothing() -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Parts:
    """What the page shows, and where it has it from.

    Attributes:
        paths: those configured now; the configuration may be read anew while the page is open.
        prober: the prober's name.
        notices: what everybody should know, such as a configuration that was refused; further lines are a list's.
        artifacts: where evidence of failures lies; None: nothing is kept.
        places: those of which readings are shown; None: all.
        sinks: those of which it is shown what they did not take; None: all.
        windows: the maintenance windows.
        events: told of every change; open pages hear of it.
        sparks: what was drawn of each path; as old as the configuration, so that paths that are gone leave nothing.
    """

    store: Store
    paths: Callable[[], Mapping[PathName, Path]]
    clock: Clock
    masker: Masker
    prober: str
    health: Health
    metrics: Metrics
    access: "Access"
    notices: Callable[[], Sequence[str]] = _nothing
    artifacts: FilePath | None = None
    places: Collection[str] | None = None
    sinks: Collection[str] | None = None
    windows: Sequence[Window] = ()
    events: Broadcaster = field(default_factory=Broadcaster)
    sparks: Sparks = field(default_factory=Sparks)


def parts_of(request: "Request") -> Parts:
    """The parts of the page that answers this request."""
    parts: Parts = request.app.state.parts
    return parts
