"""Which line of a sheet holds the headings, and what its columns are called: people put titles and groups above."""

from __future__ import annotations

from collections.abc import Callable, Sequence

#: So many lines are looked at, and offered to whoever knows better.
LOOKED_AT = 15
#: Says whether a text is known to be the name of a column.
Knows = Callable[[str], bool]


def find_headings(lines: Sequence[Sequence[str]], knows: Knows | None) -> int:
    """Return the place of the line of headings among the first lines that are not blank.

    It is the one with most names that are known. Where hardly any is, it is the first, unless that is a title: one
    text above lines of several.
    """
    first = lines[:LOOKED_AT]
    if knows is None or not first:
        return 0
    known = [len({cell.strip() for cell in line if cell.strip() and knows(cell)}) for line in first]
    most = max(known)
    if most >= 2:
        return known.index(most)
    filled = [len({cell.strip() for cell in line if cell.strip()}) for line in first]
    usual = max(filled)
    return next((place for place, count in enumerate(filled) if count >= min(3, usual)), 0)


def name_columns(above: Sequence[str] | None, headings: Sequence[str]) -> list[str]:
    """Return the heading of each column, with what cells merged with the line above say.

    A cell merged downwards leaves its text above: it is the heading. One merged to the right stands over several
    columns: it tells those apart that are called alike.
    """
    groups = [*(above or ())]
    names = [*headings, *[""] * (len(groups) - len(headings))]
    groups += [""] * (len(names) - len(groups))
    if sum(map(_is_filled, groups)) < 2:
        return names[: len(headings)]
    spread = _spread(groups)
    alike = {name.strip() for name in names if _is_filled(name) and sum(name.strip() == n.strip() for n in names) > 1}
    for place, name in enumerate(names):
        if not _is_filled(name):
            names[place] = groups[place]
        elif name.strip() in alike and spread[place]:
            names[place] = f"{name.strip()} ({spread[place]})"
    return names


def _spread(groups: Sequence[str]) -> list[str]:
    spread: list[str] = []
    for group in groups:
        spread.append(group.strip() or (spread[-1] if spread else ""))
    return spread


def _is_filled(cell: str) -> bool:
    return bool(cell.strip())
