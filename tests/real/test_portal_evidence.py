"""What a failed journey leaves: files that open, for our account alone, and in none of them a secret in any form."""

import asyncio
import base64
import html
import io
import json
import os
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from playwright._impl._driver import compute_driver_executable
from playwright.async_api import Page, async_playwright

from canary.hop import Hop
from canary.observation import Observation
from canary.reason import Reason
from probes.masking import Secret
from probes.portal.artifacts import Artifacts
from probes.portal.executable import NAMES
from probes.portal.settings import ArtifactSettings
from probes.portal.steps import (
    By,
    Click,
    Confirm,
    Fill,
    Hidden,
    Locator,
    OneTimePassword,
    Step,
    Submit,
    Template,
    Wait,
)
from probes.servers import Password, SecretUnavailable
from runners.clock import SystemClock
from tests.chaos.test_disk import fill, small_disk
from tests.real.portal_scene import SEALED, Seen, Source, css, new, settings, staged
from tests.real.scripted_http import HTML, Reply, Request, Site, running
from tests.real.servers.needed import CHROMIUM

pytestmark = [pytest.mark.real, pytest.mark.browser]

PASSWORD = 'corr"ect <horse> & b/attery+ é1'
TOTP_KEY = "JBSWY3DPEHPK3PXP"
HEADER = "synthetic-header-7f3a9c"
BASIC = "basic-Passw0rd-31/x"
PLANTED = {
    "typed password": PASSWORD,
    "secret header": HEADER,
    "HTTP basic password": BASIC,
    "cookie for HTTP only": "c00kie-http-only-1a2b",
    "cookie for scripts": "c00kie-script-3c4d",
    "cookie that was replaced": "c00kie-first-9z8y",
    "token in a hidden field": "hidden-csrf-5e6f7a8b",
    "token in a meta tag": "meta-csrf-9c8d7e6f",
    "bearer token": "bearer-0123456789abcdef",
    "JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLTEyMw",
    "token in a query": "query-token-a1b2c3",
    "token in a redirect": "location-token-d4e5f6",
    "token in a link": "href-token-778899",
    "token in a fragment": "fragment-token-112233",
    "password in a value attribute": "attr-Passw0rd-445566",
    "token in local storage": "storage-token-667788",
    "token in a data attribute": "data-token-990011",
    "token in data of JSON": "config-token-223344",
    "token in a text area": "textarea-token-556677",
    "token that a script throws": "thrown-token-889900",
}
LOG_IN = f"""<!doctype html><html><head><title>Log in</title></head><body><h1>Log in</h1>
<form method="post" action="/login?next=/form"><input type="hidden" name="csrf" value="{PLANTED["token in a hidden field"]}">
<label>User name <input name="username"></label><label>Password <input type="password" name="password"></label>
<label>Code <input name="otp"></label><button>Log in</button></form></body></html>"""
FORM = f"""<!doctype html><html><head><title>Submit a request</title><meta name="csrf-token" content="{PLANTED["token in a meta tag"]}">
<link rel="stylesheet" href="/style.css"></head>
<body data-csrf-token="{PLANTED["token in a data attribute"]}" data-config='{{"apiKey":"{PLANTED["token in data of JSON"]}"}}'>
<h1>Submit a request</h1><a href="/download?access_token={PLANTED["token in a link"]}&amp;n=1">Log out</a>
<a href="#session={PLANTED["token in a fragment"]}">Here</a><img src="/dot.png" alt="">
<form method="post" action="/requests?session={PLANTED["token in a query"]}">
<input type="hidden" name="csrf" value="{PLANTED["token in a hidden field"]}">
<input type="password" name="old" value="{PLANTED["password in a value attribute"]}">
<textarea name="authenticity_token" hidden>{PLANTED["token in a text area"]}</textarea>
<label>Subject <input name="subject"></label><label>Description <textarea name="body"></textarea></label>
<button>Send</button></form>
<script>
localStorage.setItem("token", "{PLANTED["token in local storage"]}");
console.log("token is " + localStorage.getItem("token"));
console.log({{token: localStorage.getItem("token")}});
fetch("/api/me", {{headers: {{Authorization: "Bearer {PLANTED["bearer token"]}"}}}}).then(a => a.json()).then(me => {{
  console.warn("I am", JSON.stringify(me)); console.log(document.cookie);
  throw new Error("no access with token={PLANTED["token that a script throws"]}"); }});
</script></body></html>"""
THANKS = (
    "<!doctype html><html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>"
)
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A failed canary, its files, and the one-time code that was typed."""

    seen: Seen
    folder: Path
    code: str
    asked: list[Request]

    @property
    def end(self) -> Observation:
        return self.seen.end

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


def portal() -> Site:
    logged_in = {
        "Location": f"/form?session={PLANTED['token in a redirect']}",
        "Set-Cookie": f"sid={PLANTED['cookie for HTTP only']}; HttpOnly; Path=/",
    }
    scripted = {**HTML, "Set-Cookie": f"theme={PLANTED['cookie for scripts']}; Path=/"}

    def first(request: Request) -> Reply:
        if "authorization" not in request.headers:
            return Reply(401, "who?", {"WWW-Authenticate": 'Basic realm="x"'})
        return Reply(
            body=LOG_IN, headers={**HTML, "Set-Cookie": f"sid={PLANTED['cookie that was replaced']}; Path=/"}
        )

    return Site(
        {
            "GET /": first,
            "POST /login": Reply(302, "", logged_in),
            "GET /form": Reply(body=FORM, headers=scripted),
            "GET /style.css": Reply(body="h1 { color: #123456 }", headers={"Content-Type": "text/css"}),
            "GET /dot.png": Reply(body=DOT, headers={"Content-Type": "image/png"}),
            "GET /api/me": Reply(
                body=json.dumps({"name": "Zoë", "jwt": PLANTED["JWT"], "admin": True}),
                headers={"Content-Type": "application/json"},
            ),
            "POST /requests": Reply(200, THANKS),
        }
    )


LOGIN = (
    Step(1, Fill(Locator(By.LABEL, "User name"), Template("canary"))),
    Step(2, Fill(Locator(By.LABEL, "Password"), Hidden(Source(PASSWORD)))),
    Step(3, Fill(Locator(By.LABEL, "Code"), OneTimePassword(Source(TOTP_KEY)))),
    Step(4, Click(Locator(By.ROLE, "button", name="Log in"))),
    Step(5, Wait(shown=Locator(By.TEXT, "Log out"))),
)
STEPS = (
    Step(1, Fill(Locator(By.LABEL, "Subject"), Template("{{ subject }}"))),
    Step(2, Fill(Locator(By.LABEL, "Description"), Template("{{ body }}"))),
    Step(3, Submit(Locator(By.ROLE, "button", name="Send"))),
    Step(4, Confirm(text="Thank you"), timeout_seconds=3),
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """One canary that is logged in and whose request is answered with an error page."""
    CHROMIUM.require()
    directory, canary, site = tmp_path_factory.mktemp("evidence"), new(), portal()
    codes: list[str] = []

    async def told() -> Seen:
        async with running(site), staged(directory) as stage:
            of = settings(
                f"{site.url}/",
                login=LOGIN,
                steps=STEPS,
                headers={"X-Synthetic": Source(HEADER)},
                http_login=Password("canary", Source(BASIC)),
            )
            seen = await stage.launched(of, canary)
            posted = next(one for one in site.posts if one.path == "/login").body.decode()
            codes.append(posted.partition("otp=")[2][:6])
            return seen

    seen = asyncio.run(told())
    return Kept(seen, directory / "artifacts" / canary.path / canary.id, codes[0], site.requests)


def test_journey__fails_where_it_was_made_to__and_every_secret_was_there(kept: Kept) -> None:
    """Else the other tests would prove nothing."""
    assert (kept.end.hop, kept.end.reason) == (Hop.PORTAL_CONFIRMATION, Reason.PAGE_ERROR), kept.seen.story()
    said = b"".join(
        one.target.encode() + one.body + json.dumps(dict(one.headers)).encode() for one in kept.asked
    ).decode()
    for name in (
        "secret header",
        "cookie for HTTP only",
        "bearer token",
        "token in a query",
        "token in a redirect",
    ):
        assert PLANTED[name] in said, name
    assert len(kept.code) == 6
    assert kept.code.isdigit()
    assert quote_plus(PASSWORD) in said


def test_files__are_there__and_for_our_account_alone(kept: Kept) -> None:
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in kept.folder.iterdir()}

    assert modes == dict.fromkeys(("screenshot.png", "trace.zip", "network.har", "console.txt"), 0o600)
    assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o700
    ids = {name: id_ for name, id_ in kept.end.facts.items() if name.startswith("intake.artifact.")}
    assert sorted(ids) == [f"intake.artifact.{what}" for what in ("console", "har", "screenshot", "trace")]
    root = kept.folder.parent.parent
    assert all((root / str(id_)).is_file() for id_ in ids.values())


def forms(secret: str) -> set[bytes]:
    """As protocols, pages and archives write it."""
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    found |= {quote(quote(secret, safe=""), safe="")}
    found |= {html.escape(secret), html.escape(secret, quote=False), secret.replace('"', "&#34;")}
    found |= {json.dumps(one, ensure_ascii=how)[1:-1] for one in tuple(found) for how in (True, False)}
    found |= {json.dumps(one)[1:-1] for one in tuple(found)}
    raw = {one.encode() for one in found} | {secret.encode("utf-16-le")}
    for prefix in (b"", b"x", b"xy", b"canary:"):
        encoded = base64.b64encode(prefix + secret.encode())
        raw |= {encoded[4 * (len(prefix) // 3 + bool(len(prefix) % 3)) : len(encoded) // 4 * 4 - 4]}
    return {one for one in raw if len(one) >= 6}


def contents(kept: Kept) -> Iterator[tuple[str, bytes]]:
    """Every file, and every file within the archive."""
    for file in kept.folder.iterdir():
        yield file.name, file.read_bytes()
    with zipfile.ZipFile(kept.folder / "trace.zip") as archive:
        for name in archive.namelist():
            yield f"trace.zip/{name}", archive.read(name)


@pytest.mark.parametrize("name", [*PLANTED, "one-time code"])
def test_secret__is_in_no_file_and_in_no_observation(kept: Kept, name: str) -> None:
    secret = kept.code if name == "one-time code" else PLANTED[name]
    told = "\n".join(f"{one.detail} {dict(one.facts)}" for one in kept.seen.observations).encode()

    found = [(where, form) for where, content in contents(kept) for form in forms(secret) if form in content]
    assert found == []
    assert [form for form in forms(secret) if form in told] == []


def strings_of(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        yield from (text for item in node.items() for one in item for text in strings_of(one))
    elif isinstance(node, list):
        yield from (text for one in node for text in strings_of(one))


def test_trace__is_whole_json__and_bears_what_an_engineer_needs(kept: Kept) -> None:
    with zipfile.ZipFile(io.BytesIO(kept.read("trace.zip"))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        events = [json.loads(line) for line in archive.read("trace.trace").decode().splitlines()]
        network = [json.loads(line) for line in archive.read("trace.network").decode().splitlines()]
        resources = {name: archive.read(name) for name in names if name.startswith("resources/")}
    kinds = {one["type"] for one in events}

    assert {"context-options", "before", "after", "frame-snapshot", "log", "console"} <= kinds
    assert {one["snapshot"]["request"]["url"].partition("?")[0].rpartition("/")[2] for one in network} >= {
        "form",
        "login",
        "requests",
        "style.css",
    }
    assert b"#123456" in b"".join(resources.values())
    assert DOT in resources.values()
    texts = list(strings_of([one for one in events if one["type"] == "frame-snapshot"]))
    assert "Something went wrong" in texts
    assert any("intakecanary" in text for text in texts)  # what the canary itself typed stays
    pointed = {text for text in strings_of([*events, *network]) if text.startswith("resources/")}
    assert pointed <= set(names)


async def _draws(page: Page, text: str) -> bool:
    """Whether one of the viewer's two frames shows a snapshot with the text."""
    frames = [one for one in page.frames if one.name == "snapshot"]
    return any([await one.get_by_text(text).count() > 0 for one in frames])


