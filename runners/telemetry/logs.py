"""Log lines on standard error: one event a fact, as JSON or text, with its context and without secrets."""

import hashlib
import json
import logging
import os
import re
import secrets
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, TextIO

from canary.canary import Canary
from canary.trace import span_id
from probes.masking import Masker

CONTEXT: Final = (
    "prober",
    "run_id",
    "path",
    "channel",
    "canary_id",
    "hop",
    "incident_id",
    "trace_id",
    "span_id",
)
"""Fields that a line has from where it was logged."""
FACTS: Final = ("outcome", "reason", "seconds")
"""Fields that a fact has of itself."""
LEVEL_VARIABLE: Final = "INTAKE_PROBER_LOG_LEVEL"

_context: ContextVar[Mapping[str, object]] = ContextVar("log_context", default={})  # noqa: B039 -- never changed in place
_EVENT = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_ADDRESS = re.compile(
    r"(?<![\w.%+-])([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64})@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@contextmanager
def log_context(**fields: object) -> Iterator[None]:
    """Within this scope, also in tasks begun in it, every line has these fields."""
    token = _context.set({**_context.get(), **fields})
    try:
        yield
    finally:
        _context.reset(token)


def ids_of(canary: Canary, key: str | None = "canary") -> Mapping[str, object]:
    """The fields by which a line about a canary finds its trace, and the span of that key: a hop, or the whole.

    None: it is about what has no span.
    """
    return {
        "path": canary.path,
        "channel": canary.channel.value,
        "canary_id": canary.id,
        "trace_id": canary.trace_id,
        # None, and not left out: else the line has the span of the scope it was written in.
        "span_id": span_id(canary.id, key) if key is not None else None,
    }


class Redactor:
    """Masks secrets, and hashes the local part of every address that isn't ours."""

    def __init__(self, masker: Masker, own_addresses: frozenset[str] = frozenset()) -> None:
        self._masker = masker
        self._own = own_addresses

    def redact(self, text: str) -> str:
        """The text as it may be logged."""
        return _ADDRESS.sub(self._hashed, self._masker.mask(text))

    def _hashed(self, match: re.Match[str]) -> str:
        local, domain = match[1], match[2]
        if (
            f"{local}@{domain}".lower() in self._own
            or f"{local.partition('+')[0]}@{domain}".lower() in self._own
        ):
            return match[0]
        return f"{hashlib.sha256(local.lower().encode()).hexdigest()[:8]}@{domain}"


class ContextFilter(logging.Filter):
    """Adds the context to every record, as it was where the record was made."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record pass."""
        for name, value in _context.get().items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line = _fields(record, self._redactor)
        if record.exc_info and record.exc_info[0] is not None:
            kind, error, trace = record.exc_info
            stack = "".join(traceback.format_exception(kind, error, trace))
            line["exc"] = {
                "type": kind.__name__,
                "message": self._redactor.redact(str(error)),
                "stack": self._redactor.redact(stack),
            }
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """One line a person can read."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line, with the traceback below it."""
        fields = _fields(record, self._redactor)
        shown = [
            f"{name}={value}"
            for name, value in fields.items()
            if name not in {"ts", "level", "event", "logger", "msg", "run_id"}
        ]
        words = [str(fields["msg"]), *shown]
        text = f"{str(fields['ts'])[11:19]} {fields['level']:<7} {' '.join(word for word in words if word)}"
        if record.exc_info and record.exc_info[0] is not None:
            text += (
                "\n" + self._redactor.redact("".join(traceback.format_exception(*record.exc_info))).rstrip()
            )
        return text


def set_up_logging(
    masker: Masker,
    own_addresses: frozenset[str],
    *,
    prober: str,
    as_json: bool | None = None,
    stream: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
    run_id: str | None = None,
) -> None:
    """Send all log lines of this process, libraries' included, to standard error. Repeatable.

    Args:
        masker: knows the secrets.
        own_addresses: addresses that may be shown, lower case.
        prober: a field of every line.
        as_json: None: text on a terminal, else JSON.
        stream: instead of standard error.
        environ: where the level is looked up (INTAKE_PROBER_LOG_LEVEL); the process's own if not given.
        run_id: of this process, a field of every line; a new one if not given.
    """
    stream = sys.stderr if stream is None else stream
    environ = os.environ if environ is None else environ
    redactor = Redactor(masker, own_addresses)
    as_json = not stream.isatty() if as_json is None else as_json
    handler = logging.StreamHandler(stream)
    handler.addFilter(ContextFilter())
    handler.setFormatter(JsonFormatter(redactor) if as_json else TextFormatter(redactor))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    default = "INFO" if as_json else "WARNING"
    level = environ.get(LEVEL_VARIABLE, default).upper()
    root.setLevel(level if level in logging.getLevelNamesMapping() else default)
    # What libraries tell of their own work would put other people's content and addresses into the log.
    for name in (
        "alembic",
        "apscheduler",
        "asyncio",
        "httpcore",
        "httpx",
        "imapclient",
        "aiosmtplib",
        "sqlalchemy",
        "uvicorn",
        "uvicorn.access",
        "uvicorn.error",
    ):
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    run_id = secrets.token_hex(8) if run_id is None else run_id
    _context.set({**_context.get(), "prober": prober, "run_id": run_id})


def _fields(record: logging.LogRecord, redactor: Redactor) -> dict[str, Any]:
    message = redactor.redact(record.getMessage())
    is_event = _EVENT.fullmatch(message) is not None
    line: dict[str, Any] = {
        "ts": _stamp(record.created),
        "level": record.levelname,
        "event": message if is_event else "message",
        "logger": record.name,
        "msg": message.replace("_", " ") if is_event else message,
    }
    extra = {
        name: value for name, value in vars(record).items() if name not in _STANDARD and value is not None
    }
    for name in (*CONTEXT, *FACTS, *sorted(extra)):
        if name in extra:
            line.setdefault(name, _shown(extra[name], redactor))
    return line


def _shown(value: object, redactor: Redactor) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return redactor.redact(str(value))


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
