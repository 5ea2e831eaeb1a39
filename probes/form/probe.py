"""The form probe of one path: satisfies `probes.contracts.Probe`."""

from collections.abc import Sequence

from canary.canary import Canary
from canary.content import ExpectedContent
from canary.hop import Channel
from probes.contracts import Check, Clock, Report
from probes.dns import Resolver
from probes.form.checks import check_path
from probes.form.contexts import FormContexts
from probes.form.launch import Launch
from probes.form.parts import Parts
from probes.form.settings import FormSettings
from probes.masking import Masker
from probes.message.request import expected_content
from probes.selfcheck import SideJudge


class FormProbe:
    """Submits canaries of one path by plain HTTP; holds no connection and no cookie between launches."""

    def __init__(
        self,
        settings: FormSettings,
        *,
        clock: Clock,
        resolver: Resolver,
        masker: Masker,
        controls: SideJudge | None = None,
    ) -> None:
        """Keep the parts; opens nothing.

        Args:
            settings: how this path sends.
            clock: times and limits.
            resolver: looks names up.
            masker: for the details of observations.
            controls: decide whose fault a silence is; None: the reason's table does.
        """
        self._settings = settings
        self._controls = controls
        contexts = FormContexts(
            ca_files=settings.ca_files, http2=settings.http2, client_certificate=settings.client_certificate
        )
        self._parts = Parts(settings, clock, resolver, contexts, masker)

    @property
    def channel(self) -> Channel:
        """Plain HTTP."""
        return Channel.FORM

    async def launch(self, canary: Canary, report: Report) -> None:
        """Send the canary once; see `probes.contracts.Probe`."""
        await Launch(self._parts, canary, report, controls=self._controls).run()

    async def check(self) -> Sequence[Check]:
        """Name, connection, TLS, certificate, and the page with its form and fields; sends nothing."""
        return await check_path(self._parts)

    def expected_content(self, canary: Canary) -> ExpectedContent:
        """What a ticket of the canary must say."""
        return expected_content(
            canary, self._settings.request, bears_attachment=self._settings.bears_attachment
        )
