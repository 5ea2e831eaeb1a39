"""Memory after the clock was set back: what it dated lies ahead, and is brought back before anything is compared with it.

Nobody knows by how much it was wrong. What was settled before came before all the same: so the latest of those times is
laid just before what settles now, the others as long before it as they were, and nothing before what was dated rightly.
"""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from canary.ahead import is_ahead

T = TypeVar("T")
_MOMENT = timedelta(microseconds=1)


def brought_back(remembered: T, launched_at: datetime, settled_at: datetime) -> tuple[T, datetime]:
    """The same memory without a time that lies ahead, and when the canary was launched that settles now.

    The order of what is remembered stays: what came before something else comes never after it.

    Args:
        remembered: frozen dataclasses, tuples of them and times.
        launched_at: of the canary that settles, by the clock of then.
        settled_at: when it does, by the clock of now.
    """
    known = list(_times(remembered))
    ahead = [at for at in (*known, launched_at) if is_ahead(at, settled_at)]
    if not ahead:
        return remembered, launched_at
    is_of_now = not is_ahead(launched_at, settled_at)
    latest = min(launched_at, settled_at) - _MOMENT if is_of_now else settled_at
    by = max(ahead) - latest
    before = max((at for at in known if not is_ahead(at, settled_at)), default=None)

    def moved(at: datetime) -> datetime:
        if is_ahead(at, settled_at):
            at = at - by if before is None else max(at - by, before)
        return min(at, latest)

    return _with_times(remembered, moved), launched_at if is_of_now else moved(launched_at)


def _times(value: Any) -> Iterator[datetime]:  # noqa: ANN401 -- whatever a dataclass holds
    match value:
        case datetime():
            yield value
        case tuple():
            for one in value:
                yield from _times(one)
        case _ if is_dataclass(value):
            for field in fields(value):
                yield from _times(getattr(value, field.name))
        case _:
            return


def _with_times(value: Any, moved: Callable[[datetime], datetime]) -> Any:  # noqa: ANN401
    match value:
        case datetime():
            return moved(value)
        case tuple():
            return tuple(_with_times(one, moved) for one in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            held = {one.name: getattr(value, one.name) for one in fields(value)}
            return replace(value, **{name: _with_times(one, moved) for name, one in held.items()})
        case _:
            return value
