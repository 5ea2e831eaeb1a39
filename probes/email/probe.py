"""The e-mail probe of one path: satisfies `probes.contracts.Probe`."""

from collections.abc import Sequence

from canary.canary import Canary
from canary.content import ExpectedContent
from canary.hop import Channel
from probes.contracts import Check, Clock, Report
from probes.dns import Resolver
from probes.email.checks import check_path
from probes.email.launch import Launch
from probes.email.settings import EmailSettings, SenderAccount, Via
from probes.masking import Masker
from probes.message.compose import expected_content
from probes.selfcheck import SideJudge
from probes.tls import Contexts


class EmailProbe:
    """Submits canaries of one path by SMTP; holds no connection between launches."""

    def __init__(
        self,
        settings: EmailSettings,
        *,
        clock: Clock,
        resolver: Resolver,
        masker: Masker,
        contexts: Contexts | None = None,
        controls: SideJudge | None = None,
    ) -> None:
        """Keep the parts; opens nothing.

        Args:
            settings: how this path sends.
            clock: times, limits and pauses.
            resolver: looks names up.
            masker: for the details of observations.
            contexts: shared TLS contexts; None: of its own.
            controls: decide whose fault a silence is; None: the reason's table does.
        """
        self._settings = settings
        self._clock = clock
        self._resolver = resolver
        self._masker = masker
        self._contexts = contexts if contexts is not None else Contexts()
        self._controls = controls

    @property
    def channel(self) -> Channel:
        """E-mail."""
        return Channel.EMAIL

    async def launch(self, canary: Canary, report: Report) -> None:
        """Send the canary once; see `probes.contracts.Probe`.

        Deferrals are tried again until the deadline, with the same mail; what may have left is never sent again.

        Raises:
            KeyError: the canary's sender is none of the path's: a fault of the wiring.
        """
        account = self._account(canary.sender)
        launch = Launch(
            self._settings,
            canary,
            report,
            account=account,
            clock=self._clock,
            resolver=self._resolver,
            contexts=self._contexts,
            masker=self._masker,
            controls=self._controls,
        )
        await launch.run()

    async def check(self) -> Sequence[Check]:
        """Names, connection, TLS, login and certificate of each way that this path sends by; sends nothing."""
        return await check_path(
            self._settings,
            clock=self._clock,
            resolver=self._resolver,
            contexts=self._contexts,
            masker=self._masker,
        )

    def expected_content(self, canary: Canary) -> ExpectedContent:
        """What a ticket of the canary must say."""
        return expected_content(canary, self._settings.mail)

    def _account(self, sender: str) -> SenderAccount:
        account = self._settings.senders[sender.lower()]
        if account.server is None and self._settings.via is Via.SMTP:
            raise KeyError(f"{sender} has no submission server, and the path sends by one")
        return account
