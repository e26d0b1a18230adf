"""Invented codes are valid in form and can belong to nobody."""

from __future__ import annotations

from datetime import date, timedelta

from stdnum.it import codicefiscale, iva

from models.codes import Iban, TaxCode, VatNumber
from models.values import Phone
from seed import codes
from seed.names import ECOOPERA_PLACES, FOREIGN, MEN, SURNAMES, TORINO_PLACES, WOMEN


def test_partite_iva_are_valid_and_unassignable() -> None:
    for place in (*ECOOPERA_PLACES, *TORINO_PLACES):
        for serial in (1, 77, 9_999, 99_999):
            number = codes.vat_number(serial, place.office)
            assert VatNumber(20).parse(number) == number
            assert TaxCode(16).parse(number) == number
            assert iva.is_valid(number)
            assert int(number[:7]) >= 9_900_001


def test_personal_tax_codes_are_valid_and_name_no_birthplace() -> None:
    born_on = date(1950, 1, 1)
    made = set()
    for number, last in enumerate(SURNAMES):
        born_on += timedelta(days=197)
        for first, woman in ((MEN[number % len(MEN)], False), (WOMEN[number % len(WOMEN)], True)):
            for doubled in (False, True):
                code = codes.personal_tax_code(first, last, born_on, woman=woman, doubled=doubled)
                assert codicefiscale.is_valid(code), (first, last, code)
                assert TaxCode(16).parse(code) == code
                made.add(code)
    assert len(made) == len(SURNAMES) * 4
    assert codes.personal_tax_code("Mario", "Rossi", date(1980, 1, 1), woman=False) == "RSSMRA80A01M999L"


def test_accounts_numbers_and_foreign_vat_numbers_are_valid() -> None:
    assert Iban(34).parse(codes.iban(123)) == codes.iban(123)
    # The control letter as the standard's own example has it.
    assert codes._control_letter("0542811101000000123456") == "X"
    assert Phone().parse(codes.landline("0461", 12)) == codes.landline("0461", 12)
    assert Phone().parse(codes.mobile(12)) == codes.mobile(12)
    for _name, number, _city, _country in FOREIGN:
        assert VatNumber(20).parse(number) == number
