"""A finding of `check` names file and line of the key that it is about."""

from pathlib import Path

from probes.contracts import Check, CheckState
from probes.masking import Masker
from runners.check_places import placer
from runners.checks import CheckSource, run_checks
from tests.fakes.clock import FakeClock, run_jumping

TEXT = """\
ticketing:
  desk:
    auth:
      exchange:
        post: /login
    find:
      recent:
        query: {since: x}
        read:
          - get: /one
          - get: /two
"""


def _file(folder: Path) -> Path:
    file = folder / "intake.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def test_key_that_is_in_the_file__has_its_line(tmp_path: Path) -> None:
    file = _file(tmp_path)

    assert placer(file)("desk: ticketing.desk.auth.exchange: POST /login answered 401.") == (
        f"desk: {file}:4: ticketing.desk.auth.exchange: POST /login answered 401."
    )
    assert f"{file}:11: " in placer(file)("ticketing.desk.find.recent.read[1]: it is refused")


def test_key_that_a_preset_says__has_the_line_of_what_is_above_it(tmp_path: Path) -> None:
    assert ":2: ticketing.desk.sight: " in placer(_file(tmp_path))("ticketing.desk.sight: refused")


def test_finding_without_a_key_or_a_file__stays_as_it_is(tmp_path: Path) -> None:
    assert placer(_file(tmp_path))("it could not be reached") == "it could not be reached"
    assert placer(tmp_path / "none.yaml")("ticketing.desk.sight: refused") == "ticketing.desk.sight: refused"


def test_failed_check__is_placed_and_one_in_order_is_not(tmp_path: Path) -> None:
    states = [CheckState.OK, CheckState.FAIL]

    async def both() -> list[Check]:
        return [Check("desk", one.value, one, "ticketing.desk.auth.exchange: …") for one in states]

    clock = FakeClock()
    sources = [CheckSource("desk", both)]
    placed = placer(_file(tmp_path))
    failed, fine = run_jumping(
        clock, run_checks(sources, clock=clock, masker=Masker(), found=lambda _: None, placed=placed)
    )

    assert ":4: ticketing.desk" in failed.finding
    assert fine.finding == "ticketing.desk.auth.exchange: …"
