"""texts of a portal

Revision ID: c9af141525bc
Revises: 9579f3f3f30b
Create Date: 2026-11-30 13:40:39.391195
"""
# Before this goes out:
# - Old code still runs while it does, and for some time after. Add first, use in the next release,
#   remove in the one after that. A column the old code does not know must be nullable or have a default.
# - On PostgreSQL most changes of a table wait for everybody who uses it, and everybody then waits for
#   them. On big tables: indexes with CREATE INDEX CONCURRENTLY inside op.get_context().autocommit_block(),
#   constraints NOT VALID first and validated by a later migration, values filled in small batches.
# - On SQLite a batch change rebuilds the table and loses its triggers: they are written out again below.
# - Import nothing of the application: it will have changed when this runs in two years.
# - Read it, try it up, down and up again, and let ``python -m backoffice.migrate drift`` say nothing.

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c9af141525bc"
down_revision = "9579f3f3f30b"
branch_labels = None
depends_on = None


def on(dialect: str) -> bool:
    """Say whether the database at hand is a ``dialect``."""
    return op.get_context().dialect.name == dialect


def upgrade() -> None:
    with op.batch_alter_table("text_block", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.add_column(sa.Column("group_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("portal_id", sa.Integer(), nullable=True))
        batch_op.drop_index(batch_op.f("ix_text_block_key_id"))
        batch_op.drop_constraint(batch_op.f("uq_text_block_key_language"), type_="unique")
        batch_op.create_index(batch_op.f("ix_text_block_group_id_key_id"), ["group_id", "key", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_text_block_portal_id"), ["portal_id"], unique=False)
        batch_op.create_index(
            "uq_text_block_of_all",
            ["key", "language"],
            unique=True,
            sqlite_where=sa.text("portal_id IS NULL"),
            postgresql_where=sa.text("portal_id IS NULL"),
        )
        batch_op.create_unique_constraint(
            batch_op.f("uq_text_block_portal_id_key_language"), ["portal_id", "key", "language"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_text_block_group_id_corporate_group"),
            "corporate_group",
            ["group_id"],
            ["id"],
            ondelete="RESTRICT",
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_text_block_portal_id_portal"), "portal", ["portal_id"], ["id"], ondelete="RESTRICT"
        )

    with op.batch_alter_table("text_block", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.create_check_constraint(op.f("ck_text_block_of_portal"), "(portal_id IS NULL)=(group_id IS NULL)")


def downgrade() -> None:
    # Words of one portal have no place there: those for all stay, and then the shipped ones count.
    op.execute(sa.text("DELETE FROM text_block WHERE portal_id IS NOT NULL"))
    with op.batch_alter_table("text_block", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_constraint(op.f("ck_text_block_of_portal"), type_="check")

    with op.batch_alter_table("text_block", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_text_block_portal_id_portal"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_text_block_group_id_corporate_group"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_text_block_portal_id_key_language"), type_="unique")
        batch_op.drop_index(
            "uq_text_block_of_all",
            sqlite_where=sa.text("portal_id IS NULL"),
            postgresql_where=sa.text("portal_id IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_text_block_portal_id"))
        batch_op.drop_index(batch_op.f("ix_text_block_group_id_key_id"))
        batch_op.create_unique_constraint(batch_op.f("uq_text_block_key_language"), ["key", "language"])
        batch_op.create_index(batch_op.f("ix_text_block_key_id"), ["key", "id"], unique=False)
        batch_op.drop_column("portal_id")
        batch_op.drop_column("group_id")
