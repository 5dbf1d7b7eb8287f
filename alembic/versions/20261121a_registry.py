"""the registry: every table, and what the application's role may do with it

Revision ID: 20261121a
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261121a"
down_revision = None
branch_labels = None
depends_on = None

# Text and integers in one exclusion constraint; similarity of names.
EXTENSIONS = ("btree_gist", "pg_trgm")

# RFC 9562 version 7: 48 bits of milliseconds, then the random tail of a version 4 id, whose variant bits stay.
UUID7 = """
create function uuid7() returns uuid language sql volatile parallel safe as $$
    select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
            || '7' || substr(gen_random_uuid()::text, 16))::uuid
$$
"""

# Rows of these are added and read, never changed: docs/adr/0003.
APPEND_ONLY = "access_record, audit_event, audit_payload, authority_setting, consent, decision, evaluation"

# Whoever asks, the owner too. Only the payload, kept apart from its commitment, may be erased, and by the owner alone.
REFUSE_CHANGES = """
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% of % refused: rows are only added', tg_op, tg_table_name using errcode = 'insufficient_privilege';
end $$;
create trigger audit_event_is_append_only before update or delete or truncate on audit_event
    for each statement execute function refuse_change();
create trigger audit_payload_is_append_only before update or truncate on audit_payload
    for each statement execute function refuse_change();
"""

ROLE = """
do $$
begin
    if not exists (select from pg_roles where rolname = 'registry_app') then
        create role registry_app;
    end if;
    -- One login for both, where an external database gives only one: it must be able to become the role.
    if not pg_has_role(current_user, 'registry_app', 'member') then
        execute format('grant registry_app to %I', current_user);
    end if;
    execute format('grant connect on database %I to registry_app', current_database());
    execute format('alter role registry_app in database %I set lock_timeout = ''2s''', current_database());
    execute format('alter role registry_app in database %I set statement_timeout = ''15s''', current_database());
    execute format(
        'alter role registry_app in database %I set idle_in_transaction_session_timeout = ''30s''', current_database()
    );
