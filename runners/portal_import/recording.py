"""Import a recording: from the bytes of a file to a path, and what of it a person must look at."""

from runners.portal_import.guess import guess
from runners.portal_import.imported import Imported
from runners.portal_import.source import NoRecording, parse
from runners.portal_import.walk import walk


def import_recording(content: bytes) -> Imported:
    """Read what Playwright's recorder wrote (target Python, sync, async or pytest). The file is never run.

    Raises:
        NoRecording: it can't be read, or nothing in it is done to a page.
    """
    module = parse(content)
    try:
        walked = walk(module)
    except RecursionError:
        raise NoRecording("it is nested too deeply for a recording") from None
    if not walked.acts and not walked.notes:
        raise NoRecording("nothing in it is done to a page")
    return guess(walked)
