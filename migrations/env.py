"""What Alembic runs: the connection comes from ``backoffice/migrate.py``, the wanted schema from ``models/``."""

import sys
from pathlib import Path

from alembic import context

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import models  # noqa: E402, F401 - declares the tables
from migrations.writing import Writer  # noqa: E402
from models.base import Model  # noqa: E402

writer = Writer(Model.metadata)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Model.metadata,
    render_as_batch=True,
    compare_type=True,
    compare_server_default=writer.is_default_changed,
    autogenerate_plugins=["alembic.autogenerate.*"],
    render_item=writer.render_item,
    include_object=writer.include_object,
    process_revision_directives=writer.complete,
)

with context.begin_transaction():
    context.run_migrations()
