"""The customer that a canary plays on a page, as a `script:` of the user sees it."""

from collections.abc import Mapping
from dataclasses import dataclass

from probes.message.compose import AttachedFile


@dataclass(frozen=True, slots=True)
class Customer:
    """What is asked, and by whom.

    Attributes:
        words: the value of each word of a template: subject, body, token, sender, name.
        attachment: the file to upload, or None.
    """

    words: Mapping[str, str]
    attachment: AttachedFile | None = None

    @property
    def subject(self) -> str:
        """The whole subject, with marker and token."""
        return self.words["subject"]

    @property
    def body(self) -> str:
        """The whole text, with the token."""
        return self.words["body"]

    @property
    def token(self) -> str:
        """The signed word by which the ticket is recognised."""
        return self.words["token"]

    @property
    def sender(self) -> str:
        """The customer's address."""
        return self.words["sender"]

    @property
    def name(self) -> str:
        """The customer's name."""
        return self.words["name"]
