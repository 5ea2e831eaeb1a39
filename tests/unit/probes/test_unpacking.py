"""Packed bodies: unpacked as far as is wanted, and never further."""

import gzip
import zlib
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.unpacking import Unpacking


def raw(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "identity": bytes,
    "": bytes,
}


@given(st.sampled_from(sorted(PACKERS)), st.binary(max_size=300), st.integers(1, 50))
def test_pieces__come_to_the_whole(coding: str, content: bytes, size: int) -> None:
    packed, unpacking = PACKERS[coding](content), Unpacking(coding)

    parts = [unpacking.unpack(packed[at : at + size], 1000) for at in range(0, len(packed), size)]

    assert b"".join(parts) == content


def test_bare_stream__is_taken_for_deflate_too() -> None:
    assert Unpacking("deflate").unpack(raw(b"words " * 100), 1000) == b"words " * 100


def test_a_small_piece_with_a_large_content__is_unpacked_as_far_as_is_wanted() -> None:
    packed = gzip.compress(bytes(10_000_000))

    assert len(packed) < 20_000
    assert Unpacking("gzip").unpack(packed, 1000) == bytes(1000)


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "zstd"])
def test_what_was_not_asked_for__is_refused(coding: str) -> None:
    with pytest.raises(httpx.DecodingError, match="gzip, deflate was asked for"):
        Unpacking(coding)


def test_what_is_not_packed__is_refused() -> None:
    with pytest.raises(httpx.DecodingError, match="can't be unpacked"):
        Unpacking("gzip").unpack(b"\xff" * 100, 1000)
