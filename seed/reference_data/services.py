"""What clients may contract, and the online services of the client area, as the sources describe them."""

# ruff: noqa: E501 - sentences and lists of words read better unbroken

from __future__ import annotations

from dataclasses import dataclass

from seed.reference_data.organisation import ECOOPERA_SC, SEA, UNOLEGAL

THIRD_PARTY = (
    "I malfunzionamenti non sono imputabili a noi; i servizi non rinnovati sono sospesi senza nostra responsabilità."
)


@dataclass(frozen=True)
class PlatformRow:
    """A platform under the code of the online service, or of the service, that runs on it."""

    code: str
    name: str
    company: str
    #: ``native``, ``link`` or ``sso``.
    access: str = "native"


#: Owners, agreements and addresses are left for an administrator to enter: the sources do not state them.
PLATFORMS = (
    PlatformRow("EDUPLAN", "EDUPLAN", SEA),
    PlatformRow("ANALISI", "ANALISI", ECOOPERA_SC),
    PlatformRow("WINSMART", "WINSMART", ECOOPERA_SC),
    PlatformRow("GOPRIVACY", "GoPrivacy tool", UNOLEGAL, "link"),
)


@dataclass(frozen=True)
class OnlineServiceRow:
    code: str
    name: str
    company: str
    description: str
    #: The same two in English.
    name_en: str
    description_en: str
    #: Whose evaluator decides on requests; None where sales decides.
    unit: str | None = None
    limited: bool = False
    #: Reserved to clients of its company.
    own_clients_only: bool = False
    large_clients_only: bool = False
    habitual_clients_only: bool = False
    requires_records: bool = False
    records_overridable: bool = False
    #: ``paid``, ``free`` or ``undecided``.
    charge: str = "undecided"


