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


def _scheme(code: str, name: str, *kinds: tuple[str, str]) -> tuple[RequestTypeRow, ...]:
    """Return a contact centre's scheme and the kinds below it."""
    urgent = {"INTERVENTO", "GUASTO"}
    below = (
        RequestTypeRow(f"{code}-{kind}", words, code, needs_urgency=kind in urgent, is_reminder=kind == "SOLLECITO")
        for kind, words in kinds
    )
    return RequestTypeRow(code, name), *below


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
