"""Flask-Admin over the same tables, as it comes; tuned: relations are looked up, and nothing is counted."""

from __future__ import annotations

from flask import Flask
from flask_admin import Admin
from flask_admin.contrib.sqla import ModelView
from flask_babel import Babel
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, scoped_session, sessionmaker

from bench.rivals.tables import FORM, LIST, SECRET, TUNED, URL, declare


class Base(DeclarativeBase):
    """Of these tables only."""


tables = declare(Base)
session = scoped_session(sessionmaker(create_engine(URL, pool_size=16)))


class TicketView(ModelView):
    column_list = LIST
    column_searchable_list = ("number", "subject")
    column_filters = ("state", "company_id")
    named_filter_urls = True
    column_default_sort = ("created_at", True)
    page_size = 25
    can_export = True
    export_types = ["csv", "xlsx"]
    export_max_rows = 0
    form_columns = FORM
    if TUNED:
        column_select_related_list = (tables.Ticket.company, tables.Ticket.assignee)
        simple_list_pager = True
        form_ajax_refs = {
            "company": {"fields": ("legal_name",)},
            "contact": {"fields": ("last_name",)},
            "contract": {"fields": ("number",)},
        }


class CompanyView(ModelView):
    column_list = ("legal_name", "vat_number", "state", "city")
    page_size = 25
    form_excluded_columns = ("tickets",)


def create_app() -> Flask:
    app = Flask(__name__)
    app.secret_key = SECRET
    app.teardown_appcontext(lambda _error: session.remove())
    Babel(app)  # it is installed for the other toolkit, and then this one wants it
    admin = Admin(app, name="Bench")
    admin.add_view(TicketView(tables.Ticket, session, endpoint="ticket"))
    admin.add_view(CompanyView(tables.Company, session, endpoint="company"))
    return app
