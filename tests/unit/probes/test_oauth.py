import asyncio
import json
import sys
from collections.abc import Callable
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from probes.masking import Masker, Secret
from probes.oauth import AccessToken, TokenSource
from probes.oauth_command import TokenCommand
from probes.oauth_grants import GoogleServiceAccount, MicrosoftClientCredentials, RefreshToken, seconds_of
from probes.servers import SecretUnavailable
from tests.fakes.answers import Answering
from tests.fakes.clock import FakeClock, run_jumping

Handler = Callable[[httpx.Request], httpx.Response]


class _Literal:
    def __init__(self, value: str) -> None:
        self.value = value

    async def read(self, *, renew: bool = False) -> Secret:
        del renew
        return Secret(self.value)


class _Grant:
    source = "https://tokens.test/token"

    def __init__(
        self, clock: FakeClock, *, lifetime_seconds: float | None = 100.0, takes_seconds: float = 0
    ) -> None:
        self.clock = clock
        self.lifetime_seconds = lifetime_seconds
        self.takes_seconds = takes_seconds
        self.count = 0
        self.fails = False

    async def fetch(self) -> AccessToken:
        self.count += 1
        await self.clock.sleep(self.takes_seconds)
        if self.fails:
            raise SecretUnavailable(f"{self.source}: refused")
        return AccessToken(Secret(f"token-number-{self.count}"), self.lifetime_seconds)


def _client(handler: Handler) -> Callable[[], httpx.AsyncClient]:
    return lambda: httpx.AsyncClient(transport=Answering(handler))


