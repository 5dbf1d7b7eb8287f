"""job queue: Procrastinate's own schema, up to a fixed step

Applies the SQL steps the library ships, up to LAST, so that the same revision gives the same schema whatever newer
version is installed later.

Revision ID: 20261121b
Revises: 20261121a
"""

from __future__ import annotations

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "20261121b"
down_revision = "20261121a"
branch_labels = None
depends_on = None

LAST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"

CLEAR = """
drop table if exists procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers
    cascade;
do $$
declare
    signature text;
begin
    for signature in
        select oid::regprocedure::text from pg_proc
        where pronamespace = current_schema()::regnamespace and starts_with(proname, 'procrastinate_')
    loop
        execute 'drop function ' || signature || ' cascade';
    end loop;
end $$;
drop type if exists procrastinate_job_to_defer_v1, procrastinate_job_status, procrastinate_job_event_type cascade;
"""


def upgrade() -> None:
    steps = sorted(path for path in Path(SchemaManager.get_migrations_path()).glob("*.sql") if path.name <= LAST)
    if not steps or steps[-1].name != LAST:
        raise RuntimeError(f"procrastinate no longer ships {LAST}")
    # One transaction for each step: before version 17 a value added to an enum cannot be used in the same one. Whatever
    # a run that broke off has left is dropped first, so the migration as a whole is done or not done all the same.
    with op.get_context().autocommit_block():
        op.execute(CLEAR)
        for step in steps:
            # Sent as it is: the SQL holds literal percent signs and colons.
            op.get_bind().exec_driver_sql(step.read_text().replace("%", "%%"))


def downgrade() -> None:
    op.execute(CLEAR)
