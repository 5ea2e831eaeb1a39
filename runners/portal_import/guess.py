"""From what was recorded to a path: where it begins, where the log-in ends, what sends, and what confirms."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from probes.portal.steps import (
    Action,
    By,
    Click,
    Confirm,
    Fill,
    Frame,
    Go,
    Locator,
    Press,
    Select,
    Step,
    Submit,
    Template,
    Upload,
    Wait,
)
from runners.portal_import.acts import Act
from runners.portal_import.fields import accepts_cookies
from runners.portal_import.hush import Hush
from runners.portal_import.imported import Imported
from runners.portal_import.sending import sent
from runners.portal_import.source import Guess, Note
from runners.portal_import.typing_in import kinds_of, login_end, tellable, typed
from runners.portal_import.walk import Walked

_MOVES: Final = frozenset({"Tab", "Shift+Tab", "CapsLock", "Shift", "Control", "Alt", "Meta"})
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_ADDRESS = re.compile(r"[!-~]+")
_SECRET_PARAMETER = re.compile(
    r"(?i)(?:^|(?<=&))[^=&]*(?:token|secret|passw|pw|session|sig|key|auth)[^=&]*=[^&]*(?:&|$)"
)


def guess(walked: Walked) -> Imported:
    """Make a path of what was found."""
    notes, guesses = list(walked.notes), list[Guess]()
    url, acts = _begin(walked.acts, notes)
    acts, dismiss = _without_banners(_without_moves(_one_text(acts, guesses)), guesses)
    kinds = kinds_of(acts)
    count = login_end(acts, kinds)
    what = typed(acts, kinds, count)
    hush = Hush(tellable(frozenset(what.secrets), acts, kinds))
    notes += what.notes
    cleaned = [None if one is None else _cleaned(one, hush, notes) for one in what.acts]
    guesses += what.guesses
    login, rest = ([one for one in part if one is not None] for part in (cleaned[:count], cleaned[count:]))
    while login and rest and isinstance(rest[0].action, Wait):
        login.append(rest.pop(0))
    steps = sent(rest, what.words, notes, guesses)
    _warn(login, steps, notes)
    return Imported(
        url=hush.text(url),
        dismiss=dismiss,
        login=_numbered(login, ends_in_page=True),
        steps=_numbered(steps),
        hosts=_hosts(walked.acts),
        attachment=next((one.file for one in (*login, *steps) if one.file is not None), None),
        options=walked.options,
        guesses=[hush.guess(one) for one in sorted(guesses, key=lambda one: one.line)],
        notes=[hush.note(one) for one in sorted(notes, key=lambda one: one.line)],
    )


def _cleaned(act: Act, hush: Hush, notes: list[Note]) -> Act:
    cleaned = hush.act(act)
    if cleaned != act:
        notes.append(
            Note(
                act.line,
                "",
                "what was typed as a password stood here too, and is left out",
                "Name the element in another way, or write the step anew.",
            )
        )
    return cleaned


def _begin(acts: Sequence[Act], notes: list[Note]) -> tuple[str, list[Act]]:
    """The address where it begins, and the acts with all others relative to it."""
    url, left = "", list[Act]()
    for act in acts:
        if not isinstance(act.action, Go):
            left.append(act)
            continue
        whole = _plain(act, act.action.url, notes)
        if whole is None:
            continue
        if not url:
            url, _, fragment = whole.partition("#")
            left += [replace(act, action=Go(f"{_path_of(url)}#{fragment}"))] if fragment else []
            continue
        there, here = urlsplit(whole), urlsplit(url)
        relative = _path_of(whole)
        is_same = (there.scheme, there.netloc) == (here.scheme, here.netloc)
        left.append(replace(act, action=Go(relative if is_same else whole)))
    return url, left


def _path_of(url: str) -> str:
    parts = urlsplit(url)
    path = urlunsplit(("", "", parts.path or "/", parts.query, parts.fragment))
    # Two slashes at the beginning would be a host.
    return f"/.{path}" if path.startswith("//") else path


def _plain(act: Act, url: str, notes: list[Note]) -> str | None:
    """An address without what is secret in it; None: none of the web."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or not _ADDRESS.fullmatch(url):
        notes.append(
            Note(
                act.line,
                "goto(…)",
                "it is no address of the web",
                "Write it as the path's url, with its host.",
            )
        )
        return None
    if parts.username is not None or parts.password is not None:
        notes.append(
            Note(
                act.line,
                "goto(…)",
                "the address held a user name or password, left out here",
                "Write http_login: {username: …, password: {env: …}}.",
            )
        )
    query = _SECRET_PARAMETER.sub("", parts.query).rstrip("&")
    if query != parts.query:
        notes.append(
            Note(
                act.line,
                "goto(…)",
                "the address held what looks like a key or token, left out here",
                "Reach the page by clicks, or write the parameter if it is no secret.",
            )
        )
    name = f"[{host}]" if ":" in host else host
    return urlunsplit(
        (parts.scheme, name if port is None else f"{name}:{port}", parts.path or "/", query, parts.fragment)
    )


