"""The e-mail sink against the sandbox's submission server, and a server that refuses as it is told."""

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from email import message_from_bytes

import pytest

from runners.alerts.contracts import ReadSecret, Undelivered
from runners.alerts.email import Email, Relay
from runners.alerts.posting import client_context
from runners.clock import SystemClock
from tests.real.sandbox_mail import wait_for_mails
from tests.real.scripted_http import closed_port
from tests.real.scripted_smtp import CUT, SILENT, Script, scripted
from tests.sandbox import Sandbox, start_sandbox
from tests.unit.runners.alerts.cases import KNOWN, a_concern, an_alert, resolved

TO = ("oncall@pager.example", "b@pager.example")


def password(value: str) -> ReadSecret:
    async def read() -> str:
        return value

    return read


def mask(text: str) -> str:
    return text.replace("planted-password", "***")


def plain(port: int, **limits: float) -> Email:
    relay = Relay("127.0.0.1", port, "none", "alerts", None, False, client_context)
    return Email("mail", "alerts@other.example", TO, relay, SystemClock(), mask, KNOWN, **limits)


def tried(script: Script, times: int, **limits: float) -> list[Undelivered | None]:
    """One sink delivers the same alert so often."""

    async def main() -> list[Undelivered | None]:
        async with scripted(script) as server:
            sink, outcomes = plain(server.port, **limits), list[Undelivered | None]()
            for _ in range(times):
                try:
                    await sink.deliver(an_alert())
                except Undelivered as error:
                    outcomes.append(error)
                else:
                    outcomes.append(None)
            return outcomes

    return asyncio.run(main())


def refused(answers: Mapping[str, str]) -> Undelivered | None:
    async def main() -> Undelivered | None:
        async with scripted(Script(answers={verb: [said] for verb, said in answers.items()})) as server:
            try:
                await plain(server.port).deliver(an_alert())
            except Undelivered as error:
                return error
            return None

    return asyncio.run(main())


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


def to_support(sandbox: Sandbox, *, secret: str | None = None, trusting: bool = True) -> Email:
    def tls() -> ssl.SSLContext:
        return client_context((sandbox.endpoints.ca_file,) if trusting else ())

    account = sandbox.canary
    relay = Relay(
        host="localhost",
        port=sandbox.endpoints.submission_port,
        mode="starttls",
        username=account.address,
        secret=password(secret or account.password),
        is_token=False,
        tls=tls,
    )
    return Email("mail", account.address, (sandbox.support.address,), relay, SystemClock(), mask, KNOWN)


def test_incident_and_its_end__arrive_as_one_thread_that_nothing_answers(sandbox: Sandbox) -> None:
    sink = to_support(sandbox)
    asyncio.run(sink.deliver(an_alert()))
    asyncio.run(sink.deliver(resolved()))

    first, last = (message_from_bytes(one) for one in wait_for_mails(sandbox, 2))
    assert str(first["Subject"]).startswith("PAGE: support-email broken")
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["References"] == last["References"] == last["In-Reply-To"]
    assert first["Message-ID"] != last["Message-ID"]
    body = first.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert "Customers: their mail is accepted" in body.decode().replace("\r\n", "\n")


def test_wrong_password__may_be_corrected_and_is_not_shown(sandbox: Sandbox) -> None:
    with pytest.raises(Undelivered) as error:
        asyncio.run(to_support(sandbox, secret="planted-password").deliver(an_alert()))

    assert error.value.permanent is False
    assert "the log-in was refused with 535" in str(error.value)
    assert "planted" not in str(error.value)


def test_certificate_of_nobody_that_we_trust__gets_no_password(sandbox: Sandbox) -> None:
    with pytest.raises(Undelivered) as error:
        asyncio.run(to_support(sandbox, trusting=False).deliver(an_alert()))

    assert error.value.permanent is False


