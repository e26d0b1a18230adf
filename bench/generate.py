"""Fill a migrated database with as many rows as a busy installation has after years, for measuring.

``python -m bench.generate --url sqlite:///var/bench.sqlite --tickets 1000000``
"""

from __future__ import annotations

import time
from random import Random

import click
import sqlalchemy as sa

from backoffice.clock import now
from backoffice.database import make_engine
from bench.loading import open_loader
from bench.messages import say
from bench.organisation import ensure_groups
from bench.rows import YEARS, Sizes, World

#: In the order of their keys to each other.
TABLES = {"company": "companies", "contact": "contacts", "contract": "contracts", "ticket": "tickets", "call": "calls"}


def generate(engine: sa.Engine, sizes: Sizes, seed: int = 1) -> None:
    """Add so many rows to the database of ``engine``, in one transaction; they end now.

    Corporate groups, teams, queues and staff that are there already are used, so that their users see the rows.
    """
    until = now().replace(microsecond=0)
    with open_loader(engine, [*TABLES, "ticket_message"]) as loader:
        groups = ensure_groups(loader, (until - YEARS).strftime("%Y-%m-%d %H:%M:%S.%f"))
        first = {table: loader.ids(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")[0] for table in TABLES}
        world = World(sizes, groups, first, until, Random(seed))
        for table, name in TABLES.items():
            loader.load(table, getattr(world, name)())
        say(loader, first["ticket"], sizes.tickets, sizes.messages)
        last = first["ticket"] + sizes.tickets
        loader.run(f"UPDATE support_queue SET last_number = {last} WHERE last_number < {last}")


@click.command()
@click.option("--url", required=True, help="A migrated database, such as sqlite:///var/bench.sqlite.")
@click.option("--companies", default=Sizes.companies, show_default=True)
@click.option("--contacts", default=Sizes.contacts, show_default=True)
@click.option("--contracts", default=Sizes.contracts, show_default=True)
@click.option("--tickets", default=Sizes.tickets, show_default=True)
@click.option("--calls", default=Sizes.calls, show_default=True)
@click.option("--messages", default=Sizes.messages, show_default=True)
def main(url: str, **sizes: int) -> None:
    """Fill a migrated database with invented rows."""
    began = time.monotonic()
    engine = make_engine(url)
    generate(engine, Sizes(**sizes))
    engine.dispose()
    click.echo(f"{sum(sizes.values()):,} rows in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
