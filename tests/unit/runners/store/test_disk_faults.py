"""A full or broken disk is told apart from a store that is only locked: it is a cause of blindness of its own."""

import sqlite3

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from runners.store.faults import Faults


@pytest.mark.parametrize(
    ("name", "is_of_disk"), [("SQLITE_FULL", True), ("SQLITE_IOERR_WRITE", True), ("SQLITE_BUSY", False)]
)
def test_error_of_sqlite__says_whether_it_is_of_the_disk(name: str, is_of_disk: bool) -> None:
    cause = sqlite3.OperationalError("planted")
    cause.sqlite_errorname = name

    said = Faults(make_url("sqlite:///intake.db")).explain(OperationalError("INSERT", {}, cause))

    assert said.is_of_disk is is_of_disk
    assert name in str(said)
