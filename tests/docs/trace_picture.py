"""`python -m tests.docs.trace_picture`: runs one canary against the sandbox, and draws the trace that a receiver got."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.real.intake import new_intake
from tests.real.otlp_receiver import Receiver, attributes, receiving
from tests.sandbox import ROOT, start_sandbox

PICTURE = ROOT / "docs" / "trace.svg"
_ROW, _NAMES, _BARS, _TOP = 22, 300, 560, 34
_COLOURS = {
    Span.SPAN_KIND_INTERNAL: "#8a94a6",
    Span.SPAN_KIND_CLIENT: "#3b82c4",
    Span.SPAN_KIND_CONSUMER: "#7a5cc0",
}
_ERROR = "#c0392b"


def drawn(spans: Sequence[Span]) -> str:
    """A waterfall of one trace, as SVG; its root is the longest bar."""
    rows = list(_in_order(spans))
    begin = min(one.start_time_unix_nano for one, _ in rows)
    length = max(one.end_time_unix_nano for one, _ in rows) - begin
    height = _TOP + _ROW * len(rows) + 10
    width = _NAMES + _BARS + 90
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="monospace" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="10" y="20" fill="#333333">trace {rows[0][0].trace_id.hex()}</text>',
    ]
    for index, (span, depth) in enumerate(rows):
        y = _TOP + _ROW * index
        left = _NAMES + _BARS * (span.start_time_unix_nano - begin) / length
        wide = max(1.5, _BARS * (span.end_time_unix_nano - span.start_time_unix_nano) / length)
        seconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
        colour = _ERROR if span.status.code == Status.STATUS_CODE_ERROR else _COLOURS[span.kind]
        if index % 2:
            lines.append(f'<rect y="{y}" width="{width}" height="{_ROW}" fill="#f4f6f8"/>')
        lines.append(f'<text x="{10 + 16 * depth}" y="{y + 15}" fill="#222222">{escape(_named(span))}</text>')
        lines.append(
            f'<rect x="{left:.1f}" y="{y + 5}" width="{wide:.1f}" height="{_ROW - 10}" rx="2" fill="{colour}"/>'
        )
        lines.append(f'<text x="{_NAMES + _BARS + 8}" y="{y + 15}" fill="#555555">{seconds:.3f} s</text>')
    return "\n".join([*lines, "</svg>", ""])


def _named(span: Span) -> str:
    told = attributes(span)
    return f"{span.name} {told['server.address']}" if span.name == "relay" else span.name


def _in_order(spans: Sequence[Span], parent: bytes = b"", depth: int = 0) -> Iterator[tuple[Span, int]]:
    below = [one for one in spans if one.parent_span_id == parent]
    for one in sorted(below, key=lambda one: (one.start_time_unix_nano, one.end_time_unix_nano, one.name)):
        yield one, depth
        yield from _in_order(spans, one.span_id, depth + 1)


def traced(home: Path) -> Receiver:
    """One canary by e-mail against the sandbox; what a receiver was sent of it."""
    with start_sandbox(home / "sandbox") as sandbox, receiving() as receiver:
        intake = new_intake(home / "intake", sandbox.endpoints, {"telemetry": {"otlp": receiver.url}})
        intake.tell("run")
        return receiver


if __name__ == "__main__":
    with TemporaryDirectory() as home:
        PICTURE.write_text(drawn(traced(Path(home)).spans))
