"""Make the typed mappings of what a file says, with every mistake noted."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, assert_never

from pydantic import BaseModel, ValidationError

from canary.hop import Channel
from runners.config.document_alerts import PLANNED_SINKS, SINK_DOCUMENTS, AnySinkDocument, SinkKind
from runners.config.document_places import TicketingDocument, TicketingType
from runners.config.errors import did_you_mean
from runners.config.fields import is_name, shown
from runners.config.mistakes import explain, is_unknown_key
from runners.config.reading import Loc, Tree

if TYPE_CHECKING:
    from runners.config.document_channels import AnyPathDocument
    from runners.config.document_ticketing import AnyTicketingDocument

_Model = TypeVar("_Model", bound=BaseModel)


def block(tree: Tree, key: str, model: type[_Model]) -> _Model | None:
    """One of the file's mappings, which may be left out; None where something is wrong with it."""
    raw = _top(tree).get(key)
    if raw is None or raw == {}:
        if not any(one.is_required() for one in model.model_fields.values()):
            return model.model_construct()  # the defaults need no check, and its schema no making
        raw = {}
    return _validated(tree, (key,), raw, model)


def section(tree: Tree, key: str, model: type[_Model], *, is_needed: bool) -> Mapping[str, _Model]:
    """The mappings that the file names below a key, less those with which something is wrong."""
    found = {name: _validated(tree, (key, name), one, model) for name, one in _named(tree, key, is_needed)}
    return {name: one for name, one in found.items() if one is not None}


def paths_section(tree: Tree) -> Mapping[str, "AnyPathDocument"]:
    """The paths, each by its channel, less those with which something is wrong."""
    found = {name: _path(tree, ("paths", name), one) for name, one in _named(tree, "paths", is_needed=True)}
    return {name: one for name, one in found.items() if one is not None}


def ticketing_section(tree: Tree) -> Mapping[str, "AnyTicketingDocument"]:
    """The ticketing systems, each by its type, less those with which something is wrong."""
    named = _named(tree, "ticketing", is_needed=False)
    found = {name: _ticketing(tree, ("ticketing", name), one) for name, one in named}
    return {name: one for name, one in found.items() if one is not None}


def _ticketing(tree: Tree, loc: Loc, value: Any) -> "AnyTicketingDocument | None":  # noqa: ANN401 -- whatever YAML holds
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind not in set(TicketingType):
        from runners.config.presets import preset_names, with_preset

        if kind in preset_names():
            value, kind = with_preset(value), TicketingType.HTTP
    if kind == TicketingType.HTTP:
        from runners.config.document_ticketing_http import HttpTicketingDocument

        return _validated(tree, loc, value, HttpTicketingDocument, elsewhere=_of_known_systems)
    return _validated(tree, loc, value, TicketingDocument, elsewhere=_of_any_system)


def _of_known_systems() -> Mapping[str, str]:
    """What to say of the keys that only systems that the prober knows have."""
    from runners.config.document_ticketing_http import HttpTicketingDocument

    keys = _keys(TicketingDocument) - _keys(HttpTicketingDocument)
    return dict.fromkeys(keys, "It is of a system that the prober knows; here it is auth, find, clean.")


def _of_any_system() -> Mapping[str, str]:
    """What to say of the keys that only systems by configuration alone have."""
    from runners.config.document_ticketing_http import HttpTicketingDocument

    keys = _keys(HttpTicketingDocument) - _keys(TicketingDocument)
    return dict.fromkeys(keys, "It belongs to type: http, and to the presets of it.")


def sinks_section(tree: Tree) -> Mapping[str, AnySinkDocument]:
    """The sinks of alerts, each by its type, less those with which something is wrong."""
    alerts = _top(tree).get("alerts")
    raw = alerts.get("sinks") if isinstance(alerts, dict) else None
    if not isinstance(raw, dict):
        return {}  # that it is no mapping is told by `alerts` as a whole
    found = {name: _sink(tree, ("alerts", "sinks", name), one) for name, one in raw.items()}
    return {name: one for name, one in found.items() if one is not None}


def _sink(tree: Tree, loc: Loc, value: Any) -> AnySinkDocument | None:  # noqa: ANN401 -- whatever YAML holds
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind in set(SinkKind):
        return _validated(tree, loc, value, SINK_DOCUMENTS[SinkKind(kind)])
    remedy = did_you_mean(shown(kind), list(SinkKind))
    message = f"{shown(kind)} is not a kind of sink"
    if kind in PLANNED_SINKS:
        message, remedy = f"there is no sink of type {kind} yet", f"There are {', '.join(SinkKind)}."
    elif kind is None:
        remedy = f"Write type: and one of {', '.join(SinkKind)}."
    tree.errors.append(tree.error((*loc, "type"), message, remedy))
    return None


