"""What a relation field takes where nothing was chosen: codes first, then names, never a key that was not meant."""

from __future__ import annotations

import pytest

from backoffice.database import RecordSession
from models.contract import Contract
from tests.views.programs import as_stored, make_company, make_contract
from tests.visitors import Visitor, form_of


@pytest.fixture
def contract(session: RecordSession) -> Contract:
    return make_contract(session, make_company(session, "Società dell'Acqua srl", vat_number="01114601006"), "C/1")


def typed_as_previous(admin: Visitor, contract: Contract, words: str) -> int:
    """Type words for the contract that this one restarts; return the status of the answer."""
    path = f"/contract/{contract.id}/edit"
    sent = form_of(admin, path) | {"previous_contract": "", "previous_contract-text": words}
    return admin.submit(path, sent).status_code


def test_digits_are_a_number_before_they_are_a_key(admin: Visitor, session: RecordSession, contract: Contract) -> None:
    meant = make_contract(session, contract.company, str(contract.id - 1))
    assert meant.id != contract.id - 1
    assert typed_as_previous(admin, contract, meant.number) == 303
    assert as_stored(session).get_one(Contract, contract.id).previous_contract_id == meant.id
    assert typed_as_previous(admin, contract, str(meant.id + 1_000_000)) == 422


def test_a_name_finds_its_record_whatever_the_spelling(
    admin: Visitor, session: RecordSession, contract: Contract
) -> None:
    for words in ("società dell'acqua srl", "SOCIETA DELLACQUA  SRL", "IT 01114601006"):
        path = f"/contract/{contract.id}/edit"
        sent = form_of(admin, path) | {"company": "", "company-text": words}
        assert admin.submit(path, sent).status_code == 303, words
    assert as_stored(session).get_one(Contract, contract.id).company_id == contract.company_id


def test_a_name_that_several_have_is_refused(admin: Visitor, session: RecordSession, contract: Contract) -> None:
    make_company(session, "Società dell’Acqua srl")
    path = f"/contract/{contract.id}/edit"
    answer = admin.submit(path, form_of(admin, path) | {"company": "", "company-text": "Società dell'Acqua srl"})
    assert (answer.status_code, "sceglierne una dall" in answer.text) == (422, True)
    make_company(session, "Di altri srl", group=2)
    other = admin.submit(path, form_of(admin, path) | {"company": "", "company-text": "Di altri srl"})
    assert (other.status_code, "non è nell’elenco" in other.text) == (422, True)
