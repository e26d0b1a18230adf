"""Invented analyses with their results and certificates, in every state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import cycle

from backoffice.files.store import digest
from models.analysis import Analysis, AnalysisState
from models.analysis_result import AnalysisResult, ResultState
from models.business_unit import BusinessUnit
from models.certificate import Certificate, CertificateState
from models.company_service import CompanyService
from models.site import Site
from seed.invented.attachments import make_pdf
from seed.invented.world import World, granted

S = AnalysisState
STATES = {S.certified: 22, S.validated: 6, S.preliminary: 7, S.registered: 5}
#: How many days ago the samples of each state were taken.
AGES = {S.certified: (20, 420), S.validated: (6, 20), S.preliminary: (2, 8), S.registered: (0, 3)}
#: What is sampled and where, and five parameters with unit, limit and usual value.
WATER = (
    ("COD", "mg/l", "160", "85"), ("BOD5", "mg/l", "40", "18"), ("Solidi sospesi totali", "mg/l", "80", "31"),
    ("Azoto ammoniacale", "mg/l", "15", "4,2"), ("Idrocarburi totali", "mg/l", "5", "0,5"),
)  # fmt: skip
SOIL = (
    ("Arsenico", "mg/kg", "20", "7,4"), ("Cadmio", "mg/kg", "2", "0,2"), ("Piombo", "mg/kg", "100", "38"),
    ("Zinco", "mg/kg", "150", "77"), ("Idrocarburi pesanti", "mg/kg", "50", "12"),
)  # fmt: skip
AIR = (
    ("Polveri totali", "mg/Nm³", "20", "6,1"), ("Ossidi di azoto", "mg/Nm³", "350", "140"),
    ("Monossido di carbonio", "mg/Nm³", "100", "41"), ("Ossidi di zolfo", "mg/Nm³", "35", "3"),
    ("Carbonio organico totale", "mg/Nm³", "50", "9,8"),
)  # fmt: skip
SAMPLES = (
    ("Acque reflue", "Pozzetto fiscale P1", WATER), ("Emissioni in atmosfera", "Camino E2", AIR),
    ("Terreni", "Sondaggio S3", SOIL), ("Acque sotterranee", "Piezometro PZ1", WATER),
)  # fmt: skip
SIGNERS = ("Dott.ssa Laura Esempio", "Dott. Marco Esempio")
#: How many certificates were replaced, and how many are being prepared.
REPLACED, PREPARED = 3, 3


def invent_laboratory(world: World) -> list[Certificate]:
    """Make what ANALISI shows to the clients that have it; return the certificates, whose files come later."""
    grants = granted(world, "ANALISI")
    if not grants:
        return []
    unit = next(row for row in world.all_of(BusinessUnit) if "aboratorio" in row.name)
    updated = [grant for grant in grants if grant.frozen_from is None]
    samples, analyses = cycle(SAMPLES), []
    for number, state in enumerate(world.deck(STATES)):
        of_these = grants if state is S.certified else updated
        analysis = _analysis(world, of_these[number % len(of_these)], state, next(samples))
        analysis.business_unit = unit
        analyses.append(analysis)
    certificates = _certificates(world, analyses)
    world.session.flush()
    return certificates


def _analysis(
    world: World, grant: CompanyService, state: S, sample: tuple[str, str, Sequence[tuple[str, str, str, str]]]
) -> Analysis:
    matrix, point, parameters = sample
    sampled_on = world.day(-world.rng.randint(*AGES[state]))
    if grant.frozen_from is not None:
        sampled_on = min(sampled_on, grant.frozen_from - timedelta(days=world.rng.randint(3, 60)))
    sites = [site for site in world.all_of(Site) if site.company is grant.company]
    analysis = Analysis(
        company=grant.company, number=f"{sampled_on:%y}/{next(world.serials):05d}", matrix=matrix,
        sampling_point=point, sampled_on=sampled_on, site=sites[0] if sites else None, state=state,
    )  # fmt: skip
    analysis.created_at = world.instant((sampled_on - world.today).days)
    if state in (S.validated, S.certified):
        analysis.validated_at = min(analysis.created_at + timedelta(days=5), world.now)
    world.add(analysis)
    for place, (parameter, unit, limit, usual) in enumerate(parameters):
        _result(world, analysis, place, parameter, unit, (_number(limit), _number(usual)))
    return analysis


def _result(
    world: World, analysis: Analysis, place: int, parameter: str, unit: str, figures: tuple[Decimal, Decimal]
) -> None:
    limit, usual = figures
    result = AnalysisResult(analysis=analysis, position=place, parameter=parameter, unit=unit, limit_value=limit)
    if analysis.state is not S.registered and (analysis.state is not S.preliminary or place < 4):
        result.is_below = world.chance(0.1)
        share = Decimal(world.rng.randint(1, 10 if result.is_below else 230)) / 100
        result.value = round(usual * share, 2) or Decimal("0.01")
    if analysis.state in (S.validated, S.certified):
        result.state = ResultState.validated
    result.created_at = analysis.created_at
    world.add(result)


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def _certificates(world: World, analyses: Sequence[Analysis]) -> list[Certificate]:
    """Make an issued certificate of each certified analysis, some in the place of another, and some to be issued."""
    certified = [analysis for analysis in analyses if analysis.state is S.certified]
    found = []
    for number, analysis in enumerate(certified):
        certificate = _certificate(world, analysis, CertificateState.issued, "")
        if number < REPLACED:
            certificate.state = CertificateState.replaced
            later = _certificate(world, analysis, CertificateState.issued, "-R1")
            later.replaces = certificate
            found.append(later)
        found.append(certificate)
    validated = [analysis for analysis in analyses if analysis.state is S.validated]
    return found + [_certificate(world, one, CertificateState.draft, "") for one in validated[:PREPARED]]


def _certificate(world: World, analysis: Analysis, state: CertificateState, suffix: str) -> Certificate:
    assert analysis.validated_at is not None
    certificate = Certificate(analysis=analysis, number=f"RP-{analysis.number}{suffix}", state=state)
    certificate.signer, certificate.signed_at = world.rng.choice(SIGNERS), analysis.validated_at
    certificate.created_at = analysis.validated_at
    if state is not CertificateState.draft:
        certificate.issued_at, certificate.sha256 = analysis.validated_at, digest(content_of(certificate))
    return world.add(certificate)  # type: ignore[no-any-return]


def content_of(certificate: Certificate) -> bytes:
    """Return the file of a certificate."""
    return make_pdf(f"Rapporto di prova {certificate.number}")
