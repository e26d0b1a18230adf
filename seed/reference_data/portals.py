"""The client areas of the sources, with the conditions of service that source 000 publishes (AC-03, AC-24, AC-30)."""

# ruff: noqa: E501 - sentences read better unbroken

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from seed.reference_data.organisation import ECOOPERA_SC, UNOLEGAL


@dataclass(frozen=True)
class PortalRow:
    code: str
    name: str
    company: str
    queue: str
    services: tuple[str, ...]
    requests_open: bool
    registration_open: bool
    hours: str | None = None
    hours_en: str | None = None
    #: What stands under the heading of the sign-in page, by language; otherwise the shipped words.
    lead: Mapping[str, str] = field(default_factory=dict)


PORTALS = (
    PortalRow(
        "ECOOPERA", "Area Clienti Ecoopera", ECOOPERA_SC, "AC", ("EDUPLAN", "ANALISI", "WINSMART"),
        requests_open=True, registration_open=False, hours="Dal lunedì al venerdì, in orario d’ufficio",
        hours_en="Monday to Friday, in office hours",
        lead={
            "it": "Un solo accesso per la formazione, le analisi, i rifiuti e l’assistenza che seguiamo per la vostra azienda.",
            "en": "One sign-in for the training, the analyses, the waste and the assistance that we look after for your company.",
        },
    ),
    PortalRow(
        "SUPPORTO", "Area di supporto", UNOLEGAL, "SUP", (), requests_open=False, registration_open=True,
        hours="Dal lunedì al venerdì, in orario d’ufficio",
        hours_en="Monday to Friday, in office hours",
    ),
)  # fmt: skip

CONDITIONS_IT = """L’accesso ai servizi online è riservato ai Clienti attivi di almeno una delle aziende del Gruppo e avviene esclusivamente da questa pagina.

Ricevute le credenziali, con un unico account il Cliente accede alle sezioni che sono state attivate. Le credenziali sono inviate, di regola, tramite i servizi commerciali al referente principale. Chi le riceve è l’unico responsabile del loro uso e della loro diffusione: può modificarle al primo accesso, come raccomandiamo, e decidere se condividerle con i colleghi. Può chiedere ulteriori account, o la loro cancellazione, con servizi o estensioni di accesso differenti.

L’indirizzo e-mail associato all’account serve per recuperare la password e per le notifiche del sistema.

L’attivazione avviene per nostra iniziativa oppure su richiesta del Cliente, che indica i servizi di cui ha bisogno. Ogni richiesta viene valutata, evasa e riceve una risposta: il servizio può non essere attivato, essere attivato a titolo oneroso, se previsto, o a titolo gratuito. Non viene attivato se l’azienda non è ancora cliente, se non ha contratti attivi per il servizio richiesto o se nel sistema non ci sono registrazioni.

Qualora il Cliente receda dai servizi per i quali è attiva l’Area clienti, l’accesso ai dati può essere sospeso o rimosso. Dal momento del recesso i dati non sono più aggiornati; restano nel sistema e possono tornare disponibili se il rapporto riprende.

Le modalità di accesso dipendono dagli accordi con chi sviluppa o possiede le singole piattaforme, che garantisce adeguati criteri di sicurezza e la riservatezza dei dati.

Le condizioni di servizio sono pubblicate qui e possono essere aggiornate in ogni momento, senza notifiche agli account già attivati."""

CONDITIONS_EN = """Access to the online services is reserved to present clients of at least one company of the group, and is possible from this page only.

With their credentials, clients reach by one account all sections that have been activated. As a rule the credentials are sent through the commercial services to the main contact person. Whoever receives them alone answers for their use and for whom they are passed on to: they may change them at the first sign-in, which we recommend, and decide whether to share them with colleagues. They may ask for further accounts, or for the deletion of accounts, with other services or a narrower access.

The e-mail address of the account serves to recover the password and to receive notices.

Services are activated on our initiative or at the request of the client, who says which services are needed. Each request is evaluated, fulfilled and answered: the service may not be activated, be activated against payment where that is foreseen, or be activated free of charge. It is not activated if the company is not a client yet, has no running contract for the service, or has no records in the system.

If a client withdraws from services for which the client area is active, access to the data may be suspended or removed. From the withdrawal on the data are no longer updated; they stay in the system and may become available again if the relation restarts.

How services are accessed depends on the agreements with whoever develops or owns the platforms, who guarantee adequate security and confidentiality of the data.

The conditions of service are published here and may be updated at any time, without notice to accounts already activated."""

PRIVACY_IT = """I dati di questo modulo e dell’account servono soltanto a identificare chi chiede e a rispondere: nome, azienda, recapiti e quanto scritto nella richiesta. Non sono usati per altri scopi.

Li trattano le persone del Gruppo incaricate di rispondere e chi cura per noi i sistemi. Sono conservati finché dura il rapporto e per il tempo che la legge richiede.

In ogni momento si possono chiedere l’accesso ai propri dati, la rettifica, la cancellazione, la portabilità e la revoca del consenso, scrivendo al titolare indicato a piè di pagina; senza consenso non possiamo però prestare assistenza."""

PRIVACY_EN = """The data of this form and of the account serve only to identify whoever asks and to answer: name, company, how to reach them, and what they wrote. They are used for nothing else.

They are processed by the people of the group who answer, and by those who look after our systems. They are kept as long as the relation lasts and for the time the law requires.

At any time one may ask for access to one’s data, their correction, deletion and portability, and withdraw consent, by writing to the controller named at the foot of the page; without consent, however, we cannot give assistance."""

#: By kind and language.
TERMS = {
    ("conditions", "it"): CONDITIONS_IT,
    ("conditions", "en"): CONDITIONS_EN,
    ("privacy_notice", "it"): PRIVACY_IT,
    ("privacy_notice", "en"): PRIVACY_EN,
}
