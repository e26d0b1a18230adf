"""Choices for the columns of a file, kept under a name and used again by all of a corporate group (issue 3).

They need no table of their own: each file remembers what was chosen for it, and the latest one under a name is what
that name stands for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.actors import Actor
from models.base import Recorded
from models.import_batch import ImportBatch, ImportMode

#: Characters that a name may have.
LONGEST_NAME = 80


@dataclass(frozen=True)
class KeptMapping:
    """What a name stands for: which heading becomes which field, and how records are recognised."""

    name: str
    #: By heading.
    targets: Mapping[str, str]
    mode: ImportMode
    matched_by: str | None
    source_system: str | None

    def mapping_for(self, headings: Sequence[str]) -> dict[str, str]:
        """Return ``{position: target}`` for a file with these headings."""
        return {str(place): self.targets[name] for place, name in enumerate(headings) if name in self.targets}


def find_mappings(
    session: Session, entity: type[Recorded], headings: Sequence[str], allowed: Mapping[str, object], *, actor: Actor
) -> list[KeptMapping]:
    """Return the mappings kept in the actor's group whose headings are all there, the latest used first.

    Those that fill anything but ``allowed`` are left out.
    """
    batch = ImportBatch.__table__
    latest = (
        sa.select(sa.func.max(batch.c.id))
        .where(
            batch.c.group_id == actor.group_id,
            batch.c.entity == entity.__table__.name,
            batch.c.mapping_name.is_not(None),
        )
        .group_by(batch.c.mapping_name)
    )
    statement = sa.select(
        batch.c.mapping_name, batch.c.headings, batch.c.mapping, batch.c.mode, batch.c.matched_by, batch.c.source_system
    )
    rows = session.execute(
        statement.where(batch.c.id.in_(latest)).order_by(batch.c.id.desc()), execution_options=INTERNAL
    )
    found = []
    for name, known, mapping, mode, matched_by, system in rows:
        targets = {known[int(place)]: target for place, target in mapping.items()}
        if targets and targets.keys() <= set(headings) and set(targets.values()) <= allowed.keys():
            found.append(KeptMapping(name, targets, mode, matched_by, system))
    return found
