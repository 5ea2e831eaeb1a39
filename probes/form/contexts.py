"""The TLS contexts of one path: own authorities, the protocols that are offered, a client certificate for one place."""

import os
import ssl

import httpx

from canary.reason import Reason
from probes.form.origin import Origin
from probes.masking import Secret
from probes.reasons import Failure
from probes.servers import ClientCertificate
from probes.tls import CertificateFileUnusable, client_context


class FormContexts:
    """Keeps the contexts, since reading the system's authorities takes tens of milliseconds each time.

    They are not `probes.tls.Contexts`: the offered protocols (ALPN, RFC 7301) are a property of the context.
    """

    def __init__(
        self, *, ca_files: tuple[str, ...], http2: bool, client_certificate: ClientCertificate | None
    ) -> None:
        self._ca_files = ca_files
        self._protocols = ["h2", "http/1.1"] if http2 else ["http/1.1"]
        self._certificate = client_certificate
        self._plain: ssl.SSLContext | None = None
        self._bearing: tuple[Secret, ssl.SSLContext] | None = None

    def shows_certificate(self, origin: Origin) -> bool:
        """Whether our certificate is shown to that place."""
        return self._certificate is not None and Origin.of(httpx.URL(self._certificate.origin)) == origin

    async def context(self, origin: Origin) -> ssl.SSLContext:
        """The context for that place.

        Raises:
            SecretUnavailable: the certificate's key can't be had.
            Failure: a file of authorities, or our certificate, can't be used.
        """
        if self._certificate is None or not self.shows_certificate(origin):
            self._plain = self._plain or self._new()
            return self._plain
        key = await self._certificate.key.read()
        if self._bearing is None or self._bearing[0] != key:
            context = self._new()
            _bear(context, self._certificate.certificate, key)
            self._bearing = (key, context)
        return self._bearing[1]

    def _new(self) -> ssl.SSLContext:
        try:
            context = client_context(self._ca_files)
        except CertificateFileUnusable as error:
            raise Failure(Reason.UNEXPECTED, str(error)) from error
        context.set_alpn_protocols(self._protocols)
        return context


def _bear(context: ssl.SSLContext, certificate: str, key: Secret) -> None:
    """Load certificate and key. The ssl module reads files only; the key's is in memory and has no name."""
    descriptor = os.memfd_create("key")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(key.reveal().encode())
        # An encrypted key would be asked for on the terminal: an empty pass phrase fails instead.
        context.load_cert_chain(certificate, f"/proc/self/fd/{descriptor}", password="")
    except OSError as error:  # ssl.SSLError too
        cause = getattr(error, "reason", None) or error.strerror or "not PEM"
        raise Failure(
            Reason.CREDENTIALS_REJECTED,
            f"our client certificate {certificate} can't be used with its key: {cause}",
        ) from None
    finally:
        os.close(descriptor)
