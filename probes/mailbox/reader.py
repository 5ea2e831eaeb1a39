"""One watched mailbox: what was read of it so far, reading on, waiting for news, and removing our mails."""

import imaplib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from canary.canary import Canary
from canary.observation import Depth
from canary.signature import CanaryId
from probes.contracts import ABOVE_CAP, Clock, RemovalState
from probes.mailbox.connection import Connection
from probes.mailbox.failure import is_dead
from probes.mailbox.folders import Places, Role, find_places
from probes.mailbox.mails import Mail, Memory, Reading, Recognise, Scope, read_folder
from probes.mailbox.session import Session
from probes.mailbox.settings import MailboxSettings

REMEMBERED: Final = 5000
"""So many canaries' mails are remembered, the latest found."""
FOLDERS_SECONDS: Final = 600.0
"""After so long the server is asked for its folders again."""
CLOCK_SLACK: Final = timedelta(hours=1)
"""How far the server's clock may be behind ours without hiding a mail from a search by day."""

Narrow = Callable[[Sequence[Canary]], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look came to.

    Attributes:
        mails: the mails of each canary that was asked for, found now or before.
        is_complete: every folder where it could be was read.
        missing: folders that could not be opened.
    """

    mails: Mapping[CanaryId, Sequence[Mail]]
    is_complete: bool
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """What became of one mail that was to be removed."""

    mail: Mail
    state: RemovalState
    detail: str = ""


class MailboxReader:
    """Reads one mailbox for a watcher, over one connection, however many canaries are outstanding."""

    def __init__(
        self,
        settings: MailboxSettings,
        *,
        clock: Clock,
        recognise: Recognise,
        narrow: Narrow,
        reads_bodies: bool,
        needs_text: Callable[[Canary], bool] = lambda _: False,
    ) -> None:
        self.settings = settings
        self.session = Session(settings.server, settings.limits, clock=clock)
        self._clock = clock
        self._recognise = recognise
        self._narrow = narrow
        self._reads_bodies = reads_bodies
        self._needs_text = needs_text
        self._memories: dict[str, Memory] = {}
        self._found: OrderedDict[CanaryId, dict[str, Mail]] = OrderedDict()
        self._places: Places | None = None
        self._places_until = 0.0
        self._folders_at = -FOLDERS_SECONDS
        self._covered_since: datetime | None = None
        self._youngest: datetime | None = None

    @property
    def places(self) -> Places:
        """The folders by role, as last listed."""
        return self._places or Places(((self.settings.folder, Role.ARRIVAL),))

    async def read(self, canaries: Sequence[Canary], depth: Depth) -> Seen:
        """Look once for all of them.

        Raises:
            MailboxUnreadable: nothing could be read.
        """
        if not canaries:
            return Seen({}, is_complete=True, missing=())
        since = min(one.launched_at for one in canaries) - CLOCK_SLACK
        self._youngest = max(one.launched_at for one in canaries)
        is_wide = depth is Depth.DEADLINE or self._covered_since is None or since < self._covered_since
        all_folders = (
            is_wide or self._clock.monotonic() - self._folders_at >= self.settings.polling.folders_seconds
        )
        scope = Scope(
            since,
            self._narrow(canaries),
            reads_bodies=self._reads_bodies,
            is_wide=is_wide,
            texts=frozenset(one.id for one in canaries if self._needs_text(one)),
        )
        is_deadline = depth is Depth.DEADLINE

        def work(connection: Connection) -> tuple[Places, Reading]:
            known = None if is_deadline else self._fresh_places()
            places = known or find_places(connection, self.settings)
            wanted = _wanted(places, self.settings.folder, all_folders=all_folders, elsewhere=is_deadline)
            return places, self._read_folders(connection, wanted, scope)

        places, reading = await self.session.run(work, doing="look", is_urgent=is_deadline)
        self._remember(places, reading)
        if all_folders:
            self._folders_at = self._clock.monotonic()
        if is_wide and reading.is_whole and not reading.missing:
            self._covered_since = since if self._covered_since is None else min(since, self._covered_since)
        return Seen(
            {one.id: tuple(self._found.get(one.id, {}).values()) for one in canaries},
            is_complete=all_folders and reading.is_whole and not reading.missing,
            missing=reading.missing,
        )

    async def news(self) -> None:
        """Return when a look may pay: the server told of something, or the time for the next look has come."""
        polling = self.settings.polling
        if not self.session.is_open:
            await self._clock.sleep(max(self.session.retry_in_seconds, polling.fresh_seconds))
            return
        seconds = self.settings.limits.idle_seconds if self.session.can("IDLE") else self._poll_seconds()
        if len(self.places.roles) > 1:
            seconds = min(seconds, max(polling.folders_seconds, self._poll_seconds()))
        await self.session.wait(seconds, lambda: self.settings.folder)

    async def remove(
        self, canaries: Sequence[Canary], is_ours: Callable[[Mail], bool], *, at_most: int
    ) -> Sequence[Gone]:
        """Remove the canaries' mails that are ours, so many at most; what is gone already is not listed. Repeatable.

        Where the server has UIDPLUS, exactly these are expunged. Where it has not, they are moved to the trash; and
        where that can't be done, they are flagged, and expunged only if no other mail is flagged (`accepted` else).
        Gmail is always asked to move: there, expunging from a folder only takes a label away.

        Raises:
            MailboxUnreadable: nothing could be removed, or it is not known what was.
        """
        wanted = {one.id for one in canaries}
        scope = Scope(
            min(one.launched_at for one in canaries) - CLOCK_SLACK,
            self._narrow(canaries),
            reads_bodies=self._reads_bodies,
            is_wide=True,
        )

        def work(connection: Connection) -> tuple[Places, Reading, list[Gone]]:
            places = find_places(connection, self.settings)
            folders = _wanted(places, self.settings.folder, all_folders=True, elsewhere=False)
            reading = self._read_folders(connection, folders, scope)
            known = {one.what: one for mails in self._found.values() for one in mails.values()}
            known |= {one.what: one for one in reading.mails}
            gone: list[Gone] = []
            above: list[Gone] = []
            moved = {one.folder for one in known.values() if one.canary_id in wanted} - {
                *folders,
                places.trash,
            }
            for folder in (*folders, *sorted(moved)):
                ours = [
                    one
                    for one in known.values()
                    if one.folder == folder and one.canary_id in wanted and is_ours(one)
                ]
                now, later = ours[: at_most - len(gone)], ours[at_most - len(gone) :]
                if now:
                    gone += _remove_from(connection, folder, now, places.trash)
                above += [Gone(one, RemovalState.FAILED, ABOVE_CAP) for one in later]
            gone += above
            return places, reading, gone

        places, reading, gone = await self.session.run(work, doing="removal of our mails", is_urgent=True)
        self._remember(places, reading)
        for one in gone:
            if one.state is not RemovalState.FAILED:
                self._found.get(one.mail.canary_id, {}).pop(one.mail.what, None)
        return [one for one in gone if one.state is not RemovalState.ABSENT]

    def _read_folders(self, connection: Connection, folders: Sequence[str], scope: Scope) -> Reading:
        mails: list[Mail] = []
        memories: dict[str, Memory] = {}
        missing: list[str] = []
        is_whole = True
        for folder in folders:
            memory = self._memories.get(folder, Memory())
            try:
                found, memories[folder], has_all = read_folder(
                    connection, folder, memory, scope, self._recognise
                )
            except imaplib.IMAP4.error as error:
                if is_dead(error) or folder == self.settings.folder:
                    raise
                missing.append(folder)
                continue
            mails += found
            is_whole = is_whole and has_all
        return Reading(tuple(mails), memories, tuple(missing), is_whole)

    def _remember(self, places: Places, reading: Reading) -> None:
        if self._fresh_places() is None:
            self._places_until = self._clock.monotonic() + FOLDERS_SECONDS
        self._places = places
        self._memories.update(reading.memories)
        for mail in reading.mails:
            self._found.setdefault(mail.canary_id, {})[mail.what] = mail
            self._found.move_to_end(mail.canary_id)
        while len(self._found) > REMEMBERED:
            self._found.popitem(last=False)

    def _fresh_places(self) -> Places | None:
        return self._places if self._clock.monotonic() < self._places_until else None

    def _poll_seconds(self) -> float:
        """Often while the youngest canary is fresh, then ever more slowly."""
        polling = self.settings.polling
        if self._youngest is None:
            return polling.longest_seconds
        age = (self._clock.now() - self._youngest).total_seconds()
        if age <= polling.fresh_age_seconds:
            return polling.fresh_seconds
        return min(polling.longest_seconds, max(polling.fresh_seconds, age / 30))


def _wanted(places: Places, main: str, *, all_folders: bool, elsewhere: bool) -> Sequence[str]:
    """The folders to read; the main one last, so that it stays open and IDLE tells of it."""
    if not all_folders:
        return [main]
    names = [name for name, role in places.roles if role is not Role.ELSEWHERE or elsewhere]
    return [*(name for name in names if name != main), main]


def _remove_from(connection: Connection, folder: str, mails: Sequence[Mail], trash: str | None) -> list[Gone]:
    """Remove mails from one folder, and look whether they are gone."""
    selected = connection.select(folder)
    current = [one for one in mails if one.uid_validity == selected.uid_validity]
    there = _present(connection, {one.uid for one in current})
    state, detail = RemovalState.DONE, ""
    if there:
        state, detail = _dispose(connection, there, trash if trash != folder else None)
    left = _present(connection, there) if there and state is RemovalState.DONE else set()
    gone = []
    for one in mails:
        if one not in current or one.uid not in there:
            gone.append(Gone(one, RemovalState.ABSENT))
        elif one.uid in left:
            gone.append(
                Gone(one, RemovalState.FAILED, "the server said that it removed the mail, but it is there")
            )
        else:
            gone.append(Gone(one, state, detail))
    return gone


def _present(connection: Connection, uids: set[int]) -> set[int]:
    if not uids:
        return set()
    return set(connection.search(["UID", ",".join(str(one) for one in sorted(uids))])) & uids


def _dispose(connection: Connection, uids: set[int], trash: str | None) -> tuple[RemovalState, str]:
    must_move = connection.can("X-GM-EXT-1")
    if connection.can("UIDPLUS") and not (must_move and trash is not None):
        connection.flag_deleted(uids)
        connection.expunge(uids)
        return RemovalState.DONE, ""
    if connection.can("MOVE") and trash is not None:
        connection.move(uids, trash)
        return RemovalState.DONE, f"moved to {trash}"
    connection.flag_deleted(uids)
    if set(connection.search(["DELETED"])) <= uids:
        connection.expunge_all_deleted()
        return RemovalState.DONE, ""
    return RemovalState.ACCEPTED, "flagged as deleted; others' deleted mails are there, so we do not expunge"