end $$;
revoke create on schema public from public;
grant usage on schema public to registry_app;
alter default privileges in schema public grant select, insert, update, delete on tables to registry_app;
alter default privileges in schema public grant usage, select on sequences to registry_app;
"""


def upgrade() -> None:
    op.execute(ROLE)
    for extension in EXTENSIONS:
        op.execute(f"create extension if not exists {extension}")
    op.execute(UUID7)
    op.execute("create sequence filing_number_seq")
    op.create_table(
        "access_record",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("physician_id", sa.Uuid(), nullable=True),
        sa.Column("practising_code", sa.Text(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("valid_on", sa.Date(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("receipt_jti", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_record")),
    )
    op.create_index("ix_access_record_physician", "access_record", ["physician_id", "id"], unique=False)
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("physician_id", sa.Uuid(), nullable=True),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name_key", name="uq_account_name_key"),
    )
    op.create_table(
        "audit_event",
        sa.Column("seq", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=True),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("subject_version", sa.Integer(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_event")),
    )
    op.create_index("ix_audit_event_subject", "audit_event", ["subject_type", "subject_id", "seq"], unique=False)
    op.create_table(
        "authority",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["parent"], ["authority.code"], name=op.f("fk_authority_parent")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_authority")),
        sa.UniqueConstraint("name", name=op.f("uq_authority_name")),
    )
    op.create_table(
        "calendar_day",
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("authority", "day", name=op.f("pk_calendar_day")),
    )
    op.create_table(
        "calendar_year",
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("authority", "year", name=op.f("pk_calendar_year")),
    )
    op.create_table(
        "client",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "scopes <@ array['verify', 'directory', 'changes'] and cardinality(scopes) > 0",
            name=op.f("ck_client_scopes"),
        ),
        sa.CheckConstraint("num_nonnulls(secret_sha256, public_key) = 1", name=op.f("ck_client_proof")),
        sa.PrimaryKeyConstraint("id", name="pk_client"),
        sa.UniqueConstraint("name", name="uq_client_name"),
    )
    op.create_table(
        "code",
        sa.Column("table", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("confidence", sa.Text(), nullable=False),
        sa.Column("edited", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("table", "code", name=op.f("pk_code")),
    )
    op.create_table(
        "document",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("scan", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_document")),
    )
    op.create_table(
        "extract",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("source_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extract")),
    )
    op.create_table(
        "keyed_answer",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_keyed_answer")),
    )
    op.create_index(op.f("ix_keyed_answer_at"), "keyed_answer", ["at"], unique=False)
    op.create_table(
        "physician",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("practising_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("name_parts", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("id_type", sa.Text(), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_index", sa.LargeBinary(), nullable=True),
        sa.Column("qualification_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("first_registered", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_physician")),
        sa.UniqueConstraint("practising_code", name=op.f("uq_physician_practising_code")),
    )
    op.create_index(op.f("ix_physician_id_number_index"), "physician", ["id_number_index"], unique=False)
    op.create_index(op.f("ix_physician_name_key"), "physician", ["name_key"], unique=False)
    op.create_index("ix_physician_name_parts", "physician", ["name_parts"], unique=False, postgresql_using="gin")
    op.create_table(
        "revoked_token",
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("jti", name="pk_revoked_token"),
    )
    op.create_index("ix_revoked_token_expires_at", "revoked_token", ["expires_at"], unique=False)
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_attempt"),
    )
    op.create_index("ix_sign_in_attempt_at", "sign_in_attempt", ["at"], unique=False)
    op.create_table(
        "account_grant",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("account_id"), "="),
            (sa.column("role"), "<>"),
            where=sa.text("role in ('auditor', 'secadmin', 'sysadmin')"),
            using="gist",
            name="ex_account_grant_one_kind_of_administrator",
        ),
        sa.CheckConstraint(
            "case when role in ('filer', 'manager', 'physician') then organisation ~ '^[0-9A-Z]{22}$' when role in ('auditor', 'lead', 'reviewer', 'secadmin', 'senior', 'sysadmin') then organisation ~ '^[0-9]{6}$' else organisation ~ '^([0-9]{6}|[0-9A-Z]{22})$' end",
            name=op.f("ck_account_grant_organisation"),
        ),
        sa.CheckConstraint(
            "role in ('auditor', 'filer', 'lead', 'manager', 'physician', 'reviewer', 'secadmin', 'senior', 'sysadmin', 'verifier')",
            name=op.f("ck_account_grant_role"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_account_grant_account_id"),
        sa.PrimaryKeyConstraint("account_id", "role", "organisation", name="pk_account_grant"),
    )
    op.create_table(
        "assessment",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("physician_id", sa.Uuid(), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["physician_id"], ["physician.id"], name=op.f("fk_assessment_physician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
        sa.UniqueConstraint("physician_id", "assessed_on", name=op.f("uq_assessment_physician_id_assessed_on")),
    )
    op.create_table(
        "audit_payload",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["audit_event.seq"], name=op.f("fk_audit_payload_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_payload")),
    )
    op.create_table(
        "authority_setting",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["authority"], ["authority.code"], name=op.f("fk_authority_setting_authority")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority_setting")),
    )
    op.create_index(op.f("ix_authority_setting_authority"), "authority_setting", ["authority"], unique=False)
    op.create_table(
        "disqualification",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("physician_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["physician_id"], ["physician.id"], name=op.f("fk_disqualification_physician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disqualification")),
        sa.UniqueConstraint("physician_id", "code", "since", name=op.f("uq_disqualification_physician_id_code_since")),
    )
    op.create_table(
        "institution",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("registration_no", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("name_parts", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("division", sa.Text(), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("management", sa.Text(), nullable=False),
        sa.Column("internet", sa.Boolean(), nullable=False),
        sa.Column("subjects", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("licence_until", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=True),
        sa.Column("authority_name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("status in ('ACTIVE', 'SUSPENDED', 'CLOSED')", name=op.f("ck_institution_status")),
        sa.ForeignKeyConstraint(["authority"], ["authority.code"], name=op.f("fk_institution_authority")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution")),
        sa.UniqueConstraint("registration_no", name=op.f("uq_institution_registration_no")),
    )
    op.create_index(op.f("ix_institution_name_key"), "institution", ["name_key"], unique=False)
    op.create_index("ix_institution_name_parts", "institution", ["name_parts"], unique=False, postgresql_using="gin")
    op.create_index(op.f("ix_institution_province"), "institution", ["province"], unique=False)
    op.create_table(
        "register_confirmation",
        sa.Column("physician_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["physician_id"], ["physician.id"], name=op.f("fk_register_confirmation_physician_id")),
        sa.PrimaryKeyConstraint("physician_id", "place", name=op.f("pk_register_confirmation")),
    )
    op.create_table(
        "registration",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("physician_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("main_registration_no", sa.Text(), nullable=True),
        sa.Column("main_name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_from", sa.Date(), nullable=True),
        sa.Column("status_to", sa.Date(), nullable=True),
        sa.Column("status_cause", sa.Text(), nullable=True),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("valid", postgresql.DATERANGE(), nullable=False),
        sa.Column("recorded", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("physician_id"), "="),
            (sa.column("place"), "="),
            (sa.column("valid"), "&&"),
            where=sa.text("upper_inf(recorded)"),
            using="gist",
            name="ex_registration_one_truth",
        ),
        sa.CheckConstraint(
            "status in ('ACTIVE', 'SUSPENDED', 'CANCELLED', 'REVOKED', 'WITHDRAWN')",
            name=op.f("ck_registration_status"),
        ),
        sa.ForeignKeyConstraint(["physician_id"], ["physician.id"], name=op.f("fk_registration_physician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
    )
    op.create_index("ix_registration_main", "registration", ["main_registration_no", "physician_id"], unique=False)
    op.create_index("ix_registration_physician_id", "registration", ["physician_id"], unique=False)
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("auth_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("origin", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_sign_in_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in"),
    )
    op.create_index("ix_sign_in_account_id", "sign_in", ["account_id"], unique=False)
    op.create_index("ix_sign_in_expires_at", "sign_in", ["expires_at"], unique=False)
    op.create_index("ix_sign_in_origin", "sign_in", ["origin"], unique=False)
    op.create_table(
        "used_assertion",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name="fk_used_assertion_client_id"),
        sa.PrimaryKeyConstraint("client_id", "jti", name="pk_used_assertion"),
    )
    op.create_index("ix_used_assertion_expires_at", "used_assertion", ["expires_at"], unique=False)
    op.create_table(
        "filing",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("type_chosen", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("disputed", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("physician_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("id_type", sa.Text(), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_index", sa.LargeBinary(), nullable=False),
        sa.Column("practising_code", sa.Text(), nullable=False),
        sa.Column("qualification_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("activity", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("schedule", sa.Text(), nullable=True),
        sa.Column("contract_until", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("main_registration_no", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("filed_by", sa.Text(), nullable=False),
        sa.Column("attested_by", sa.Text(), nullable=True),
        sa.Column("recommended_by", sa.Text(), nullable=True),
        sa.Column("recommendation", sa.Text(), nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_from", sa.Text(), nullable=True),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("institution_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("main_agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("main_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('DRAFT', 'WAIT_PHYSICIAN', 'WAIT_INST', 'WAIT_MAIN', 'SUBMITTED', 'CORRECTION', 'NOT_ACCEPTED', 'REVIEW', 'SENIOR', 'APPROVED', 'REFUSED', 'WITHDRAWN')",
            name=op.f("ck_filing_state"),
        ),
        sa.CheckConstraint(
            "type in ('FIRST_REG', 'ADD_REG', 'SITE_FILE', 'XPROV_FILE', 'CHANGE', 'CHANGE_MAIN', 'RENEW_SITE', 'END_SITE', 'LEAVE_NOTICE', 'RE_REG', 'CANCEL')",
            name=op.f("ck_filing_type"),
        ),
        sa.ForeignKeyConstraint(["authority"], ["authority.code"], name=op.f("fk_filing_authority")),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"], name=op.f("fk_filing_institution_id")),
        sa.ForeignKeyConstraint(["physician_id"], ["physician.id"], name=op.f("fk_filing_physician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filing")),
        sa.UniqueConstraint("number", name=op.f("uq_filing_number")),
    )
    op.create_index(
        "ix_filing_authority_state",
        "filing",
        ["authority", "state", "id"],
        unique=False,
        postgresql_where=sa.text("submitted_at is not null"),
    )
    op.create_index("ix_filing_institution_state", "filing", ["institution_id", "state", "id"], unique=False)
    op.create_index("ix_filing_main_institution", "filing", ["main_registration_no", "id"], unique=False)
    op.create_index(op.f("ix_filing_phone_index"), "filing", ["phone_index"], unique=False)
    op.create_index("ix_filing_physician_id", "filing", ["physician_id"], unique=False)
    op.create_index("ix_filing_practising_code", "filing", ["practising_code"], unique=False)
    op.create_table(
        "refresh_token",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sign_in_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_in.id"], name="fk_refresh_token_sign_in_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sha256", name="pk_refresh_token"),
    )
    op.create_index("ix_refresh_token_sign_in_id", "refresh_token", ["sign_in_id"], unique=False)
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("attached_by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name=op.f("fk_attachment_filing_id")),
        sa.ForeignKeyConstraint(["sha256"], ["document.sha256"], name=op.f("fk_attachment_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("filing_id", "sha256", "kind", name=op.f("uq_attachment_filing_id_sha256_kind")),
    )
    op.create_table(
        "clock_entry",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("limit", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name=op.f("fk_clock_entry_filing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_entry")),
    )
    op.create_index(op.f("ix_clock_entry_filing_id"), "clock_entry", ["filing_id"], unique=False)
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("physician_id", sa.Uuid(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_sha256", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name=op.f("fk_consent_filing_id")),
        sa.ForeignKeyConstraint(["physician_id"], ["physician.id"], name=op.f("fk_consent_physician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_filing_id"), "consent", ["filing_id"], unique=False)
    op.create_table(
        "evaluation",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("open_rules", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name=op.f("fk_evaluation_filing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation")),
    )
    op.create_index("ix_evaluation_filing_round", "evaluation", ["filing_id", "round"], unique=True)
    op.create_index("ix_evaluation_open_rules", "evaluation", ["open_rules"], unique=False, postgresql_using="gin")
    op.create_table(
        "site",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("physician_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("valid", postgresql.DATERANGE(), nullable=False),
        sa.Column("recorded", postgresql.TSTZRANGE(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("physician_id"), "="),
            (sa.column("institution_id"), "="),
            (sa.column("valid"), "&&"),
            where=sa.text("upper_inf(recorded) and state in ('EFFECTIVE', 'SUSPENDED')"),
            using="gist",
            name="ex_site_no_overlap",
        ),
        sa.CheckConstraint(
            "state in ('EFFECTIVE', 'SUSPENDED', 'ENDED', 'EXPIRED', 'LAPSED', 'REVOKED')", name=op.f("ck_site_state")
        ),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name=op.f("fk_site_filing_id")),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"], name=op.f("fk_site_institution_id")),
        sa.ForeignKeyConstraint(["physician_id"], ["physician.id"], name=op.f("fk_site_physician_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
    )
    op.create_index(op.f("ix_site_filing_id"), "site", ["filing_id"], unique=False)
    op.create_index("ix_site_institution_id", "site", ["institution_id"], unique=False)
    op.create_index("ix_site_physician_id", "site", ["physician_id"], unique=False)
    op.create_index("ix_site_site_id", "site", ["site_id"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid7()"), nullable=False),
        sa.Column("filing_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("proposal", sa.Text(), nullable=True),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["evaluation_id"], ["evaluation.id"], name=op.f("fk_decision_evaluation_id")),
        sa.ForeignKeyConstraint(["filing_id"], ["filing.id"], name=op.f("fk_decision_filing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(op.f("ix_decision_filing_id"), "decision", ["filing_id"], unique=False)
    op.execute(f"revoke update, delete on {APPEND_ONLY} from registry_app")
    op.execute("revoke all on alembic_version from registry_app")
    op.execute("grant select on alembic_version to registry_app")
    op.execute(REFUSE_CHANGES)


def downgrade() -> None:
    for table in (
        "decision",
        "site",
        "evaluation",
        "consent",
        "clock_entry",
        "attachment",
        "refresh_token",
        "filing",
        "used_assertion",
        "sign_in",
        "registration",
        "register_confirmation",
        "institution",
        "disqualification",
        "authority_setting",
        "audit_payload",
        "assessment",
        "account_grant",
        "sign_in_attempt",
        "revoked_token",
        "physician",
        "keyed_answer",
        "extract",
        "document",
        "code",
        "client",
        "calendar_year",
        "calendar_day",
        "authority",
        "audit_event",
        "account",
        "access_record",
    ):
        op.drop_table(table)
    for statement in (
        "drop function refuse_change()",
        "drop sequence filing_number_seq",
        "drop function uuid7()",
        "alter default privileges in schema public revoke all on tables from registry_app",
        "alter default privileges in schema public revoke all on sequences from registry_app",
        # The role itself may serve other databases of the same server.
        "drop owned by registry_app",
    ):
        op.execute(statement)
