"""Make maintenance windows of their documents, and note what they name that isn't there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from canary.path import PathName
from canary.silence import Silence, SilenceId
from runners.config.config import PathConfig
from runners.config.cron import Cron, CronError, parse_cron
from runners.config.document_maintenance import MaintenanceDocument
from runners.config.errors import did_you_mean
from runners.config.reading import Loc
from runners.config.sources import Surroundings

LONGEST = timedelta(days=7)
MOST_COMING = 24
"""So many occurrences to come are told of one window: whoever asks wants to know of the next ones."""


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """A window over one path or place.

    Attributes:
        name: of the window; ``about``: the path or place.
        begins: when it begins.
    """

    name: str
    about: str
    begins: Cron
    span: timedelta
    why: str

    def __call__(self, now: datetime) -> Silence | None:
        """The silence that it makes at that time; None between its occurrences."""
        at = self.begins.latest(now)
        return self._beginning(at) if at is not None and now < at + self.span else None

    def coming(self, now: datetime, until: datetime) -> list[Silence]:
        """Its occurrences that begin after ``now`` and before ``until``: the first `MOST_COMING`."""
        found: list[Silence] = []
        at = self.begins.next(now)
        while at is not None and at < until and len(found) < MOST_COMING:
            found.append(self._beginning(at))
            at = self.begins.next(at)
        return found

    def _beginning(self, at: datetime) -> Silence:
        return Silence(
            id=SilenceId(f"maintenance {self.name} {at:%Y-%m-%dT%H:%MZ}"),
            about=self.about,
            begins_at=at,
            ends_at=at + self.span,
            why=self.why,
            who="configuration",
            created_at=at,
        )


def build_maintenance(
    name: str,
    document: MaintenanceDocument,
    around: Surroundings,
    *,
    paths: Mapping[PathName, PathConfig],
    path_names: Collection[str],
    place_names: Collection[str],
) -> tuple[MaintenanceWindow, ...]:
    """The windows of one document, one for each path or place that it covers; notes what is wrong with it."""
    loc: Loc = ("maintenance", name)
    known = (*path_names, *place_names)
    for index, about in enumerate(document.about):
        if about not in known:
            around.note(
                (*loc, "about", index), f"there is no path or place {about}", did_you_mean(about, known)
            )
    if document.duration > LONGEST.total_seconds():
        around.note(
            (*loc, "for"),
            "a window of more than 7 days is a silence for ever",
            "Shorten it; to end a path's alerts for good say enabled: false.",
        )
    try:
        begins = parse_cron(document.cron)
    except CronError as error:
        around.note((*loc, "cron"), str(error), error.remedy)
        return ()
    through = [
        path_name
        for path_name, path in paths.items()
        if {path.path.mailbox, path.path.ticketing, path.path.domain} & set(document.about)
    ]
    return tuple(
        MaintenanceWindow(name, about, begins, timedelta(seconds=document.duration), document.why)
        for about in dict.fromkeys((*document.about, *through))
    )
