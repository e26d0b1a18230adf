"""The things that bench.actions does in a browser can be done, and every page they lead to is accessible."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from backoffice.database import make_engine
from bench import actions
from bench.deeds import BOTH, DEEDS
from bench.doing import API, Circumstances, measure
from bench.filling import find_facts
from bench.generate import generate
from bench.rows import Sizes

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_800), pytest.mark.databases("postgresql")]
FEW = Sizes(companies=120, contacts=300, contracts=200, tickets=3_000, calls=500, messages=6_000)


def test_each_is_done_in_each_role(browser: Browser, engine: sa.Engine, live_server: str, password: str) -> None:
    filling = make_engine(engine.url.render_as_string(hide_password=False), statement_timeout_ms=0)
    generate(filling, FEW)
    filling.dispose()
    found = measure(browser, Circumstances(live_server, password, find_facts(engine.url), runs=1))
    wanted = [(deed.name, role) for deed in DEEDS for role in deed.roles] + [(API, role) for role in BOTH]
    assert len(DEEDS) == 25
    assert len(found) == len(wanted)
    told = [(outcome.name, len(outcome.milliseconds), outcome.weight) for outcome in found if outcome.name != API]
    assert [one for one in told if one[1] != 1 or not one[2]] == []
    assert [outcome.violations for outcome in found if outcome.violations] == []
    assert actions.table(found, ["a fact"]).count("\n|") == len(wanted) + 2


@pytest.mark.databases
def test_nothing_is_recorded_within_the_project() -> None:
    from click.testing import CliRunner

    answer = CliRunner().invoke(actions.main, ["--record", str(Path(actions.__file__).parent)])
    assert answer.exit_code == 2
    assert "--record" in answer.output
