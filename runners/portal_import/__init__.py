"""From what Playwright's recorder wrote to the steps of a path: read as grammar, never run."""