def _answers(status: int, **body: object) -> tuple[list[dict[str, str]], Handler]:
    forms: list[dict[str, str]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        forms.append({key: values[0] for key, values in parse_qs(request.content.decode()).items()})
        return httpx.Response(status, json=body)

    return forms, handle


def test_token__is_kept_until_shortly_before_its_end() -> None:
    clock = FakeClock()
    grant = _Grant(clock)
    source = TokenSource(grant, clock=clock, masker=Masker())

    async def main() -> list[str]:
        first = await source.read()
        clock.advance(79)
        second = await source.read()
        clock.advance(2)
        third = await source.read()
        return [one.reveal() for one in (first, second, third)]

    assert run_jumping(clock, main()) == ["token-number-1", "token-number-1", "token-number-2"]


def test_refused_token__is_renewed_at_once() -> None:
    clock = FakeClock()
    source = TokenSource(_Grant(clock), clock=clock, masker=Masker())

    async def main() -> list[str]:
        return [(await source.read()).reveal(), (await source.read(renew=True)).reveal()]

    assert run_jumping(clock, main()) == ["token-number-1", "token-number-2"]


def test_callers_at_the_same_time__share_one_renewal() -> None:
    clock = FakeClock()
    grant = _Grant(clock, takes_seconds=1)
    source = TokenSource(grant, clock=clock, masker=Masker())

    async def main() -> set[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(source.read()) for _ in range(5)]
        return {task.result().reveal() for task in tasks}

    assert run_jumping(clock, main()) == {"token-number-1"}
    assert grant.count == 1


def test_renewal_ahead_of_time_that_fails__leaves_the_old_token_until_its_end() -> None:
    clock = FakeClock()
    grant = _Grant(clock)
    source = TokenSource(grant, clock=clock, masker=Masker())

    async def main() -> str:
        await source.read()
        grant.fails = True
        clock.advance(90)
        kept = await source.read()
        clock.advance(20)
        with pytest.raises(SecretUnavailable, match="refused"):
            await source.read()
        return kept.reveal()

    assert run_jumping(clock, main()) == "token-number-1"


def test_renewal_that_fails_after_a_refusal__never_gives_the_refused_token() -> None:
    clock = FakeClock()
    grant = _Grant(clock)
    source = TokenSource(grant, clock=clock, masker=Masker())

    async def main() -> None:
        await source.read()
        grant.fails = True
        with pytest.raises(SecretUnavailable):
            await source.read(renew=True)

    run_jumping(clock, main())


def test_endpoint_that_stays_silent__is_an_error_within_the_limit() -> None:
    clock = FakeClock()
    source = TokenSource(_Grant(clock, takes_seconds=3600), clock=clock, masker=Masker(), fetch_seconds=15)

    with pytest.raises(SecretUnavailable, match=r"tokens\.test/token: no access token within 15 s"):
        run_jumping(clock, source.read())

    assert clock.monotonic() == 1015.0


def test_every_token__is_masked_from_then_on() -> None:
    clock, masker = FakeClock(), Masker()
    source = TokenSource(_Grant(clock), clock=clock, masker=masker)

    run_jumping(clock, source.read())

    assert masker.mask("it was token-number-1 indeed") == "it was *** indeed"
    assert "token-number-1" not in repr(source)


def test_token_that_was_replaced__is_masked_for_another_hour_and_then_forgotten() -> None:
    clock, masker = FakeClock(), Masker()
    source = TokenSource(_Grant(clock, lifetime_seconds=1800.0), clock=clock, masker=masker)
    masked: list[str] = []

    async def main() -> None:
        await source.read()
        for _ in range(4):
            clock.advance(1801)
            await source.read()
            masked.append(masker.mask("token-number-1 token-number-2"))

    run_jumping(clock, main())

    assert masked == ["*** ***", "*** ***", "token-number-1 ***", "token-number-1 token-number-2"]


def test_token_that_is_given_out_again__stays_masked() -> None:
    clock, masker = FakeClock(), Masker()

    class Same(_Grant):
        async def fetch(self) -> AccessToken:
            return AccessToken(Secret("the-same-token"), self.lifetime_seconds)

    source = TokenSource(Same(clock, lifetime_seconds=1800.0), clock=clock, masker=masker)

    async def main() -> None:
        for _ in range(6):
            await source.read()
            clock.advance(1801)

    run_jumping(clock, main())

    assert masker.mask("it was the-same-token") == "it was ***"


def _key_file(token_uri: str = "https://google.test/token") -> tuple[rsa.RSAPrivateKey, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {"client_email": "prober@p.test", "private_key": pem.decode(), "token_uri": token_uri}
    return key, json.dumps({**account, "private_key_id": "k1", "type": "service_account"})


def test_google__signs_an_assertion_for_the_mailbox_and_exchanges_it() -> None:
    key, text = _key_file()
    clock = FakeClock()
    forms, handler = _answers(200, access_token="ya29.abcdefgh", expires_in=3599)
    grant = GoogleServiceAccount(
        _Literal(text), "support@acme.test", clock=clock, masker=Masker(), client=_client(handler)
    )

    token = asyncio.run(grant.fetch())

    assert (token.secret.reveal(), token.lifetime_seconds) == ("ya29.abcdefgh", 3599.0)
    assert forms[0]["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    claims = jwt.decode(
        forms[0]["assertion"],
        key.public_key(),
        algorithms=["RS256"],
        audience="https://google.test/token",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["iss"] == "prober@p.test"
    assert claims["sub"] == "support@acme.test"
    assert claims["scope"] == "https://mail.google.com/"
    assert claims["exp"] - claims["iat"] == 3300
    assert claims["iat"] == int(clock.now().timestamp())


@pytest.mark.parametrize("text", ["{}", "no json", '{"client_email": "a", "private_key": 5}', "[]"])
def test_google_key_file_that_is_none__is_an_error_with_the_remedy(text: str) -> None:
    _, handler = _answers(200, access_token="x")
    grant = GoogleServiceAccount(
        _Literal(text), "a@b.test", clock=FakeClock(), masker=Masker(), client=_client(handler)
    )

    with pytest.raises(SecretUnavailable, match="is no key file"):
        asyncio.run(grant.fetch())


def test_google_key_that_is_no_key__is_an_error_that_does_not_show_it() -> None:
    text = json.dumps({"client_email": "a@b.test", "private_key": "hush-hush-not-a-key"})
    _, handler = _answers(200, access_token="x")
    grant = GoogleServiceAccount(
        _Literal(text), "a@b.test", clock=FakeClock(), masker=Masker(), client=_client(handler)
    )

    with pytest.raises(SecretUnavailable, match="no RSA key") as caught:
        asyncio.run(grant.fetch())

    assert "hush" not in str(caught.value)


def test_microsoft__asks_for_its_scope_with_its_own_credential() -> None:
    forms, handler = _answers(200, access_token="eyJ0eXAi", expires_in="3599")
    grant = MicrosoftClientCredentials(
        "acme.test", client_id=_Literal("app-1"), client_secret=_Literal("s3cret"), client=_client(handler)
    )

    token = asyncio.run(grant.fetch())

    assert (token.secret.reveal(), token.lifetime_seconds) == ("eyJ0eXAi", 3599.0)
    assert forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "app-1",
            "client_secret": "s3cret",
            "scope": "https://outlook.office365.com/.default",
        }
    ]
    assert grant.source == "https://login.microsoftonline.com/acme.test/oauth2/v2.0/token"


def test_microsoft_refusal__names_endpoint_code_and_remedy_but_no_secret() -> None:
    description = "AADSTS7000222: The provided client secret s3cret is expired. Trace: 77"
    _, handler = _answers(401, error="invalid_client", error_description=description)
    grant = MicrosoftClientCredentials(
        "acme.test", client_id=_Literal("app-1"), client_secret=_Literal("s3cret"), client=_client(handler)
    )

    with pytest.raises(SecretUnavailable) as caught:
        asyncio.run(grant.fetch())

    assert str(caught.value) == (
        "https://login.microsoftonline.com/acme.test/oauth2/v2.0/token: no access token"
        " (invalid_client, AADSTS7000222). The client's id or secret is wrong or has ended: renew it."
    )


@pytest.mark.parametrize(
    "handler",
    [
        lambda _: httpx.Response(503, text="<html>busy</html>"),
        lambda _: httpx.Response(200, text="<html>portal</html>"),
        lambda _: httpx.Response(302, headers={"Location": "https://elsewhere.test/"}),
        lambda _: httpx.Response(200, json={"access_token": 5}),
        lambda _: httpx.Response(400, json={"error": {"nested": True}}),
        lambda _: httpx.Response(200, content=b"[" * 100_000),
    ],
    ids=["503", "html", "redirect", "number", "nested", "endless"],
)
def test_answer_that_is_none_of_oauth__is_an_error_that_names_the_endpoint(handler: Handler) -> None:
    grant = MicrosoftClientCredentials(
        "t", client_id=_Literal("a"), client_secret=_Literal("b"), client=_client(handler)
    )

    with pytest.raises(SecretUnavailable, match=r"login\.microsoftonline\.com/t/oauth2"):
        asyncio.run(grant.fetch())


def test_endpoint_that_can_not_be_reached__is_an_error_without_the_request() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("all about client_secret=s3cret", request=request)

    grant = MicrosoftClientCredentials(
        "t", client_id=_Literal("a"), client_secret=_Literal("s3cret"), client=_client(refuse)
    )

    with pytest.raises(SecretUnavailable, match="ConnectError") as caught:
        asyncio.run(grant.fetch())

    assert "s3cret" not in str(caught.value)


class _Rotating:
    def __init__(self) -> None:
        self.good = {"first"}
        self.forms: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = {key: values[0] for key, values in parse_qs(request.content.decode()).items()}
        self.forms.append(form)
        if form["refresh_token"] not in self.good:
            return httpx.Response(400, json={"error": "invalid_grant"})
        following = f"refresh-{len(self.forms)}"
        self.good = {following}
        return httpx.Response(
            200, json={"access_token": "t" * 8, "refresh_token": following, "expires_in": 60}
        )


def test_refresh_token_that_is_rotated__is_used_from_then_on_and_told() -> None:
    endpoint, told = _Rotating(), list[str]()
    grant = RefreshToken(
        "https://tokens.test/token?x=1",
        client_id=_Literal("client"),
        refresh_token=_Literal("first"),
        masker=Masker(),
        client=_client(endpoint),
        tell=told.append,
    )

    async def main() -> None:
        for _ in range(3):
            await grant.fetch()

    asyncio.run(main())

    assert [form["refresh_token"] for form in endpoint.forms] == ["first", "refresh-1", "refresh-2"]
    assert len(told) == 3
    assert told[0].startswith("https://tokens.test/token: the provider gave out a new refresh token.")
    assert not any("refresh-" in one for one in told)


def test_rotated_refresh_tokens__are_masked_while_they_are_used_and_one_rotation_longer() -> None:
    masker = Masker()
    grant = RefreshToken(
        "https://tokens.test/token",
        client_id=_Literal("client"),
        refresh_token=_Literal("first"),
        masker=masker,
        client=_client(_Rotating()),
    )

    async def main() -> None:
        for _ in range(3):
            await grant.fetch()

    asyncio.run(main())

    assert masker.mask("refresh-1 refresh-2 refresh-3") == "refresh-1 *** ***"


def test_rotated_refresh_token_that_is_refused__gives_way_to_the_configured_one() -> None:
    endpoint, configured = _Rotating(), _Literal("first")
    grant = RefreshToken(
        "https://tokens.test/token",
        client_id=_Literal("client"),
        refresh_token=configured,
        masker=Masker(),
        client=_client(endpoint),
    )

    async def main() -> None:
        await grant.fetch()
        configured.value = "second"
        endpoint.good = {"second"}
        await grant.fetch()

    asyncio.run(main())

    assert [form["refresh_token"] for form in endpoint.forms] == ["first", "refresh-1", "second"]


def test_refresh_token_that_has_ended__says_to_authorise_again() -> None:
    _, handler = _answers(400, error="invalid_grant")
    grant = RefreshToken(
        "https://tokens.test/token",
        client_id=_Literal("c"),
        refresh_token=_Literal("r"),
        masker=Masker(),
        client=_client(handler),
    )

    with pytest.raises(SecretUnavailable, match=r"\(invalid_grant\).*authorise the prober again"):
        asyncio.run(grant.fetch())


@pytest.mark.parametrize(
    ("script", "lifetime"),
    [
        ("print('plain-token')", None),
        ("import json; print(json.dumps({'access_token': 'plain-token', 'expires_in': 60}))", 60.0),
    ],
)
def test_command__prints_a_token_as_a_word_or_as_json(script: str, lifetime: float | None) -> None:
    token = asyncio.run(TokenCommand([sys.executable, "-c", script]).fetch())

    assert (token.secret.reveal(), token.lifetime_seconds) == ("plain-token", lifetime)


@pytest.mark.parametrize(
    ("command", "finding"),
    [
        (["/no/such/program", "hush"], "can't be started"),
        ([sys.executable, "-c", "import sys; print('hush'); sys.exit(3)", "hush"], "ended with status 3"),
        ([sys.executable, "-c", "print('hush hush')", "hush"], "prints no access token"),
        ([sys.executable, "-c", "print('{\"error\": 1}')", "hush"], "prints no access token"),
        ([sys.executable, "-c", "print('x' * 200_000)", "hush"], "prints more than 64 KiB"),
    ],
)
def test_command_that_fails__is_an_error_that_shows_no_argument(command: list[str], finding: str) -> None:
    with pytest.raises(SecretUnavailable, match=finding) as caught:
        asyncio.run(TokenCommand(command).fetch())

    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(3599, 3599.0), ("60", 60.0), (0, None), (-5, None), ("soon", None), (None, None), (1e99, None)],
)
def test_lifetime__is_taken_where_it_makes_sense(value: object, seconds: float | None) -> None:
    assert seconds_of(value) == seconds
