"""English words for clients

Revision ID: 558d0099b020
Revises: a971adbccc2b
Create Date: 2026-11-29 22:45:03.199903
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

revision = "558d0099b020"
down_revision = "a971adbccc2b"
branch_labels = None
depends_on = None


def on(dialect: str) -> bool:
    """Say whether the database at hand is a ``dialect``."""
    return op.get_context().dialect.name == dialect


def upgrade() -> None:
    with op.batch_alter_table("online_service", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.add_column(sa.Column("name_en", sa.String(length=160), nullable=True))
        batch_op.add_column(sa.Column("public_description_en", sa.Text(), nullable=True))

    with op.batch_alter_table("portal", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.add_column(sa.Column("hours_en", sa.String(length=200), nullable=True))

    with op.batch_alter_table("request_type", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.add_column(sa.Column("name_en", sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column("for_clients", sa.Boolean(), nullable=False, server_default="1"))
    # What is part of a scheme, and the schemes, are words of contact centres.
    op.execute(
        sa.text(
            "UPDATE request_type SET for_clients = false WHERE parent_id IS NOT NULL"
            " OR id IN (SELECT parent_id FROM request_type WHERE parent_id IS NOT NULL)"
        )
    )


def downgrade() -> None:
    with op.batch_alter_table("request_type", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_column("for_clients")
        batch_op.drop_column("name_en")

    with op.batch_alter_table("portal", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_column("hours_en")

    with op.batch_alter_table("online_service", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_column("public_description_en")
        batch_op.drop_column("name_en")
