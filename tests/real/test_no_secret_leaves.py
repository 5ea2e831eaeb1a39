"""Every channel among strangers, with marked secrets: neither is found in anything that the program writes or says."""

import base64
import json
import os
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest

from tests.real.intake import Intake, merged, standard, write_intake
from tests.real.otlp_receiver import receiving
from tests.real.servers.needed import CHROMIUM
from tests.sandbox import Endpoints, Sandbox, start_sandbox

pytestmark = [pytest.mark.real, pytest.mark.browser]
SEALED = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
STRANGER = "stranger-local-5e1f"
WORD = "strangers-own-word-77aa"
STRANGERS_MAIL = f"""From: "{WORD} Jane" <{STRANGER}@customer.test>
To: support@acme.test
Subject: {WORD} my invoice, and intakecanary
Message-ID: <{WORD}@customer.test>

{WORD}: please call me back. {STRANGER}@customer.test
"""
LIMIT_SECONDS = 240.0


@dataclass
class Written:
    """Everything that came out, by where."""

    texts: dict[str, bytes] = field(default_factory=dict)
    posted: list[bytes] = field(default_factory=list)

    def holders_of(self, words: Mapping[str, str]) -> set[tuple[str, str]]:
        """Which output holds which of the words, also as base64 and as a URL has it."""
        found = set()
        for name, word in words.items():
            spelled = {word.encode(), quote(word, safe="").encode(), *_in_base64(word)}
            found |= {
                (place, name) for place, text in self.texts.items() if any(one in text for one in spelled)
            }
        return found


def _in_base64(word: str) -> set[bytes]:
    """The inner part of the word's base64, wherever it begins among others."""
    return {base64.b64encode(b"\0" * before + word.encode())[4:-4] for before in range(3) if len(word) >= 12}


def secrets_of(ends: Endpoints) -> dict[str, str]:
    """By the variable that holds it."""
    return {
        "CANARY_PASSWORD": ends.account("canary").password,
        "SUPPORT_PASSWORD": ends.account("support").password,
        "DESK_TOKEN": ends.desk_token,
        "SIGNING_KEY": "marked signing key, 32 bytes and more of it 1a2b",
        "HOOK_SECRET": "whsec_" + base64.b64encode(b"marked webhook secret 3c4d").decode(),
        "HOOK_PATH": "marked-hook-path-5e6f7a8b",
        "OTLP_KEY": "marked-otlp-key-9c0d1e2f",
        "FORM_KEY": "marked-form-key-3a4b5c6d",
    }


def configured(directory: Path, ends: Endpoints, otlp_url: str, hook_port: int) -> Intake:
    """All channels, a sink, and telemetry by every way; every secret by its variable."""
    common = {"ticketing": "desk", "deadline": "40s", "horizon": "45s", "every": "1h"}
    tree = standard(directory, ends)
    portal: dict[str, Any] = {
        "channel": "portal",
        "from": ["canary"],
        "url": ends.portal_url,
        "steps": [
            {"go": "/tickets/submit/"},
            {"fill": {"label": "Summary of the problem", "with": "{{ subject }}"}},
            {"fill": {"label": "Description of your issue", "with": "{{ body }}"}},
            {"fill": {"label": "Your E-Mail Address", "with": "{{ sender }}"}},
            {"submit": {"role": "button", "name": "Submit Ticket"}},
            {"confirm": {"text": r"/\[support-(?P<ticket>\d+)\]/"}},
        ],
        "pace": "0s",
        **common,
    }
    form = {
        "channel": "form",
        "from": ["canary"],
        "url": ends.contact_form_url,
        "fields": {
            "name": "{{ name }}",
            "email": "{{ sender }}",
            "subject": "{{ subject }}",
            "message": "{{ body }}",
        },
        "headers": {"X-Api-Key": {"env": "FORM_KEY"}},
        "confirm": {"text": r"/number support-(?P<ticket>\d+)/"},
        **common,
    }
    # One mapping each: YAML would make an anchor of one that is there twice, and the program takes none.
    account = {one: {"password": {"env": "CANARY_PASSWORD"}} for one in ("smtp", "imap")}
    changes = {
        "prober": {
            "signing_keys": [{"env": "SIGNING_KEY"}],
            "browser": {"arguments": [SEALED]},
            "artifacts": {"directory": str(directory / "evidence")},
        },
        "accounts": {"canary": account},
        "mailboxes": {"support": {"imap": {"password": {"env": "SUPPORT_PASSWORD"}}}},
        "ticketing": {"desk": {"token": {"env": "DESK_TOKEN"}}},
        "paths": {
            "support-portal": portal,
            "contact-form": form,
            "support-email": {"deadline": "40s", "horizon": "45s"},
        },
        "alerts": {
            "open": "1 of 1",
            "sinks": {
                "hook": {
                    "type": "webhook",
                    "url": {"env": "HOOK_URL"},
                    "secret": {"env": "HOOK_SECRET"},
                    "allow_private": True,
                }
            },
        },
        "telemetry": {
            "otlp": {"url": otlp_url, "headers": {"X-Api-Key": {"env": "OTLP_KEY"}}},
            "metrics": {"textfile": "figures.prom"},
        },
    }
    made = write_intake(directory, merged(tree, changes))
    os.environ["HOOK_URL"] = f"http://127.0.0.1:{hook_port}/{os.environ['HOOK_PATH']}"
    return made


