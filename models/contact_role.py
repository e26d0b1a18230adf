"""What a person is for a client, in general or under one contract."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, reference
from models.contact import Contact
from models.contract import Contract


class ContactRoleKind(Choice):
    main_referent = "main_referent", _l("Main referent")
    usual_referent = "usual_referent", _l("Usual referent")
    legal_representative = "legal_representative", _l("Legal representative")
    executor = "executor", _l("Executor")
    mobility_manager = "mobility_manager", _l("Mobility manager")
    card_user = "card_user", _l("Card user")
    technical_referent = "technical_referent", _l("Technical referent")
    execution_director = "execution_director", _l("Contract execution director")
    administration_referent = "administration_referent", _l("Administration referent")
    responsible_manager = "responsible_manager", _l("Responsible manager")
    body_expert = "body_expert", _l("Expert of the body")


class ContactRole(CompanyOwned, Record):
    """One part a contact plays, such as execution director of a contract (CT-02)."""

    __tablename__ = "contact_role"
    __table_args__ = (
        UniqueConstraint("contact_id", "contract_id", "role"),
        Index(
            "uq_contact_role_general",
            "contact_id",
            "role",
            unique=True,
            postgresql_where=text("contract_id IS NULL"),
            sqlite_where=text("contract_id IS NULL"),
        ),
    )
    __admin__ = Admin(
        label=_l("Contact role"),
        plural=_l("Contact roles"),
        category=Category.clients,
        icon="person-badge",
        area="contacts",
        scope=Scope(group="contact.group_id", company="contact.company_id"),
        title=("role",),
        list_columns=("contact", "role", "contract"),
        filters=("contact", "role", "contract"),
        fast=(("role", "created_at"), ("contract", "created_at")),
        natural_keys=(("contact_id", "contract_id", "role"),),
        sections=(Section(_l("Role"), ("contact", "role", "contract")),),
        menu=False,
        rules={
            "uq_contact_role_contact_id_contract_id_role": Rule(
                _l("The contact already has this role in this contract."), "role"
            ),
            "uq_contact_role_general": Rule(_l("The contact already has this role."), "role"),
        },
    )

    #: Who plays the part.
    contact_id: Mapped[int] = reference("contact", _l("Contact"), help="")
    contact: Mapped[Contact] = relationship()
    #: Which part.
    role: Mapped[ContactRoleKind] = choice(
        ContactRoleKind, _l("Role"), help=_l("A person may have several, each entered by itself.")
    )
    #: The contract it concerns; empty where it holds for the client as a whole.
    contract_id: Mapped[int | None] = reference(
        "contract", _l("Contract"), help=_l("Empty where the role holds for the client as a whole.")
    )
    contract: Mapped[Contract | None] = relationship()

    def __str__(self) -> str:
        return str(self.role.label)
