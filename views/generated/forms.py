"""WTForms forms made from the catalogue: they show and collect; the operations check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Form, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields import Field as FormField
from wtforms.fields.choices import SelectChoice

from backoffice import clock
from backoffice.actors import Action, Actor
from backoffice.errors import Text
from backoffice.operations.cleaning import is_fixed, writable_fields
from backoffice.records.lookup import parse_key
from backoffice.records.show import in_sentence, label
from models.base import Recorded
from models.catalogue import Field, Kind, fields
from views import addresses


class RelationField(StringField):
    """A key and the words that were typed for it: ``<name>`` holds the key, ``<name>-text`` the words."""

    chosen: Any = None
    typed: str = ""

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        super().process(formdata, data, extra_filters)
        words = formdata.get(f"{self.name}-text") if formdata is not None else None
        if words is not None:
            self.typed = words

    def submitted(self, known_label: str | None) -> int | str:
        """Return what was meant: the key as a number, or the words where they no longer name the chosen row."""
        if self.typed and self.typed.strip() != (known_label or ""):
            return self.typed
        key = parse_key(self.data or "")
        return self.data or "" if key is None else key


_CLASSES: dict[Kind, type[FormField]] = {
    Kind.long_text: TextAreaField,
    Kind.boolean: BooleanField,
    Kind.choice: SelectField,
    Kind.relation: RelationField,
    Kind.relations: SelectMultipleField,
}


class RecordForm:
    """The form of one record (or line): bound WTForms fields with what the templates need to know of each."""

    def __init__(
        self,
        entity: type[Recorded],
        actor: Actor,
        session: Any,
        *,
        record: Recorded | None = None,
        sent: MultiDict[str, str] | None = None,
        names: tuple[str, ...] | None = None,
        prefix: str = "",
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self.entity, self.actor, self.session, self.record = entity, actor, session, record
        self.is_verb = names is not None and not prefix
        known = fields(entity)
        writable = writable_fields(entity, actor)
        # Verbs may ask for what no form shows, but nobody is asked for what they see as a mask only.
        masked = actor.masked(entity)
        asked = [known[name] for name in names or () if name not in masked]
        chosen = asked if names is not None else list(writable.values())
        self.catalogue = {field.name: field for field in chosen if field.kind is not Kind.children}
        form_class = type("GeneratedForm", (Form,), {name: self._unbound(f) for name, f in self.catalogue.items()})
        data = {name: self._stored(field, initial or {}) for name, field in self.catalogue.items()}
        self.form = form_class(sent, data=data, prefix=prefix)
        self.fields = {name: self._dress(self.form[name], field) for name, field in self.catalogue.items()}

    def _unbound(self, field: Field) -> Any:
        options: dict[str, Any] = {"label": str(field.label)}
        if field.kind is Kind.choice:
            assert field.choices is not None
            blank = [] if field.required and self.record is not None else [SelectChoice("", "")]
            options["choices"] = [*blank, *(SelectChoice(member.value, str(member.label)) for member in field.choices)]
            options["validate_choice"] = False
        if field.kind is Kind.relations:
            found = addresses.relation_choices(self.session, field)
            options["choices"] = [SelectChoice(key, text, {"summary": about}) for key, text, about in found]
            options["validate_choice"] = False
            options["coerce"] = str
        return _CLASSES.get(field.kind, StringField)(**options)

    def _stored(self, field: Field, initial: Mapping[str, Any]) -> Any:
        """Return what the field shows before anybody types: what was asked for, the record's value, or the default."""
        value: Any
        if self.record is not None:
            value = initial[field.name] if field.name in initial else getattr(self.record, field.column or field.name)
        else:
            value = initial.get(field.name)
            if value is None:
                column = field.entity.__table__.c.get(field.column or "")
                default = column.default if column is not None else None
                value = default.arg if default is not None and default.is_scalar else None
        if value is None and field.today and self.is_verb:
            value = clock.now() if field.kind is Kind.datetime else clock.today()
        if field.kind is Kind.relations:
            return [str(other.id) for other in value or ()]
        if field.kind is Kind.relation:
            return "" if value is None else str(value)
        return bool(value) if field.kind is Kind.boolean else field.edit(value)

    def _dress(self, bound: Any, field: Field) -> Any:
        bound.kind, bound.help, bound.unit = field.kind.value, field.help, field.unit
        bound.required, bound.readonly, bound.autocomplete = field.required, False, "off"
        if field.max_length and field.kind is Kind.text:
            bound.maxlength = field.max_length
        if self.record is not None and is_fixed(self.record, field.name):
            bound.readonly = True
        if isinstance(bound, RelationField):
            self._dress_relation(bound, field)
        return bound

    def _dress_relation(self, bound: Any, field: Field) -> None:
        assert field.target is not None
        bound.options_url = addresses.options_url(field)
        bound.add_url = addresses.add_url(field.target) if self.actor.may(Action.create, field.target) else None
        bound.add_label = _("Add %(entity)s", entity=in_sentence(field.target.__admin__.label))
        row = self._related(field, bound.data)
        if row is not None:
            bound.chosen = {"id": row.id, "label": label(row, self.actor), "url": addresses.record_url(row)}
        elif bound.data and self.record is not None and str(getattr(self.record, field.column or "")) == bound.data:
            # It points at a row this actor may not see: left alone, and not sent along.
            bound.readonly, bound.options_url, bound.data = True, None, _("(not available)")

    def _related(self, field: Field, raw: Any) -> Any:
        key = parse_key(str(raw or ""))
        return self.session.get(field.target, key) if key is not None else None

    def values(self) -> dict[str, Any]:
        """Return what was typed, as operations take it."""
        found: dict[str, Any] = {}
        for name, bound in self.fields.items():
            if bound.readonly:
                continue
            if isinstance(bound, RelationField):
                found[name] = bound.submitted(bound.chosen["label"] if bound.chosen else None)
            else:
                found[name] = bound.data if bound.data is not None else ""
        return found

    def refuse(self, problems: Mapping[str, Text]) -> None:
        """Put each sentence beside its field."""
        for name, text in problems.items():
            if name in self.fields:
                self.fields[name].errors = [str(text)]


