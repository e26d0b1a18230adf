"""The results of a run as a picture: ``python -m bench.picture FILE.svg`` with the results on standard input."""

from __future__ import annotations

import json
import sys
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # only once it draws without a screen

_LABELS = {
    "first": "first page",
    "deep": "deep page",
    "filtered": "filtered",
    "search": "search",
    "form": "edit form",
    "save": "save",
    "company": "company",
    "home": "dashboard",
}
_SITES = {
    "bare": ("bare page (the limit)", "#9aa5b1"),
    "ours": ("this desk", "#1b6ec2"),
    "django": ("Django's admin", "#2f9e6e"),
    "grid_tuned": ("Flask-Admin, tuned", "#d9822b"),
    "grid": ("Flask-Admin, stock", "#f0b97d"),
    "fab_tuned": ("Flask-AppBuilder, tuned", "#a04fb5"),
    "fab": ("Flask-AppBuilder, stock", "#d3a5de"),
}


def draw(results: dict[str, Any], target: str) -> None:
    """Draw times beside each other and as tickets grow; what was cut ends in an arrow."""
    # Text as text, so that it is read, searched and shown in the reader's own letters.
    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 9})
    figure, (beside, growing) = plt.subplots(2, 1, figsize=(10, 9), height_ratios=(3, 2), layout="constrained")
    _beside(beside, results)
    _growing(growing, results["growth"])
    figure.savefig(target, metadata={"Date": None})


def _beside(axes: Any, results: dict[str, Any]) -> None:
    sites = [key for key in _SITES if key in results["pages"]]
    width = 0.8 / max(1, len(sites))
    for place, key in enumerate(sites):
        label, colour = _SITES[key]
        for number, name in enumerate(_LABELS):
            cell = results["pages"][key].get(name, {})
            seconds = cell.get("seconds") or cell.get("cut")
            if seconds:
                at = number + (place - len(sites) / 2 + 0.5) * width
                axes.bar(at, seconds * 1000, width, color=colour, label=label if number == 0 else None)
                if "cut" in cell:
                    axes.annotate("›", (at, seconds * 1000), ha="center", va="bottom", rotation=90)
    axes.set_yscale("log")
    axes.set_ylabel("milliseconds, logarithmic")
    axes.set_xticks(range(len(_LABELS)), list(_LABELS.values()))
    axes.set_title(f"{results['tickets']:,} tickets on PostgreSQL; an arrow: given up")
    axes.legend(ncols=4, fontsize=8, loc="upper left")
    axes.margins(y=0.3)


def _growing(axes: Any, growth: dict[str, Any]) -> None:
    sizes = sorted(growth, key=int)
    for key, style in (("ours", "-"), ("bare", ":")):
        for name, colour in zip(("first", "deep", "filtered", "search", "form"), plt.cm.tab10.colors, strict=False):
            points = [(int(s), growth[s].get(key, {}).get(name, {}).get("seconds")) for s in sizes]
            points = [(size, seconds * 1000) for size, seconds in points if seconds]
            if points:
                axes.plot(*zip(*points, strict=True), style, color=colour, marker="o", label=f"{_LABELS[name]}, {key}")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("milliseconds")
    axes.set_xlabel("tickets")
    axes.set_title("As tickets grow: this desk (solid) and the bare page (dotted)")
    axes.legend(ncols=4, fontsize=8)


if __name__ == "__main__":
    draw(json.load(sys.stdin), sys.argv[1])
