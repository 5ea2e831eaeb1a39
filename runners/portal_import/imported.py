"""A path as it was recorded, before anyone looked at it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from probes.masking import Secret
from probes.portal.steps import Confirm, Locator, Step, Submit
from probes.servers import SecretUnavailable
from runners.portal_import.browser_options import BrowserOptions
from runners.portal_import.source import Guess, Note


@dataclass(frozen=True, slots=True)
class Named:
    """A secret of which only the environment variable's name is known here."""

    name: str

    async def read(self, *, renew: bool = False) -> Secret:  # noqa: ARG002 -- there is nothing to renew
        """Raises `SecretUnavailable`: there is only the name."""
        raise SecretUnavailable(f"the environment variable {self.name} is only named here")


@dataclass(frozen=True, slots=True)
class Imported:
    """A path as it was recorded.

    Attributes:
        url: where it begins; empty: the recording opens no address.
        dismiss: what closes a banner.
        hosts: where its addresses lead, if to more than one host.
        attachment: the file that was attached.
        guesses: what was decided without being told, for people.
    """

    url: str
    login: Sequence[Step]
    steps: Sequence[Step]
    dismiss: Sequence[Locator] = ()
    hosts: Sequence[str] = ()
    attachment: str | None = None
    options: BrowserOptions = field(default_factory=BrowserOptions)
    guesses: Sequence[Guess] = ()
    notes: Sequence[Note] = ()

    @property
    def has_submit(self) -> bool:
        """Whether something was taken for what sends the request."""
        return any(isinstance(one.action, Submit) for one in self.steps)

    @property
    def has_confirm(self) -> bool:
        """Whether something that was looked at after it shows success."""
        return any(isinstance(one.action, Confirm) for one in self.steps)