class LineForms:
    """The inline children of a form: one ``RecordForm`` a line, and an empty one to copy."""

    def __init__(self, parent: RecordForm, name: str, sent: MultiDict[str, str] | None) -> None:
        self.field = fields(parent.entity)[name]
        self.name = name
        target = self.field.target
        assert target is not None
        back = sa.inspect(parent.entity).relationships[name].back_populates
        writable = writable_fields(target, parent.actor)
        self.names = tuple(n for n, f in writable.items() if n != back and f.kind is not Kind.children)
        self.parent, self.target = parent, target
        stored = {str(line.id): line for line in getattr(parent.record, name)} if parent.record is not None else {}
        self.rows = (
            [self._row(str(i), line, None) for i, line in enumerate(stored.values())]
            if sent is None
            else [
                self._row(index, stored.get(sent.get(f"{name}-{index}-id", "")), sent) for index in self._indexes(sent)
            ]
        )

    def _indexes(self, sent: MultiDict[str, str]) -> list[str]:
        start = f"{self.name}-"
        found = {key[len(start) :].split("-", 1)[0] for key in sent if key.startswith(start)}
        return sorted((i for i in found if i.isascii() and i.isdigit() and len(i) < 6), key=int)[:501]

    def _row(self, index: str, line: Recorded | None, sent: MultiDict[str, str] | None) -> dict[str, Any]:
        prefix = f"{self.name}-{index}-"
        form = RecordForm(
            self.target, self.parent.actor, self.parent.session, record=line, sent=sent, names=self.names, prefix=prefix
        )
        deleted = bool(sent is not None and sent.get(f"{prefix}delete"))
        # One that is not, or no longer, a line of this record goes on to be refused, never to be added as another.
        sent_key = sent.get(f"{prefix}id", "") if sent is not None and self.parent.record is not None else ""
        key = line.id if line is not None else sent_key or None
        return {
            "index": index,
            "form": form,
            "fields": list(form.fields.values()),
            "id": key,
            "deleted": deleted,
            "errors": [],
        }

    def values(self) -> list[dict[str, Any]]:
        """Return the lines as operations take them; new lines left wholly empty are passed over."""
        found = []
        for row in self.rows:
            values = row["form"].values()
            if row["id"] is None and (row["deleted"] or self._is_blank(row)):
                continue
            found.append({"id": row["id"], **({"delete": True} if row["deleted"] else values)})
        return found

    def _is_blank(self, row: dict[str, Any]) -> bool:
        blank = RecordForm(self.target, self.parent.actor, self.parent.session, names=self.names)
        return bool(row["form"].values() == blank.values())

    def refuse(self, problems: Mapping[str, Text]) -> None:
        """Put ``<place>.<field>`` sentences beside the fields of their lines."""
        for key, text in problems.items():
            row, name = self.find(key)
            if row is None:
                continue
            if name in row["form"].fields:
                row["form"].refuse({name: text})
            else:
                row["errors"] = [str(text)]

    def find(self, key: str) -> tuple[dict[str, Any] | None, str]:
        """Return the line that a problem ``<place>.<field>`` is about, and the field; places count what was sent on."""
        place, _dot, name = key.partition(".")
        kept = [row for row in self.rows if not (row["id"] is None and (row["deleted"] or self._is_blank(row)))]
        found = kept[int(place)] if place.isdigit() and int(place) < len(kept) else None
        return found, name

    def problem(self, key: str, text: Text) -> dict[str, Any]:
        """Return a problem of a line as the summary of the form tells it: which line, which column."""
        row, name = self.find(key)
        if row is None:
            return {"text": f"{self.field.label}: {text}", "anchor": f"lines-{self.name}"}
        number = self.rows.index(row) + 1
        if name not in row["form"].fields:
            told = _("Line %(number)s: %(problem)s", number=number, problem=text)
            return {"text": told, "anchor": f"{self.name}-{row['index']}"}
        column = row["form"].catalogue[name].label
        told = _("Line %(number)s, %(column)s: %(problem)s", number=number, column=column, problem=text)
        return {"text": told, "anchor": row["form"].fields[name].id}

    def page(self) -> dict[str, Any]:
        """Return what ``_form_lines.html`` shows."""
        known = fields(self.target)
        columns = [
            {
                "label": known[n].label,
                "kind": known[n].kind.value,
                "numeric": known[n].kind in _NUMERIC,
                "required": known[n].required,
            }
            for n in self.names
        ]
        return {
            "name": self.name,
            "title": self.field.label,
            "help": self.field.help,
            "columns": columns,
            "rows": self.rows,
            "blank": self._row("__INDEX__", None, None),
            "add_label": _("Add a line"),
        }


_NUMERIC = (Kind.integer, Kind.decimal, Kind.money, Kind.minutes)
