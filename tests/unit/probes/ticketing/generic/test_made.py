"""An answer to the making of a ticket that tells no id: what is most likely, and what to do."""

from pathlib import Path

import httpx
import pytest

from probes.contracts import Blind
from tests.unit.probes.ticketing.generic.scene import Scene


def refused(tmp_path: Path, answer: httpx.Response) -> str:
    scene = Scene(tmp_path)
    scene.desk.answer = lambda request: (
        answer if request.method == "POST" and "/v1/" in str(request.url) else None
    )

    with pytest.raises(Blind) as caught:
        scene.run(lambda system: system.create(subject="one", body="two", requester="canary@probe.test"))

    return str(caught.value)


def test_making_that_is_answered_without_content__names_a_wrong_key(tmp_path: Path) -> None:
    said = refused(tmp_path, httpx.Response(204))

    assert (
        "ticketing.desk.create.id: POST https://odd.acme.test/v1/tickets was answered 204 without content"
        in said
    )
    assert "most likely no ticket was made. Look at our key first" in said


def test_making_whose_answer_has_the_id_elsewhere__names_what_there_is(tmp_path: Path) -> None:
    said = refused(tmp_path, httpx.Response(201, json={"made": {"number": 7}}))

    assert "was answered 201, which does not tell the id" in said
    assert said.endswith("There are: number.")
