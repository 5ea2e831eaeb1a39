"""A plain HTTP client of a simulator, in the same process: what the vendor's documentation does with curl."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from tests.simulators.gateway import Simulator

BASE = "https://acme.vendor.test"


class Client:
    """Asks with whatever headers it was given."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.headers: dict[str, str] = {}
        self.auth: tuple[str, str] | None = None

    def call(self, method: str, path: str, **arguments: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """One request; ``params``, ``json``, ``data`` and ``headers`` as httpx takes them."""

        async def main() -> httpx.Response:
            transport = httpx.ASGITransport(self.simulator)
            async with httpx.AsyncClient(
                transport=transport, base_url=BASE, headers=self.headers, auth=self.auth
            ) as client:
                return await client.request(method, path, **arguments)

        return asyncio.run(main())

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """The JSON of a successful GET."""
        answer = self.call("GET", path, params=params)
        answer.raise_for_status()
        return answer.json()
