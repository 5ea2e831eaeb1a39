"""Desk process: the helpdesk's web server and its poller, steered over standard input."""

import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from sandbox.desk import DeskSettings
from sandbox.faults import HEALTHY, Faults, from_json
from sandbox.lifeline import watch_parent

_SOCKET_LIMIT_SECONDS = 10.0
# A slow portal holds a thread for each page that it owes; the API must be served beside it.
_BUSY_THREADS = 24
_FORM_THREADS = 8
_log = logging.getLogger("sandbox.desk")


class Steering:
    """What the parent wants and what it may ask; shared by the threads of this process."""

    def __init__(self, interval_seconds: float) -> None:
        self.faults: Faults = HEALTHY
        self.running = True
        self.interval_seconds = interval_seconds
        self.polls = 0
        self.poll_failures = 0
        self.api_requests = 0
        self.requests = 0
        self.portal_pages = 0
        self.portal_submissions = 0
        self.form_submissions = 0
        self.wake = threading.Event()

    @property
    def polling(self) -> bool:
        """Whether mail is being fetched."""
        return self.running and not self.faults.desk_poller_paused

    def obey(self, order: dict[str, object]) -> None:
        """Take over what the parent has sent."""
        if "faults" in order:
            self.faults = from_json(str(order["faults"]))
        poller = order.get("poller")
        if isinstance(poller, dict):
            self.running = bool(poller["running"])
            self.interval_seconds = float(poller["interval_seconds"])
        self.wake.set()


def main() -> None:
    """Run until the parent ends or signals."""
    wanted = DeskSettings(**json.loads(sys.stdin.readline()))
    watch_parent(lambda: os._exit(0))
    # The helpdesk's IMAP client has no time limit of its own: a silent server would hang it for ever.
    socket.setdefaulttimeout(_SOCKET_LIMIT_SECONDS)
    steering = Steering(wanted.interval_seconds)
    _skew_clock(steering)

    from sandbox.desk_site import set_up

    set_up(wanted)

    from waitress import create_server

    from sandbox.contact_form import contact_form
    from sandbox.desk_bends import bend
    from sandbox.desk_web import application

    bend(steering, smtp_port=wanted.smtp_port)
    form = create_server(
        contact_form(steering), host="127.0.0.1", port=0, threads=_FORM_THREADS, ident="Contact"
    )
    # Another name than the portal's: who is sent there from the portal is on another host.
    form_url = f"http://localhost:{form.effective_port}/"
    server = create_server(
        application(steering, form_url=form_url, totp_secret=wanted.totp_secret),
        host="127.0.0.1",
        port=0,
        threads=_BUSY_THREADS,
        ident="Helpdesk",
    )
    threading.Thread(target=_poll, args=(steering,), name="poller", daemon=True).start()
    threading.Thread(target=form.run, name="contact form", daemon=True).start()
    _print({"url": f"http://127.0.0.1:{server.effective_port}", "form_url": form_url})
    threading.Thread(target=_listen, args=(steering,), name="steering", daemon=True).start()
    server.run()


def _print(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _listen(steering: Steering) -> None:
    """Obey the parent; its end closes our standard input."""
    from helpdesk.models import Ticket

    for line in sys.stdin:
        order = json.loads(line)
        if "ask" not in order:
            steering.obey(order)
            continue
        open_statuses = (Ticket.OPEN_STATUS, Ticket.REOPENED_STATUS)
        _print(
            {
                "answer": order["ask"],
                "state": {
                    "polling": steering.polling,
                    "polls": steering.polls,
                    "poll_failures": steering.poll_failures,
                    "interval_seconds": steering.interval_seconds,
                    "api_requests": steering.api_requests,
                    "requests": steering.requests,
                    "portal_pages": steering.portal_pages,
                    "portal_submissions": steering.portal_submissions,
                    "form_submissions": steering.form_submissions,
                    "tickets_open": Ticket.objects.filter(status__in=open_statuses).count(),
                    "tickets_total": Ticket.objects.count(),
                },
            }
        )
    os._exit(0)


def _poll(steering: Steering) -> None:
    """Fetch mail at each interval."""
    from django.db import close_old_connections
    from helpdesk.email import process_email
    from helpdesk.models import Queue

    while True:
        steering.wake.clear()
        if steering.polling:
            try:
                # A clock that was set back would otherwise stop the fetching until it has caught up.
                Queue.objects.update(email_box_last_check=None)
                process_email(quiet=True)
            except BaseException:  # noqa: BLE001 - the helpdesk ends its process by sys.exit() on some errors
                steering.poll_failures += 1
                _log.warning("a round of fetching mail failed", exc_info=True)
            steering.polls += 1
            close_old_connections()
        steering.wake.wait(steering.interval_seconds)


def _skew_clock(steering: Steering) -> None:
    """Let Django's clock be wrong; before its models take `timezone.now` for their defaults."""
    from django.utils import timezone

    right: Callable[[], datetime] = timezone.now

    def now() -> datetime:
        return right() + timedelta(seconds=steering.faults.desk_clock_skew_seconds)

    timezone.now = now


if __name__ == "__main__":
    main()
