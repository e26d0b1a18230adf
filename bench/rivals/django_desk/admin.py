"""What people get to see."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from bench.rivals.django_desk.models import Company, Contact, Contract, Ticket
from bench.rivals.tables import FORM, LIST


@admin.register(Ticket)
class TicketAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = LIST
    list_select_related = ("company", "assignee")
    list_filter = ("state", "priority")
    list_per_page = 25
    search_fields = ("number", "subject")
    show_full_result_count = False
    autocomplete_fields = ("company", "contact", "contract")
    fields = FORM


class TicketInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Ticket
    fields = readonly_fields = ("number", "subject", "state", "priority", "assignee", "due_at")
    extra = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).select_related("assignee")


@admin.register(Company)
class CompanyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("legal_name", "vat_number", "state", "city")
    search_fields = ("legal_name",)
    inlines = (TicketInline,)


@admin.register(Contact)
class ContactAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    search_fields = ("last_name",)


@admin.register(Contract)
class ContractAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    search_fields = ("number",)
