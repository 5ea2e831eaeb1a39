"""Addresses as they go over the wire."""


def ascii_domain(address: str) -> str:
    """The address with its domain in ASCII form (RFC 5891, mapped by UTS 46); a local part outside ASCII stays (RFC 6531)."""
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    import idna

    return f"{local}{at}{idna.encode(domain, uts46=True).decode()}"