def _top(tree: Tree) -> Mapping[str, Any]:
    return tree.value if isinstance(tree.value, dict) else {}


def _named(tree: Tree, key: str, is_needed: bool) -> list[tuple[str, Any]]:
    top = _top(tree)
    raw = top.get(key)
    if raw is None and not is_needed:
        return []
    if not isinstance(raw, dict) or not raw:
        if key in top:
            remedy = "Write a name, and its settings below it."
            tree.errors.append(tree.error((key,), f"{key} names nothing", remedy, at_key=True))
        return []
    for name in raw:
        if not is_name(name):
            remedy = "Use letters, digits, dots, hyphens and underscores; begin with a letter or digit."
            tree.errors.append(tree.error((key, name), f"{name} is not a name", remedy, at_key=True))
    return list(raw.items())


def _path(tree: Tree, loc: Loc, value: Any) -> "AnyPathDocument | None":  # noqa: ANN401 -- whatever YAML holds
    """A path by its channel; where that is missing or none, what else is wrong is told by the channel it looks like."""
    if not isinstance(value, dict):
        return _of_channel(tree, loc, value, Channel.EMAIL)
    given = value.get("channel")
    if isinstance(given, str) and given in set(Channel):
        return _of_channel(tree, loc, value, Channel(given))
    if "channel" in value:
        at = (*loc, "channel")
        tree.errors.append(
            tree.error(at, f"{shown(given)} is not a channel", did_you_mean(shown(given), list(Channel)))
        )
    else:
        remedy = f"Write one of {', '.join(Channel)}."
        tree.errors.append(tree.error((*loc, "channel"), "the key channel is missing", remedy, at_key=True))
    from runners.config.document_channels import PATH_DOCUMENTS

    likeliest = max(PATH_DOCUMENTS, key=lambda one: len(_keys(PATH_DOCUMENTS[one]) & set(value)))
    _of_channel(tree, loc, {**value, "channel": likeliest.value}, likeliest)
    return None


def _of_channel(tree: Tree, loc: Loc, value: object, channel: Channel) -> "AnyPathDocument | None":
    elsewhere = partial(_of_other_channels, channel)
    match channel:
        case Channel.EMAIL:
            from runners.config.document_email import EmailPathDocument

            return _validated(tree, loc, value, EmailPathDocument, elsewhere=elsewhere)
        case Channel.PORTAL:
            from runners.config.document_portal import PortalPathDocument

            return _validated(tree, loc, value, PortalPathDocument, elsewhere=elsewhere)
        case Channel.FORM:
            from runners.config.document_form import FormPathDocument

            return _validated(tree, loc, value, FormPathDocument, elsewhere=elsewhere)
        case _:
            assert_never(channel)


def _keys(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def _of_other_channels(own: Channel) -> Mapping[str, str]:
    """What to say of the keys that only paths of other channels have."""
    from runners.config.document_channels import PATH_DOCUMENTS

    channels: dict[str, list[str]] = {}
    for channel, other in PATH_DOCUMENTS.items():
        for key in _keys(other) - _keys(PATH_DOCUMENTS[own]):
            channels.setdefault(key, []).append(channel)
    return {key: f"It belongs to channel {' and '.join(names)}." for key, names in channels.items()}


def _validated(
    tree: Tree,
    loc: Loc,
    value: object,
    model: type[_Model],
    *,
    elsewhere: Callable[[], Mapping[str, str]] = dict,
) -> _Model | None:
    """The typed mapping, or None with its mistakes noted; unknown keys alone don't hide what else is wrong.

    ``elsewhere`` has a remedy for each key that only mappings of another kind have; it is asked where something is wrong.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        tree.errors.extend(explain(tree, loc, model, error, elsewhere=elsewhere()))
        details = error.errors(include_url=False)
    if not all(is_unknown_key(one) for one in details):
        return None
    try:
        return model.model_validate(_without(value, [one["loc"] for one in details]))
    except ValidationError:
        return None


def _without(value: Any, locs: list[tuple[str | int, ...]]) -> Any:  # noqa: ANN401 -- whatever YAML holds
    """A copy of a value without what stands at the given places."""
    if isinstance(value, dict):
        below: dict[str, Any] = {}
        for key, one in value.items():
            if (key,) not in locs:
                below[key] = _without(one, [loc[1:] for loc in locs if loc[:1] == (key,)])
        return below
    if isinstance(value, list):
        return [
            _without(one, [loc[1:] for loc in locs if loc[:1] == (index,)]) for index, one in enumerate(value)
        ]
    return value
