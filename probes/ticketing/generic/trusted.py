"""Where our credential may go: the configured place, and what an answer tells only where the configuration allows it."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from probes.contracts import Blind
from probes.origins import is_loopback, origin_of, shown_origin


class Trusted:
    """The places of one system."""

    def __init__(self, name: str, url: str, hosts: Sequence[str] = ()) -> None:
        """Know them.

        Args:
            name: of the system, for messages.
            url: as configured.
            hosts: ends of host names that an answer may name besides.
        """
        self._name = name
        self._url = url
        self._hosts = tuple(one.lower().lstrip(".") for one in hosts)

    def check(self, url: str, key: str, *, is_told: bool = True) -> None:
        """Make sure that our credential may go there; ``is_told``: by an answer, not by the configuration.

        Raises:
            Blind: it may not.
        """
        why = self.why_not(url, is_told=is_told)
        if why is not None:
            raise Blind(f"{self._name}: {key}: {why}. Our credential is not shown there.", status=401)

    def why_not(self, url: str, *, is_told: bool) -> str | None:
        """Why our credential may not go there, and what to do; None where it may."""
        scheme, host, _ = origin_of(url)
        if scheme not in {"https", "http"} or not host:
            return (
                "the log-in tells an address that is none: correct `take.url`"
                if is_told
                else "this is no address"
            )
        if scheme == "http" and urlsplit(self._url).scheme == "https" and not is_loopback(url):
            return f"{shown_origin(url)} is without TLS, and our credential would be read on its way"
        if is_told and host != origin_of(self._url)[1] and not self._is_among(host):
            return (
                f"the log-in sends us on to {shown_origin(url)}, which is neither the configured place nor below one of"
                f" auth.hosts. If it is the system's, add it: auth: {{hosts: [{host}]}}"
            )
        return None

    def _is_among(self, host: str) -> bool:
        return any(host == one or host.endswith(f".{one}") for one in self._hosts)
