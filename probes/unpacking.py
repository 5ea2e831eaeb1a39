"""A packed body unpacked piece by piece, no further than is wanted: a few kilobytes may hold gigabytes."""

import zlib
from typing import Final

import httpx

ACCEPTED: Final = "gzip, deflate"
"""Whatever comes packed otherwise, or more than once, was not asked for."""
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32
_RAW: Final = -zlib.MAX_WBITS
_IDENTITY: Final = frozenset({"", "identity"})
_PACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})


class Unpacking:
    """The body of one answer."""

    def __init__(self, content_encoding: str) -> None:
        """Take the header field's value.

        Raises:
            httpx.DecodingError: it is packed in a way that was not asked for.
        """
        coding = content_encoding.strip().lower()
        if coding not in _IDENTITY | _PACKED:
            raise httpx.DecodingError(f"packed as {content_encoding[:40]!r}, and {ACCEPTED} was asked for")
        self._unpacker = zlib.decompressobj(_GZIP_OR_ZLIB) if coding in _PACKED else None
        self._is_begun = False

    def unpack(self, part: bytes, most: int) -> bytes:
        """What a piece comes to, at most so many bytes; what is beyond is lost.

        Raises:
            httpx.DecodingError: it is not packed as it says.
        """
        if self._unpacker is None:
            return part[:most]
        try:
            return self._unpacker.decompress(part, most)
        except zlib.error as error:
            if self._is_begun:
                raise httpx.DecodingError(f"can't be unpacked: {error}") from error
            # Some servers take "deflate" for the bare stream (RFC 9110 section 8.4.1.2).
            self._unpacker = zlib.decompressobj(_RAW)
            self._is_begun = True
            return self.unpack(part, most)
        finally:
            self._is_begun = True