def _hosts(acts: Sequence[Act]) -> Sequence[str]:
    found = []
    for act in acts:
        if isinstance(act.action, Go):
            try:
                found.append(urlsplit(act.action.url).hostname or "")
            except ValueError:
                continue
    hosts = tuple(dict.fromkeys(one for one in found if _HOST.fullmatch(one)))
    return hosts if len(hosts) > 1 else ()


def _one_text(acts: Sequence[Act], guesses: list[Guess]) -> list[Act]:
    """What was typed into a rich text editor as one act: the recorder finds it by the text so far, key by key."""
    left: list[Act] = []
    for act in acts:
        if not (isinstance(act.action, Fill) and act.action.locator.by is By.TEXT and act.typed):
            left.append(act)
            continue
        editor = Locator(By.CSS, "body" if act.frames else '[contenteditable="true"]')
        merged = replace(act, action=Fill(editor, act.action.value))
        before = left[-1] if left else None
        if before is not None and before.frames == act.frames and before.action == merged.action:
            left.pop()
        else:
            guesses.append(Guess(act.line, f"a rich text editor, found as {editor}"))
            if before is not None and isinstance(before.action, Click) and before.frames == act.frames != ():
                left.pop()  # into the editor
        left.append(merged)
    return left


def _without_moves(acts: Sequence[Act]) -> list[Act]:
    """Without the keys and clicks that only moved the focus: filling does that itself."""
    left: list[Act] = []
    for index, act in enumerate(acts):
        match act.action:
            case Press(key=key) if key in _MOVES:
                continue
            case Click(locator=locator):
                following = acts[index + 1] if index + 1 < len(acts) else None
                fills = following is not None and isinstance(following.action, Fill | Select | Upload)
                if fills and following is not None and _place(following) == (act.frames, locator):
                    continue
            case _:
                pass
        left.append(act)
    return left


def _without_banners(acts: Sequence[Act], guesses: list[Guess]) -> tuple[list[Act], Sequence[Locator]]:
    """Without the clicks that accept cookies: they are made wherever the banner comes up."""
    left, found = list[Act](), list[Locator]()
    for act in acts:
        if isinstance(act.action, Click) and not act.frames and accepts_cookies(act.action.locator):
            found.append(act.action.locator)
            guesses.append(Guess(act.line, "a banner, so it stands under dismiss"))
        else:
            left.append(act)
    return left, tuple(dict.fromkeys(found))


def _place(act: Act) -> tuple[tuple[Locator, ...], Locator | None]:
    return act.frames, getattr(act.action, "locator", None)


def _numbered(acts: Sequence[Act], *, ends_in_page: bool = False) -> Sequence[Step]:
    """The steps, with those that go into frames and out of them."""
    found: list[tuple[Action, float | None]] = []
    inside: tuple[Locator, ...] = ()
    for act in acts:
        is_placed = _place(act)[1] is not None or (
            isinstance(act.action, Wait | Confirm) and act.action.url is None
        )
        if is_placed and act.frames != inside:
            shared = len(inside) if act.frames[: len(inside)] == inside else 0
            found += [(Frame(None), None)] if inside and not shared else []
            found += [(Frame(one), None) for one in act.frames[shared:]]
            inside = act.frames
        found.append((act.action, act.timeout_seconds))
        if isinstance(act.action, Go):
            inside = ()  # a new page has none of them
    if inside and ends_in_page:
        found.append((Frame(None), None))
    return tuple(Step(number, action, timeout) for number, (action, timeout) in enumerate(found, 1))


def _warn(login: Sequence[Act], steps: Sequence[Act], notes: list[Note]) -> None:
    last = steps[-1].line if steps else 0
    if login and not isinstance(login[-1].action, Wait):
        notes.append(
            Note(
                login[-1].line,
                "",
                "nothing shows that the log-in went well",
                "Add a wait: to login: for something that only a customer who is logged in sees.",
            )
        )
    templates = {
        one.action.value.text
        for one in steps
        if isinstance(one.action, Fill) and isinstance(one.action.value, Template)
    }
    if steps and not templates & {"{{ subject }}", "{{ body }}"}:
        notes.append(
            Note(
                last,
                "",
                "no field takes the subject or the body, so a ticket could not be recognised",
                'Write with: "{{ subject }}" and with: "{{ body }}" where they belong.',
            )
        )
    if not any(isinstance(one.action, Submit) for one in steps):
        notes.append(
            Note(
                last,
                "",
                "nothing in it sends the request",
                "Add submit: with the button, and confirm: behind it.",
            )
        )
    elif not any(isinstance(one.action, Confirm) for one in steps):
        notes.append(
            Note(
                last,
                "",
                "nothing shows that the request was taken",
                "Complete confirm: with what the page shows then; the recorder's assertions become it.",
            )
        )
