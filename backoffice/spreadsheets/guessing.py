"""Which column of a file is probably which field: by its heading, and by its values where headings mislead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from backoffice.spreadsheets.postal import split_address
from models.reading import fold

#: The target that takes an address in one piece, and the fields it fills.
WHOLE_ADDRESS = "whole_address"
ADDRESS_PARTS = ("street", "postal_code", "city", "province")
#: The target that takes the code a record has in another programme.
EXTERNAL_CODE = "external_code"

#: Other words for a target, folded; the field's own name and its labels count anyway. Earlier targets win.
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "legal_name": (
        "name",
        "nome",
        "denominazione",
        "ragione sociale",
        "rag soc",
        "ente",
        "azienda",
        "ditta",
        "impresa",
        "societa",
        "cliente",
        "company",
        "intestazione",
    ),
    "vat_number": ("p.iva", "p. iva", "piva", "partita iva", "part. iva", "vat", "vat id", "vat no", "partitaiva"),
    "tax_code": (
        "cf",
        "c.f.",
        "cod fiscale",
        "cod. fiscale",
        "codice fiscale",
        "codicefiscale",
        "fiscal code",
        "tax id",
    ),
    "classification": ("categoria", "tipologia", "tipo ente", "class", "classe", "type"),
    "certified_email": (
        "pec",
        "mail pec",
        "indirizzo pec",
        "domicilio digitale",
        "posta certificata",
        "certified mail",
    ),
    "email": ("mail", "e-mail", "posta elettronica", "indirizzo email", "email address"),
    "website": ("url", "sito", "sito web", "sito istituzionale", "web", "homepage", "site"),
    "phone": ("tel", "tel.", "telefono", "telephone", "phone number", "centralino"),
    "mobile": ("cell", "cell.", "cellulare", "mobile phone"),
    "street": ("via", "indirizzo", "address", "sede legale", "sede"),
    "postal_code": ("cap", "c.a.p.", "zip", "postcode", "zip code"),
    "city": ("comune", "citta", "municipio", "localita", "municipality", "town"),
    "province": ("prov", "prov.", "provincia", "sigla provincia"),
    "country": ("nazione", "paese", "stato estero", "jurisdiction code", "country code"),
    "sdi_code": ("sdi", "codice sdi", "codice univoco", "codice destinatario", "cod. destinatario"),
    "first_name": ("nome", "given name"),
    "last_name": ("cognome", "surname", "family name"),
    "job_title": ("ruolo", "qualifica", "mansione", "position"),
    "company": ("azienda", "ditta", "impresa", "societa", "cliente", "ragione sociale", "ente", "client", "customer"),
    "number": ("numero", "n.", "nr", "no", "numero contratto", "contract number"),
    "subject": ("oggetto", "descrizione", "description"),
    "description": ("richiesta", "problema", "dettagli", "testo", "details", "request"),
    "starts_on": ("inizio", "data inizio", "dal", "decorrenza", "start", "start date", "from"),
    "ends_on": ("fine", "data fine", "scadenza", "al", "end", "end date", "until"),
    "state": ("stato", "situazione", "stato contratto", "stato ticket", "status"),
    "signed_on": ("firma", "data firma", "stipula", "data stipula", "firmato il", "signed"),
    "group_company": ("societa del gruppo", "societa contraente", "contraente", "nostra societa"),
    "created_at": ("aperto", "aperto il", "data apertura", "apertura", "opened", "opened on"),
    "assignee": ("assegnato a", "in carico a", "operatore", "tecnico", "assigned to"),
    "purchased_minutes": ("ore acquistate", "ore comprate", "ore pacchetto", "hours bought"),
    "residual_minutes": (
        "ore residue",
        "ore rimaste",
        "residuo",
        "saldo",
        "saldo ore",
        "ore disponibili",
        "hours left",
    ),
    "valid_from": ("valido dal", "validita dal", "attivo dal", "dal"),
    "valid_to": ("valido al", "validita al", "scade il", "scadenza", "al"),
    "notes": ("note", "annotazioni", "osservazioni", "remarks", "comments"),
    EXTERNAL_CODE: (
        "id",
        "codice",
        "cod",
        "code",
        "key",
        "codice cliente",
        "codice esterno",
        "id esterno",
        "cod amm",
        "codice ipa",
    ),
}
#: No heading is longer than this; other cells need not be looked at.
_LONGEST = 100
_CERTIFIED = re.compile(r"@.*(?:pec|cert|legalmail|raccomandata)|^pec[.@]", re.IGNORECASE)


def guess_mapping(
    headings: Sequence[str], samples: Sequence[Sequence[str]], names: Mapping[str, Iterable[str]]
) -> dict[int, str]:
    """Return ``{column position: target}`` for the columns whose meaning is clear enough to propose.

    ``names`` holds the targets to choose from, each with its labels; ``samples`` are some rows of values.
    No target is proposed twice, and, where there are rows, no column without any value.
    """
    words = {target: {_words(target), *map(_words, labels)} for target, labels in names.items()}
    wanted = [target for target in _SYNONYMS if target in names] + [t for t in names if t not in _SYNONYMS]
    chosen: dict[int, str] = {}
    synonyms = {target: set(map(_words, _SYNONYMS.get(target, ()))) for target in names}
    # A name that several columns have is followed by that of its group in brackets: the first is meant.
    bare = [re.sub(r" \([^()]*\)$", "", heading) for heading in headings]
    for known, titles in ((words, headings), (synonyms, headings), (words, bare), (synonyms, bare)):
        for target in wanted:
            for position, heading in enumerate(titles):
                if position in chosen or target in chosen.values() or _words(heading) not in known[target]:
                    continue
                if not samples or any(row[position].strip() for row in samples if position < len(row)):
                    chosen[position] = target
    return _judged_by_values(chosen, samples, names)


def knows_headings(names: Mapping[str, Iterable[str]]) -> Callable[[str], bool]:
    """Return what says whether a text is one of the names that columns have which become one of these targets."""
    known = {word for target, labels in names.items() for word in (*labels, target, *_SYNONYMS.get(target, ()))}
    folded = {_words(word) for word in known}
    return lambda text: len(text) < _LONGEST and _words(text) in folded


def _words(text: str) -> str:
    return " ".join(fold(text.replace("_", " ").replace("/", " ")).replace(".", ". ").split()).rstrip(".")


def _judged_by_values(
    chosen: dict[int, str], samples: Sequence[Sequence[str]], names: Mapping[str, Iterable[str]]
) -> dict[int, str]:
    """Correct what headings say wrongly: "email" of a register of certified addresses, "address" in one piece."""
    for position, target in list(chosen.items()):
        values = [row[position] for row in samples if position < len(row) and row[position].strip()]
        free = names.keys() - set(chosen.values())
        if target == "email" and "certified_email" in free and _share(values, _is_certified) > 0.5:
            chosen[position] = "certified_email"
        is_alone = WHOLE_ADDRESS in names and not set(ADDRESS_PARTS[1:]) & set(chosen.values())
        if target == "street" and is_alone and _share(values, _is_whole_address) > 0.5:
            chosen[position] = WHOLE_ADDRESS
    return chosen


def _share(values: Sequence[str], test: Callable[[str], bool]) -> float:
    return sum(map(test, values)) / len(values) if values else 0.0


def _is_certified(value: str) -> bool:
    return _CERTIFIED.search(value) is not None


def _is_whole_address(value: str) -> bool:
    return split_address(value).postal_code is not None
