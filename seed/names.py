"""Italian names to invent clients from; municipalities that do not exist, in provinces that do."""

# ruff: noqa: E501 - sentences and lists of words read better unbroken

from __future__ import annotations

from dataclasses import dataclass

MEN = (
    "Alessandro", "Andrea", "Antonio", "Bruno", "Carlo", "Claudio", "Daniele", "Davide", "Emanuele", "Enrico",
    "Fabio", "Federico", "Filippo", "Francesco", "Gabriele", "Giacomo", "Gianluca", "Giorgio", "Giovanni", "Giuseppe",
    "Ivan", "Lorenzo", "Luca", "Luigi", "Marco", "Massimo", "Matteo", "Michele", "Niccolò", "Paolo",
    "Piero", "Riccardo", "Roberto", "Salvatore", "Simone", "Stefano", "Tommaso", "Umberto", "Valerio", "Vincenzo",
)  # fmt: skip
WOMEN = (
    "Alessandra", "Alice", "Anna", "Arianna", "Barbara", "Beatrice", "Bianca", "Camilla", "Carla", "Caterina",
    "Chiara", "Claudia", "Cristina", "Daniela", "Debora", "Elena", "Eleonora", "Elisa", "Federica", "Francesca",
    "Giada", "Giorgia", "Giulia", "Ilaria", "Laura", "Letizia", "Lucia", "Maria Grazia", "Marta", "Martina",
    "Monica", "Nicoletta", "Noemi", "Paola", "Rosa", "Sara", "Serena", "Silvia", "Sofia", "Valentina",
)  # fmt: skip
SURNAMES = (
    "Agostini", "Albertini", "Amadori", "Baldessari", "Barbieri", "Bassetti", "Battisti", "Bellini", "Bernardi",
    "Bertolini", "Bianchi", "Bonfanti", "Bortolotti", "Brunelli", "Caldonazzi", "Cappelletti", "Carraro", "Casagrande",
    "Cattaneo", "Colombo", "Conti", "Corradini", "Costa", "D’Agostino", "Dalla Torre", "Dallapiccola", "De Luca",
    "Degasperi", "Del Favero", "Di Stefano", "Donati", "Esposito", "Fabbri", "Facchinelli", "Ferrari", "Ferraris",
    "Filippi", "Fontana", "Franceschini", "Frizzera", "Galli", "Gallo", "Garbari", "Giacomelli", "Giordano", "Girardi",
    "Greco", "Grassi", "Leonardi", "Lombardi", "Lorenzi", "Longhi", "Lucchini", "Maffei", "Manfredi", "Marchetti",
    "Mariani", "Marinelli", "Martinelli", "Mattei", "Mazzini", "Menegatti", "Moretti", "Morandi", "Moser", "Negri",
    "Nicolussi", "Odorizzi", "Orlandi", "Pallaoro", "Parisi", "Pasquali", "Pedrotti", "Pellegrini", "Perotti",
    "Piazza", "Pisoni", "Poli", "Quaglia", "Ravera", "Ricci", "Rinaldi", "Rizzi", "Romano", "Rossi", "Russo", "Sala",
    "Salvadori", "Santini", "Sartori", "Serafini", "Silvestri", "Tamanini", "Testa", "Tomasi", "Trentini", "Valentini",
    "Vanzo", "Villa", "Visentin", "Vitali", "Zadra", "Zanella", "Zanetti", "Zeni", "Zorzi",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A provincial capital with what addresses, telephone numbers and tax codes need of it."""

    city: str
    province: str
    postal_code: str
    area: str
    #: The tax office, digits 8 to 10 of a partita IVA.
    office: str
    region: str


ECOOPERA_PLACES = (
    Place("Trento", "TN", "38121", "0461", "022", "Trentino-Alto Adige"),
    Place("Bolzano", "BZ", "39100", "0471", "021", "Trentino-Alto Adige"),
    Place("Verona", "VR", "37122", "045", "023", "Veneto"),
    Place("Vicenza", "VI", "36100", "0444", "024", "Veneto"),
    Place("Belluno", "BL", "32100", "0437", "025", "Veneto"),
    Place("Brescia", "BS", "25121", "030", "017", "Lombardia"),
    Place("Bergamo", "BG", "24122", "035", "016", "Lombardia"),
    Place("Udine", "UD", "33100", "0432", "030", "Friuli-Venezia Giulia"),
)
TORINO_PLACES = (
    Place("Torino", "TO", "10121", "011", "001", "Piemonte"),
    Place("Cuneo", "CN", "12100", "0171", "004", "Piemonte"),
    Place("Asti", "AT", "14100", "0141", "005", "Piemonte"),
    Place("Alessandria", "AL", "15121", "0131", "006", "Piemonte"),
    Place("Aosta", "AO", "11100", "0165", "007", "Valle d’Aosta"),
    Place("Milano", "MI", "20121", "02", "015", "Lombardia"),
    Place("Genova", "GE", "16121", "010", "010", "Liguria"),
    Place("Roma", "RM", "00184", "06", "058", "Lazio"),
    Place("Cagliari", "CA", "09124", "070", "092", "Sardegna"),
)
STREETS = (
    "via Roma", "via Garibaldi", "via Giuseppe Verdi", "via Dante Alighieri", "piazza della Libertà", "via dell’Industria",
    "via degli Artigiani", "corso Vittorio Emanuele II", "viale Trieste", "via Nazionale", "via San Martino", "via della Cooperazione",
    "località Spini di Sopra", "via Marconi", "via Alcide Degasperi", "corso Re Umberto", "via del Lavoro", "via Brennero",
    "piazza del Municipio", "via dei Mille", "vicolo del Forno", "strada della Pronda", "via Caduti del Lavoro", "via Monte Bianco",
)  # fmt: skip
#: What companies do: the word of their name, the word of their address on the net.
TRADES = (
    ("Falegnameria", "legno"), ("Carpenteria Metallica", "carpenteria"), ("Autotrasporti", "trasporti"),
    ("Edilizia", "edilizia"), ("Costruzioni", "costruzioni"), ("Impianti Elettrici", "impianti"),
    ("Termoidraulica", "termo"), ("Cantina", "vini"), ("Caseificio", "formaggi"), ("Panificio", "pane"),
    ("Officine Meccaniche", "officine"), ("Lavorazioni Meccaniche di Precisione", "precisione"), ("Tipografia", "stampa"),
    ("Ristorazione", "ristora"), ("Hotel", "hotel"), ("Farmacia", "farmacia"), ("Poliambulatorio", "salute"),
    ("Studio Legale", "legale"), ("Studio Commercialista", "studio"), ("Servizi Ambientali", "ambiente"),
    ("Recupero Materiali", "recuperi"), ("Galvanica", "galvanica"), ("Vernici e Smalti", "vernici"),
    ("Materie Plastiche", "plastica"), ("Cartiera", "carta"), ("Segheria", "segheria"), ("Porfidi", "porfidi"),
    ("Informatica", "informatica"), ("Comunicazione", "comunica"), ("Logistica", "logistica"), ("Tessitura", "tessuti"),
    ("Ortofrutta", "frutta"), ("Floricoltura", "fiori"), ("Assicurazioni", "assicura"), ("Pulizie", "pulizie"),
)  # fmt: skip
LEGAL_FORMS = ("S.r.l.", "S.p.A.", "S.n.c.", "S.a.s.", "Soc. Coop.", "S.r.l.", "S.r.l.s.")
#: Municipalities that exist nowhere, so that no real body is mistaken for a client.
TOWNS = (
    "Valfiorita", "Castel Serravento", "Montechiaro sull’Avisia", "Borgo Alpino", "San Colombo in Valle", "Pieve di Roccalta",
    "Villa Sant’Orsola", "Campoluce", "Fontanaviva", "Rivabella di Sopra", "Altopasso Sereno", "Pratolungo Veneto", "Santa Maria del Colle Verde",
    "Torrechiara d’Adria", "Boscolieto", "Acquafredda Monferrina", "Roccapiana", "Pontelungo Canavese", "Vignalta", "Serracastello",
)  # fmt: skip
#: Public bodies: how they are called and their class in the register.
BODIES = (
    ("Comune di {town}", "Comuni e loro Consorzi e Associazioni"),
    ("Istituto Comprensivo di {town}", "Istituti di Istruzione Statale di Ogni Ordine e Grado"),
    ("Comunità della Valle di {town}", "Comunità Montane e loro Consorzi e Associazioni"),
    ("Azienda Speciale Servizi di {town}", "Aziende e Consorzi Pubblici Territoriali"),
    ("Unione dei Comuni di {town}", "Unioni di Comuni e loro Consorzi e Associazioni"),
)
ASSOCIATIONS = (
    "Associazione Culturale {town}", "A.S.D. Polisportiva {town}", "Pro Loco di {town}", "Associazione di Volontariato {town} Solidale",
)  # fmt: skip
#: Foreign clients: name, VAT number (valid, with serials at the end of their range), city, country.
FOREIGN = (
    ("Müller Umwelttechnik GmbH", "DE999990002", "München", "DE"),
    ("Alpenblick Handels GmbH", "ATU99990000", "Innsbruck", "AT"),
    ("Zelena Dolina d.o.o.", "SI99990008", "Ljubljana", "SI"),
    ("Polderland Techniek B.V.", "NL999990007B99", "Utrecht", "NL"),
    ("Savoie Énergies SARL", "FR11999999998", "Chambéry", "FR"),
    ("Jadran Logistika d.o.o.", "HR99999990001", "Rijeka", "HR"),
    ("Ticino Precisione SA", "CHE999999996", "Lugano", "CH"),
)
#: What people at clients do, and whether they decide.
JOBS = (
    ("Titolare", True), ("Amministratore unico", True), ("Direttrice generale", True), ("Responsabile del servizio prevenzione e protezione", False),
    ("Responsabile qualità", False), ("Responsabile ambiente", False), ("Ufficio acquisti", False), ("Ufficio del personale", False),
    ("Segreteria", False), ("Responsabile IT", False), ("Referente privacy", False), ("Addetta alla formazione", False), ("Responsabile di stabilimento", True),
)  # fmt: skip
PUBLIC_JOBS = (
    ("Segretaria comunale", True), ("Responsabile unico del progetto", True), ("Direttore dell’esecuzione del contratto", False),
    ("Responsabile della transizione digitale", True), ("Istruttrice amministrativa", False), ("Ufficio tecnico", False), ("Dirigente scolastico", True),
)  # fmt: skip
SITES = ("Sede legale", "Stabilimento", "Magazzino", "Sede operativa", "Filiale", "Cantiere")
