"""Who is signed in and what they may open: Flask-AppBuilder's security, answered from our own rights.

The toolkit asks it many times a page; every answer comes from the rights loaded once a request, without a query
(M5, M9). Nothing is created or registered at start (M4, M12), and none of the toolkit's own pages is offered.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Flask, g, redirect, request, session, url_for
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_jwt_extended import current_user as token_user
from flask_login import LoginManager, current_user
from werkzeug.wrappers import Response

from backoffice.actors import SYSTEM, Context
from backoffice.database import begin_writing, open_session
from backoffice.identity import find_identity
from models.staff import Staff
from views.desk.activation_workspace import ActivationView
from views.desk.api_key_pages import ApiKeysView
from views.desk.calendar_pages import CalendarView
from views.desk.call_desk import CallDesk
from views.desk.dictionary_pages import DictionaryView
from views.desk.everything_pages import EverythingView
from views.desk.inbound_pages import InboundView
from views.desk.job_pages import JobsView
from views.desk.mail_template_pages import MailTemplatesView
from views.desk.notice_pages import NoticesView
from views.desk.outbox_pages import MailTextView
from views.desk.papers import PapersView
from views.desk.password_links import PasswordLinkView, SendLinkView
from views.desk.portal_logos import PortalLogoView
from views.desk.rights_pages import RightsView
from views.desk.roles_pages import RolesView
from views.desk.search_pages import SearchView
from views.desk.second_factor_pages import SecondFactorView
from views.desk.security_pages import PasswordView
from views.desk.setting_pages import SettingsView
from views.desk.setting_up_pages import SettingUpView
from views.desk.support_figures import SupportFiguresView
from views.desk.text_pages import TextsView
from views.desk.ticket_bulk import TicketBulkView
from views.desk.ticket_changes import TicketChanges
from views.desk.ticket_following import TicketFollowingView
from views.desk.ticket_opening import TicketOpeningView
from views.desk.ticket_workspace import TicketView
from views.door import door, engine
from views.problems import is_api_request
from views.sign_in import FACTOR_DUE, SignInView, TokenApi
from views.signed_in import SignedIn

#: What remains open while a new password is due.
_WITHOUT_NEW_PASSWORD = ("PasswordView.", "PasswordLinkView.", "SignInView.")
#: What remains open while a second factor is due.
_WITHOUT_FACTOR = (*_WITHOUT_NEW_PASSWORD, "SecondFactorView.")


class DeskSecurityManager(SecurityManager):
    """Flask-AppBuilder's security manager for staff with roles of ours."""

    user_model = Staff
    userstatschartview = None
    security_api = TokenApi

    def create_login_manager(self, app: Flask) -> LoginManager:
        manager = super().create_login_manager(app)
        manager.login_view = f"{SignInView.__name__}.login"
        return manager

    def create_db(self) -> None:
        """Create nothing: migrations and the synchronisation of roles do, before anything serves (M4, M12)."""

    def add_permissions_view(self, base_permissions: Any, view_menu: Any) -> None:
        """Write nothing at start (M12)."""

    def add_permissions_menu(self, view_menu_name: Any) -> None:
        """Write nothing at start (M12)."""

    def register_views(self) -> None:
        """Offer our own pages only, whatever the configuration asks of the toolkit (M1)."""
        self.appbuilder.add_api(self.security_api)
        self.auth_view = self.appbuilder.add_view_no_menu(SignInView)
        self.appbuilder.add_view_no_menu(PasswordView)
        self.appbuilder.add_view_no_menu(SecondFactorView)
        self.appbuilder.add_view_no_menu(RolesView)
        self.appbuilder.add_view_no_menu(RightsView)
        self.appbuilder.add_view_no_menu(SendLinkView)
        self.appbuilder.add_view_no_menu(PasswordLinkView)
        self.appbuilder.add_view_no_menu(MailTextView)
        self.appbuilder.add_view_no_menu(SettingUpView)
        self.appbuilder.add_view_no_menu(NoticesView)
        self.appbuilder.add_view_no_menu(CalendarView)
        self.appbuilder.add_view_no_menu(PortalLogoView)
        for own in (
            SearchView,
            ApiKeysView,
            DictionaryView,
            ActivationView,
            TicketView,
            TicketChanges,
            TicketBulkView,
            TicketFollowingView,
            TicketOpeningView,
            InboundView,
            CallDesk,
            PapersView,
            SupportFiguresView,
            SettingsView,
            TextsView,
            MailTemplatesView,
            JobsView,
            EverythingView,
        ):
            self.appbuilder.add_view_no_menu(own)

    # Who it is

    def load_user(self, pk: str) -> SignedIn | None:
        """Return who a session or token names, unless they were deactivated or changed their password since."""
        found = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,9})", str(pk))
        if not found:
            return None
        with begin_writing(False), open_session(engine(), Context(SYSTEM, door())) as records:
            identity = find_identity(records, int(found[1]))
        if identity is None or not identity.active or identity.session_epoch != int(found[2]):
            return None
        return SignedIn(identity)

    def load_user_jwt(self, _jwt_header: Any, jwt_data: Any) -> SignedIn | None:
        """Return whom a token names; it names the epoch too, so a new password ends tokens as well."""
        user = self.load_user(jwt_data["sub"])
        if user is not None:
            g.user = user
        return user

    @staticmethod
    def before_request() -> Response | None:
        """Tell the toolkit who it is; lead whoever must change the password to that page first."""
        g.user = current_user
        endpoint = request.endpoint or ""
        if is_api_request() or endpoint == "static" or endpoint.endswith(".static"):
            return None
        if endpoint == f"{TicketChanges.__name__}.changes":
            return None  # asked every few seconds with a token of its own: who asks is not looked up
        due = current_user.is_authenticated and current_user.actor.must_change_password
        if due and not endpoint.startswith(_WITHOUT_NEW_PASSWORD):
            return redirect(url_for(f"{PasswordView.__name__}.own"))
        if current_user.is_authenticated and FACTOR_DUE in session and not endpoint.startswith(_WITHOUT_FACTOR):
            return redirect(url_for(f"{SecondFactorView.__name__}.own"))
        return None

    # What they may do

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """Say whether whoever makes this request has the permission; tokens come before cookies."""
        user = _asking()
        return user is not None and self._has_view_access(user, permission_name, view_name)

    def _has_view_access(self, user: Any, permission_name: str, view_name: str) -> bool:
        return (permission_name, view_name) in user.permissions

    def _get_user_permission_view_menus(
        self, user: Any, permission_name: str, view_menus_name: list[str] | None
    ) -> set[str]:
        # To see a menu entry is to be able to open its list.
        wanted = "can_list" if permission_name == "menu_access" else permission_name
        return {name for name in view_menus_name or () if user is not None and (wanted, name) in user.permissions}

    def get_user_menu_access(self, menu_names: list[str] | None = None) -> set[str]:
        return self._get_user_permission_view_menus(_asking(), "menu_access", menu_names)

    def get_user_permissions(self, user: Any) -> set[tuple[str, str]]:
        return set(user.permissions)

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        """Nothing behind a permission is public, and finding that out takes no query."""
        return False

    # What the toolkit would do past our operations

    def auth_user_db(self, username: str, password: str) -> None:
        """Refuse: ``views.sign_in`` counts attempts, this would not."""
        raise NotImplementedError("Sign in through views.sign_in")

    def reset_password(self, userid: Any, password: str) -> None:
        """Refuse: ``backoffice.operations.staff`` checks and records it, this would not."""
        raise NotImplementedError("Set passwords through backoffice.operations.staff")


def _asking() -> SignedIn | None:
    if token_user:
        return token_user._get_current_object()  # type: ignore[no-any-return]
    return current_user._get_current_object() if current_user.is_authenticated else None
