"""Let the audit forget what is old: of its last 90 days, nothing can be deleted still, and no line be changed ever."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SAID = "the audit is append-only"
# The database has no clock that the prober goes by: the newest line says what time it is.
_IS_YOUNG = f"OLD.at > (SELECT max(at) FROM audit) - {90 * 86400 * 1_000_000}"  # noqa: S608 -- a constant


def upgrade() -> None:
    """Narrow what refuses to delete."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_refuses_delete")
        op.execute(
            f"CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON audit WHEN {_IS_YOUNG}"
            f" BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
        )
        return
    op.execute("DROP TRIGGER audit_refuses ON audit")
    op.execute(
        "CREATE TRIGGER audit_refuses BEFORE UPDATE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )
    op.execute(
        "CREATE FUNCTION audit_keeps_its_last_days() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN IF {_IS_YOUNG} THEN RAISE EXCEPTION '{_SAID}'; END IF; RETURN OLD; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON audit"
        " FOR EACH ROW EXECUTE FUNCTION audit_keeps_its_last_days()"
    )


def downgrade() -> None:
    """Nothing goes back."""
    raise NotImplementedError("a store is never taken back: restore a backup")
