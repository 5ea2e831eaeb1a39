"""HTTP's Basic scheme, for a ticketing system that takes a user's password."""

import base64
from collections.abc import Mapping

from probes.http import Authorise
from probes.masking import Masker, Secret


def basic(username: str, masker: Masker) -> Authorise:
    """HTTP's Basic scheme (RFC 7617 section 2), for a system that takes a user's password."""

    def authorise(secret: Secret) -> Mapping[str, str]:
        pair = base64.b64encode(f"{username}:{secret.reveal()}".encode()).decode()
        return {"Authorization": f"Basic {masker.register(Secret(pair)).reveal()}"}

    return authorise
