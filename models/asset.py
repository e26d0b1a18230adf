"""What a contract looks after, piece by piece."""

from __future__ import annotations

from decimal import Decimal

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.contract import Contract
from models.values import Degrees


class AssetKind(Choice):
    light_point = "light_point", _l("Light point"), "neutral", "lightbulb"
    panel = "panel", _l("Electrical panel"), "neutral", "lightning-charge"
    plant = "plant", _l("Plant"), "neutral", "gear-wide-connected"
    device = "device", _l("Device"), "neutral", "cpu"
    building = "building", _lp("asset", "Building"), "neutral", "building"


class Asset(CompanyOwned, Record):
    """A pole, panel, device or building with the code on its label, by which people say what they report (CC-16)."""

    __tablename__ = "asset"
    __table_args__ = (
        UniqueConstraint("contract_id", "code"),
        UniqueConstraint("qr_token"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude_possible"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude_possible"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="whole_position"),
    )
    __admin__ = Admin(
        label=_l("Asset"),
        plural=_l("Assets"),
        category=Category.support,
        icon="lightbulb",
        area="assets",
        scope=Scope(group="contract.group_id", company="contract.company_id"),
        title=("code",),
        subtitle=("kind", "location", "company"),
        tabs=("ticket.asset", "call.asset", "attachment.asset"),
        rank=6,
        list_columns=("code", "kind", "location", "contract", "company"),
        search_columns=("code", "location"),
        filters=("kind", "contract", "company", "code"),
        order="code",
        fast=(("contract", "code"), ("company", "code")),
        facts=("company", "contract", "kind", "qr_token"),
        natural_keys=(("contract_id", "code"), ("qr_token",)),
        sections=(
            Section(_l("Asset"), ("contract", "code", "kind")),
            Section(_l("Where it is"), ("location", "latitude", "longitude")),
        ),
        client_columns=("code", "kind", "location"),
        rules={
            "uq_asset_contract_id_code": Rule(_l("This contract already has an asset with this code."), "code"),
            "uq_asset_qr_token": Rule(_l("Another asset already has this QR code."), "qr_token"),
            "ck_asset_latitude_possible": Rule(_l("The latitude lies between −90 and 90."), "latitude"),
            "ck_asset_longitude_possible": Rule(_l("The longitude lies between −180 and 180."), "longitude"),
            "ck_asset_whole_position": Rule(_l("A position has both latitude and longitude."), "longitude"),
        },
    )

    company: Mapped[Company] = relationship()
    #: The contract under which it is looked after.
    contract_id: Mapped[int] = reference("contract", _l("Contract"), help=_l("Under which it is looked after."))
    contract: Mapped[Contract] = relationship()
    #: The code on its label, unique within the contract.
    code: Mapped[str] = field(_l("Code"), String(60), help=_l("As its label has it, such as P-1234."))
    #: What it is.
    kind: Mapped[AssetKind] = choice(AssetKind, _l("Kind"), default=AssetKind.light_point, badge=False, help="")
    #: Where people find it, in words.
    location: Mapped[str | None] = field(_l("Location"), String(200), help=_l("Where people find it, in words."))
    #: North of the equator where positive, in degrees.
    latitude: Mapped[Decimal | None] = field(_l("Latitude"), Degrees(), help=_l("In degrees, such as 46,067871."))
    #: East of Greenwich where positive, in degrees.
    longitude: Mapped[Decimal | None] = field(_l("Longitude"), Degrees(), help=_l("In degrees, such as 11,121086."))
    #: What its QR code leads to: random, so that nobody reads out the register by counting (CC-17).
    qr_token: Mapped[str] = field(_l("QR code"), String(32), verb_only=True)

    def __str__(self) -> str:
        return self.code
