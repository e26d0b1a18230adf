"""Which entities a sweep tries every day: one of each manner of declaring; all of them when there are minutes."""

from __future__ import annotations

from typing import Any

import pytest

from models.base import ENTITIES

#: Hidden when deleted, with lines, a line itself, of a unit of its own, with secrets, shared, a ledger, written once,
#: by verbs only, below one of several parents, entrusted to a person.
SAMPLE = [
    ENTITIES[name]
    for name in (
        *("company", "contact", "contract", "contract_line", "ticket", "account", "service", "service_calendar"),
        *("calendar_interval", "history_entry", "package_movement", "outbox_mail", "attachment", "activation_request"),
        *("time_entry", "import_batch", "ab_user"),
    )
]
EVERY = list(ENTITIES.values())
#: The fewest that show every manner of page.
FEW = [ENTITIES[name] for name in ("company", "contract", "ticket", "history_entry", "outbox_mail", "import_batch")]
#: For ``pytest.mark.parametrize``.
ENTITY_SETS: list[Any] = [pytest.param(SAMPLE, id="sample"), pytest.param(EVERY, id="every", marks=pytest.mark.long)]
#: Likewise, where a page of each kind takes long.
FEWER_SETS: list[Any] = [pytest.param(FEW, id="few"), pytest.param(EVERY, id="every", marks=pytest.mark.long)]
