"""The documents say what is so: settings, roles, commands, modules, links."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

import config
from backoffice.cli import main
from backoffice.permissions import ROLES

README = (config.ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (config.ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DECISIONS = (config.ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    [*config.ROOT.glob("*.md"), *(config.ROOT / "docs").glob("*.md"), config.ROOT / "migrations" / "README.md"]
)


def modules() -> list[str]:
    """Return every module under backoffice/ and views/ by its last folder and its name."""
    paths = [path for room in ("backoffice", "views") for path in sorted((config.ROOT / room).rglob("*.py"))]
    return [f"{path.parent.name}/{path.name}" for path in paths if path.name != "__init__.py"]


def commands(group: click.Group, prefix: str = "") -> list[str]:
    found: list[str] = []
    for name, command in group.commands.items():
        found += commands(command, f"{name} ") if isinstance(command, click.Group) else [f"{prefix}{name}"]
    return found


@pytest.mark.parametrize("row", config.describe(), ids=lambda row: row[0])
def test_readme_has_every_setting_with_its_default_and_meaning(row: tuple[str, str, str]) -> None:
    name, default, meaning = row
    assert f"| `{name}` | {f'`{default}`' if default else '–'} | {meaning} |" in README


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_names_a_setting_that_is_none(document: Path) -> None:
    known = {name for name, _default, _meaning in config.describe()}
    assert set(re.findall(r"BACKOFFICE_[A-Z0-9_]*[A-Z0-9]", document.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("code", ROLES)
def test_readme_has_every_role(code: str) -> None:
    assert f"| `{code}` | {ROLES[code].label} | {ROLES[code].description} |" in README


@pytest.mark.parametrize("command", commands(main))
def test_readme_has_every_command(command: str) -> None:
    assert f"`python run.py {command}`" in README or f"`{command}`" in README


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_a_document_names_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (config.ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", document.read_text(encoding="utf-8"))) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


@pytest.mark.parametrize("module", modules())
def test_the_architecture_names_every_module(module: str) -> None:
    assert f"`{module}`" in ARCHITECTURE


def test_the_architecture_names_nothing_that_is_not_there() -> None:
    rooms = [config.ROOT, config.ROOT / "backoffice", config.ROOT / "views", config.ROOT / "tests" / "toolkit"]
    named = set(re.findall(r"`([\w/]+\.py)`", ARCHITECTURE)) - {"section.py"}
    assert {name for name in named if not any((room / name).exists() for room in rooms)} == set()


def test_every_dependency_has_its_reason() -> None:
    lines = (config.ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
    names = {re.split(r"[\[=<>]", line)[0] for line in lines if line and not line.startswith("#")}
    table = DECISIONS.partition("## Dependencies")[2]
    reasons = {name.strip() for row in re.findall(r"^\| ([\w, -]+) \|", table, re.MULTILINE) for name in row.split(",")}
    assert names - reasons == set()
    assert reasons - names == {"Package"}


def test_no_document_names_a_folder_of_one_machine() -> None:
    for document in DOCUMENTS:
        assert not re.search(r"(?<![\w.])/(tmp|root|home|work|Users)/", document.read_text(encoding="utf-8")), document


def test_pictures_are_small() -> None:
    pictures = list((config.ROOT / "docs" / "images").glob("*"))
    assert pictures
    assert {picture.name for picture in pictures if picture.stat().st_size > 300_000} == set()
