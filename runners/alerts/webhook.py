"""Any receiver, by a webhook that is signed as Standard Webhooks asks (its specification 1.0.0; read 2026-11-30)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from canary.alert import Alert
from runners.alerts.body import body_of
from runners.alerts.contracts import Clock, ReadSecret, Undelivered
from runners.alerts.posting import JSON, Poster
from runners.alerts.signing import SHORTEST_KEY_BYTES, key_of, signature
from runners.alerts.wording import Known


@dataclass(frozen=True, slots=True)
class Webhook:
    """One signed POST an alert; the receiver knows a repetition by ``webhook-id``.

    Attributes:
        secrets: each signs, so that a receiver that knows any of them verifies: that is how one is rotated.
    """

    name: str
    url: ReadSecret
    secrets: Sequence[ReadSecret]
    poster: Poster
    clock: Clock
    known: Known

    async def deliver(self, alert: Alert) -> None:
        """Post one body. Raises `Undelivered`; cancellable."""
        body = json.dumps(body_of(alert, self.known), ensure_ascii=False, sort_keys=True).encode()
        # Of the attempt, not of the alert: receivers refuse what is older than some minutes.
        timestamp = str(int(self.clock.now().timestamp()))
        headers = {**JSON, "webhook-id": alert.id, "webhook-timestamp": timestamp}
        if self.secrets:
            keys = [self._key(await read()) for read in self.secrets]
            headers["webhook-signature"] = " ".join(signature(key, alert.id, timestamp, body) for key in keys)
        await self.poster.post(await self.url(), body, headers)

    def _key(self, secret: str) -> bytes:
        key = key_of(secret)
        if key is None:
            raise Undelivered(
                f"{self.name}: its secret is not whsec_ and base64 of at least {SHORTEST_KEY_BYTES} bytes",
                permanent=False,
            )
        return key
