"""What a client is told when access to an online service ends, is narrowed, or comes back (N-09, N-09b)."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.notices import group_name, referent_of, tell
from backoffice.texts import in_language
from models.company_service import CompanyService


def tell_of_access(session: Session, grant: CompanyService, event: str, day: date | None) -> None:
    """Tell the client's referent what has become of a service from a day on; nobody, where there is none."""
    referent = referent_of(session, grant.company_id)
    values = {
        "company": str(grant.company),
        "service": in_language(grant.online_service, "name", referent.language.value if referent else None),
        "day": f"{day:%d/%m/%Y}" if day is not None else "",
        "group": group_name(session, grant.group_id),
    }
    tell(session, event, referent, values, about=grant)


_EXAMPLE = {
    "name": "Beatrice Togni",
    "company": "Galvanica Orobica S.p.A.",
    "service": "Formazione, scadenze, documenti",
    "day": "30/06/2026",
    "group": "Gruppo Ecoopera",
}
register_template("access_suspended", _l("Access to a service suspended"), _EXAMPLE, bell=Audience.clients)
register_template("access_removed", _l("Access to a service removed"), _EXAMPLE, bell=Audience.clients)
register_template("access_frozen", _l("Data of a service no longer updated"), _EXAMPLE, bell=Audience.clients)
register_template("access_restored", _l("Access to a service restored"), _EXAMPLE, bell=Audience.clients)
