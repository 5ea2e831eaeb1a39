"""What every mapping of the document has in common."""

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A mapping of the document: every key is known, every value has its type.

    Where one is the default of another, it is written as ``model_construct()``: it has nothing to check, and its
    schema, which takes milliseconds to make, is made only for who writes such a mapping.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)
