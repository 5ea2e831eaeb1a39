"""The YAML document's word of what is known of a ticketing system that comes as a file."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

from typing import Annotated

from pydantic import Field, model_validator

from probes.ticketing.about import About, Fact, Guard, Known
from runners.config.block import Block
from runners.config.fields import Line, word


class FactDocument(Block):
    """Something that is said of a system, and how it is known."""

    says: Annotated[Line, Field(description="What is so.")]
    known: Annotated[Known, word(Known), Field(description="How it is known.")]
    source: Annotated[Line, Field(description="The page, the file, or the test that shows it.")]
    instead: Annotated[
        Line | None, Field(description="What holds where it is not so; needed of what is only remembered.")
    ] = None
    avoid: Annotated[Line | None, Field(description="Of a protection: what keeps it off.")] = None

    @model_validator(mode="after")
    def _has_a_way_out(self) -> "FactDocument":
        if self.known is Known.MEMORY and self.instead is None:
            raise ValueError(
                f"{self.says}: what is only remembered needs `instead`: what holds if it is not so"
            )
        return self

    def fact(self) -> Fact:
        """As the domain has it."""
        return Fact(self.says, self.known, self.source, self.instead or "")

    def guard(self) -> Guard:
        """As a protection."""
        return Guard(self.fact(), self.avoid or "")


class AboutDocument(Block):
    """What is known of the system; no setting: it is there to be read."""

    system: Annotated[Line, Field(description="Its name and version.")]
    met: Annotated[Line | None, Field(description="The real system that the tests start.")] = None
    contract: Annotated[Line | None, Field(description="The simulator of its published contract.")] = None
    rights: Annotated[list[FactDocument], Field(description="The rights that our user needs.")]
    view: Annotated[FactDocument, Field(description="Which endpoint is read.")]
    guards: Annotated[list[FactDocument], Field(description="Protections that may eat canaries.")] = []
    aside: Annotated[
        Line | None, Field(description="Why nothing of what it holds aside is shown, if so.")
    ] = None
    limits: Annotated[list[FactDocument], Field(description="What can't be had with fewer calls.")] = []

    def about(self) -> About:
        """As the domain has it."""
        return About(
            system=self.system,
            met=self.met or "",
            contract=self.contract or "",
            rights=tuple(one.fact() for one in self.rights),
            view=self.view.fact(),
            guards=tuple(one.guard() for one in self.guards),
            aside=self.aside or "",
            limits=tuple(one.fact() for one in self.limits),
        )
