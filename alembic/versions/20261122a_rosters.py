"""rosters: the uploaded file, its rows, what the rules said of them, and which filings came of them

Revision ID: 20261122a
Revises: 20261121b
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122a"
down_revision = "20261121b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spooled_part",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", "part", name=op.f("pk_spooled_part")),
    )
    op.create_table(
        "roster",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("resting", sa.Text(), nullable=True),
        sa.Column("uploaded_by", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("places", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("fault", sa.JSON(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("judged_on", sa.Date(), nullable=True),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("stage_began", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stage_base", sa.Integer(), nullable=False),
        sa.Column("worked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("filed_by", sa.Text(), nullable=True),
        sa.Column("attested_by", sa.Text(), nullable=True),
        sa.Column("attested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drafts_done", sa.Boolean(), nullable=False),
        sa.Column("agreements", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state in ('received', 'parsing', 'mapping', 'judging', 'judged', 'filing', 'filed', 'submitted', 'paused', 'cancelled', 'failed')",
            name=op.f("ck_roster_state"),
        ),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"], name=op.f("fk_roster_institution_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster")),
    )
    op.create_index(
        "ix_roster_at_work",
        "roster",
        ["worked_at"],
        unique=False,
        postgresql_where=sa.text(
            "state in ('received', 'parsing', 'mapping', 'judging', 'filing') or not drafts_done and (state = 'filed' and attested_by is not null or state in ('cancelled', 'failed') and filed_by is not null)"
        ),
    )
    op.create_index("ix_roster_institution", "roster", ["institution_id", "id"], unique=False)
    op.create_table(
        "roster_row",
        sa.Column("roster_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("cells_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("person_index", sa.LargeBinary(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["roster_id"], ["roster.id"], name=op.f("fk_roster_row_roster_id")),
        sa.PrimaryKeyConstraint("roster_id", "row", name=op.f("pk_roster_row")),
    )
    op.create_index("ix_roster_row_person", "roster_row", ["roster_id", "person_index", "row"], unique=False)
    op.create_table(
        "roster_verdict",
        sa.Column("roster_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("rules", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["roster_id", "row"],
            ["roster_row.roster_id", "roster_row.row"],
            name=op.f("fk_roster_verdict_roster_id_row"),
        ),
        sa.PrimaryKeyConstraint("roster_id", "row", name=op.f("pk_roster_verdict")),
    )
    op.create_index("ix_roster_verdict_outcome", "roster_verdict", ["roster_id", "outcome", "row"], unique=False)
    op.add_column("filing", sa.Column("attested_sha256", sa.Text(), nullable=True))
    op.add_column("filing", sa.Column("main_agreed_sha256", sa.Text(), nullable=True))
    op.add_column("filing", sa.Column("roster_id", sa.Uuid(), nullable=True))
    op.add_column("filing", sa.Column("roster_row", sa.Integer(), nullable=True))
    op.create_index(
        "ix_filing_roster",
        "filing",
        ["roster_id", "roster_row"],
        unique=True,
        postgresql_where=sa.text("roster_id is not null"),
    )
    op.create_foreign_key(op.f("fk_filing_roster_id"), "filing", "roster", ["roster_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint(op.f("fk_filing_roster_id"), "filing", type_="foreignkey")
    op.drop_index("ix_filing_roster", table_name="filing", postgresql_where=sa.text("roster_id is not null"))
    op.drop_column("filing", "roster_row")
    op.drop_column("filing", "roster_id")
    op.drop_column("filing", "main_agreed_sha256")
    op.drop_column("filing", "attested_sha256")
    op.drop_index("ix_roster_verdict_outcome", table_name="roster_verdict")
    op.drop_table("roster_verdict")
    op.drop_index("ix_roster_row_person", table_name="roster_row")
    op.drop_table("roster_row")
    op.drop_index("ix_roster_institution", table_name="roster")
    op.drop_index(
        "ix_roster_at_work",
        table_name="roster",
        postgresql_where=sa.text(
            "state in ('received', 'parsing', 'mapping', 'judging', 'filing') or not drafts_done and (state = 'filed' and attested_by is not null or state in ('cancelled', 'failed') and filed_by is not null)"
        ),
    )
    op.drop_table("roster")
    op.drop_table("spooled_part")
