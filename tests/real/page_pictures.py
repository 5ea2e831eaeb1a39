"""`python -m tests.real.page_pictures` makes docs/page.png and docs/page-phone.png: the page in a night of trouble."""

import asyncio
import sys
from pathlib import Path

from tests.fakes.page_scene import MAIL, NOW, night
from tests.real.page_stage import chromium, listening, looking, picture

DOCS = Path(__file__).parents[2] / "docs"
DESK = {"width": 980, "height": 905}
PHONE = {"width": 360, "height": 1150}
MOST_BYTES = 150_000


async def draw(folder: Path) -> list[Path]:
    """The overview in light, and the incident on a phone in the dark."""
    scene = await night(hours=4)
    (incident, *_) = [
        one for one in await scene.store.incidents(path=None, since=NOW, limit=0) if one.path == MAIL
    ]
    async with listening(scene.parts()) as url, chromium() as browser:
        async with looking(browser, size=DESK) as desk:
            await desk.page.goto(f"{url}/")
            overview = await picture(desk.page, folder / "page.png", whole=False)
        async with looking(browser, scheme="dark", size=PHONE) as phone:
            await phone.page.goto(f"{url}/incidents/{incident.id}")
            shown = await picture(phone.page, folder / "page-phone.png", whole=False)
    return [overview, shown]


if __name__ == "__main__":
    for file in asyncio.run(draw(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS)):
        size = file.stat().st_size
        sys.stdout.write(f"{file.name}: {size} bytes\n")
        if size >= MOST_BYTES:
            sys.exit(f"{file.name} is larger than {MOST_BYTES} bytes")
