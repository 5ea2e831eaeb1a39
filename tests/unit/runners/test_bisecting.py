"""A hidden path for each that names a place to bisect: the same canary, past the mail platform."""

from pathlib import Path

from canary.hop import Hop
from canary.path import PathName, Reply
from runners.bisecting import with_bisects
from runners.config.sending import EmailConfig
from tests.unit.runners.config.examples import FULL, changed, read

HIDDEN = PathName("support-email.bisect")


def test_path_with_a_place_to_bisect__has_a_hidden_one_that_nothing_launches(tmp_path: Path) -> None:
    text = changed("    reply: true\n", "    reply: true\n    bisect: acme@inbound.vendor.example\n")
    config = with_bisects(read(tmp_path, text))

    hidden = config.paths[HIDDEN]

    assert hidden.schedule is None
    assert hidden.target == "acme@inbound.vendor.example"
    assert isinstance(hidden.sending, EmailConfig)
    assert (hidden.sending.to, hidden.sending.bisect_to) == ("acme@inbound.vendor.example", None)
    assert hidden.path.reply is Reply.IGNORED
    assert not {Hop.MAILBOX_ARRIVAL, Hop.REPLY_RECEIVED} & set(hidden.path.route)
    assert hidden.path.ticketing == "desk"


def test_path_without_one__has_none(tmp_path: Path) -> None:
    config = read(tmp_path, FULL)

    assert with_bisects(config) is config
