"""`python -m tests.docs.mail_page` prints the canary mail that docs/mail.md shows: fixed inputs, the code's own output."""

import sys
from datetime import UTC, datetime

from canary.canary import Canary, Token, new_canary
from canary.hop import Channel, route
from canary.path import Path, PathName, Slo
from canary.signature import mint_id, mint_token
from probes.message.compose import MailSettings, compose

KEY = b"a key for the documentation only"
LAUNCHED_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def canary() -> Canary:
    path = Path(
        name=PathName("support-email"),
        channel=Channel.EMAIL,
        route=route(Channel.EMAIL),
        slo=Slo(deadline_seconds=600),
    )
    canary_id = mint_id(LAUNCHED_AT, b"\x01\x02\x03\x04")
    return new_canary(
        path,
        canary_id=canary_id,
        token=Token(mint_token(canary_id, path.name, KEY)),
        marker="intakecanary",
        sender="canary@probe.example",
        prober="fra-1",
    )


def sample() -> str:
    """Header and plain text of the mail; the part in HTML says the same."""
    whole = compose(canary(), MailSettings(recipient="support@acme.example")).decode("ascii")
    header, _, body = whole.replace("\r\n", "\n").partition("\n\n")
    plain = body.partition("Content-Type: text/html")[0].rsplit("\n--", 1)[0]
    return f"{header}\n\n{plain.rstrip()}\n"


if __name__ == "__main__":
    sys.stdout.write(sample())
