"""add keys of the API, and days to count tickets and requests by

Revision ID: a971adbccc2b
Revises: f2ae999f407e
Create Date: 2026-11-29 22:37:11.232397
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a971adbccc2b"
down_revision = "f2ae999f407e"
branch_labels = None
depends_on = None

#: What is counted by the week on the start page.
DAYS = (("activation_request", "answered_at"), ("ticket", "first_closed_at"))


def on(dialect: str) -> bool:
    """Say whether the database at hand is a ``dialect``."""
    return op.get_context().dialect.name == dialect


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("begins", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("search_key", sa.Text(), server_default="", nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("state IN ('active', 'revoked')", name=op.f("ck_api_key_api_key_state")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["ab_user.id"], name=op.f("fk_api_key_created_by_id_ab_user"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["corporate_group.id"], name=op.f("fk_api_key_group_id_corporate_group"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["ab_user.id"], name=op.f("fk_api_key_staff_id_ab_user"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["ab_user.id"], name=op.f("fk_api_key_updated_by_id_ab_user"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_key_digest")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_api_key_created_by_id"), "api_key", ["created_by_id"], unique=False)
    op.create_index(
        op.f("ix_api_key_group_id_created_at_id"), "api_key", ["group_id", "created_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_api_key_group_id_staff_id_created_at_id"),
        "api_key",
        ["group_id", "staff_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_api_key_group_id_state_created_at_id"),
        "api_key",
        ["group_id", "state", "created_at", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_api_key_staff_id"), "api_key", ["staff_id"], unique=False)
    op.create_index(op.f("ix_api_key_updated_by_id"), "api_key", ["updated_by_id"], unique=False)
    op.create_index(
        "uq_api_key_name_in_use",
        "api_key",
        ["staff_id", "name"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
        sqlite_where=sa.text("state = 'active'"),
    )
    for table, day in DAYS:
        op.create_index(f"ix_{table}_group_id_{day}_id", table, ["group_id", day, "id"])
    if on("postgresql"):
        op.execute("CREATE INDEX ix_api_key_search ON api_key USING gin (search_key gin_trgm_ops)")


def downgrade() -> None:
    for table, day in DAYS:
        op.drop_index(f"ix_{table}_group_id_{day}_id", table)
    op.drop_table("api_key")