async def _viewed(url: str) -> str:
    """The viewer's list of actions, once it has drawn a snapshot of the form."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=f"/usr/bin/{NAMES[0]}", args=list(SEALED))
        page = await browser.new_page()
        await page.goto(url)
        await page.get_by_text("Fill").first.wait_for(timeout=60_000)
        actions = await page.locator("body").inner_text()
        await page.get_by_text("Click").last.click()
        async with asyncio.timeout(60):
            while not await _draws(page, "Submit a request"):  # noqa: ASYNC110 -- the viewer tells nobody
                await asyncio.sleep(0.1)
        await browser.close()
    return actions


def test_trace__opens_in_playwright_s_own_viewer(kept: Kept) -> None:
    """Its server and its page, driven by a browser of this test: the actions are listed, and a snapshot is drawn."""

    node, cli = compute_driver_executable()
    server = subprocess.Popen(
        [node, cli, "show-trace", "--host", "127.0.0.1", "--port", "0", str(kept.folder / "trace.zip")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PWTEST_UNDER_TEST": "1"},  # it opens no browser of its own
    )
    try:
        assert server.stdout is not None
        line = next(one for one in server.stdout if "Listening on" in one)
        actions = asyncio.run(_viewed(line.split()[-1]))
    finally:
        server.kill()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()
    assert "Fill" in actions
    assert "Click" in actions


REQUIRED = {
    "": {"startedDateTime", "time", "request", "response", "cache", "timings"},
    "request": {
        "method",
        "url",
        "httpVersion",
        "cookies",
        "headers",
        "queryString",
        "headersSize",
        "bodySize",
    },
    "response": {
        "status",
        "statusText",
        "httpVersion",
        "cookies",
        "headers",
        "content",
        "redirectURL",
        "headersSize",
        "bodySize",
    },
    "timings": {"send", "wait", "receive"},
}
"""http://www.softwareishard.com/blog/har-12-spec/: what must be there."""


