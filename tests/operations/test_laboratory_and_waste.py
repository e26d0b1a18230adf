"""Analyses, certificates, client documents and waste movements: what is fixed, what replaces what, what is counted."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.errors import InvalidRecord, KeptInThisState
from backoffice.files.store import FolderStore, digest
from backoffice.operations.attachments import FilesFixed, attach_file, remove_attachment
from backoffice.operations.client_documents import NoFile
from backoffice.operations.laboratory import AlreadyCertified, NotValidated, NoValues, OneSignedFile, ValuesMissing
from backoffice.operations.plain import create_record, delete_record, update_record
from backoffice.operations.verbs import perform
from models.analysis import Analysis, AnalysisState
from models.analysis_result import AnalysisResult, ResultState
from models.attachment import Attachment
from models.certificate import Certificate, CertificateState
from models.client_document import ClientDocument, DocumentState
from models.waste_movement import MovementState, WasteMovement
from tests.attachments.samples import PDF
from tests.operations.world import World, day


def refused(session: RecordSession, entity: Any, values: dict[str, Any]) -> set[str]:
    with pytest.raises(InvalidRecord) as refusal, session.begin_nested():
        save(session, entity, values)
    return set(refusal.value.problems)


def save(session: RecordSession, entity: Any, values: dict[str, Any]) -> None:
    """Make a record of an entity, or change one."""
    if isinstance(entity, type):
        create_record(session, entity, values, actor=SYSTEM)
    else:
        update_record(session, entity, values, version=None, actor=SYSTEM)


def test_values_are_preliminary_until_they_are_validated(session: RecordSession) -> None:
    world = World(session)
    values = {"company": world.company, "number": "26/1", "business_unit": world.unit(), "matrix": "Acque"}
    lines = [{"parameter": "COD", "unit": "mg/l"}, {"parameter": "BOD5", "value": "18,5", "unit": "mg/l"}]
    made: Any = create_record(
        session, Analysis, {**values, "sampled_on": day(-1), "results": lines[:1]}, actor=SYSTEM
    )  # fmt: skip
    for verb in ("release", "validate"):
        with pytest.raises(NoValues):
            perform(session, made, verb, actor=SYSTEM)
    (cod,) = made.results
    update_record(session, made, {"results": [{"id": cod.id}, lines[1]]}, version=None, actor=SYSTEM)
    perform(session, made, "release", actor=SYSTEM)
    with pytest.raises(ValuesMissing) as missing:
        perform(session, made, "validate", actor=SYSTEM)
    assert missing.value.values == {"parameters": "COD"}
    update_record(session, cod, {"value": "85"}, version=None, actor=SYSTEM)
    assert {result.state for result in made.results} == {ResultState.preliminary}
    perform(session, made, "validate", actor=SYSTEM)
    assert {result.state for result in made.results} == {ResultState.validated}
    assert made.results[1].value == Decimal("18.5")


def test_validated_values_are_fixed_until_the_validation_is_taken_back(session: RecordSession) -> None:
    world = World(session)
    analysis = world.analysis(AnalysisState.validated)
    (result,) = analysis.results
    assert refused(session, result, {"value": "1"}) == {"value"}
    assert refused(session, analysis, {"results": [{"id": result.id, "value": "1"}]}) == {"results.0.value"}
    assert refused(session, analysis, {"results": [{"id": result.id}, {"parameter": "pH"}]}) == {"results"}
    assert refused(session, AnalysisResult, {"analysis": analysis, "parameter": "pH"}) == {"analysis"}
    assert refused(session, analysis, {"sampled_on": day(-2)}) == {"sampled_on"}
    with pytest.raises(KeptInThisState):
        delete_record(session, result, version=None, actor=SYSTEM)
    perform(session, analysis, "reopen", actor=SYSTEM)
    update_record(session, analysis, {"results": [{"id": result.id, "value": "90"}]}, version=None, actor=SYSTEM)
    assert (result.value, result.state, analysis.validated_at) == (90, ResultState.preliminary, None)


def test_numbers_and_clients_are_required(session: RecordSession) -> None:
    world = World(session)
    values = {"number": world.analysis().number, "business_unit": world.unit(), "matrix": "Acque", "sampled_on": day(0)}
    assert refused(session, Analysis, values) == {"company"}
    assert refused(session, Analysis, {**values, "company": world.company}) == {"number"}


def test_an_issued_certificate_never_changes(session: RecordSession, tmp_path: Path) -> None:
    world, store = World(session), FolderStore(tmp_path)
    analysis = world.analysis(AnalysisState.preliminary)
    values = {"analysis": analysis, "number": "RP/1", "signer": "Ada Rossi", "signed_at": clock.now()}
    certificate: Any = create_record(session, Certificate, values, actor=SYSTEM)
    with pytest.raises(NotValidated):
        perform(session, certificate, "issue", actor=SYSTEM)
    perform(session, analysis, "validate", actor=SYSTEM)
    with pytest.raises(OneSignedFile):
        perform(session, certificate, "issue", actor=SYSTEM)
    told: dict[str, Any] = {"store": store, "limit_mb": 1, "actor": SYSTEM}
    file = attach_file(session, certificate, "rapporto.pdf", PDF, client_visible=True, **told)
    perform(session, certificate, "issue", actor=SYSTEM)
    assert (certificate.sha256, analysis.state) == (digest(PDF), AnalysisState.certified)
    for name, value in (("number", "RP/2"), ("signer", "Ugo"), ("signed_at", clock.now() - timedelta(days=2))):
        assert refused(session, certificate, {name: value}) == {name}
    with pytest.raises(FilesFixed):
        attach_file(session, certificate, "altro.pdf", PDF, **told)
    with pytest.raises(FilesFixed):
        remove_attachment(session, file, "Sbagliato", actor=SYSTEM)
    with pytest.raises(KeptInThisState):
        delete_record(session, certificate, version=None, actor=SYSTEM)
    assert session.scalar(sa.select(sa.func.count()).where(Attachment.certificate_id == certificate.id)) == 1


def test_a_wrong_certificate_is_replaced(session: RecordSession) -> None:
    world = World(session)
    first = world.certificate(CertificateState.issued)
    first.analysis.state = AnalysisState.certified
    second = world.certificate(analysis=first.analysis)
    with pytest.raises(AlreadyCertified):
        perform(session, second, "issue", actor=SYSTEM)
    assert refused(session, second, {"replaces": world.certificate(CertificateState.issued)}) == {"replaces"}
    update_record(session, second, {"replaces": first}, version=None, actor=SYSTEM)
    perform(session, second, "issue", actor=SYSTEM)
    assert (first.state, second.state) == (CertificateState.replaced, CertificateState.issued)
    third = world.certificate(analysis=first.analysis)
    assert refused(session, third, {"replaces": first}) == {"replaces"}


def test_documents_are_published_with_their_file_and_replaced(session: RecordSession) -> None:
    world = World(session)
    first = world.document()
    bare: Any = create_record(
        session, ClientDocument,
        {"company": world.company, "title": "DVR", "area": "safety", "dated_on": day(0)}, actor=SYSTEM,
    )  # fmt: skip
    with pytest.raises(NoFile):
        perform(session, bare, "publish", actor=SYSTEM)
    assert refused(session, bare, {"replaces": first}) == {"replaces"}
    perform(session, first, "publish", actor=SYSTEM)
    update_record(session, bare, {"replaces": first}, version=None, actor=SYSTEM)
    world.file(client_document=bare)
    perform(session, bare, "publish", actor=SYSTEM)
    assert (first.state, bare.state) == (DocumentState.replaced, DocumentState.published)
    assert refused(session, bare, {"title": "Altro"}) == {"title"}
    perform(session, bare, "withdraw", {"withdrawn_because": "Errato"}, actor=SYSTEM)
    delete_record(session, bare, version=None, actor=SYSTEM)
    assert bare.deleted_at is not None


def picked_up(world: World, **changes: Any) -> dict[str, Any]:
    values = {"company": world.company, "form_number": "FIR 1/26", "business_unit": world.unit("Rifiuti")}
    return {**values, "picked_up_at": clock.now(), "waste_code": "15.01.10*", "quantity": "1.000,5", **changes}


def test_a_form_counts_once_a_year_and_company(session: RecordSession) -> None:
    world = World(session)
    made: Any = create_record(session, WasteMovement, picked_up(world), actor=SYSTEM)
    assert (made.form_year, made.waste_code) == (clock.today().year, "150110*")
    assert refused(session, WasteMovement, picked_up(world)) == {"form_number"}
    create_record(session, WasteMovement, picked_up(world, form_year="2025"), actor=SYSTEM)
    create_record(session, WasteMovement, picked_up(world, company=world.client()), actor=SYSTEM)


@pytest.mark.parametrize("code", ["15011", "210101", "150300", "150400", "1501x0", "15010"])
def test_codes_of_the_european_list_only(session: RecordSession, code: str) -> None:
    assert refused(session, WasteMovement, picked_up(World(session), waste_code=code)) == {"waste_code"}


def test_weights_are_compared_and_the_register_has_its_day(session: RecordSession) -> None:
    world = World(session)
    made: Any = create_record(session, WasteMovement, picked_up(world), actor=SYSTEM)
    assert (made.register_due_on, made.difference_kg) == (day(10), None)
    update_record(session, made, {"picked_up_at": clock.now() - timedelta(days=4)}, version=None, actor=SYSTEM)
    assert made.register_due_on == day(6)
    perform(session, made, "depart", actor=SYSTEM)
    perform(session, made, "weigh", {"destination_kg": "980", "weighed_at": clock.now()}, actor=SYSTEM)
    assert (made.difference_kg, made.state) == (Decimal("-20.5"), MovementState.weighed)
    assert refused(session, made, {"quantity": "1"}) == {"quantity"}
    in_litres = world.movement(unit="litre")
    perform(session, in_litres, "weigh", {"destination_kg": "980", "weighed_at": clock.now()}, actor=SYSTEM)
    assert in_litres.difference_kg is None
