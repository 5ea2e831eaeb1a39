"""What is rendered for a vendor: the steps for people, each with its source, and files that its API or tools take."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from runners.quarantine.facts import Facts

NOT_VERIFIED = "not verified"
"""Stands behind whatever no public source says."""


class Part(StrEnum):
    """What a quarantine has to keep a canary from, in the order of the page."""

    RULE = "The rule that marks a canary's ticket"
    GROUP = "Its group or queue"
    NOTIFICATIONS = "Notifications"
    VIEWS = "Agents' views"
    SLA = "Service levels"
    SURVEY = "Satisfaction surveys"
    REPORTS = "Reports"
    BOTS = "Bots and AI agents"
    LOOPS = "Loop and flood protections"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do or to know.

    Attributes:
        source: the address of the page that says so; None: no public one was found.
        tried: the real system on which the tests of this program saw it, with its version; None: on none.
    """

    text: str
    source: str | None = None
    tried: str | None = None

    @property
    def words(self) -> str:
        """The step with its source and where it was tried, or with the word that it has neither."""
        known = [f"tried on {self.tried}"] if self.tried else []
        known += [f"source: <{self.source}>"] if self.source else []
        return f"{self.text} ({'; '.join(known) or NOT_VERIFIED})"


@dataclass(frozen=True, slots=True)
class Rendered:
    """All that is rendered.

    Attributes:
        steps: at least one of each part.
        files: texts by file name; ``uses``: what each is for.
    """

    steps: Mapping[Part, tuple[Step, ...]]
    files: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    uses: Mapping[str, Step] = field(default_factory=lambda: MappingProxyType({}))


def as_json(value: object) -> str:
    """A body as an API takes it."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def guide_text(facts: Facts, rendered: Rendered, *, with_files: bool) -> str:
    """The page in Markdown; ``with_files``: the files stand in it, for who has only the page."""
    return "\n".join(_lines(facts, rendered, with_files=with_files)) + "\n"


def _lines(facts: Facts, rendered: Rendered, *, with_files: bool) -> Iterable[str]:
    name = f" {facts.name}" if facts.name else ""
    yield f"# Quarantine of canaries in {facts.product}{name}"
    yield ""
    yield from _head(facts)
    for part in Part:
        yield ""
        yield f"## {part}"
        yield ""
        for number, step in enumerate(rendered.steps[part], start=1):
            yield f"{number}. {step.words}"
    if rendered.files:
        yield ""
        yield "## Files"
        yield ""
        for name in rendered.files:
            yield f"- `{name}`: {rendered.uses[name].words}"
    if with_files:
        for name, text in rendered.files.items():
            fence = "json" if name.endswith(".json") else ""
            yield from ("", f"### {name}", "", f"```{fence}", text.rstrip("\n"), "```")
    yield ""
    yield "## Whether it works"
    yield ""
    yield from _check(facts)


def _head(facts: Facts) -> Iterable[str]:
    yield "Support agents, customers' surveys, service levels and reports must never meet a synthetic ticket. Closing it"
    yield "is not enough: routing, timers and mails start when a ticket is created. The rule runs inside the vendor, as late"
    yield "as it can, so that canary and customer go the same way until then."
    yield ""
    yield "Steps marked *tried* were seen to do so on the real system, of that version, with its stock settings. Steps marked"
    yield f"*{NOT_VERIFIED}* rest on no public source: try them in a sandbox first. Words that begin with REPLACE are yours to"
    yield "fill in."
    yield ""
    yield "A canary is known by both of these, and by nothing less, so that no customer is ever caught:"
    yield ""
    yield f"- its requester: {', '.join(f'`{one}`' for one in facts.requesters)}"
    yield f"- its subject, which begins with the word `{facts.marker}` (compared without case)"
    yield ""
    yield f"Its mail bears the header `{facts.header}` besides; a portal's or form's canary has no header."
    if facts.targets:
        yield f"It is sent to {', '.join(f'`{one}`' for one in facts.targets)}."


def _check(facts: Facts) -> Iterable[str]:
    name = facts.name or "NAME"
    yield "The prober looks whether a ticket bears the mark when it first sees it. Say which mark, and what to do:"
    yield ""
    yield "```yaml"
    yield "ticketing:"
    yield f"  {name}:"
    yield f"    # as before, and:\n    quarantine: {{{facts.mark_setting}}}"
    yield "paths:"
    yield f"  {facts.paths[0] if facts.paths else 'support-email'}:"
    yield "    # as before, and:\n    require_quarantine: true"
    yield "```"
    yield ""
    yield "After three canaries in a row without it nothing is launched by schedule. When the rule is mended, launch one by"
    yield "hand, `intake-prober run PATH`: if its ticket bears the mark, the schedule goes on."
