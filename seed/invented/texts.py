"""What invented people ask and answer, in Italian."""

# ruff: noqa: E501 - sentences and lists of words read better unbroken

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """A request with the general kind it is of, and how it ends."""

    subject: str
    description: str
    kind: str
    system: str
    solution: str


ECOOPERA_TOPICS = (
    Topic("Attestati dei corsi antincendio non visibili", "Nella sezione EDUPLAN non troviamo gli attestati del corso antincendio di marzo per tre addetti.",
          "SEGNALAZIONE", "EDUPLAN", "Gli attestati erano in attesa di firma: ora sono pubblicati."),
    Topic("Scadenzario formazione: aggiornamento preposti", "Ci risulta scaduto l’aggiornamento dei preposti, ma il corso è stato svolto a gennaio.",
          "CHIARIMENTO", "EDUPLAN", "Registrata l’edizione di gennaio, la scadenza è stata ricalcolata."),
    Topic("Certificato di analisi con unità di misura diversa", "Il certificato riporta mg/kg mentre il limite è espresso in mg/l. Potete verificare?",
          "CHIARIMENTO", "ANALISI", "Il laboratorio ha emesso un certificato sostitutivo."),
    Topic("Pesata a destino mancante", "Per il formulario della settimana scorsa manca la pesata a destino e il registro va aggiornato entro venerdì.",
          "SOLLECITO", "WINSMART", "Pesata comunicata dall’impianto e registrata."),
    Topic("Impossibile accedere all’area clienti", "Dopo il cambio della password il sistema risponde che le credenziali non sono valide.",
          "GUASTO", "Area Clienti", "Account sbloccato; la password è stata reimpostata dall’utente."),
    Topic("Nuovo account per il responsabile ambiente", "Chiediamo l’attivazione di un ulteriore account per il nuovo responsabile ambiente.",
          "VARIAZIONE", "Area Clienti", "Account attivato e credenziali inviate al referente."),
    Topic("Caricamento della formazione pregressa", "Vorremmo caricare i corsi svolti con altri enti negli ultimi cinque anni: come si procede?",
          "INFORMAZIONE", "EDUPLAN", "Concordato l’inserimento dei dati con preventivo separato."),
    Topic("Esportazione delle analisi in foglio di calcolo", "L’esportazione delle analisi del 2024 si interrompe a metà con un errore.",
          "GUASTO", "ANALISI", "Corretto il limite dell’esportazione: ora il file è completo."),
    Topic("Sostituzione di un contenitore danneggiato", "Il contenitore per i rifiuti ingombranti presso il magazzino è danneggiato e va sostituito.",
          "INTERVENTO", "Ritiro rifiuti", "Contenitore sostituito al ritiro successivo."),
    Topic("Reclamo per ritiro non effettuato", "Il ritiro previsto per lunedì non è stato effettuato e nessuno ci ha avvisati.",
          "RECLAMO", "Ritiro rifiuti", "Ritiro eseguito il giorno seguente; l’avviso automatico è stato ripristinato."),
    Topic("Proposta: avviso prima della scadenza dei formulari", "Sarebbe utile ricevere un avviso tre giorni prima della scadenza di registrazione.",
          "ESIGENZA", "WINSMART", "Esigenza valutata e accolta per la prossima versione."),
    Topic("Iscrizione a un corso RSPP modulo C", "È ancora possibile iscrivere due persone al modulo C di novembre?",
          "INFORMAZIONE", "EDUPLAN", "Due posti confermati; inviata la scheda di iscrizione."),
)  # fmt: skip
TORINO_TOPICS = (
    Topic("Registro dei trattamenti: errore in salvataggio", "Salvando un nuovo trattamento in GoPrivacy compare un errore e i dati vanno persi.",
          "GUASTO", "GoPrivacy", "Corretto il controllo sul campo delle categorie; i dati ora vengono salvati."),
    Topic("Codici di licenza non arrivati", "Il referente non ha ricevuto i codici dell’ultimo ordine, nemmeno nella posta indesiderata.",
          "SOLLECITO", "GoPrivacy", "Codici rinviati all’indirizzo confermato."),
    Topic("Cambio del referente privacy", "Il nostro referente è cambiato: chiediamo di trasferire l’utenza al collega.",
          "VARIAZIONE", "GoPrivacy", "Nuovo referente registrato e utenza precedente sospesa."),
    Topic("Video del corso e-learning senza audio", "Il secondo video del corso per incaricati parte senza audio su tutti i computer.",
          "GUASTO", "E-learning", "Il file è stato ricaricato con la traccia audio corretta."),
    Topic("Informativa per la videosorveglianza", "Serve un modello aggiornato di informativa per la videosorveglianza del magazzino.",
          "INFORMAZIONE", "GoPrivacy", "Modello inviato e caricato tra i documenti."),
    Topic("Test finale non sbloccato", "Due dipendenti hanno completato i contenuti ma il test finale non si apre.",
          "ASSISTENZA", "E-learning", "Avanzamento ricalcolato, test disponibile."),
    Topic("Aggiornamento dei componenti del sito", "Dopo l’aggiornamento automatico la pagina dei contatti non invia più i messaggi.",
          "GUASTO", "Sito web", "Ripristinata la versione precedente del componente e poi aggiornata correttamente."),
    Topic("Ripristino del sito da backup", "Una collega ha cancellato per errore la sezione notizie: chiediamo il ripristino da backup.",
          "INTERVENTO", "Sito web", "Sezione ripristinata dal backup della notte precedente."),
    Topic("Nuovi contenuti per la pagina servizi", "Alleghiamo testi e immagini da pubblicare nella pagina servizi.",
          "ASSISTENZA", "Sito web", "Contenuti pubblicati e verificati con il cliente."),
    Topic("Protocollo informatico lento", "Dalle 9 alle 11 il protocollo impiega oltre un minuto per ogni registrazione.",
          "GUASTO", "Protocollo", "Indice della banca dati ricostruito: tempi tornati normali."),
    Topic("Richiesta di intervento in loco", "La postazione dello sportello non si collega alla rete dopo il trasloco degli uffici.",
          "INTERVENTO", "Postazioni", "Presa di rete riattivata dal tecnico in loco."),
    Topic("Stato della pratica aperta la scorsa settimana", "Vorremmo sapere a che punto è la richiesta sulle credenziali degli operatori.",
          "STATO", "Sportello", "Comunicato lo stato e la data prevista."),
)  # fmt: skip
QUESTIONS = (
    "Buongiorno, per procedere ci serve una schermata dell’errore e l’orario in cui si è verificato.",
    "Potete indicarci il nome dell’utente interessato e il browser utilizzato?",
    "Ci confermate la sede presso cui intervenire e un recapito telefonico?",
)
ANSWERS = (
    "In allegato la schermata richiesta, l’errore si è verificato questa mattina alle 9:40.",
    "L’utente interessato è il referente amministrativo; il browser è quello predefinito del sistema.",
    "Confermiamo la sede di via Roma; potete chiamare il centralino.",
)
PROGRESS = (
    "Abbiamo preso in carico la richiesta e stiamo verificando.",
    "La causa è stata individuata, seguirà un aggiornamento entro domani.",
    "È stato coinvolto il secondo livello per l’analisi dei registri.",
)
NOTES = (
    "Problema già visto in un altro ente, cfr. ticket collegati.",
    "Sentito il cliente al telefono: non è bloccante fino a lunedì.",
    "Verificare se il servizio è compreso nel preventivo.",
)
WORKAROUND = "Nel frattempo è possibile lavorare con l’esportazione manuale."
OUTSIDE = "Sportello unico per le attività produttive"
CALLS = (
    ("INFORMAZIONE", "Chiede orari e modalità di accesso al servizio."),
    ("STATO", "Chiede lo stato di una richiesta aperta nei giorni scorsi."),
    ("INTERVENTO", "Segnala un’anomalia e chiede un intervento sul posto."),
    ("GUASTO", "Segnala un guasto al sistema in uso presso lo sportello."),
    ("SOLLECITO", "Sollecita la risposta a una richiesta già inviata."),
    ("RECLAMO", "Lamenta tempi di risposta troppo lunghi."),
    ("CHIARIMENTO", "Chiede chiarimenti sulla documentazione ricevuta."),
    ("SEGNALAZIONE", "Segnala un lampione spento; codice del palo comunicato al telefono."),
)

PROBLEM = "Il salvataggio si interrompe a metà; comportamento riprodotto in ambiente di prova."
TRIED = "Svuotata la memoria del browser.\nProvato da un’altra postazione.\nRiavviato il servizio."
ACTIVITIES = (
    "Analisi della segnalazione",
    "Configurazione e verifica",
    "Assistenza telefonica",
    "Correzione e prova con l’utente",
    "Aggiornamento della documentazione",
)
OUTCOMES = (
    "Sostituito il componente guasto, prova positiva.",
    "Configurata la postazione e istruito il personale.",
    "Verificato l’impianto: nessuna anomalia residua.",
)
