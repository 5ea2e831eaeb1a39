"""`intake-prober demo | python -m tests.docs.demo_picture FILE…`: the demo's output as text and as a picture (SVG)."""

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 128
STYLES = {
    r"confirmed|as it should": "green",
    r"breached|mailbox_full|page:|incident open": "bold red",
    r"warn:|\blate\b": "yellow",
    r"█+": "cyan",
    r"(?m)^\d\. .*$": "bold",
}


def draw(said: str, picture: Path) -> None:
    """Draw what was said, as a terminal shows it."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), color_system="truecolor")
    text = Text(said.rstrip("\n"))
    for pattern, style in STYLES.items():
        text.highlight_regex(pattern, style)
    console.print(text, soft_wrap=False)
    svg = console.export_svg(title="intake-prober demo", font_aspect_ratio=0.6)
    # A picture in a README fetches nothing: no fonts from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL).replace("Fira Code", "ui-monospace")
    picture.write_text(re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL))


if __name__ == "__main__":
    draw(sys.stdin.read(), Path(sys.argv[1]))
