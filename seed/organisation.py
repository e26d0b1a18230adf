"""The corporate groups with their companies and business units."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.business_unit import BusinessUnit
from models.corporate_group import CorporateGroup
from models.group_company import GroupCompany
from seed.reference_data.organisation import GROUPS
from seed.shelf import Shelf


class Organisation:
    """Groups, companies and units by the names of the sources, whatever they are called now; None where deleted."""

    def __init__(self, session: Session) -> None:
        """Load those that never were there. Flushes."""
        self.groups: dict[str, CorporateGroup | None] = {}
        self.companies: dict[str, GroupCompany | None] = {}
        self._units: dict[tuple[str, str], BusinessUnit | None] = {}
        self.added = self._load_groups(session) + self._load_companies(session) + self._load_units(session)

    def group_id(self, name: str) -> int | None:
        """Return the key of a group."""
        group = self.groups[name]
        return group.id if group else None

    def unit_id(self, company: str, name: str | None) -> int | None:
        """Return the key of a unit of a company; None without a name."""
        unit = self._units.get((company, name)) if name else None
        return unit.id if unit else None

    def _load_groups(self, session: Session) -> int:
        shelf = Shelf(session, CorporateGroup, "name")
        self.groups = {name: shelf.put(name=name) for name in GROUPS}
        session.flush()
        return shelf.added

    def _load_companies(self, session: Session) -> int:
        shelf = Shelf(session, GroupCompany, "group_id", "legal_name")
        for group, companies in GROUPS.items():
            group_id = self.group_id(group)
            for name in companies:
                self.companies[name] = shelf.put(group_id=group_id, legal_name=name) if group_id else None
        session.flush()
        return shelf.added

    def _load_units(self, session: Session) -> int:
        shelf = Shelf(session, BusinessUnit, "group_company_id", "name")
        for companies in GROUPS.values():
            for company_name, units in companies.items():
                if company := self.companies[company_name]:
                    for name in units:
                        self._units[company_name, name] = shelf.put(group_company_id=company.id, name=name)
        session.flush()
        return shelf.added
