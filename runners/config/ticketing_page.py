"""The page that tells of every ticketing system what its adapter can do (docs/ticketing.md), out of the adapters."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from canary.observation import Depth
from probes.contracts import View
from probes.ticketing import helpdesk_about, rt_about
from probes.ticketing.about import Abilities, About, Fact, Known
from runners.config.document_about import AboutDocument
from runners.config.document_ticketing_http import HttpTicketingDocument
from runners.config.document_ticketing_looks import LookDocument
from runners.config.presets import preset_names, preset_tree

_INTRODUCTION: Final = """\
# Ticketing systems: what each adapter can do

Generated out of the adapters by `python -m runners.config.ticketing_page`; a test compares it. What is true of all of them is in
[adapters](adapters.md); what real systems do that bites, in [what real ones do](ticketing-systems.md); any other system with a
REST interface, in [`type: http`](guides/ticketing-http.md); how many calls and bytes a look costs, in [benchmarks](benchmarks.md).

**Met** says whether the adapter has met the real system, in the tests, or only its published contract, as a simulator. What has met only
a contract may be wrong where the contract is silent: try it with `intake-prober check` and one canary by hand before you rely on it.
"""
_KNOWN: Final = {
    Known.DOCUMENTED: "documented",
    Known.SOURCE: "in its source",
    Known.SEEN: "seen",
    Known.MEMORY: "**only remembered**",
}
_TAG: Final = re.compile(r"\btag\b")


def systems() -> dict[str, tuple[About, Abilities]]:
    """All systems, by `type`: those with a module of their own, then those that come as a file."""
    own = {
        "helpdesk": (helpdesk_about.ABOUT, helpdesk_about.ABILITIES),
        "rt": (rt_about.ABOUT, rt_about.ABILITIES),
    }
    return {**own, **{name: (about_of(name), abilities_of(name)) for name in preset_names()}}


def about_of(preset: str) -> About:
    """What a preset's file says of its system.

    Raises:
        ValueError: it says nothing, or not all.
    """
    tree: Any = preset_tree(preset)
    if "about" not in tree:
        raise ValueError(
            f"probes/ticketing/presets/{preset}.yaml has no about: say what is known, with its source"
        )
    return AboutDocument.model_validate(tree["about"], strict=False).about()


def abilities_of(preset: str) -> Abilities:
    """What a preset can do, by its own requests."""
    tree: Any = {key: one for key, one in preset_tree(preset).items() if key != "about"}
    document = HttpTicketingDocument.model_validate(
        {**tree, "type": "http", "url": "https://vendor.example"}, strict=False
    )
    looks = list(document.find.values())
    maps = [document.ticket, *(one.ticket for look in looks for one in look.read)]
    files = [one.files for one in maps if one.files is not None]
    maps += [one.ticket for one in document.read]
    closing = document.clean.close
    writes = json.dumps([one.model_dump(mode="json") for one in closing])
    batch = max((one.batch or 1 for one in closing), default=1)
    tags = " ".join(json.dumps(one.model_dump(mode="json")["tags"]) for one in maps if one.tags is not None)
    is_written = _TAG.search(writes) is not None or any(
        one in writes for one in re.findall(r"\b[A-Z]\w+", tags)
    )
    return Abilities(
        poll=_calls([one for one in looks if Depth.POLL in one.when], document),
        wide=_calls([one for one in looks if Depth.DEADLINE in one.when], document),
        close=f"{batch} at once" if batch > 1 else "one by one",
        delete=bool(document.clean.delete),
        tag="yes" if tags and is_written else "none",
        channel=any(one.channel is not None for one in maps),
        files="none" if not files else "compared" if any(one.url for one in files) else "names only",
        aside=", ".join(document.diverted),
        budget=", ".join(_headers(document)),
        view=", ".join(sorted({_view(one) for one in looks})),
        cap=str(tree.get("cap", "none")),
    )


def _calls(looks: Sequence[LookDocument], document: HttpTicketingDocument) -> str:
    """What looks cost besides further pages."""
    parts = []
    for look in looks:
        each = {
            "requesters": "1 call a sender",
            "tokens": f"1 call for {look.chunk} canaries",
            None: "1 call for all",
        }
        reads = len(look.read or document.read)
        parts.append(each[look.per] + (f", {reads} a ticket of ours" if reads else ""))
    return "; ".join(parts)


def _view(look: LookDocument) -> str:
    return "strong" if look.view is View.STRONG else f"eventual, {look.lag:g} s"


def _headers(document: HttpTicketingDocument) -> list[str]:
    """The header fields in which rate limits are told."""
    found = json.dumps({name: one.model_dump(mode="json") for name, one in document.budget.items()})
    return [f"`{one}`" for one in dict.fromkeys(re.findall(r'"header": "([^"]+)"', found))]


def ticketing_page() -> str:
    """docs/ticketing.md as text."""
    found = systems()
    sections = [_INTRODUCTION, _met(found), _can(found)]
    sections += [_section(name, about) for name, (about, _) in found.items()]
    return "\n".join(sections)


def _met(found: dict[str, tuple[About, Abilities]]) -> str:
    rows = [
        (
            f"[`{name}`](#{name})",
            about.system,
            about.met or "**no**",
            about.contract or "",
            f"{can.view}: {about.view.says}",
            _remembered(about),
        )
        for name, (about, can) in found.items()
    ]
    other = (
        "`http`",
        "any, by configuration",
        "helpdesk and rt, by the guide's configurations",
        "",
        "as configured",
        "0",
    )
    head = ("`type`", "system", "met the real one", "met its contract", "view", "facts only remembered")
    return _table("What each has met", head, [*rows, other])


def _can(found: dict[str, tuple[About, Abilities]]) -> str:
    rows = [
        (
            f"`{name}`",
            can.poll,
            can.wide,
            can.aside or "no",
            can.close,
            "yes" if can.delete else "no",
            can.tag,
            "yes" if can.channel else "none kept",
            can.files,
            can.budget or "not told",
            can.cap,
        )
        for name, (_, can) in found.items()
    ]
    head = (
        "`type`",
        "poll look",
        "deadline look",
        "held aside is seen",
        "closes",
        "deletes",
        "tags",
        "channel",
        "files",
    )
    return _table("What each can do", (*head, "budget by", "`cap` by default"), rows)


def _section(name: str, about: About) -> str:
    lines = [f"## {name}", f"{about.system}.", ""]
    if about.aside:
        lines += [f"What it holds aside is not shown: {about.aside}.", ""]
    rows = [("right", *_cells(one), "") for one in about.rights]
    rows.append(("view", *_cells(about.view), ""))
    rows += [("protection", *_cells(one.fact), one.avoid) for one in about.guards]
    rows += [("limit", *_cells(one), "") for one in about.limits]
    head = ("", "what is so", "known", "do")
    return "\n".join(lines) + _rows(head, rows)


def _cells(fact: Fact) -> tuple[str, str]:
    says = f"{fact.says} (if not: {fact.instead})" if fact.instead else fact.says
    return says, f"{_KNOWN[fact.known]}: {fact.source}"


def _remembered(about: About) -> str:
    return str(sum(one.known is Known.MEMORY for one in about.facts()))


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f"## {title}\n\n{_rows(head, rows)}"


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(_cell(one) for one in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


def write_page(page: Path) -> None:
    """Write docs/ticketing.md anew: ``python -m runners.config.ticketing_page``, after a change of an adapter."""
    page.write_text(ticketing_page(), encoding="utf-8")


if __name__ == "__main__":
    write_page(Path(__file__).parents[2] / "docs" / "ticketing.md")
