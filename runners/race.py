"""Wait for the first of several things, and leave none of the others running."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first(*works: Coroutine[Any, Any, object]) -> None:
    """Return when the first is done; the others are cancelled and awaited. An error of any of them is raised.

    Cancellable: cancelling it cancels them all.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
