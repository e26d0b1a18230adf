"""What Alembic runs: the connection comes from ``backoffice/migrate.py``, the wanted schema from ``models/``."""

from alembic import context

import models  # noqa: F401 - declares the tables
from migrations.writing import Writer
from models.base import Model

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
