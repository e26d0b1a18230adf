"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}
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
${imports + "\n" if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def on(dialect: str) -> bool:
    """Say whether the database at hand is a ``dialect``."""
    return op.get_context().dialect.name == dialect


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
