"""Durations, amounts and shares in words: the same ones in alerts, on the page and on the command line."""

from typing import Final

_UNITS: Final = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def duration(seconds: float | None) -> str:
    """A duration in at most two units; a dash for none."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:  # noqa: PLR2004 -- seconds of a minute
        return f"{seconds:.1f} s"
    left = int(seconds)
    parts = []
    for unit, length in _UNITS:
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def amount(value: float, unit: str) -> str:
    """A value with its unit (UCUM), bytes in the largest that fits."""
    match unit:
        case "By":
            size = value
            for name in ("B", "KiB", "MiB", "GiB"):
                if abs(size) < 1024:  # noqa: PLR2004 -- one unit of the next
                    return f"{size:.0f} {name}" if name == "B" else f"{size:.1f} {name}"
                size /= 1024
            return f"{size:.1f} TiB"
        case "s":
            return duration(value) if value >= 0 else f"-{duration(-value)}"
        case _:
            things = unit.strip("{}") + ("" if value == 1 else "s")
            return f"{value:g} {things}" if unit != "1" else f"{value:g}"


def whole_percent(share: float) -> str:
    """A share in whole per cent; not rounded up to 100 while something is left."""
    rounded = round(100 * share)
    return f"{min(rounded, 99) if share < 1 else rounded} %"
