"""Simulators of the sinks' receivers, made from the published contracts: each refuses what the vendor refuses.

None of them is the vendor's own server. Read on 2026-11-30: PagerDuty, Send an Alert Event (Events API v2); Slack,
Sending messages using incoming webhooks, and Block Kit's limits; Standard Webhooks 1.0.0; Healthchecks, Pinging API.
"""

import base64
import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.real.scripted_http import Reply, Request

_TYPE = {"Content-Type": "application/json"}


def answer(code: int, **body: object) -> Reply:
    return Reply(code, json.dumps(body), _TYPE)


@dataclass
class PagerDutySimulator:
    """An integration. ``pages`` are alerts that were opened; a trigger of an open one only adds to its log."""

    routing_key: str
    open: dict[str, list[str]] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        if len(request.body) > 512 * 1024:
            return answer(413, status="payload too large")
        try:
            event = json.loads(request.body)
        except ValueError:
            return answer(400, status="invalid event", message="Malformed JSON")
        if errors := self._errors(event):
            # The vendor's answers do repeat what was wrong; so does this one, the key with it.
            return answer(400, status="invalid event", message="Event object is invalid", errors=errors)
        key = event["dedup_key"]
        if event["event_action"] == "resolve":
            if self.open.pop(key, None) is not None:
                self.closed.append(key)
        elif key in self.open:
            self.open[key].append(event["payload"]["summary"])
        else:
            self.open[key] = [event["payload"]["summary"]]
            self.pages.append(key)
        return answer(202, status="success", message="Event processed", dedup_key=key)

    def _errors(self, event: dict[str, Any]) -> list[str]:
        errors = []
        if event.get("routing_key") != self.routing_key:
            errors.append(f"'routing_key' {event.get('routing_key')} is not valid")
        if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
            errors.append("'event_action' is missing or not valid")
        if len(event.get("dedup_key", "")) > 255:
            errors.append("'dedup_key' is too long")
        if event.get("event_action") == "trigger":
            payload = event.get("payload", {})
            if not 0 < len(payload.get("summary", "")) <= 1024:
                errors.append("'payload.summary' is missing or blank or too long")
            if not payload.get("source"):
                errors.append("'payload.source' is missing or blank")
            if payload.get("severity") not in {"critical", "error", "warning", "info"}:
                errors.append("'payload.severity' is invalid")
            if any(not one.get("href") for one in event.get("links", [])):
                errors.append("'links.href' is missing")
        elif not event.get("dedup_key"):
            errors.append("'dedup_key' is required")
        return errors


@dataclass
class SlackSimulator:
    """A channel behind an incoming webhook; ``gone`` is what became of it."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    gone: Reply | None = None

    def __call__(self, request: Request) -> Reply:
        if self.gone is not None:
            return self.gone
        try:
            message = json.loads(request.body)
        except ValueError:
            return Reply(400, "invalid_payload")
        if not message.get("text") and not message.get("blocks"):
            return Reply(400, "no_text")
        blocks = message.get("blocks", [])
        if len(blocks) > 50 or not all(self._is_block(one) for one in blocks):
            return Reply(400, "invalid_blocks")
        self.messages.append(message)
        return Reply(200, "ok")

    @staticmethod
    def _is_block(block: dict[str, Any]) -> bool:
        text = block.get("text", {})
        length = len(text.get("text", ""))
        match block.get("type"):
            case "header":
                return text.get("type") == "plain_text" and 0 < length <= 150
            case "section":
                return text.get("type") in {"mrkdwn", "plain_text"} and 0 < length <= 3000
            case _:
                return False


@dataclass
class WebhookReceiver:
    """Verifies as the specification says, and takes each id once."""

    secret: str
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    repeated: int = 0

    def __call__(self, request: Request) -> Reply:
        message_id = request.headers.get("webhook-id", "")
        stamp = request.headers.get("webhook-timestamp", "")
        if not message_id or not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
            return Reply(400, "timestamp")
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{message_id}.{stamp}.".encode() + request.body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        given = [one.partition(",") for one in request.headers.get("webhook-signature", "").split(" ")]
        if not any(version == "v1" and hmac.compare_digest(one, expected) for version, _, one in given):
            return Reply(401, "signature")
        self.repeated += message_id in self.taken
        self.taken[message_id] = json.loads(request.body)
        return Reply(204)


@dataclass
class PingSimulator:
    """A check of Healthchecks: what was signalled, with its run."""

    path: str
    pings: list[tuple[str, str, str]] = field(default_factory=list)

    def reply(self, request: Request) -> Reply:
        parts = urlsplit(request.target)
        if not parts.path.startswith(self.path):
            return Reply(404, "(not found)")
        (run_id,) = parse_qs(parts.query).get("rid", [""])
        try:
            uuid.UUID(run_id)
        except ValueError:
            return Reply(400, "invalid uuid format")
        self.pings.append((parts.path.removeprefix(self.path), run_id, request.body.decode()))
        return Reply(200, "OK")
