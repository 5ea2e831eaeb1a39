"""A page of nothing but a form, for tests that change one thing of it."""

from dataclasses import replace
from typing import Any

from probes.portal.sight import Sight

PLAIN = Sight(
    title="Acme support",
    heading="Submit a request",
    text="Submit a request Subject Details",
    size=40,
    passwords=0,
    fields=2,
    alerts=(),
    invalid=(),
    spinners=0,
    frames=(),
    widgets=0,
)


def sight(**changes: Any) -> Sight:  # noqa: ANN401 -- the fields of Sight
    return replace(PLAIN, **changes)


def as_script(of: Sight) -> dict[str, Any]:
    """What the page's script returns of such a page."""
    return {
        "title": of.title,
        "heading": of.heading,
        "text": of.text,
        "size": of.size,
        "password": of.passwords,
        "fields": of.fields,
        "alerts": list(of.alerts),
        "invalid": list(of.invalid),
        "spinner": of.spinners,
        "frames": list(of.frames),
        "widgets": of.widgets,
        "loaded": of.is_loaded,
        "solved": of.is_solved,
    }