@pytest.mark.parametrize(
    ("answers", "permanent"),
    [
        ({"MAIL": "550 5.7.1 not you"}, True),
        ({"MAIL": "451 4.7.0 later"}, False),
        ({"RCPT": "550 5.1.1 nobody"}, True),
        ({"RCPT": "452 4.2.2 full"}, False),
        ({"DATA": "554 5.6.0 no"}, True),
        ({".": "552 5.2.2 full"}, True),
        ({".": "451 4.3.0 later"}, False),
        ({"banner": "554 5.3.2 no service"}, False),
    ],
)
def test_refusal__is_for_good_where_it_is_about_the_mail(answers: Mapping[str, str], permanent: bool) -> None:
    error = refused(answers)

    assert error is not None
    assert error.permanent is permanent
    assert str(error).startswith("mail: ")


def test_server_that_takes_it__is_asked_no_more() -> None:
    assert refused({"QUIT": "421 gone"}) is None


def test_nobody_listens__may_pass() -> None:
    with pytest.raises(Undelivered) as error:
        asyncio.run(plain(closed_port()).deliver(an_alert()))

    assert error.value.permanent is False


def test_relay_whose_filter_takes_longer_than_the_log_in_may__delivers_once() -> None:
    script = Script(pauses={".": 1.0})

    assert tried(script, 1, begin_seconds=0.7) == [None]
    assert len(script.mails) == 1


@pytest.mark.parametrize("ending", [SILENT, CUT])
def test_answer_that_is_lost_twice__counts_as_delivered_and_says_so(
    ending: str, caplog: pytest.LogCaptureFixture
) -> None:
    script = Script(answers={".": [ending]})

    first, *rest = tried(script, 3, answer_seconds=0.3)

    assert first is not None
    assert first.permanent is False
    assert "perhaps delivered" in str(first)
    assert rest == [None, None]
    assert len(script.mails) == 2
    assert [one.getMessage() for one in caplog.records] == ["alert_not_confirmed"]


def test_silence_before_the_mail__is_never_taken_for_a_delivery() -> None:
    outcomes = tried(Script(answers={"DATA": [SILENT]}), 3, begin_seconds=0.3)

    assert [one is not None and not one.permanent for one in outcomes] == [True, True, True]


def test_recipient_who_is_put_off__gets_the_mail_later_and_the_other_one_once() -> None:
    script = Script(answers={"RCPT": ["250 ok", "451 4.7.1 greylisted", "250 ok"]})

    first, second, third = tried(script, 3)

    assert first is not None
    assert first.permanent is False
    assert "b@pager.example: 451 4.7.1 greylisted" in str(first)
    assert (second, third) == (None, None)
    assert [one.split("<")[1] for one in script.commands if one.startswith("RCPT")] == [
        "oncall@pager.example>",
        "b@pager.example>",
        "b@pager.example>",
    ]
    assert len(script.mails) == 2


def test_recipient_who_is_refused_for_good__is_named_and_the_other_one_is_served(
    caplog: pytest.LogCaptureFixture,
) -> None:
    script = Script(answers={"RCPT": ["550 5.1.1 nobody", "250 ok"]})

    async def main() -> str | None:
        async with scripted(script) as server:
            return await plain(server.port).deliver(an_alert())

    never = asyncio.run(main())

    assert never == "recipients who will never get it: oncall@pager.example: 550 5.1.1 nobody"
    assert len(script.mails) == 1
    (record,) = caplog.records
    assert "oncall@pager.example: 550 5.1.1 nobody" in vars(record)["detail"]


def test_one_refused_and_one_put_off__may_pass_and_names_both() -> None:
    (error,) = tried(Script(answers={"RCPT": ["550 5.1.1 nobody", "451 4.7.1 later"]}), 1)

    assert error is not None
    assert error.permanent is False
    assert "oncall@pager.example: 550" in str(error)
    assert "b@pager.example: 451" in str(error)


def test_line_that_begins_with_a_dot__does_not_end_the_mail() -> None:
    script = Script()
    dotted = an_alert(a_concern(detail=".\n.hidden"), prober=".fra")

    async def main() -> None:
        async with scripted(script) as server:
            await plain(server.port).deliver(dotted)

    asyncio.run(main())

    assert len(script.mails) == 1
