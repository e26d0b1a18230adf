"""The tables, which the product has made."""

from __future__ import annotations

from typing import Any

from django.db import models


class Table(models.Model):
    """A table that Django does not make."""

    class Meta:
        abstract = True


def _named(table: str) -> Any:
    meta = type("Meta", (Table.Meta,), {"managed": False, "db_table": table, "abstract": False})
    body = {"__module__": __name__, "Meta": meta, "name": models.CharField(max_length=120), "__str__": _name}
    return type(table.title().replace("_", ""), (Table,), body)


def _name(row: Any) -> str:
    return str(row.name)


Queue, Team, RequestType, Service = map(_named, ("support_queue", "support_team", "request_type", "service"))


class Staff(Table):
    first_name = models.CharField(max_length=64)
    last_name = models.CharField(max_length=64)

    class Meta(Table.Meta):
        managed = False
        db_table = "ab_user"

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Company(Table):
    legal_name = models.CharField(max_length=200)
    vat_number = models.CharField(max_length=20, null=True, blank=True)
    state = models.CharField(max_length=20)
    city = models.CharField(max_length=100, null=True, blank=True)

    class Meta(Table.Meta):
        managed = False
        db_table = "company"

    def __str__(self) -> str:
        return self.legal_name


class Contact(Table):
    company = models.ForeignKey(Company, models.PROTECT)
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)

    class Meta(Table.Meta):
        managed = False
        db_table = "contact"

    def __str__(self) -> str:
        return f"{self.last_name} {self.first_name}"


class Contract(Table):
    company = models.ForeignKey(Company, models.PROTECT)
    number = models.CharField(max_length=40)

    class Meta(Table.Meta):
        managed = False
        db_table = "contract"

    def __str__(self) -> str:
        return self.number


def _key(target: Any, *, optional: bool = True) -> Any:
    return models.ForeignKey(target, models.PROTECT, null=optional, blank=optional)


class Ticket(Table):
    number = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)
    description = models.TextField()
    state = models.CharField(max_length=30)
    priority = models.CharField(max_length=20)
    channel = models.CharField(max_length=20)
    due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(editable=False)
    company = _key(Company)
    contact = _key(Contact)
    contract = _key(Contract)
    queue = _key(Queue, optional=False)
    team = _key(Team)
    request_type = _key(RequestType)
    service = _key(Service)
    assignee = _key(Staff)

    class Meta(Table.Meta):
        managed = False
        db_table = "ticket"
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.number
