"""repairs of what was decided: two people, a reason

Revision ID: 20261122e
Revises: 20261122d
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122e"
down_revision = "20261122d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "repair",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('reverse', 'redate')", name=op.f("ck_repair_kind")),
        sa.CheckConstraint("state in ('proposed', 'done', 'declined', 'withdrawn')", name=op.f("ck_repair_state")),
        sa.CheckConstraint("decided_by <> proposed_by or state = 'withdrawn'", name=op.f("ck_repair_two_people")),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name=op.f("fk_repair_filing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repair")),
    )
    op.create_index(
        "ix_repair_open", "repair", ["filing_id"], unique=True, postgresql_where=sa.text("state = 'proposed'")
    )
    op.create_index("ix_repair_authority", "repair", ["authority", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("repair")
