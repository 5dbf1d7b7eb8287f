"""the transparency log: leaves, tiles, checkpoints, and the events that wait

Revision ID: 20261122b
Revises: 20261122a
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122b"
down_revision = "20261122a"
branch_labels = None
depends_on = None

# Whoever writes an event, by whatever statement: it waits for its leaf from the same transaction on.
PENDING = """
create function await_leaf() returns trigger language plpgsql as $$
begin
    insert into log_pending (seq) select seq from added;
    return null;
end $$;
create trigger audit_event_awaits_leaf after insert on audit_event referencing new table as added
    for each statement execute function await_leaf();
insert into log_pending (seq) select seq from audit_event;
-- Rows live for a second: what they leave behind is swept before it is many pages.
alter table log_pending set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
"""

APPEND_ONLY = ("log_checkpoint", "log_leaf", "log_tile")


def upgrade() -> None:
    op.create_table(
        "log_pending",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_pending")),
    )
    op.create_table(
        "log_leaf",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_log_leaf")),
        sa.UniqueConstraint("seq", name=op.f("uq_log_leaf_seq")),
    )
    op.create_table(
        "log_tile",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "n", name=op.f("pk_log_tile")),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_checkpoint")),
    )
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_is_append_only before update or delete or truncate on {table}"
            " for each statement execute function refuse_change()"
        )
        op.execute(f"revoke update, delete on {table} from registry_app")
    op.execute(PENDING)


def downgrade() -> None:
    op.execute("drop trigger audit_event_awaits_leaf on audit_event")
    op.execute("drop function await_leaf()")
    for table in ("log_checkpoint", "log_tile", "log_leaf", "log_pending"):
        op.drop_table(table)