#: All three belong to Gruppo Ecoopera (SV-01).
ONLINE_SERVICES = (
    OnlineServiceRow(
        "EDUPLAN", "Formazione, scadenze, documenti", SEA,
        "Formazione obbligatoria e continua di lavoratori, dirigenti e professionisti, con scadenzario e documenti. "
        "Canone annuale dal 1° gennaio al 31 dicembre: un contributo, non una licenza.",
        "Training, deadlines, documents",
        "Compulsory and continuing training of workers, managers and professionals, with deadlines and documents. "
        "Yearly fee from 1 January to 31 December: a contribution, not a licence.",
        requires_records=True, records_overridable=True, charge="paid",
    ),
    OnlineServiceRow(
        "ANALISI", "Analisi di laboratorio", ECOOPERA_SC,
        "Dati analitici prima della validazione, archivio delle analisi, certificati firmati. Gratuito, riservato ai clienti di "
        "ECOOPERA s.c. con analisi di una certa importanza e frequenza.",
        "Laboratory analyses",
        "Values before validation, archive of analyses, signed certificates. Free of charge, for clients of ECOOPERA s.c. "
        "whose analyses are of some importance and frequency.",
        own_clients_only=True, habitual_clients_only=True, requires_records=True, charge="free",
    ),
    OnlineServiceRow(
        "WINSMART", "Gestione rifiuti", ECOOPERA_SC,
        "Movimenti dei rifiuti dal ritiro allo smaltimento, pesate a destino, statistiche. Servizio ad accesso limitato, "
        "riservato ai grandi clienti; le richieste sono valutate dalla business unit.",
        "Waste management",
        "Movements of waste from collection to disposal, weights at destination, statistics. A service with limited access, "
        "for large clients; requests are evaluated by the business unit.",
        unit="Gestione rifiuti", limited=True, large_clients_only=True, requires_records=True,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class ServiceRow:
    company: str
    code: str
    name: str
    description: str
    unit: str | None = None
    #: The section of the client area that a contract line for it unlocks (SV-12).
    online_service: str | None = None
    #: Used with codes, generated up to the ordered quantity (LI-01).
    is_licensed: bool = False
    is_third_party: bool = False
    liability_note: str | None = None
    #: Code of the queue that requests about it go to (SV-13).
    queue: str | None = None
    #: Code of the platform it is delivered on, where no online service says so (SV-13).
    platform: str | None = None


def _assistance(company: str, unit: str | None) -> tuple[ServiceRow, ...]:
    """Return the assistance services that both groups offer in their support areas (PK-06)."""
    return (
        ServiceRow(
            company, "PACCHETTO-ASSISTENZA", "Pacchetto di assistenza",
            "Ore di assistenza per interventi di mantenimento e manutenzione non preventivati.", unit, queue="SUP",
        ),
        ServiceRow(
            company, "ASSISTENZA-ORDINARIA", "Assistenza ordinaria (mantenimento)",
            "Rinnovo delle licenze e mantenimento dell’apparato tecnico; di solito compresa nel preventivo, esclusi i costi di rinnovo.", unit, queue="SUP",
        ),
        ServiceRow(
            company, "ASSISTENZA-STRAORDINARIA", "Assistenza straordinaria (manutenzione)",
            "Modifiche di contenuti, ripristini da backup, componenti aggiuntivi, adeguamenti normativi: quanto non è nel preventivo.", unit, queue="SUP",
        ),
        ServiceRow(
            company, "PIATTAFORME-TERZE", "Servizi erogati da piattaforme di terze parti",
            "Servizi di altri, elencati perché si sappia che non sono gestiti da noi.", unit,
            is_third_party=True, liability_note=THIRD_PARTY,
        ),
    )  # fmt: skip


SERVICES = (
    ServiceRow(
        SEA, "EDUPLAN", "EDUPLAN: attivazione e canone annuale",
        "Aggiornamento dei dati del cliente relativi alle attività commissionate, da gennaio a dicembre.", "Formazione", "EDUPLAN",
    ),
    ServiceRow(
        SEA, "FORMAZIONE-SICUREZZA", "Formazione sicurezza e salute per i lavoratori",
        "Formazione obbligatoria dei lavoratori e aggiornamenti periodici.", "Formazione", "EDUPLAN",
    ),
    ServiceRow(
        SEA, "FORMAZIONE-RSPP", "Abilitazione e aggiornamento ASPP/RSPP",
        "Corsi con crediti per ASPP, RSPP, formatori e coordinatori.", "Formazione", "EDUPLAN",
    ),
    ServiceRow(
        SEA, "FORMAZIONE-ELEARNING", "Formazione e-learning",
        "Corsi online nel rispetto degli Accordi Stato Regioni.", "Formazione", "EDUPLAN", is_licensed=True,
    ),
    ServiceRow(
        SEA, "ALTA-FORMAZIONE-AMBIENTALE", "Alta Formazione Ambientale",
        "Per profili manageriali, imprenditori e professionisti, con crediti formativi.", "Formazione", "EDUPLAN",
    ),
    ServiceRow(
        SEA, "CONSULENZA-SSA", "Consulenza sicurezza, salute e ambiente",
        "Consulenza con documenti e scadenzario degli adempimenti.", "Sicurezza, salute e ambiente", "EDUPLAN",
    ),
    ServiceRow(
        ECOOPERA_SC, "ANALISI", "Analisi di laboratorio",
        "Campionamenti e analisi con certificati firmati digitalmente.", "Laboratorio di analisi", "ANALISI",
    ),
    ServiceRow(
        ECOOPERA_SC, "WINSMART", "Gestione rifiuti",
        "Ritiro, trasporto, smaltimento e tracciamento dei rifiuti.", "Gestione rifiuti", "WINSMART",
    ),
    *_assistance(SEA, None),
    ServiceRow(
        UNOLEGAL, "GOPRIVACY", "GoPrivacy",
        "Piattaforma in cloud per la documentazione di conformità nella protezione dei dati personali.", "Servizi segreteria Privacy",
        is_licensed=True, queue="GP", platform="GOPRIVACY",
    ),
    ServiceRow(
        UNOLEGAL, "GOPRIVACY-ELEARNING", "Formazione a distanza tramite GoPrivacy",
        "Contenuti audio e video in linea, con verifica finale delle conoscenze.", "Servizi segreteria Privacy", is_licensed=True, queue="GP", platform="GOPRIVACY",
    ),
    ServiceRow(
        UNOLEGAL, "HELPDESK-ENTI", "Help desk di primo e secondo livello",
        "Assistenza agli utenti di enti pubblici per tutta la durata del contratto; primo mezzo di contatto il telefono.", "Assistenza tecnica", queue="HD",
    ),
    ServiceRow(
        UNOLEGAL, "ASSISTENZA-IN-LOCO", "Assistenza in loco",
        "Interventi presso il cliente entro un giorno lavorativo, nel numero previsto dal contratto.", "Assistenza tecnica",
    ),
    ServiceRow(
        UNOLEGAL, "CONTACT-CENTER", "Contact center",
        "Ricezione, classificazione e smistamento delle comunicazioni, a misura o compreso in altri servizi.", "Assistenza tecnica",
    ),
    *_assistance(UNOLEGAL, "Assistenza tecnica"),
)  # fmt: skip


@dataclass(frozen=True)
class PackageTypeRow:
    code: str
    name: str
    hours: int
    validity_months: int = 12


#: Sizes are proposals, and prices are quoted: the source says only that packages are made to measure (PK-04).
PACKAGE_TYPES = (
    PackageTypeRow("ORE-5", "Pacchetto da 5 ore", 5),
    PackageTypeRow("ORE-10", "Pacchetto da 10 ore", 10),
    PackageTypeRow("ORE-20", "Pacchetto da 20 ore", 20),
    PackageTypeRow("ORE-50", "Pacchetto da 50 ore", 50, 24),
)
