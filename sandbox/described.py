"""What can be asked of the control, and every switch with its meaning, as `Faults` says it."""

import inspect
import re
from collections.abc import Mapping

from sandbox.faults import HEALTHY, Faults

ROUTES: Mapping[str, str] = {
    "GET /": "this list",
    "GET /endpoints": "where everything listens, with the credentials of this start",
    "GET /state": "mailboxes, queue, desk, switches in force, counters; no content of any mail",
    "POST /faults": 'set switches, the others stay: {"mailbox_full": "reject"}',
    "POST /faults/clear": "make the intake healthy again",
    "POST /queue/flush": "try held mail now",
    "POST /desk/poller": '{"running": false} stops fetching; {"interval_seconds": 5}',
    "POST /mailboxes/ADDRESS/quota": '{"storage_bytes": 204800, "messages": null}',
    "POST /mailboxes/ADDRESS/fill": '{"share": 1.0}, or {"bytes": 1000}; {"unread": true} beside it',
    "POST /mailboxes/ADDRESS/empty": 'removes what filled it; {"all": true} removes everything',
    "POST /mailboxes/ADDRESS/deliver": "the body, a whole mail, lies in INBOX",
    "POST /stop": "end",
}
"""Method and path, and what it is for."""
_NAME = re.compile(r"^(\w+): ")


def switches() -> dict[str, dict[str, object]]:
    """Each switch: its value in a healthy intake, and what it does."""
    meanings: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(Faults.__doc__ or "").partition("Attributes:\n")[2].splitlines():
        text = line.strip()
        if line.startswith("    ") and not line.startswith("     ") and (found := _NAME.match(text)):
            name = found[1]
            meanings[name] = text[found.end() :]
        elif name and text:
            meanings[name] += f" {text}"
    return {
        one: {"default": value, "meaning": meanings.get(one, "")} for one, value in HEALTHY.as_json().items()
    }


def description() -> dict[str, object]:
    """What `GET /` answers."""
    return {"routes": dict(ROUTES), "switches": switches()}
