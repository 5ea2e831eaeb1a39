"""Bearer tokens: the XOAUTH2 response and the tokens that an account accepts; shared by SMTP and IMAP."""

from sandbox.mailstore import Account


def bearer(blob: bytes) -> tuple[str, str] | None:
    """Split an XOAUTH2 response into user and token; None if it isn't one."""
    fields = dict(
        part.split("=", 1) for part in blob.decode("utf-8", errors="replace").split("\x01") if "=" in part
    )
    scheme, _, token = fields.get("auth", "").partition(" ")
    return (fields.get("user", ""), token) if scheme.casefold() == "bearer" else None


def accepts_token(account: Account, token: str, tokens: tuple[str, ...] | None) -> bool:
    """Whether the token opens the account; without a list the password is the only token."""
    return token in tokens if tokens is not None else account.accepts_password(token)
