"""Which commands of others a prober runs: the place where it runs must have them, and let them out."""

from runners.config.config import Config, TokenCommand


def commands_of(config: Config) -> set[tuple[str, ...]]:
    """All commands that the configuration has run: for secrets, for access tokens, for a mailbox's capacity."""
    found = set(config.needs.commands)
    servers = [one.smtp for one in config.accounts.values()] + [one.imap for one in config.accounts.values()]
    servers += [one.imap for one in config.mailboxes.values()]
    for server in servers:
        if server is not None and isinstance(server.login, TokenCommand):
            found.add(server.login.command)
    found |= {one.capacity.command for one in config.mailboxes.values() if one.capacity.command is not None}
    return found
