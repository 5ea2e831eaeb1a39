"""Watch mailboxes: the support mailbox for arrivals, the canary's own one for replies and bounces.

A mailbox that can't be read is a blind look, never an error and never a word about the target.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Depth, Fact, Observation
from canary.reason import Reason
from probes.contracts import Clock, RemovalState, Removed, Report
from probes.mailbox import sightings
from probes.mailbox.connection import Connection
from probes.mailbox.failure import MailboxUnreadable
from probes.mailbox.mails import Mail, Recognise, candidates
from probes.mailbox.quota import has_quota
from probes.mailbox.reader import MailboxReader, Seen
from probes.mailbox.settings import MailboxSettings
from probes.masking import Masker

KIND: Final = "mail"
FREE_BYTES: Final = 16 * 1024
"""An own mailbox with less room than this can't take an answer."""


class SupportMailboxWatcher:
    """Sees canaries arrive where customers' mail arrives (hop `mailbox.arrival`).

    It reads with EXAMINE and BODY.PEEK, so that a helpdesk which fetches by flags is never disturbed. A mail that was
    moved or deleted before the look is simply not seen: the ticket will prove that it arrived.
    """

    def __init__(
        self, settings: MailboxSettings, *, clock: Clock, recognise: Recognise, masker: Masker
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._masker = masker
        self._reader = MailboxReader(
            settings, clock=clock, recognise=recognise, narrow=_support_candidates, reads_bodies=True
        )

    @property
    def place(self) -> str:
        """The mailbox's name in the configuration."""
        return self._settings.place

    async def look(self, canaries: Sequence[Canary], depth: Depth, report: Report) -> None:
        """One pass over the folders for all canaries; for each that was not there, an observation `not_seen`."""
        frame = _Frame(self._settings, self._clock, depth)
        try:
            seen = await self._reader.read(canaries, depth)
        except MailboxUnreadable as error:
            blind = frame.end()
            await report(*(_blind(one, Hop.MAILBOX_ARRIVAL, blind, error, self._masker) for one in canaries))
            return
        look = frame.end()
        await report(
            *(
                sightings.arrival(one, seen.mails[one.id], self._reader.places, look)
                or _in_vain(one, Hop.MAILBOX_ARRIVAL, look, seen)
                for one in canaries
            )
        )

    async def news(self) -> None:
        """Return when another look may pay. Cancellable; the connection stays open."""
        await self._reader.news()

    async def remove(self, canaries: Sequence[Canary], *, at_most: int) -> Sequence[Removed]:
        """Remove the canaries' own mails, where that was allowed; else nothing, and nothing is left to do."""
        if not self._settings.may_remove:
            return ()
        by_id = {one.id: one for one in canaries}

        def is_ours(mail: Mail) -> bool:
            return mail.canary_id in by_id and sightings.is_of_canary(by_id[mail.canary_id], mail)

        return await _remove(self._reader, canaries, is_ours, self._masker, at_most)

    async def aclose(self) -> None:
        """Close the connection and end its thread."""
        await self._reader.session.aclose()


class SenderMailboxWatcher:
    """Sees what comes back to a canary's sender: acknowledgements (hop `reply.received`), and bounces.

    It never answers anything, so that no loop can begin with it.

    Args:
        settings: the sender's mailbox.
        clock: the only source of time.
        recognise: whose token a word is.
        masker: what no detail may show.
        needs_ticket_number: whether an acknowledgement is the canary's only proof, so that it must quote a number.
        target_of: the support address that a canary was sent to; None: not known.
    """

    def __init__(
        self,
        settings: MailboxSettings,
        *,
        clock: Clock,
        recognise: Recognise,
        masker: Masker,
        needs_ticket_number: Callable[[Canary], bool] = lambda _: False,
        target_of: Callable[[Canary], str | None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._target_of = target_of
        self._clock = clock
        self._masker = masker
        self._needs_ticket_number = needs_ticket_number
        self._reader = MailboxReader(
            settings,
            clock=clock,
            recognise=recognise,
            narrow=_everything,
            reads_bodies=True,
            needs_text=needs_ticket_number,
        )

    @property
    def place(self) -> str:
        """The account's name in the configuration."""
        return self._settings.place

    async def look(self, canaries: Sequence[Canary], depth: Depth, report: Report) -> None:
        """One pass for all canaries: bounces of each, and its acknowledgement or an observation `not_seen`."""
        frame = _Frame(self._settings, self._clock, depth)
        try:
            seen = await self._reader.read(canaries, depth)
        except MailboxUnreadable as error:
            blind = frame.end()
            await report(*(_blind(one, Hop.REPLY_RECEIVED, blind, error, self._masker) for one in canaries))
            return
        full = await self._is_full() if depth is Depth.DEADLINE else None
        look = frame.end()
        observations: list[Observation] = []
        for canary in canaries:
            mails = seen.mails[canary.id]
            observations += sightings.bounces(canary, mails, look, target=self._target_of(canary))
            found = sightings.reply(canary, mails, look, needs_number=self._needs_ticket_number(canary))
            if found is None and full is not None:
                found = sightings.blind(
                    canary, Hop.REPLY_RECEIVED, look, reason=Reason.OWN_MAILBOX_FULL, detail=full
                )
            observations.append(found or _in_vain(canary, Hop.REPLY_RECEIVED, look, seen))
        await report(*observations)

    async def news(self) -> None:
        """Return when another look may pay. Cancellable; the connection stays open."""
        await self._reader.news()

    async def remove(self, canaries: Sequence[Canary], *, at_most: int) -> Sequence[Removed]:
        """Remove every mail with the verified token of one of the canaries from our own mailbox."""
        return await _remove(self._reader, canaries, lambda _: True, self._masker, at_most)

    async def aclose(self) -> None:
        """Close the connection and end its thread."""
        await self._reader.session.aclose()

    async def _is_full(self) -> str | None:
        """What to say if the mailbox has no room left for an answer; None if it has, or can't tell."""

        def work(connection: Connection) -> str | None:
            if not has_quota(connection.capabilities):
                return None
            for _, resource, used, limit in connection.quotas(self._settings.folder):
                if resource == "STORAGE" and limit > 0 and (limit - used) * 1024 < FREE_BYTES:
                    return f"our own mailbox is full: {used} of {limit} KiB. Empty it, or enlarge it."
                if resource == "MESSAGE" and 0 < limit <= used:
                    return f"our own mailbox is full: {used} of {limit} messages. Empty it, or enlarge it."
            return None

        try:
            return await self._reader.session.run(work, doing="quota of our own mailbox")
        except MailboxUnreadable:
            return None  # what was read is worth no less for that


class _Frame:
    """The times of one look."""

    def __init__(self, settings: MailboxSettings, clock: Clock, depth: Depth) -> None:
        self._settings = settings
        self._clock = clock
        self._depth = depth
        self._began_at = clock.now()

    def end(self) -> sightings.Look:
        server = self._settings.server
        facts: Mapping[str, Fact] = {
            "server.address": server.host,
            "server.port": server.port,
            "network.protocol.name": "imap",
        }
        return sightings.Look(self._settings.place, self._depth, self._began_at, self._clock.now(), facts)


def _support_candidates(canaries: Sequence[Canary]) -> tuple[str, ...]:
    """One search for all canaries: by marker (the paths of one prober share it) and by the senders we play."""
    return candidates(canaries[0].marker, sorted({one.sender for one in canaries}))


def _everything(canaries: Sequence[Canary]) -> tuple[str, ...]:
    """The sender's mailbox is ours: each new mail is looked at, since an answer need not quote anything."""
    del canaries
    return ()


def _in_vain(canary: Canary, hop: Hop, look: sightings.Look, seen: Seen) -> Observation:
    return sightings.in_vain(canary, hop, look, is_complete=seen.is_complete, missing=seen.missing)


def _blind(
    canary: Canary, hop: Hop, look: sightings.Look, error: MailboxUnreadable, masker: Masker
) -> Observation:
    return sightings.blind(canary, hop, look, reason=error.reason, detail=masker.detail(str(error)))


async def _remove(
    reader: MailboxReader,
    canaries: Sequence[Canary],
    is_ours: Callable[[Mail], bool],
    masker: Masker,
    at_most: int,
) -> Sequence[Removed]:
    place = reader.settings.place
    by_id = {one.id: one for one in canaries}
    if not canaries:
        return ()
    try:
        gone = await reader.remove(canaries, is_ours, at_most=at_most)
    except MailboxUnreadable as error:
        detail = masker.detail(str(error))
        return [Removed(one, KIND, place, "", RemovalState.FAILED, detail) for one in canaries]
    found = [
        Removed(by_id[one.mail.canary_id], KIND, place, one.mail.what, one.state, masker.detail(one.detail))
        for one in gone
    ]
    touched = {one.canary.id for one in found}
    absent = [Removed(one, KIND, place, "", RemovalState.ABSENT) for one in canaries if one.id not in touched]
    return [*found, *absent]
