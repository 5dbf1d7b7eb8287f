"""records that were opened, and the batch whose event commits to each access

Revision ID: 20261122d
Revises: 20261122c
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122d"
down_revision = "20261122c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("access_record", sa.Column("batch", sa.Uuid(), nullable=True))
    op.create_table(
        "opening_record",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("physician_id", sa.Uuid(), nullable=True),
        sa.Column("batch", sa.Uuid(), nullable=False),
        sa.CheckConstraint("subject_type in ('physician', 'filing')", name=op.f("ck_opening_record_subject_type")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_record")),
    )
    op.create_index("ix_opening_record_physician", "opening_record", ["physician_id", "id"], unique=False)
    op.execute("revoke update, delete on opening_record from registry_app")


def downgrade() -> None:
    op.drop_table("opening_record")
    op.drop_column("access_record", "batch")
