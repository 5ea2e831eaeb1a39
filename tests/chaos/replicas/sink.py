"""A sink that posts the alert as it is stored: the receiver of the test reads its order."""

import httpx

from canary.alert import Alert
from runners.alerts.contracts import Undelivered
from runners.store import codec


class PlainHook:
    """Satisfies `AlertSink`."""

    def __init__(self, name: str, client: httpx.AsyncClient) -> None:
        self.name = name
        self._client = client

    async def deliver(self, alert: Alert) -> None:
        try:
            answer = await self._client.post(
                "/alerts", content=codec.dumps(alert), headers={"webhook-id": alert.id}
            )
        except httpx.HTTPError as error:
            raise Undelivered(str(error), permanent=False) from error
        if answer.status_code != httpx.codes.OK:
            raise Undelivered(f"HTTP {answer.status_code}", permanent=False)
