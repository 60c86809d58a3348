"""The tables of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "activity",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
    )
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activity_action"), ["action"], unique=False)
        batch_op.create_index(batch_op.f("ix_activity_subject"), ["subject"], unique=False)

    op.create_table(
        "blob",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "department",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("seats", JSON, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_department")),
    )
    op.create_table(
        "finding_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removal", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_text")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("arguments", JSON, nullable=False),
        sa.Column("unique_key", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("stage_zh", sa.String(), nullable=False),
        sa.Column("stage_en", sa.String(), nullable=False),
        sa.Column("problem", JSON, nullable=True),
        sa.Column("result", JSON, nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("unique_key", name=op.f("uq_job_unique_key")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_run_after"), ["run_after"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_state"), ["state"], unique=False)

    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enterprise", sa.String(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("department_id", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("inspectors", JSON, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint(
            "source",
            "task",
            "item",
            "enterprise",
            "date",
            name=op.f("uq_ledger_entry_source_task_item_enterprise_date"),
        ),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_entry_date"), ["date"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_entry_department_id"), ["department_id"], unique=False)
        batch_op.create_index(
            "ix_ledger_entry_department_list", ["department_id", "date", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_ledger_entry_enterprise"), ["enterprise"], unique=False)
        batch_op.create_index("ix_ledger_entry_kind_list", ["kind", "date", "id"], unique=False)
        batch_op.create_index("ix_ledger_entry_list", ["date", "id"], unique=False)

    op.create_table(
        "library_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("district", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("day", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=True),
        sa.Column("sort", sa.String(), nullable=True),
        sa.Column("cells", JSON, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_row")),
        sa.UniqueConstraint("kind", "key", "first", name=op.f("uq_library_row_kind_key_first")),
    )
    with op.batch_alter_table("library_row", schema=None) as batch_op:
        batch_op.create_index(
            "ix_library_row_current", ["kind", "last", "key", "department", "district", "name"], unique=False
        )
        batch_op.create_index(
            "ix_library_row_day",
            ["day", "id", "department", "sort"],
            unique=False,
            sqlite_where=sa.text("day IS NOT NULL AND last IS NULL"),
            postgresql_where=sa.text("day IS NOT NULL AND last IS NULL"),
        )

    op.create_table(
        "office",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("log_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_office")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body_zh", sa.String(), nullable=False),
        sa.Column("body_en", sa.String(), nullable=False),
        sa.Column("unique_key", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("addressed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("unique_key", name=op.f("uq_outbox_unique_key")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_addressed_at"), ["addressed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbox_audience"), ["audience"], unique=False)

    op.create_table(
        "plan",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft", "inviting", "announced", "closed", name="planstate", native_enum=False, length=24
            ),
            nullable=False,
        ),
        sa.Column("document", JSON, nullable=False),
        sa.Column("join_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document_version", sa.Integer(), nullable=False),
        sa.Column("copied_from", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["copied_from"], ["plan.id"], name=op.f("fk_plan_copied_from")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_table(
        "policy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy")),
        sa.UniqueConstraint("policy", "number", name=op.f("uq_policy_policy_number")),
    )
    op.create_table(
        "repeat",
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", JSON, nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key", name=op.f("pk_repeat")),
    )
    with op.batch_alter_table("repeat", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_repeat_at"), ["at"], unique=False)

    op.create_table(
        "tries",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "minute", name=op.f("pk_tries")),
    )
    with op.batch_alter_table("tries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tries_minute"), ["minute"], unique=False)

    op.create_table(
        "working_day_notice",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_working_day_notice")),
    )
    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("department_id", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_attachment_department_id")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("fk_attachment_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("sha256", "department_id", name=op.f("uq_attachment_sha256_department_id")),
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attachment_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attachment_sha256"), ["sha256"], unique=False)

    op.create_table(
        "contribution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("draw_id", sa.String(), nullable=True),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("commitment", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_contribution_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contribution")),
        sa.UniqueConstraint(
            "plan_id", "draw_id", "party", name=op.f("uq_contribution_plan_id_draw_id_party")
        ),
    )
    with op.batch_alter_table("contribution", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contribution_plan_id"), ["plan_id"], unique=False)

    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("outbox_id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name=op.f("fk_delivery_outbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("message_id", name=op.f("uq_delivery_message_id")),
        sa.UniqueConstraint("outbox_id", "address", name=op.f("uq_delivery_outbox_id_address")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_next_at"), ["next_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_delivery_outbox_id"), ["outbox_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_delivery_state"), ["state"], unique=False)

    op.create_table(
        "draw",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("announced", "drawn", "closed", "void", name="drawstate", native_enum=False, length=24),
            nullable=False,
        ),
        sa.Column("revisions", JSON, nullable=False),
        sa.Column("suite", sa.String(), nullable=False),
        sa.Column("announcement", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reveal_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("findings_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.String(), nullable=False),
        sa.Column("summary", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_draw_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw")),
    )
    with op.batch_alter_table("draw", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draw_due"), ["due"], unique=False)
        batch_op.create_index(batch_op.f("ix_draw_plan_id"), ["plan_id"], unique=False)

    op.create_table(
        "library_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("blob", sa.String(), nullable=False),
        sa.Column("department_id", sa.String(), nullable=True),
        sa.Column("options", JSON, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("base_revision", sa.Integer(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("gone", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("problems", JSON, nullable=False),
        sa.Column("problem_count", sa.Integer(), nullable=False),
        sa.Column("problem_sheet", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["blob"], ["blob.sha256"], name=op.f("fk_library_import_blob")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_library_import_department_id")
        ),
        sa.ForeignKeyConstraint(
            ["problem_sheet"], ["blob.sha256"], name=op.f("fk_library_import_problem_sheet")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_import")),
    )
    with op.batch_alter_table("library_import", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_library_import_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_library_import_kind"), ["kind"], unique=False)

    op.create_table(
        "log_file",
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("blob", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["blob"], ["blob.sha256"], name=op.f("fk_log_file_blob")),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_log_file")),
    )
    with op.batch_alter_table("log_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_log_file_blob"), ["blob"], unique=False)

    op.create_table(
        "plan_join",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("department_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "invited",
                "confirmed",
                "declined",
                "left-out",
                "withdrawn",
                name="joinstate",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("seats", JSON, nullable=True),
        sa.Column("inspectors", JSON, nullable=True),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_plan_join_department_id")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_join_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_join")),
        sa.UniqueConstraint("plan_id", "department_id", name=op.f("uq_plan_join_plan_id_department_id")),
    )
    with op.batch_alter_table("plan_join", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_join_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_join_plan_id"), ["plan_id"], unique=False)

    op.create_table(
        "plan_task",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("department_id", sa.String(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_plan_task_department_id")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_task_plan_id")),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_plan_task")),
        sa.UniqueConstraint("plan_id", "id", name=op.f("uq_plan_task_plan_id_id")),
    )
    with op.batch_alter_table("plan_task", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_task_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_task_plan_id"), ["plan_id"], unique=False)

    op.create_table(
        "plan_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_version_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_version")),
        sa.UniqueConstraint(
            "plan_id", "subject", "version", name=op.f("uq_plan_version_plan_id_subject_version")
        ),
    )
    with op.batch_alter_table("plan_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_version_plan_id"), ["plan_id"], unique=False)

    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "dispatcher",
                "department",
                "crew",
                "auditor",
                "support",
                "public",
                name="role",
                native_enum=False,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("department_id", sa.String(), nullable=True),
        sa.Column("inspector", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("issuer", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_user_account_department_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_user_account_issuer_subject")),
        sa.UniqueConstraint("username", name=op.f("uq_user_account_username")),
    )
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_account_department_id"), ["department_id"], unique=False)

    op.create_table(
        "amendment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draw_id", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_amendment_draw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_amendment")),
        sa.UniqueConstraint("draw_id", "sequence", name=op.f("uq_amendment_draw_id_sequence")),
    )
    with op.batch_alter_table("amendment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_amendment_draw_id"), ["draw_id"], unique=False)

    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("department_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=True),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["user_account.id"], name=op.f("fk_api_key_created_by")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_api_key_department_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_key_prefix")),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_key_department_id"), ["department_id"], unique=False)

    op.create_table(
        "approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("requested_by", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["user_account.id"], name=op.f("fk_approval_decided_by")),
        sa.ForeignKeyConstraint(["requested_by"], ["user_account.id"], name=op.f("fk_approval_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
    )
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_subject"), ["subject"], unique=False)

    op.create_table(
        "draw_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draw_id", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("blob", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["blob"], ["blob.sha256"], name=op.f("fk_draw_file_blob")),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_draw_file_draw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw_file")),
        sa.UniqueConstraint("draw_id", "path", name=op.f("uq_draw_file_draw_id_path")),
    )
    with op.batch_alter_table("draw_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draw_file_blob"), ["blob"], unique=False)

    op.create_table(
        "library_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["library_import.id"], name=op.f("fk_library_revision_import_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library_revision")),
        sa.UniqueConstraint("kind", "number", name=op.f("uq_library_revision_kind_number")),
    )
    op.create_table(
        "receipt_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draw_id", sa.String(), nullable=False),
        sa.Column("enterprise", sa.String(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("issued_by", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_receipt_code_draw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_receipt_code_code_hash")),
    )
    with op.batch_alter_table("receipt_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_receipt_code_draw_id"), ["draw_id"], unique=False)

    op.create_table(
        "sign_in",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_sign_in_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_user_id"), ["user_id"], unique=False)

    op.create_table(
        "staged_row",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("change", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("district", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("cells", JSON, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["library_import.id"], name=op.f("fk_staged_row_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_staged_row")),
    )
    with op.batch_alter_table("staged_row", schema=None) as batch_op:
        batch_op.create_index("ix_staged_row_change", ["import_id", "change", "position"], unique=False)

    op.create_table(
        "visit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draw_id", sa.String(), nullable=False),
        sa.Column("enterprise", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("district", sa.String(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("later", sa.Date(), nullable=True),
        sa.Column("later_reason", sa.String(), nullable=False),
        sa.Column("publish_by", sa.Date(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("notice", sa.String(), nullable=False),
        sa.Column("approval", sa.String(), nullable=False),
        sa.Column("scan_code", sa.LargeBinary(), nullable=False),
        sa.Column("scan_failures", sa.Integer(), nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scanned_by", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draw.id"], name=op.f("fk_visit_draw_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("draw_id", "enterprise", "part", name=op.f("uq_visit_draw_id_enterprise_part")),
    )
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visit_date"), ["date"], unique=False)
        batch_op.create_index("ix_visit_day", ["day", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_draw_id"), ["draw_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_enterprise"), ["enterprise"], unique=False)
        batch_op.create_index("ix_visit_list", ["draw_id", "day", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_publish_by"), ["publish_by"], unique=False)

    op.create_table(
        "case_visit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enterprise", sa.String(), nullable=False),
        sa.Column("department_id", sa.String(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("items", JSON, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("inspectors", JSON, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("joined_visit", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_case_visit_department_id")
        ),
        sa.ForeignKeyConstraint(["joined_visit"], ["visit.id"], name=op.f("fk_case_visit_joined_visit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_visit")),
    )
    with op.batch_alter_table("case_visit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_visit_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_visit_enterprise"), ["enterprise"], unique=False)

    op.create_table(
        "visit_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("department_id", sa.String(), nullable=False),
        sa.Column("items", JSON, nullable=False),
        sa.Column("crew", JSON, nullable=False),
        sa.Column("unfilled", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_visit_check_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_check")),
        sa.UniqueConstraint("visit_id", "task", name=op.f("uq_visit_check_visit_id_task")),
    )
    with op.batch_alter_table("visit_check", schema=None) as batch_op:
        batch_op.create_index("ix_visit_check_department", ["department_id", "visit_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_check_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_check_visit_id"), ["visit_id"], unique=False)

    op.create_table(
        "crew_seat",
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.Column("inspector", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["check_id"], ["visit_check.id"], name=op.f("fk_crew_seat_check_id")),
        sa.PrimaryKeyConstraint("check_id", "seat", name=op.f("pk_crew_seat")),
    )
    with op.batch_alter_table("crew_seat", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_crew_seat_inspector"), ["inspector"], unique=False)

    op.create_table(
        "finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("check_id", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("attachments", JSON, nullable=False),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=True),
        sa.Column("disputed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dispute", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["check_id"], ["visit_check.id"], name=op.f("fk_finding_check_id")),
        sa.ForeignKeyConstraint(["text_id"], ["finding_text.id"], name=op.f("fk_finding_text_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        sa.UniqueConstraint("check_id", "item", "version", name=op.f("uq_finding_check_id_item_version")),
    )
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_finding_check_id"), ["check_id"], unique=False)
        batch_op.create_index("ix_finding_unpublished", ["published_at", "check_id"], unique=False)

    op.create_table(
        "referral",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("finding_id", sa.Integer(), nullable=False),
        sa.Column("to_department", sa.String(), nullable=False),
        sa.Column("case_number", sa.String(), nullable=True),
        sa.Column("reinspect_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["finding_id"], ["finding.id"], name=op.f("fk_referral_finding_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
        sa.UniqueConstraint("case_number", name=op.f("uq_referral_case_number")),
    )
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_referral_finding_id"), ["finding_id"], unique=True)


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("referral", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_referral_finding_id"))

    op.drop_table("referral")
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.drop_index("ix_finding_unpublished")
        batch_op.drop_index(batch_op.f("ix_finding_check_id"))

    op.drop_table("finding")
    with op.batch_alter_table("crew_seat", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_crew_seat_inspector"))

    op.drop_table("crew_seat")
    with op.batch_alter_table("visit_check", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_visit_check_visit_id"))
        batch_op.drop_index(batch_op.f("ix_visit_check_department_id"))
        batch_op.drop_index("ix_visit_check_department")

    op.drop_table("visit_check")
    with op.batch_alter_table("case_visit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_visit_enterprise"))
        batch_op.drop_index(batch_op.f("ix_case_visit_department_id"))

    op.drop_table("case_visit")
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_visit_publish_by"))
        batch_op.drop_index("ix_visit_list")
        batch_op.drop_index(batch_op.f("ix_visit_enterprise"))
        batch_op.drop_index(batch_op.f("ix_visit_draw_id"))
        batch_op.drop_index("ix_visit_day")
        batch_op.drop_index(batch_op.f("ix_visit_date"))

    op.drop_table("visit")
    with op.batch_alter_table("staged_row", schema=None) as batch_op:
        batch_op.drop_index("ix_staged_row_change")

    op.drop_table("staged_row")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_user_id"))

    op.drop_table("sign_in")
    with op.batch_alter_table("receipt_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_receipt_code_draw_id"))

    op.drop_table("receipt_code")
    op.drop_table("library_revision")
    with op.batch_alter_table("draw_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_draw_file_blob"))

    op.drop_table("draw_file")
    with op.batch_alter_table("approval", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_approval_subject"))

    op.drop_table("approval")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_key_department_id"))

    op.drop_table("api_key")
    with op.batch_alter_table("amendment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_amendment_draw_id"))

    op.drop_table("amendment")
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_account_department_id"))

    op.drop_table("user_account")
    with op.batch_alter_table("plan_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_version_plan_id"))

    op.drop_table("plan_version")
    with op.batch_alter_table("plan_task", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_task_plan_id"))
        batch_op.drop_index(batch_op.f("ix_plan_task_department_id"))

    op.drop_table("plan_task")
    with op.batch_alter_table("plan_join", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_join_plan_id"))
        batch_op.drop_index(batch_op.f("ix_plan_join_department_id"))

    op.drop_table("plan_join")
    with op.batch_alter_table("log_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_log_file_blob"))

    op.drop_table("log_file")
    with op.batch_alter_table("library_import", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_library_import_kind"))
        batch_op.drop_index(batch_op.f("ix_library_import_department_id"))

    op.drop_table("library_import")
    with op.batch_alter_table("draw", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_draw_plan_id"))
        batch_op.drop_index(batch_op.f("ix_draw_due"))

    op.drop_table("draw")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_state"))
        batch_op.drop_index(batch_op.f("ix_delivery_outbox_id"))
        batch_op.drop_index(batch_op.f("ix_delivery_next_at"))

    op.drop_table("delivery")
    with op.batch_alter_table("contribution", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contribution_plan_id"))

    op.drop_table("contribution")
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attachment_sha256"))
        batch_op.drop_index(batch_op.f("ix_attachment_department_id"))

    op.drop_table("attachment")
    op.drop_table("working_day_notice")
    with op.batch_alter_table("tries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tries_minute"))

    op.drop_table("tries")
    with op.batch_alter_table("repeat", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_repeat_at"))

    op.drop_table("repeat")
    op.drop_table("policy")
    op.drop_table("plan")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_audience"))
        batch_op.drop_index(batch_op.f("ix_outbox_addressed_at"))

    op.drop_table("outbox")
    op.drop_table("office")
    with op.batch_alter_table("library_row", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_library_row_day",
            sqlite_where=sa.text("day IS NOT NULL AND last IS NULL"),
            postgresql_where=sa.text("day IS NOT NULL AND last IS NULL"),
        )
        batch_op.drop_index("ix_library_row_current")

    op.drop_table("library_row")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_entry_list")
        batch_op.drop_index("ix_ledger_entry_kind_list")
        batch_op.drop_index(batch_op.f("ix_ledger_entry_enterprise"))
        batch_op.drop_index("ix_ledger_entry_department_list")
        batch_op.drop_index(batch_op.f("ix_ledger_entry_department_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_entry_date"))

    op.drop_table("ledger_entry")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_state"))
        batch_op.drop_index(batch_op.f("ix_job_run_after"))
        batch_op.drop_index(batch_op.f("ix_job_kind"))

    op.drop_table("job")
    op.drop_table("finding_text")
    op.drop_table("department")
    op.drop_table("blob")
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_activity_subject"))
        batch_op.drop_index(batch_op.f("ix_activity_action"))

    op.drop_table("activity")
