"""Where a log-in goes and sends us on to: what can be known of it when the configuration is read."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from probes.ticketing.generic.templates import Template
from probes.ticketing.generic.trusted import Trusted
from runners.config.build_ticketing_parts import Parts
from runners.config.document_ticketing_http import HttpAuthDocument
from runners.config.document_ticketing_picks import METHODS
from runners.config.reading import Loc

_URL: Final = "url"


def note_places(
    document: HttpAuthDocument, paths: Sequence[Template], parts: Parts, loc: Loc, *, url: str
) -> None:
    """Note addresses of a log-in that would be refused at the first call.

    Args:
        document: of the log-in.
        paths: where its exchanges go, in their order.
        parts: notes the mistakes.
        loc: where ``auth`` stands.
        url: the system's.
    """
    trusted = Trusted("", url, document.hosts)
    for index, (exchange, path) in enumerate(zip(document.exchange, paths, strict=True)):
        at = (*loc, "exchange", index)
        method = next((one for one in METHODS if getattr(exchange, one) is not None), "")
        is_told = any(name == "auth" for name, _ in path.names)
        address = _address(path)
        if address is not None:
            # first as what it is: an address of the configuration itself
            why = trusted.why_not(address, is_told=False) or trusted.why_not(address, is_told=is_told)
            if why is not None:
                parts.around.note((*at, method), *_in_two(why))
        is_address = path.source.partition("{{")[0].endswith("://") and is_told
        takes = [(*at, "take", _URL)] if _URL in exchange.take else []
        for key in [*takes, *([(*at, method)] if is_address else [])]:
            if not document.hosts:
                parts.around.note(
                    key,
                    "an answer tells where our credential goes, and auth.hosts does not say where it may",
                    f"Add the hosts of the system: auth: {{hosts: [{urlsplit(url).hostname}]}}; those below them are meant, too.",
                    at_key=True,
                )


def _address(path: Template) -> str | None:
    """The origin that a template names by itself; None of a path at the configured place, and of what is told later."""
    if not path.names:
        whole = path.text({})
        return whole if "://" in whole else None
    head = path.source.partition("{{")[0]
    scheme, mark, rest = head.partition("://")
    host, slash, _ = rest.partition("/")
    return f"{scheme}://{host}/" if mark and slash else None


def _in_two(why: str) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    wrong, _, remedy = why.partition(". ")
    return wrong, remedy or "Correct the address."
