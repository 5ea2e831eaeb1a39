"""What is loaded and checked late: only what a file says, with the same answers as if all of it had been."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from runners.config import schema  # noqa: F401 -- brings every document with it
from runners.config.block import Block
from runners.config.document import Document
from runners.config.load import KEYS


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in model.__subclasses__():
        yield one
        yield from _below(one)


WITHOUT_NEEDS = sorted(
    {one for one in _below(Block) if not any(field.is_required() for field in one.model_fields.values())},
    key=lambda one: one.__name__,
)


def test_the_files_own_keys__are_the_documents() -> None:
    assert list(KEYS) == list(Document.model_fields)


@pytest.mark.parametrize("model", WITHOUT_NEEDS, ids=lambda one: one.__name__)
def test_mapping_of_which_nothing_is_said__is_what_its_check_makes_of_nothing(model: type[BaseModel]) -> None:
    assert model.model_construct() == model.model_validate({})
    assert model.model_construct().model_fields_set == model.model_validate({}).model_fields_set
