"""another e-mail of an account

Revision ID: 8545ef83c998
Revises: c9af141525bc
Create Date: 2026-11-30 14:22:54.159656
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

revision = "8545ef83c998"
down_revision = "c9af141525bc"
branch_labels = None
depends_on = None


def on(dialect: str) -> bool:
    """Say whether the database at hand is a ``dialect``."""
    return op.get_context().dialect.name == dialect


def upgrade() -> None:
    with op.batch_alter_table("account", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.add_column(sa.Column("new_email", sa.String(length=254), nullable=True))

    with op.batch_alter_table("client_link") as batch_op:
        batch_op.drop_constraint(op.f("ck_client_link_link_purpose"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_client_link_link_purpose"), "purpose IN('password','confirm','address','request')"
        )


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM client_link WHERE purpose = 'address'"))
    with op.batch_alter_table("client_link") as batch_op:
        batch_op.drop_constraint(op.f("ck_client_link_link_purpose"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_client_link_link_purpose"), "purpose IN('password','confirm','request')"
        )

    with op.batch_alter_table("account", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_column("new_email")
