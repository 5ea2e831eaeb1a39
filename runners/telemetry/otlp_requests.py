"""Requests to a receiver of OTLP: its header fields, each request tried once, and why one was not taken.

OpenTelemetry's exporters repeat by themselves and keep the cause to their log. Here they get a session that ends an
export with its first failure, and tells it.
"""

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from probes.servers import SecretUnavailable
from runners.config.telemetry import OtlpConfig

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

_OF_THE_PART: Final = frozenset({400, 413, 422})
"""By these the part itself is refused, and would be again: OTLP says of 400 that it must not be repeated."""
_PERHAPS_OF_A_PART: Final = frozenset({*_OF_THE_PART, 500})
_OF_THE_CREDENTIAL: Final = frozenset({401, 403})
_REDIRECT: Final = 300
_SAID_BYTES: Final = 400
_LONGEST_PAUSE_SECONDS: Final = 3600.0

Rejected = Callable[[bytes], str | None]
"""What of a request was rejected, by the body of an answer that took it; None: nothing."""


class NotSent(Exception):
    """A part was not taken.

    Attributes:
        permanent: it never will be; else it is to be tried again.
        may_be_of_one: of several that were sent together, one alone may be at fault: a refusal for what is in it, a
            connection that was reset once it was there.
        status: what HTTP said; None: there was no answer.
        retry_after_seconds: what the receiver asked for.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        status: int | None = None,
        retry_after_seconds: float | None = None,
        is_reset: bool = False,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.may_be_of_one = permanent or is_reset or status in _PERHAPS_OF_A_PART
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class HeaderFields:
    """The extra header fields of a receiver: a secret of them is renewed after it was refused, and only then."""

    def __init__(self, otlp: OtlpConfig) -> None:
        self._otlp = otlp
        self._must_renew = False

    async def read(self) -> Mapping[str, str]:
        """What is to be sent now. Cancellable; its caller sets the limit.

        Raises:
            NotSent: a secret can't be had.
        """
        try:
            return {
                name: value if isinstance(value, str) else (await value.read(renew=self._must_renew)).reveal()
                for name, value in self._otlp.headers.items()
            }
        except SecretUnavailable as error:
            raise NotSent(f"a header field can't be had: {error}") from error

    def answered(self, failure: NotSent | None) -> None:
        """A request with them came to this; None: it was taken."""
        self._must_renew = failure is not None and failure.status in _OF_THE_CREDENTIAL


def one_try_session(
    failed: Callable[[NotSent], None], rejected: Rejected, *, ca_file: str | None = None
) -> "Session":
    """A session whose every failure ends the export at once, and is told with its status; for one thread.

    Args:
        failed: told of it.
        rejected: reads the answers of the signal that is sent.
        ca_file: the authorities, instead of the system's.
    """
    import requests
    from requests.adapters import HTTPAdapter

    class OneTry(HTTPAdapter):
        def send(self, request: "PreparedRequest", *words: Any, **named: Any) -> "Response":  # noqa: ANN401 -- as its base
            cause: Exception | None = None
            if ca_file is not None:
                named["verify"] = ca_file  # or REQUESTS_CA_BUNDLE is stronger than what is configured
            try:
                response = super().send(request, *words, **named)
                refusal = _refusal(response, rejected)
            except requests.exceptions.Timeout as error:
                refusal, cause = NotSent("no answer in time"), error
            except (requests.exceptions.RequestException, OSError) as error:
                deepest = _deepest(error)
                # Whoever reads the request and then hangs up (a filter before the receiver) may mean what is in it.
                is_reset = isinstance(
                    deepest, ConnectionResetError | ConnectionAbortedError | BrokenPipeError
                )
                refusal, cause = NotSent(_said(deepest), is_reset=is_reset), error
            else:
                if refusal is None:
                    return response
            failed(refusal)
            # No exception of `requests`: those the exporter would repeat by itself, within its time.
            raise refusal from cause

    session = requests.Session()
    # A line of the user's .netrc would be stronger than the header field that is configured.
    session.auth = lambda request: request
    for scheme in ("http://", "https://"):
        session.mount(scheme, OneTry())
    return session


def _refusal(response: "Response", rejected: Rejected) -> NotSent | None:
    """Why a request was not taken, by the answer; None: it was."""
    status = response.status_code
    if status >= _REDIRECT:
        said = _printable(response.raw.read(_SAID_BYTES, decode_content=True))
        response.close()
        asked = response.headers.get("Retry-After")
        return NotSent(
            " ".join(filter(None, (str(status), response.reason, said))),
            permanent=status in _OF_THE_PART,
            status=status,
            retry_after_seconds=_seconds(asked, response.headers.get("Date")),
        )
    is_protobuf = "protobuf" in response.headers.get("Content-Type", "")
    try:
        said = rejected(response.content if is_protobuf else b"") or ""
    except Exception:  # noqa: BLE001 -- whatever protobuf says: an answer that can't be read is a 200 all the same
        return None
    return NotSent(said, permanent=True, status=status) if said else None


def _seconds(asked: str | None, date: str | None) -> float | None:
    """Seconds of a field Retry-After (RFC 9110 section 10.2.3); a date is compared with the receiver's own clock."""
    if asked is None:
        return None
    try:
        if asked.strip().isdigit():
            seconds = float(asked)
        else:
            seconds = (parsedate_to_datetime(asked) - parsedate_to_datetime(date or "")).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(0.0, seconds), _LONGEST_PAUSE_SECONDS)


def _printable(raw: bytes | None) -> str:
    text = (raw or b"").decode("utf-8", "replace")
    return " ".join("".join(one if one.isprintable() and one != "�" else " " for one in text).split())


def _deepest(error: BaseException) -> BaseException:
    """The deepest cause: `requests` wraps what the system said three times."""
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return error


def _said(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.rpartition(": ")[2] if "object at 0x" in text else text
