"""A hop that a launch skipped is never blamed."""

from canary.blame import hop_results, stop
from canary.hop import Hop
from canary.observation import Evidence, Observation, Outcome
from canary.reason import Reason, Side
from canary.signature import mint_id
from tests.fakes.clock import START
from tests.fakes.world import email_path


def test_lost_answer__after_a_connection_without_tls__is_blamed_itself() -> None:
    path = email_path()
    outcomes = [
        (Hop.DNS, Outcome.OK),
        (Hop.SMTP_CONNECT, Outcome.OK),
        (Hop.SMTP_TLS, Outcome.SKIPPED),
        (Hop.SMTP_AUTH, Outcome.SKIPPED),
        (Hop.SMTP_ACCEPT, Outcome.UNKNOWN),
    ]
    seen = [
        Observation(
            mint_id(START, b"abcd"),
            hop,
            outcome,
            Evidence.OBSERVED,
            START,
            START,
            reason=Reason.CONNECTION_LOST if outcome is Outcome.UNKNOWN else None,
            side=Side.TARGET if outcome is Outcome.UNKNOWN else None,
        )
        for hop, outcome in outcomes
    ]

    found = stop(path, hop_results(path, seen))

    assert (found.hop, found.reason, found.side) == (Hop.SMTP_ACCEPT, Reason.CONNECTION_LOST, Side.TARGET)
