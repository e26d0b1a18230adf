"""Invented people in training, courses, what they attended, what falls due, and documents for clients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import cycle

from backoffice.operations.deadlines import standing_of
from backoffice.operations.training import EDUPLAN
from backoffice.working_time import add_months
from models.client_document import ClientDocument, DocumentArea, DocumentState
from models.company import Company
from models.company_service import CompanyService
from models.contract import Contract
from models.course import Course, TrainingType
from models.course_credit import CourseCredit, CreditType
from models.deadline import TO_DO, Deadline, DeadlineKind, DeadlineState
from models.site import Site
from models.training_record import DeliveryMode, TrainingKind, TrainingOutcome, TrainingRecord, TrainingSource
from models.worker import Worker, WorkerCategory
from seed import codes
from seed.invented.world import World, granted

M, C = TrainingType.mandatory, TrainingType.continuing
_GENERAL = "Accordo Stato-Regioni 21/12/2011"
_RSPP = "Accordo Stato-Regioni 7/7/2016"


@dataclass(frozen=True)
class CourseRow:
    code: str
    title: str
    hours: int
    months: int | None
    kind: TrainingType = M
    audience: WorkerCategory | None = WorkerCategory.worker
    agreement: str | None = _GENERAL
    credits: tuple[tuple[CreditType, str], ...] = ()


COURSES = (
    CourseRow("LAV-GEN", "Formazione generale dei lavoratori", 4, None),
    CourseRow("LAV-BASSO", "Formazione specifica dei lavoratori, rischio basso", 4, 60),
    CourseRow("LAV-MEDIO", "Formazione specifica dei lavoratori, rischio medio", 8, 60),
    CourseRow("LAV-ALTO", "Formazione specifica dei lavoratori, rischio alto", 12, 60),
    CourseRow("PREPOSTI", "Formazione dei preposti", 8, 24),
    CourseRow("DIRIGENTI", "Formazione dei dirigenti", 16, 60, audience=WorkerCategory.manager),
    CourseRow("ANTINCENDIO-2", "Addetti antincendio, livello 2", 8, 60, agreement=None),
    CourseRow("PRIMO-SOCCORSO", "Addetti al primo soccorso, gruppi B e C", 12, 36, agreement=None),
    CourseRow("CARRELLI", "Conduzione di carrelli elevatori", 12, 60, agreement=None),
    CourseRow(
        "RSPP-AGG", "Aggiornamento ASPP e RSPP", 40, 60, audience=WorkerCategory.professional, agreement=_RSPP,
        credits=((CreditType.aspp, "20"), (CreditType.rspp, "40")),
    ),
    CourseRow(
        "CSP-CSE-AGG", "Aggiornamento dei coordinatori per la sicurezza", 4, 60, agreement=_RSPP,
        audience=WorkerCategory.professional, credits=((CreditType.csp_cse, "4"), (CreditType.order, "4")),
    ),
    CourseRow(
        "AFA-RIFIUTI", "Alta Formazione Ambientale: la gestione dei rifiuti", 16, None, C, None, None,
        credits=((CreditType.rspp, "4"), (CreditType.trainer, "4"), (CreditType.csp_cse, "4")),
    ),
)  # fmt: skip
#: What each category attends.
USUAL = {
    WorkerCategory.worker: (
        "LAV-GEN", "LAV-MEDIO", "ANTINCENDIO-2", "PRIMO-SOCCORSO", "CARRELLI", "LAV-ALTO", "PREPOSTI",
    ),
    WorkerCategory.manager: ("DIRIGENTI", "AFA-RIFIUTI", "LAV-BASSO"),
    WorkerCategory.professional: ("RSPP-AGG", "CSP-CSE-AGG", "AFA-RIFIUTI"),
}  # fmt: skip
WORKERS, RECORDS_EACH = 60, (2, 3, 2, 3)
CATEGORIES = {WorkerCategory.worker: 44, WorkerCategory.manager: 9, WorkerCategory.professional: 7}
TASKS = ("Operaio", "Magazziniera", "Autista", "Impiegata amministrativa", "Manutentore", "Addetta alle vendite")
#: How many days until each piece of training must be repeated.
LEFT = (-120, -20, -3, 4, 12, 25, 45, 58, 90, 200, 380, 640, 900)
PROVIDERS = ("Ente Formazione Esempio", "Scuola Sicurezza Esempio", "Consorzio Esempio Formazione")
OBLIGATIONS = (
    "Aggiornamento del documento di valutazione dei rischi", "Prova di evacuazione", "Verifica dell’impianto di terra",
    "Riunione periodica sulla sicurezza", "Sorveglianza sanitaria", "Dichiarazione annuale dei rifiuti (MUD)",
    "Controllo semestrale degli estintori", "Rinnovo dell’autorizzazione allo scarico",
)  # fmt: skip
OBLIGED = {DeadlineState.open: 20, DeadlineState.fulfilled: 5, DeadlineState.cancelled: 3}
DOCUMENTS = (
    (DocumentArea.safety, "Documento di valutazione dei rischi"), (DocumentArea.safety, "Piano di emergenza"),
    (DocumentArea.health, "Relazione sanitaria annuale"), (DocumentArea.environment, "Relazione sugli scarichi"),
    (DocumentArea.environment, "Valutazione dell’impatto acustico"), (DocumentArea.safety, "Verbale di sopralluogo"),
)  # fmt: skip
FATES = {
    DocumentState.published: 18, DocumentState.uploaded: 5, DocumentState.replaced: 4, DocumentState.withdrawn: 3,
}  # fmt: skip


def invent_training(world: World, contracts: Sequence[Contract]) -> list[ClientDocument]:
    """Make what EDUPLAN shows to the clients that have it; return the documents, whose files come later."""
    grants = granted(world, EDUPLAN)
    if not grants:
        return []
    courses = {row.code: _course(world, row) for row in COURSES}
    ends = {grant.company: grant.frozen_from or world.today for grant in grants}
    grounds = {grant.company: _ground(world, grant, contracts) for grant in grants}
    lefts, counts = cycle(LEFT), cycle(RECORDS_EACH)
    for number, category in enumerate(world.deck(CATEGORIES)):
        company = grants[number % len(grants)].company
        worker = _worker(world, company, category)
        for code in world.rng.sample(USUAL[category], min(next(counts), len(USUAL[category]))):
            _train(world, worker, courses[code], grounds[company], next(lefts), ends[company])
    _oblige(world, grants)
    documents = _documents(world, grants)
    world.session.flush()
    return documents


def _course(world: World, row: CourseRow) -> Course:
    course = Course(
        group_id=world.group.id, code=row.code, title=row.title, duration_minutes=row.hours * 60,
        update_period_months=row.months, training_type=row.kind, audience=row.audience,
        agreement_reference=row.agreement,
    )  # fmt: skip
    for place, (kind, amount) in enumerate(row.credits):
        order = "Ordine degli Ingegneri" if kind is CreditType.order else None
        credit = CourseCredit(position=place, credit_type=kind, professional_order=order, amount=Decimal(amount))
        course.credits.append(credit)
        world.add(credit)
    return world.add(course)  # type: ignore[no-any-return]


def _ground(world: World, grant: CompanyService, contracts: Sequence[Contract]) -> Contract:
    """Return the contract that covers training, with what it agrees on entering earlier training."""
    of_company = (contract for contract in contracts if contract.company is grant.company)
    wanted = grant.online_service
    contract = next(one for one in of_company if any(line.service.online_service is wanted for line in one.lines))
    contract.data_entry_on, contract.data_entry_hours = contract.starts_on, world.rng.choice((4, 8, 16))
    contract.data_entry_price = Decimal(contract.data_entry_hours * 40)
    return contract


def _worker(world: World, company: Company, category: WorkerCategory) -> Worker:
    first, last, woman = world.person()
    born_on = date(1965, 1, 1) + timedelta(days=world.rng.randrange(13_000))
    return world.add(  # type: ignore[no-any-return]
        Worker(
            company=company, first_name=first, last_name=last, category=category,
            tax_code=codes.personal_tax_code(first, last, born_on, woman=woman),
            job_title=world.rng.choice(TASKS) if category is WorkerCategory.worker else None,
            site=_site(world, company), is_employed=not world.chance(0.05),
            created_at=world.instant(-world.rng.randint(30, 55)),
        )
    )  # fmt: skip


def _site(world: World, company: Company) -> Site | None:
    sites = [site for site in world.all_of(Site) if site.company is company]
    return world.rng.choice(sites) if sites and world.chance(0.8) else None


def _train(world: World, worker: Worker, course: Course, contract: Contract, left: int, end: date) -> None:
    """Make the last completion of a course, sometimes the one before it, and the deadlines that follow from them."""
    months = course.update_period_months
    is_recent = months is None or world.chance(0.45)
    done = world.day(-world.rng.randint(5, 250)) if is_recent else add_months(world.day(left), -(months or 0))
    done = min(done, end - timedelta(days=world.rng.randint(5, 40)))
    record = _record(world, worker, course, contract, done)
    if world.chance(0.15):
        record.outcome, record.credits = world.rng.choice((TrainingOutcome.failed, TrainingOutcome.attended)), None
    if not months or record.outcome is not TrainingOutcome.passed:
        return
    _update_due(world, record, None)
    if world.chance(0.2):
        record.kind = TrainingKind.update
        before = _record(world, worker, course, contract, add_months(done, -months) - timedelta(days=10))
        _update_due(world, before, record)


def _record(world: World, worker: Worker, course: Course, contract: Contract, done: date) -> TrainingRecord:
    is_ours = done >= contract.starts_on
    source = world.rng.choice((TrainingSource.prior, TrainingSource.other_provider))
    modes = [mode for mode in DeliveryMode if course.agreement_reference or mode is not DeliveryMode.elearning]
    kind = TrainingKind.instruction if course.code == "CARRELLI" else TrainingKind.training
    return world.add(  # type: ignore[no-any-return]
        TrainingRecord(
            worker=worker, course=course, kind=kind, completed_on=done, contract=contract,
            attended_minutes=course.duration_minutes, source=TrainingSource.own if is_ours else source,
            provider_name=None if is_ours else world.rng.choice(PROVIDERS),
            delivery_mode=world.rng.choice(modes), outcome=TrainingOutcome.passed,
            credits=", ".join(str(credit) for credit in course.credits) or None,
        )
    )  # fmt: skip


def _update_due(world: World, record: TrainingRecord, successor: TrainingRecord | None) -> None:
    """Make the deadline that follows from a record, fulfilled where another has come after it."""
    worker, months = record.worker, record.course.update_period_months
    if not worker.is_employed and successor is None:
        return
    deadline = Deadline(
        company=worker.company, kind=DeadlineKind.training_update, title=record.course.title, worker=worker,
        course=record.course, site=worker.site, training_record=record,
        due_on=add_months(record.completed_on, months or 0),
    )  # fmt: skip
    deadline.state = standing_of(world.session, deadline.due_on, world.group.id)
    if successor is not None:
        deadline.state, deadline.fulfilled_on = DeadlineState.fulfilled, successor.completed_on
    world.add(deadline)


def _oblige(world: World, grants: Sequence[CompanyService]) -> None:
    """Make obligations of clients in every state."""
    titles = cycle(OBLIGATIONS)
    for number, state in enumerate(world.deck(OBLIGED)):
        company = grants[number % len(grants)].company
        deadline = Deadline(company=company, kind=DeadlineKind.obligation, title=next(titles), state=state)
        deadline.due_on, deadline.site = world.day(world.rng.randint(-40, 240)), _site(world, company)
        if state in TO_DO:
            deadline.state = standing_of(world.session, deadline.due_on, world.group.id)
        elif state is DeadlineState.fulfilled:
            deadline.fulfilled_on = min(deadline.due_on, world.today) - timedelta(days=3)
        else:
            deadline.cancelled_because = "Attività cessata in questa sede."
        world.add(deadline)


def _documents(world: World, grants: Sequence[CompanyService]) -> list[ClientDocument]:
    kinds, documents = cycle(DOCUMENTS), []
    for number, state in enumerate(world.deck(FATES)):
        grant = grants[number % len(grants)]
        (area, title), days = next(kinds), world.rng.randint(2, 300)
        dated_on = min(world.day(-days), (grant.frozen_from or world.today) - timedelta(days=days % 9 + 1))
        document = ClientDocument(company=grant.company, area=area, title=f"{title} {dated_on.year}", state=state)
        document.dated_on, document.site = dated_on, _site(world, grant.company)
        document.created_at = world.instant((dated_on - world.today).days)
        if state in (DocumentState.published, DocumentState.replaced):
            document.published_at = document.created_at + timedelta(minutes=3)
        if state is DocumentState.withdrawn:
            document.withdrawn_because = "Pubblicato per errore: riguardava un’altra sede."
        documents.append(world.add(document))
        if state is DocumentState.replaced:
            documents.append(_successor(world, document))
    return documents


def _successor(world: World, document: ClientDocument) -> ClientDocument:
    """Make the document that has taken the place of another."""
    later = ClientDocument(
        company=document.company, area=document.area, title=f"{document.title}, revisione 1", site=document.site,
        dated_on=document.dated_on, state=DocumentState.published, replaces=document,
        created_at=document.created_at, published_at=document.created_at + timedelta(minutes=5),
    )  # fmt: skip
    return world.add(later)  # type: ignore[no-any-return]
