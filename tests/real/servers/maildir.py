"""Messages read from a Maildir on disk: what is stored, without a connection and without touching a flag."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as it lies on the disk.

    Attributes:
        raw: the whole of it, lines ending in CRLF.
        flags: Maildir's letters, such as ``S`` (seen) and ``T`` (deleted); empty for an untouched one.
    """

    raw: bytes
    flags: str


def read_maildir(maildir: Path, folder: str = "INBOX") -> list[Stored]:
    """All messages of a folder, oldest first by the time in their names; none if the folder is not there."""
    place = maildir if folder == "INBOX" else maildir / f".{folder}"
    found: list[tuple[tuple[int, int], Stored]] = []
    for path in [*(place / "new").glob("*"), *(place / "cur").glob("*")]:
        try:
            raw = path.read_bytes()
        except FileNotFoundError:  # renamed under our eyes, as a flag or a move does: read it all again
            return read_maildir(maildir, folder)
        found.append((_stamp(path.name), Stored(raw, path.name.partition(":2,")[2])))
    return [stored for _, stored in sorted(found, key=lambda pair: pair[0])]


def _stamp(name: str) -> tuple[int, int]:
    """Seconds and microseconds of a name such as ``1700000000.M123456P789.host,S=12:2,S``."""
    seconds, _, rest = name.partition(".")
    return int(seconds), int(rest.partition("P")[0].removeprefix("M") or 0)
