"""Where not one ticket is shown, the commonest cause is named first: a wrong key that is taken for nobody."""

from pathlib import Path

from probes.contracts import CheckState
from probes.masking import DETAIL_CHARACTERS
from tests.fakes.odd_desk import CONFIGURATION
from tests.unit.probes.ticketing.generic.scene import Scene

SIGHT = CONFIGURATION.replace(
    "sight: {get: /v1/me, must: me.name}", "sight: [{get: /v1/tickets, tickets: data}]"
)


def test_look_without_any_ticket__names_a_wrong_key_first_and_fits_a_detail(tmp_path: Path) -> None:
    scene = Scene(tmp_path, configuration=SIGHT)

    said = str(scene.blind(scene.canary()))

    assert "not one ticket is shown" in said
    assert said.index("Look at our key") < said.index("what our user may see")
    assert len(said) <= DETAIL_CHARACTERS


def test_check_without_any_ticket__names_a_wrong_key_first(tmp_path: Path) -> None:
    scene = Scene(tmp_path, configuration=SIGHT)

    search, *_ = scene.run(lambda system: system.check())

    assert search.state is CheckState.WARN
    assert search.remedy.startswith("Look at our key first")


def test_look_where_a_field_was_renamed__names_what_there_is_instead_as_check_does(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.desk.add("somebody else's words", mail="customer@acme.test")
    scene.desk.without = {"title"}

    said = str(scene.blind(scene.canary()))

    assert "ticketing.desk.ticket.subject: the field is not in the one ticket that is shown." in said
    assert "There are: id, " in said
    assert "somebody" not in said
