"""A path of the configuration, written from typed steps: as data, and as YAML with what a person must look at."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Final, assert_never

import yaml

from probes.portal.steps import (
    Action,
    Click,
    Confirm,
    Fill,
    Frame,
    Go,
    Hidden,
    Locator,
    OneTimePassword,
    Press,
    Script,
    Select,
    Step,
    Submit,
    Template,
    Tick,
    Upload,
    Value,
    Wait,
    shown,
)
from probes.servers import SecretSource
from runners.portal_import.imported import Imported, Named

Data = Mapping[str, object]
_PLAIN = re.compile(r"\d+(?:ms|[smh])|[A-Za-z][A-Za-z0-9 /_.-]*[A-Za-z0-9.]|[A-Za-z]")
_WORDS_OF_YAML: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_COMPLETE_SUBMIT: Final = "# complete it: what sends the request, such as {role: button, name: Send}"
_COMPLETE_CONFIRM: Final = "# complete it: what the page shows, or where it is, after a success, such as {text: '/request #(?P<ticket>\\d+)/'}"
_COMPLETE_URL: Final = "# complete it: where a customer begins"


def path_data(imported: Imported) -> Data:
    """The path as the configuration holds it; null where something must be completed."""
    options = imported.options
    attachment = imported.attachment
    steps = [_step(one) for one in imported.steps]
    steps += [] if imported.has_submit else [{"submit": None}]
    steps += [] if imported.has_confirm else [{"confirm": None}]
    data: dict[str, object] = {
        "channel": "portal",
        "url": imported.url or None,
        "expect_host": list(imported.hosts) or None,
        "locale": options.locale,
        "time_zone": options.time_zone,
        "user_agent": options.user_agent,
        "viewport": options.viewport,
        "dismiss": [_locator(one) for one in imported.dismiss] or None,
        "login": [_step(one) for one in imported.login] or None,
        "steps": steps,
        "request": {"attachment": {"name": PurePath(attachment).name, "file": attachment}}
        if attachment
        else None,
        "ticketing": "desk",
        "every": "15m",
        "deadline": "10m",
    }
    return {key: value for key, value in data.items() if value is not None or key == "url"}


def path_text(imported: Imported, *, name: str, source: str) -> str:
    """The same as a block of YAML, with comments."""
    lines = [
        f"# From {source}, by `intake-prober portal import`. Look it through, then: intake-prober portal try {name}"
    ]
    lines += [f"# Guessed: {one}." for one in imported.guesses]
    lines += ["paths:", f"  {_flow(name)}:"]
    for key, value in path_data(imported).items():
        if isinstance(value, list) and key in {"login", "steps"}:
            lines.append(f"    {key}:")
            for step in value:
                lines += _step_lines(step)
        elif value is None:
            lines.append(f"    {key}:   {_COMPLETE_URL}")
        else:
            lines.append(f"    {key}: {_flow(value)}{_REMARKS.get(key, '')}")
    return "\n".join(lines) + "\n"


_REMARKS: Final[Mapping[str, str]] = {
    "ticketing": "   # guessed: the system under ticketing: in which the tickets arrive",
    "request": "   # guessed: the file is looked for beside the configuration",
}


def _step_lines(step: Mapping[str, object]) -> Sequence[str]:
    lines = []
    for index, (key, value) in enumerate(step.items()):
        remark = {"submit": _COMPLETE_SUBMIT, "confirm": _COMPLETE_CONFIRM}.get(key, "")
        text = f" {_flow(value)}" if value is not None else f"   {remark}"
        lines.append(f"      {'- ' if index == 0 else '  '}{key}:{text}")
    return lines


def _step(step: Step) -> dict[str, object]:
    data = _action(step.action)
    if step.timeout_seconds is not None:
        seconds = step.timeout_seconds
        data["timeout"] = (
            f"{seconds:.0f}s"
            if seconds >= 1 and seconds == int(seconds)
            else f"{max(seconds * 1000, 1):.0f}ms"
        )
    return data


def _action(action: Action) -> dict[str, object]:  # noqa: C901, PLR0911, PLR0912 -- one case an action
    match action:
        case Go():
            return {"go": action.url}
        case Click():
            return {"click": _locator(action.locator)}
        case Fill():
            return {"fill": {**_locator(action.locator), "with": _value(action.value)}}
        case Select():
            return {
                "select": {
                    **_locator(action.locator),
                    "value" if action.is_value else "option": action.option,
                }
            }
        case Tick():
            return {"check" if action.is_on else "uncheck": _locator(action.locator)}
        case Upload():
            return {"upload": _locator(action.locator)}
        case Press():
            return {
                "press": action.key
                if action.locator is None
                else {"key": action.key, **_locator(action.locator)}
            }
        case Wait():
            return {"wait": _awaited(action)}
        case Frame():
            return {"frame": "main" if action.locator is None else _locator(action.locator)}
        case Script():
            return {"script": f"{action.file}:{action.function}"}
        case Submit():
            key = {} if action.key is None else {"key": action.key}
            return {"submit": {**_locator(action.locator), **key}}
        case Confirm():
            return {"confirm": _confirmed(action)}
        case _:
            assert_never(action)


def _awaited(wait: Wait) -> object:
    if wait.url is not None:
        return {"url": shown(wait.url)}
    if wait.gone is not None:
        return {"gone": _locator(wait.gone)}
    return _locator(wait.shown) if wait.shown is not None else None


def _confirmed(confirm: Confirm) -> object:
    if confirm.text is not None:
        return {"text": shown(confirm.text)}
    if confirm.url is not None:
        return {"url": shown(confirm.url)}
    return _locator(confirm.shown) if confirm.shown is not None else None


def _locator(locator: Locator) -> dict[str, object]:
    data: dict[str, object] = {str(locator.by): shown(locator.value)}
    if locator.name is not None:
        data["name"] = shown(locator.name)
    if locator.is_exact:
        data["exact"] = True
    if locator.index is not None:
        data["nth"] = locator.index
    return data


def _value(value: Value) -> object:
    match value:
        case Template():
            return value.text
        case Hidden():
            return _secret(value.source)
        case OneTimePassword():
            return {"totp": _secret(value.key)}
        case _:
            assert_never(value)


def _secret(source: SecretSource) -> object:
    return {"env": source.name} if isinstance(source, Named) else None


class _Dumper(yaml.SafeDumper):
    """Writes words plain and all else between quotes, so that every reader of YAML reads a string as one."""


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS_OF_YAML
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else '"')


_Dumper.add_representer(str, _represent)


def _flow(value: object) -> str:
    text = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, allow_unicode=True, sort_keys=False, width=100_000
    )
    return str(text).removesuffix("...\n").rstrip("\n")
