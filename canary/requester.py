"""Whose a ticket is: ours, a listed forwarder's, a rewritten one of ours, or a stranger's."""

from collections.abc import Collection
from enum import StrEnum


class Standing(StrEnum):
    """How a ticket's requester stands to the canary's sender."""

    OURS = "ours"
    LISTED = "listed"
    REWRITTEN = "rewritten"
    STRANGER = "stranger"
    UNREADABLE = "unreadable"

    @property
    def may_be_cleaned(self) -> bool:
        """Whether we may touch the ticket: only our own sender's, or a forwarder's that the operator listed."""
        return self in {Standing.OURS, Standing.LISTED}


def standing(
    requester: str | None, *, sender: str, forwarders: Collection[str] = (), target: str | None = None
) -> Standing:
    """How the requester of a ticket with a verified token stands to the canary's sender.

    A sub-address of the sender is the sender. A forwarder that rewrites the envelope sender leaves the original
    in the local part (Sender Rewriting Scheme: ``SRS0=hash=tt=domain=local@forwarder`` and the ``SRS1`` form); a
    group that takes over the ``From`` shows the target's own address.
    """
    if requester is None or "@" not in requester:
        return Standing.UNREADABLE
    address = requester.strip().lower()
    ours = sender.strip().lower()
    if ours in {address, _without_detail(address)}:
        return Standing.OURS
    if address in {one.strip().lower() for one in forwarders}:
        return Standing.LISTED
    if target is not None and address == target.strip().lower():
        return Standing.REWRITTEN
    original = _srs_original(address)
    if original is not None and ours in {original, _without_detail(original)}:
        return Standing.REWRITTEN
    return Standing.STRANGER


def _without_detail(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _srs_original(address: str) -> str | None:
    """The sender inside an SRS address, lower case; None if it is none.

    ``SRS0`` and ``SRS1`` may be followed by ``=``, ``+`` or ``-``; an ``SRS1`` address holds, after ``==``, what
    followed the separator of the ``SRS0`` one (libsrs2 and the SRS paper of M. Wong).
    """
    local = address.rpartition("@")[0]
    scheme, rest = local[:4], local[5:]
    if scheme not in {"srs0", "srs1"} or local[4:5] not in {"=", "+", "-"}:
        return None
    if scheme == "srs1":
        _, found, rest = rest.partition("==")
        if not found:
            return None
    parts = rest.split("=", 3)
    if len(parts) != 4:  # noqa: PLR2004 -- hash, time stamp, domain, local part
        return None
    return f"{parts[3]}@{parts[2]}"
