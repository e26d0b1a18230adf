"""The kinds of requests that support areas and contact centres tell apart (TK-24, CC-12 to CC-14, CC-26, CC-33)."""

# ruff: noqa: E501 - sentences and lists of words read better unbroken

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RequestTypeRow:
    code: str
    name: str
    #: The code of the scheme it is part of; None for the general list.
    parent: str | None = None
    requires_attachment: bool = False
    #: The operator must say how urgent it is (CC-09).
    needs_urgency: bool = False
    #: It asks what became of an earlier request (TK-32).
    is_reminder: bool = False
    #: Clients may choose it in the client area.
    for_clients: bool = True

    @property
    def name_en(self) -> str:
        """The same in English, for clients who read that."""
        return _ENGLISH[self.name]


def _scheme(code: str, name: str, *kinds: tuple[str, str]) -> tuple[RequestTypeRow, ...]:
    """Return a contact centre's scheme and the kinds below it."""
    urgent = {"INTERVENTO", "GUASTO"}
    below = (
        RequestTypeRow(
            f"{code}-{kind}",
            words,
            code,
            needs_urgency=kind in urgent,
            is_reminder=kind == "SOLLECITO",
            for_clients=False,
        )
        for kind, words in kinds
    )
    return RequestTypeRow(code, name, for_clients=False), *below


REQUEST_TYPES = (
    RequestTypeRow("INFORMAZIONE", "Informazione"),
    RequestTypeRow("CHIARIMENTO", "Chiarimento"),
    RequestTypeRow("GUASTO", "Guasto o manutenzione correttiva", requires_attachment=True, needs_urgency=True),
    RequestTypeRow("INTERVENTO", "Richiesta di intervento", needs_urgency=True),
    RequestTypeRow("STATO", "Stato di una richiesta"),
    RequestTypeRow("SOLLECITO", "Sollecito", is_reminder=True),
    RequestTypeRow("RECLAMO", "Reclamo"),
    RequestTypeRow("SEGNALAZIONE", "Segnalazione"),
    RequestTypeRow("VARIAZIONE", "Richiesta di variazione"),
    RequestTypeRow("RIMBORSO", "Rimborso"),
    RequestTypeRow("ASSISTENZA", "Assistenza tecnica"),
    RequestTypeRow("ESIGENZA", "Proposta di una nuova esigenza"),
    *_scheme(
        "IMP", "Contact center impianti",
        ("INTERVENTO", "Richiesta di intervento"), ("STATO", "Stato delle richieste e degli interventi"),
        ("CHIARIMENTI", "Richiesta di chiarimenti e informazioni"), ("SOLLECITO", "Sollecito"), ("RECLAMO", "Reclamo"),
    ),
    *_scheme(
        "SIM", "Contact center manutenzione",
        ("GUASTO", "Manutenzione correttiva o a guasto"), ("SEGNALAZIONE", "Segnalazione"),
        ("CHIARIMENTI", "Richiesta di chiarimenti"), ("RECLAMO", "Reclamo"),
    ),
    *_scheme(
        "CARTE", "Assistenza carte e mobilità",
        ("ATTIVAZIONE", "Attivazione"), ("OPERATIVITA", "Operatività"), ("UTILIZZO", "Utilizzo"), ("RIMBORSO", "Rimborso"),
        ("RECLAMO", "Reclamo"), ("TECNICA", "Assistenza tecnica"),
    ),
    *_scheme(
        "SUAP", "Pratiche per le attività d’impresa",
        ("AVVIO", "Avvio"), ("VARIAZIONE", "Variazione"), ("TRASFERIMENTO", "Trasferimento"), ("SUBINGRESSO", "Subingresso"),
        ("CESSAZIONE", "Cessazione"),
    ),
    *_scheme(
        "COP", "Contact center coperture",
        ("INFORMAZIONI", "Informazioni sui contenuti e sulla portata della copertura"), ("ANAGRAFICA", "Variazione di dati anagrafici"),
        ("GARANZIA", "Estensione della garanzia"), ("VEICOLO", "Sostituzione di veicolo"), ("CONTRAENZA", "Cambio di contraenza"),
    ),
    *_scheme(
        "AVVISI", "Contact center avvisi e bandi",
        ("ATTIVITA", "Informazioni sulle attività svolte"), ("SERVIZI", "Informazioni sui servizi erogati"),
        ("ACCESSO", "Contenuti e procedure di accesso degli avvisi aperti"),
    ),
)  # fmt: skip

_ENGLISH = {
    "Informazione": "Information",
    "Chiarimento": "Clarification",
    "Guasto o manutenzione correttiva": "Fault or corrective maintenance",
    "Richiesta di intervento": "Request for an intervention",
    "Stato di una richiesta": "Status of a request",
    "Sollecito": "Reminder",
    "Reclamo": "Complaint",
    "Segnalazione": "Report",
    "Richiesta di variazione": "Request for a change",
    "Rimborso": "Refund",
    "Assistenza tecnica": "Technical assistance",
    "Proposta di una nuova esigenza": "Proposal of a new need",
    "Contact center impianti": "Contact centre for plants",
    "Stato delle richieste e degli interventi": "Status of requests and interventions",
    "Richiesta di chiarimenti e informazioni": "Request for clarification and information",
    "Contact center manutenzione": "Contact centre for maintenance",
    "Manutenzione correttiva o a guasto": "Corrective maintenance, or after a fault",
    "Richiesta di chiarimenti": "Request for clarification",
    "Assistenza carte e mobilità": "Assistance with cards and mobility",
    "Attivazione": "Activation",
    "Operatività": "Operation",
    "Utilizzo": "Use",
    "Pratiche per le attività d’impresa": "Procedures for businesses",
    "Avvio": "Start",
    "Variazione": "Change",
    "Trasferimento": "Transfer",
    "Subingresso": "Takeover",
    "Cessazione": "Cessation",
    "Contact center coperture": "Contact centre for covers",
    "Informazioni sui contenuti e sulla portata della copertura": "Information on what the cover contains and how far it goes",
    "Variazione di dati anagrafici": "Change of personal details",
    "Estensione della garanzia": "Extension of the warranty",
    "Sostituzione di veicolo": "Replacement of a vehicle",
    "Cambio di contraenza": "Change of the contracting party",
    "Contact center avvisi e bandi": "Contact centre for notices and calls",
    "Informazioni sulle attività svolte": "Information on the activities carried out",
    "Informazioni sui servizi erogati": "Information on the services provided",
    "Contenuti e procedure di accesso degli avvisi aperti": "Contents of open calls, and how to take part",
}
