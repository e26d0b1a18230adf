"""A tiny application with the toolkits as they come: what they do before we override it.

Firms and their people live on a declarative base of their own, so nothing of it meets the product's schema.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder import AppBuilder
from flask_appbuilder.models.sqla.base import SQLA
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_jwt_extended import create_access_token
from flask_jwt_extended import current_user as token_user
from flask_login import UserMixin, current_user
from flask_wtf import CSRFProtect
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    """Apart from the product's own base."""


class Firm(Base):
    __tablename__ = "firm"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(unique=True)
    owner: Mapped[str] = mapped_column(default="us")

    def __str__(self) -> str:
        return self.name or "?"


class Person(Base):
    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    firm_id: Mapped[int | None] = mapped_column(ForeignKey("firm.id"))
    firm: Mapped[Firm | None] = relationship()


class TinyUser(UserMixin):
    id = "1"
    is_active = True
    changed_on = None
    roles: tuple[Any, ...] = ()
    groups: tuple[Any, ...] = ()

    def get_full_name(self) -> str:
        return "Tiny User"


class TinySecurity(SecurityManager):
    """Knows one user, who may do everything: what is tested is the toolkit's views, not its roles."""

    def load_user(self, pk: Any) -> TinyUser:
        return TinyUser()

    def has_access(self, permission_name: str, view_name: str) -> bool:
        return bool(current_user.is_authenticated or token_user)

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        return False

    def get_user_menu_access(self, menu_names: Any = None) -> set[str]:
        return set()


class Stock:
    """The tiny application with views added to it; ``client`` is signed in by cookie, ``token`` is for its API."""

    def __init__(self, **config: Any) -> None:
        self.app = Flask("stock")
        self.app.config.update(
            SECRET_KEY="not-a-secret-but-long-enough-for-the-tokens",
            SQLALCHEMY_DATABASE_URI="sqlite://",
            SQLALCHEMY_ENGINE_OPTIONS={"poolclass": StaticPool, "connect_args": {"check_same_thread": False}},
            **{"FAB_CREATE_DB": False, "FAB_UPDATE_PERMS": False, **config},
        )
        self.db = SQLA(self.app, metadata=Base.metadata)
        self.csrf = CSRFProtect(self.app)
        with self.app.app_context():
            self.builder = AppBuilder(self.app, self.db.session, security_manager_class=TinySecurity)
            Base.metadata.create_all(self.db.engine)
            self.token = create_access_token("1")

    def add_view(self, view: type) -> Any:
        """Register one of Flask-AppBuilder's views and return its instance."""
        with self.app.app_context():
            return self.builder.add_view_no_menu(view)

    def store(self, *rows: Any) -> None:
        with self.app.app_context():
            self.db.session.add_all(rows)
            self.db.session.commit()

    def count(self, entity: type) -> int:
        with self.app.app_context():
            return int(self.db.session.query(entity).count())

    def client(self) -> FlaskClient:
        """Return a client whose session cookie belongs to the one user."""
        client = self.app.test_client()
        with client.session_transaction() as session:
            session["_user_id"], session["_fresh"] = "1", True
        return client

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}