def told(intake: Intake, written: Written, name: str, *arguments: str) -> int:
    """Run a command to its end; keep what it says, and what everybody can see of its children meanwhile."""
    process = intake.start(*arguments)
    ended = threading.Event()

    def watch() -> None:
        mine = psutil.Process(process.pid)
        while not ended.wait(0.1):
            with suppress(psutil.Error):
                for child in mine.children(recursive=True):
                    with suppress(psutil.Error):
                        where = f"{name}: child {child.name()}"
                        shown = list(child.cmdline())
                        # Playwright's driver has our environment, as we have, and takes no other; no page runs in it.
                        if "chrom" in child.name():
                            shown += [f"{key}={one}" for key, one in child.environ().items()]
                        written.texts[where] = written.texts.get(where, b"") + "\n".join(shown).encode()
            with suppress(psutil.Error):
                written.texts[f"{name}: command line"] = " ".join(mine.cmdline()).encode()

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        said, notes = process.communicate(timeout=LIMIT_SECONDS)
    finally:
        ended.set()
        watching.join()
        if process.poll() is None:
            process.kill()
            process.communicate()
    written.texts[f"{name}: output"] = said.encode()
    written.texts[f"{name}: log"] = notes.encode()
    return process.returncode


def keep_files(directory: Path, written: Written) -> None:
    """All files but the configuration, archives unpacked, and the words that a picture shows."""
    for file in directory.rglob("*"):
        if not file.is_file() or file.name == "intake.yaml":
            continue
        place = str(file.relative_to(directory))
        written.texts[place] = file.read_bytes()
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                for one in archive.namelist():
                    written.texts[f"{place}: {one}"] = archive.read(one)
        if file.suffix in {".png", ".jpeg"} and (reader := shutil.which("tesseract")) is not None:
            shown = subprocess.run([reader, str(file), "-"], capture_output=True, check=False, timeout=60)
            written.texts[f"{place}: words"] = shown.stdout


@pytest.fixture(scope="module")
def hook(request: pytest.FixtureRequest) -> Iterator[tuple[int, list[bytes]]]:
    del request
    posted: list[bytes] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_port, posted
        server.shutdown()
        thread.join()


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What two runs left: a good one of all channels, and one in which every channel fails."""

    secrets: Mapping[str, str]
    written: Written
    exits: tuple[int, ...]
    kinds: frozenset[str]


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory, hook: tuple[int, list[bytes]]) -> Iterator[Aftermath]:
    CHROMIUM.require()
    directory, (hook_port, posted) = tmp_path_factory.mktemp("intake"), hook
    written = Written()
    with (
        start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox,
        receiving() as receiver,
        pytest.MonkeyPatch.context() as patch,
    ):
        secrets = secrets_of(sandbox.endpoints)
        for name, value in {**secrets, "INTAKE_PROBER_LOG_LEVEL": "DEBUG", "HOOK_URL": ""}.items():
            patch.setenv(name, value)
        intake = configured(directory, sandbox.endpoints, receiver.url, hook_port)
        _let_strangers_write(sandbox)
        json_log = ("--log-format", "json", "--json")
        exits = [told(intake, written, "check", "check"), told(intake, written, "good run", *json_log, "run")]
        sandbox.faults(portal_redirect_to_form=True, form_down=503)
        sandbox.poller(running=False)
        _let_strangers_write(sandbox)
        exits.append(told(intake, written, "bad run", *json_log, "run"))
        listed = json.loads(_answer(intake, written, "incidents", "incidents"))
        assert "incidents" in listed, listed
        [incident, *_] = listed["incidents"]
        for words in (
            ("status",),
            ("canaries",),
            ("audit",),
            ("incidents", incident["id"]),
            ("incidents", incident["id"], "--escalation"),
            ("trace", incident["first_canary"]),
        ):
            _answer(intake, written, " ".join(words), *words)
        keep_files(directory, written)
        for number, one in enumerate(receiver.taken):
            written.texts[f"otlp {number} {one.path}"] = one.body
        for number, body in enumerate(posted):
            written.texts[f"alert {number}"] = body
        kinds = frozenset(one.path for one in receiver.taken)
        yield Aftermath(secrets, written, tuple(exits), kinds)


def _answer(intake: Intake, written: Written, name: str, *words: str) -> bytes:
    told(intake, written, name, "--json", *words)
    return written.texts[f"{name}: output"]


def _let_strangers_write(sandbox: Sandbox) -> None:
    raw = STRANGERS_MAIL.replace("\n", "\r\n").encode()
    for account in (sandbox.support, sandbox.canary):
        for _ in range(3):
            sandbox.deliver(account.address, raw)


def test_secrets__are_in_nothing_that_is_written_or_said(aftermath: Aftermath) -> None:
    holders = aftermath.written.holders_of(aftermath.secrets)

    assert sorted(holders) == []


def test_strangers__are_in_nothing_that_is_written_or_said(aftermath: Aftermath) -> None:
    marked = {"words": WORD, "address": STRANGER}

    assert aftermath.written.holders_of(marked) == set()


def test_scene__had_all_channels_and_all_outputs(aftermath: Aftermath) -> None:
    texts = aftermath.written.texts

    assert aftermath.exits[1:] == (0, 1), texts["good run: log"].decode()[-3000:]
    assert {one.rpartition(".")[2] for one in texts if one.startswith("evidence/")} >= {"png", "har", "zip"}
    assert aftermath.kinds == {"/v1/traces", "/v1/metrics"}
    assert any(one.startswith("alert ") for one in texts)
    assert any("child" in one and "chrom" in one for one in texts)
    assert b"intake_canary_launched_total" in texts["figures.prom"]
    for channel in (b'"email"', b'"portal"', b'"form"'):
        assert channel in texts["good run: log"]
    # What is searched for is found where it is: in the words of the search itself.
    planted = Written({"planted": f"x {base64.b64encode(('u:' + WORD).encode()).decode()}".encode()})
    assert planted.holders_of({"words": WORD}) == {("planted", "words")}