def test_har__has_the_structure_of_version_1_2__and_every_request(kept: Kept) -> None:
    log = json.loads(kept.read("network.har"))["log"]

    assert log["version"] == "1.2"
    assert set(log["creator"]) == {"name", "version"}
    told = {one["request"]["url"].partition("?")[0] for one in log["entries"]}
    asked = {one.path for one in kept.asked} - {"/favicon.ico"}  # the browser's own, of which no page knows
    assert {url[url.index("/", 8) :] for url in told} == asked
    for entry in log["entries"]:
        for part, names in REQUIRED.items():
            assert names <= set(entry[part] if part else entry), part
        assert {"size", "mimeType"} <= set(entry["response"]["content"])
        assert not [key for key in _keys(entry) if key.startswith("_")]
    posted = next(one for one in log["entries"] if "/login" in one["request"]["url"])
    assert posted["request"]["postData"] == {
        "mimeType": "application/x-www-form-urlencoded",
        "text": "",
        "params": [],
    }


def _keys(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node
        yield from (key for value in node.values() for key in _keys(value))
    elif isinstance(node, list):
        yield from (key for value in node for key in _keys(value))


def test_console__says_where_the_page_is__what_it_said__and_which_script_failed(kept: Kept) -> None:
    said = kept.read("console.txt").decode()

    assert said.startswith("page: http://127.0.0.1:")
    assert "script error: " in said
    assert "warning: I am" in said


# Trouble of our own


def test_disk_that_is_full__costs_the_evidence__and_neither_reason_nor_hop(tmp_path: Path) -> None:
    CHROMIUM.require()
    with small_disk(tmp_path / "disk") as disk:
        fill(disk)

        async def told() -> Seen:
            site = Site({"GET /": Reply(body="<h1>Elsewhere</h1>")})
            async with running(site), staged(tmp_path) as stage:
                stage.artifacts = Artifacts(ArtifactSettings(disk / "evidence"), clock=SystemClock())
                return await stage.launched(
                    settings(
                        f"{site.url}/",
                        steps=(Step(1, Fill(css("#nowhere"), Template("x")), timeout_seconds=1), *STEPS[2:]),
                    )
                )

        seen = asyncio.run(told())
    assert (seen.end.hop, seen.end.reason) == (Hop.PORTAL_FORM, Reason.FORM_CHANGED)
    assert "No space left on device" in str(seen.end.facts["intake.artifact.trouble"])


@dataclass
class Vanishing:
    """A secret that can be read once, for the browser, and not again."""

    reads: int = 0

    async def read(self, *, renew: bool = False) -> Secret:  # noqa: ARG002
        self.reads += 1
        if self.reads > 1:
            raise SecretUnavailable("its file is gone")
        return Secret(HEADER)


def test_secret_that_can_t_be_read_again__costs_the_evidence__and_neither_reason_nor_hop(
    tmp_path: Path,
) -> None:
    CHROMIUM.require()

    async def told() -> Seen:
        site = Site({"GET /": Reply(body="<h1>Elsewhere</h1>")})
        async with running(site), staged(tmp_path) as stage:
            return await stage.launched(
                settings(
                    f"{site.url}/",
                    steps=(Step(1, Fill(css("#nowhere"), Template("x")), timeout_seconds=1), *STEPS[2:]),
                    headers={"X-Synthetic": Vanishing()},
                )
            )

    seen = asyncio.run(told())
    assert (seen.end.hop, seen.end.reason) == (Hop.PORTAL_FORM, Reason.FORM_CHANGED)
    assert "no evidence is kept" in str(seen.end.facts["intake.artifact.trouble"])
    assert list((tmp_path).glob("artifacts/*/*")) == []
