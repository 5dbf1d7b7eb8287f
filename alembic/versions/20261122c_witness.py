"""witnesses: the logs watched here, the forks refused, and who follows our own log

Revision ID: 20261122c
Revises: 20261122b
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122c"
down_revision = "20261122b"
branch_labels = None
depends_on = None

# A witness that forgets can be led to co-sign a fork: what it has co-signed only grows.
ONLY_GROWS = """
create function refuse_to_shrink() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or new.size < old.size or new.origin <> old.origin or new.vkey <> old.vkey
       or (new.size = old.size and old.size > 0 and new.root <> old.root) then
        raise exception '% refused: what was co-signed for % stays', tg_op, old.origin
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
create trigger witnessed_log_only_grows before update or delete on witnessed_log
    for each row execute function refuse_to_shrink();
create trigger fork_evidence_is_append_only before update or delete or truncate on fork_evidence
    for each statement execute function refuse_change();
revoke update, delete on fork_evidence from registry_app;
"""


def upgrade() -> None:
    op.create_table(
        "witnessed_log",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("vkey", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("size >= 0", name=op.f("ck_witnessed_log_size")),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_witnessed_log")),
    )
    op.create_table(
        "fork_evidence",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("checkpoint_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("submitted", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fork_evidence")),
    )
    op.create_index("ix_fork_evidence_checkpoint", "fork_evidence", ["origin", "checkpoint_sha256"], unique=True)
    op.create_table(
        "cosigner",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("late_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cosigner")),
    )
    op.execute(ONLY_GROWS)


def downgrade() -> None:
    for table in ("cosigner", "fork_evidence", "witnessed_log"):
        op.drop_table(table)
    op.execute("drop function refuse_to_shrink()")
