"""Flask-AppBuilder over the same tables, as it comes; tuned: relations are looked up while one types."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_appbuilder import AppBuilder, Model, ModelView
from flask_appbuilder.fields import AJAXSelectField
from flask_appbuilder.fieldwidgets import Select2AJAXWidget
from flask_appbuilder.models.sqla.base import SQLA
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_appbuilder.security.sqla import models
from flask_wtf import CSRFProtect
from sqlalchemy import create_engine

from bench.rivals.tables import FORM, LIST, NAME, PASSWORD, SECRET, TUNED, URL, declare

db = SQLA(metadata=Model.metadata)
tables = declare(Model)
_LARGE = ("company", "contact", "contract")


def _looked_up(action: str) -> dict[str, Any]:
    """Return the fields that ask for options instead of listing a whole table."""
    return {
        name: AJAXSelectField(
            name,
            datamodel=SQLAInterface(tables.Ticket),
            col_name=name,
            widget=Select2AJAXWidget(endpoint=f"/ticketview/api/column/{action}/{name}"),
        )
        for name in _LARGE
    }


class TicketView(ModelView):
    datamodel = SQLAInterface(tables.Ticket)
    list_columns = LIST
    base_order = ("created_at", "desc")
    page_size = 25
    edit_columns = add_columns = FORM
    if TUNED:
        search_columns = ["number", "subject", "state", "company"]
        search_form_extra_fields = {"company": _looked_up("add")["company"]}
        edit_form_extra_fields = _looked_up("edit")


class RelatedTicketView(TicketView):
    """The tickets on a company's page."""

    if TUNED:
        search_columns = ["number", "subject", "state"]
        search_form_extra_fields: dict[str, Any] = {}


class CompanyView(ModelView):
    datamodel = SQLAInterface(tables.Company)
    list_columns = ["legal_name", "vat_number", "state", "city"]
    show_columns = ["legal_name", "vat_number", "state", "city", "province", "phone"]
    related_views = [RelatedTicketView]
    if TUNED:
        search_columns = ["legal_name", "vat_number", "state"]


def create_app() -> Flask:
    """Return the application; its own tables are made by ``prepare``."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=SECRET,
        SQLALCHEMY_DATABASE_URI=URL,
        SQLALCHEMY_ENGINE_OPTIONS={"connect_args": {"options": "-csearch_path=bench_fab,public"}, "pool_size": 16},
        SQLALCHEMY_TRACK_MODIFICATIONS=False,
        FAB_UPDATE_PERMS=False,
        FAB_CREATE_DB=False,
    )
    CSRFProtect(app)
    with app.app_context():
        db.init_app(app)
        builder = AppBuilder(app, db.session)
        builder.add_view_no_menu(RelatedTicketView)
        builder.add_view(TicketView, "Tickets", category="Support")
        builder.add_view(CompanyView, "Companies", category="Support")
        app.extensions["builder"] = builder
    return app


def prepare() -> None:
    """Make the toolkit's own tables, its permissions and one administrator."""
    # Where only its own schema is in sight: it would take the product's tables of the same names for its own.
    engine = create_engine(URL, connect_args={"options": "-csearch_path=bench_fab"})
    metadata = models.User.metadata
    own = [t for t in metadata.sorted_tables if t.name.startswith("ab_") and t.schema is None]
    metadata.create_all(engine, tables=own)
    app = create_app()
    with app.app_context():
        builder: Any = app.extensions["builder"]
        for role in (builder.sm.auth_role_admin, builder.sm.auth_role_public):
            builder.sm.add_role(role)
        builder.add_permissions(update_perms=True)
        if builder.sm.find_user(NAME) is None:
            role = builder.sm.find_role(builder.sm.auth_role_admin)
            builder.sm.add_user(NAME, "Bench", "Mark", "bench@bench.example", role, PASSWORD)


if __name__ == "__main__":
    prepare()
