"""What every mapping of the document has in common."""

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A mapping of the document: every key is known, every value has its type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)
