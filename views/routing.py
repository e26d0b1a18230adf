"""Routes of which there are thousands: a start must not pay for addresses that nobody has asked for yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.routing import Rule


class DeferredRule(Rule):
    """A rule that makes the code for building its addresses when the first one is built.

    Werkzeug compiles two functions for each rule as it is added: of 3,500 rules that was a third of a start.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: list[Callable[..., tuple[str, str]]] = []

        def build(rule: DeferredRule, **values: Any) -> tuple[str, str]:
            if not made:
                made.append(super()._compile_builder(append_unknown))
            return made[0](rule, **values)

        return build


class Application(Flask):
    """Flask with such rules."""

    url_rule_class = DeferredRule
