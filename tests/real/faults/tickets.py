"""Faults between the mailbox and the intact, acknowledged ticket."""

from tests.real.faults.fault import Fault, breach

TICKETS = [
    breach(
        "poller stopped",
        "the helpdesk fetches no mail any more",
        "ticket.created",
        "backlog_growing",
        switches={"desk_poller_paused": True},
        becomes="late",
        changes={"paths": {"support-email": {"horizon": "30s"}}},
        tickets=0,
    ),
    Fault(
        "duplicate tickets",
        "the helpdesk makes two tickets of one mail",
        flaws=("ticket.content duplicate",),
        switches={"desk_duplicates": 2},
        tickets=2,
    ),
    breach(
        "mangled subject",
        "the subject arrives cut short and marked",
        "ticket.content",
        "subject_changed",
        switches={"mangle_subject": True},
    ),
    breach(
        "mangled charset",
        "the UTF-8 body arrives as if it had been read as Latin-1",
        "ticket.content",
        "charset_mangled",
        switches={"mangle_charset": True},
    ),
    breach(
        "truncated body",
        "the body is cut after 120 bytes",
        "ticket.content",
        "body_truncated",
        switches={"truncate_body_bytes": 120},
    ),
    Fault(
        "subject with a prefix",
        "the helpdesk stores titles as [support] and the subject",
        switches={"desk_title_rewrite": "[support] {subject}"},
    ),
    Fault(
        "requester rewritten by a group",
        "From becomes the group's address; `requesters` names it",
        flaws=("ticket.content requester_rewritten",),
        switches={"rewrite_sender": "group"},
        changes={"paths": {"support-email": {"requesters": ["support@acme.test"], "reply": None}}},
    ),
    Fault(
        "envelope rewritten by a forwarder",
        "SRS: only the Return-Path is another",
        switches={"rewrite_sender": "srs"},
    ),
    Fault(
        "no acknowledgement",
        "the helpdesk sends none; `reply: true`",
        flaws=("reply.received not_seen",),
        switches={"desk_acknowledge": False},
    ),
    breach(
        "no acknowledgement, though required",
        "the helpdesk sends none; `reply: required`",
        "reply.received",
        "not_seen",
        switches={"desk_acknowledge": False},
        changes={"paths": {"support-email": {"reply": "required"}}},
    ),
    Fault(
        "helpdesk's clock is 90 s ahead",
        "its Date header and ticket times are off",
        switches={"desk_clock_skew_seconds": 90.0},
    ),
    Fault(
        "helpdesk's clock is 90 s behind",
        "its Date header and ticket times are off",
        switches={"desk_clock_skew_seconds": -90.0},
    ),
]
