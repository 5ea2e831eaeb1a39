"""Trace and span ids, derived from the canary's id so that every process agrees on them."""

from hashlib import sha256
from typing import NewType

TraceId = NewType("TraceId", str)
SpanId = NewType("SpanId", str)


def _digest(kind: str, text: str, length_bytes: int) -> str:
    value = (
        int.from_bytes(sha256(f"intake-prober/{kind}/1/{text}".encode()).digest()[:length_bytes], "big") or 1
    )
    return f"{value:0{2 * length_bytes}x}"


def trace_id(canary_id: str) -> TraceId:
    """The 32 hexadecimal digits of a canary's trace; never all zero (W3C Trace Context section 3.2.2.3)."""
    return TraceId(_digest("trace", canary_id, 16))


def span_id(canary_id: str, key: str) -> SpanId:
    """The 16 hexadecimal digits of one span: ``canary``, a hop, ``relay/<n>``, ``aftermath``, ``cleanup/<n>``."""
    return SpanId(_digest("span", f"{canary_id}/{key}", 8))
