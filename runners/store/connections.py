"""What every connection to a store is told, whoever opens it."""

BUSY_SECONDS = 5.0
"""How long to wait for another process's transaction; ours take milliseconds."""
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 10


def postgresql_arguments(*, is_read_only: bool) -> dict[str, object]:
    """Limits, and whether the session may write, for psycopg."""
    settings = {
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "lock_timeout": f"{STATEMENT_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{STATEMENT_SECONDS}s",
        "timezone": "UTC",
        "default_transaction_read_only": "on" if is_read_only else "off",
    }
    return {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": 30,
        "tcp_user_timeout": 1000 * STATEMENT_SECONDS,
        "application_name": "intake-prober",
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }
