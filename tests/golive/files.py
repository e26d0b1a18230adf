"""The five spreadsheets of an office that goes live, as untidy as they are kept, and what must become of each row.

Nothing is drawn by chance: the row number decides everything, so that the counts are known beforehand. Every file has
a title, merged headings or blank lines above its headings and a line of totals below; days are written in three ways.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

import xlsxwriter

from backoffice import clock
from models.base import Recorded
from models.company import Company
from models.contact import Contact
from models.contract import Contract
from models.contract_line import ContractLine
from models.support_package import SupportPackage
from models.ticket import Ticket
from seed.codes import vat_number

_MONTHS = ("gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic")
#: What the reasons begin with that the rows give rise to; the page speaks Italian.
NO_VAT, NO_NAME, NO_MAIL = "partita IVA", "obbligatorio", "non è un indirizzo e-mail"
REPEATED, UNKNOWN, NO_DAY = "del file ha già questo valore", "Nessuna scheda trovata", "non è una data"
NEEDED, OVER, BACKWARDS = "Serve per una scheda", "È finito il", "La fine viene prima dell’inizio"
NO_STATE, NO_AMOUNT, TOO_MUCH = "può entrare come", "non è un numero", "Resta più tempo"
NOTHING, NO_HOURS = "Non resta nulla", "ore e minuti"


class House(NamedTuple):
    """What the installation has before anybody goes live."""

    group_company: str
    services: Sequence[str]
    queue: str
    colleague: str


@dataclass
class MessyFile:
    """One file, and what must become of its rows when they are added."""

    name: str
    entity: type[Recorded]
    #: What each heading becomes; what is not named is left out.
    columns: dict[str, str]
    content: bytes = b""
    #: By the number of each row that cannot come in: part of the reason.
    refused: dict[int, str] = field(default_factory=dict)
    good: int = 0
    #: What the values of the good rows come to: cents or minutes.
    total: int = 0


def messy_files(companies: int, house: House) -> list[MessyFile]:
    """Return the files in the order in which they go in; that with the contracts a second time, for their lines."""
    register = _Register(companies)
    contracts = _contracts(register, house)
    return [
        _companies(register), _contacts(register), contracts[0], contracts[1],
        _tickets(register, house), _balances(register),
    ]  # fmt: skip


@dataclass
class _Register:
    """The companies: which of their rows are good decides about all that refers to them."""

    count: int

    def wrong(self, number: int) -> str | None:
        """Return why the row of a company is refused."""
        return {7: REPEATED, 13: NO_VAT, 21: NO_NAME, 33: NO_MAIL}.get(number % 50)

    def vat(self, number: int) -> str:
        return vat_number(number, "022")

    def name(self, number: int) -> str:
        return f"Società Agricola Però {number} s.r.l."

    def named(self, number: int) -> str:
        """Name a company as colleagues do: by its VAT number, or by its name in whatever case."""
        return self.vat(number) if number % 3 else self.name(number).upper()

    def unknown(self, number: int) -> bool:
        return self.wrong(number) is not None


def _day(day: date, way: int) -> str:
    """Write a day as Italians do, as programs do, or with the month in letters."""
    return (f"{day:%d/%m/%Y}", f"{day:%Y-%m-%d}", f"{day.day} {_MONTHS[day.month - 1]} {day.year}")[way % 3]


def _ago(days: int) -> date:
    return clock.today() - timedelta(days=days)


class _Sheet:
    """Lines under way to a file; each row of values says whether it is good, and what it adds to the total."""

    def __init__(self, file: MessyFile, above: Sequence[Sequence[Any]], headings: Sequence[str]) -> None:
        self.file = file
        self.lines: list[Sequence[Any]] = [*above, headings]

    def add(self, cells: Sequence[Any], wrong: str | None, worth: int = 0) -> None:
        self.lines.append(cells)
        if wrong is not None:
            self.file.refused[len(self.lines)] = wrong
        else:
            self.file.good += 1
            self.file.total += worth

    def csv(self, encoding: str) -> MessyFile:
        lines = (";".join(f'"{cell}"' if ";" in str(cell) else str(cell) for cell in line) for line in self.lines)
        self.file.content = "\r\n".join([*lines, "", "TOTALE;;"]).encode(encoding)
        return self.file

    def xlsx(self, merged: Sequence[str]) -> MessyFile:
        file = io.BytesIO()
        with xlsxwriter.Workbook(file, {"constant_memory": False}) as book:
            sheet = book.add_worksheet("Elenco")
            days = book.add_format({"num_format": "dd/mm/yyyy"})
            hours = book.add_format({"num_format": "[h]:mm"})
            for number, line in enumerate(self.lines):
                for place, cell in enumerate(line):
                    if isinstance(cell, date):
                        sheet.write_datetime(number, place, cell, days)
                    elif isinstance(cell, timedelta):
                        sheet.write_number(number, place, cell.total_seconds() / 86_400, hours)
                    elif cell != "":
                        sheet.write(number, place, cell)
            for area in merged:
                text = sheet  # the text is there already: merging keeps that of the first cell
                first = self.lines[int(area[1]) - 1][ord(area[0]) - ord("A")]
                text.merge_range(area, first)
            sheet.write(len(self.lines) + 1, 0, "Totale")
        self.file.content = file.getvalue()
        return self.file


def _companies(register: _Register) -> MessyFile:
    columns = {
        "Denominazione": "legal_name", "P.IVA": "vat_number", "Tipo": "state", "Cliente dal": "client_since",
        "Via": "street", "CAP": "postal_code", "Comune": "city", "Prov.": "province", "PEC": "certified_email",
        "Telefono": "phone",
    }  # fmt: skip
    above = [
        ["Anagrafica clienti – stampata il 31/10/2026"], [],
        ["Azienda", "", "", "", "Sede legale", "", "", "", "Recapiti", ""],
    ]  # fmt: skip
    sheet = _Sheet(MessyFile("clienti.csv", Company, columns), above, [*columns])
    for number in range(1, register.count + 1):
        wrong = register.wrong(number)
        vat = register.vat(number - 1 if wrong == REPEATED else number)
        name = "" if wrong == NO_NAME else register.name(number)
        mail = "comune(at)pec" if wrong == NO_MAIL else f"protocollo@pec.azienda{number}.example"
        # What a spreadsheet leaves of 00187; the province is that of Rome.
        address = (
            [f"Via Città {number}", "187", "Roma", "RM"] if number % 4 == 0 else ["Via Po", "38122", "Trento", "TN"]
        )
        state = ("Cliente", "cliente", "", "Ex cliente")[number % 4]
        since = _day(_ago(900 + number % 700), number) if state else ""
        vat = f"IT {vat}" if number % 9 == 0 else vat
        if wrong == NO_VAT:
            vat = vat[:-1] + str((int(vat[-1]) + 1) % 10)
        sheet.add([name, vat, state, since, *address, mail, "0461 123456"], wrong)
    return sheet.csv("cp1252")


def _contacts(register: _Register) -> MessyFile:
    columns = {"Ditta": "company", "Cognome": "last_name", "Nome": "first_name", "E-mail": "email", "Cell.": "mobile"}
    above = [["Referenti"], ["", "Persona", "", "Recapiti", ""]]
    sheet = _Sheet(MessyFile("referenti.csv", Contact, columns), above, [*columns])
    for number in range(1, register.count + 1):
        wrong = UNKNOWN if register.unknown(number) else {9: NO_NAME, 17: NO_MAIL}.get(number % 50)
        surname = "" if wrong == NO_NAME else f"D’Agostino{number}"
        mail = "nessuna" if wrong == NO_MAIL else f"ref{number}@azienda.example"
        sheet.add([register.named(number), surname, "Niccolò", mail, "333 1234567"], wrong)
    for number in range(1, register.count // 100 + 1):
        sheet.add([f"Ditta mai vista {number}", "Bo", "Ida", "", ""], UNKNOWN)
    return sheet.csv("utf-8")


def _contracts(register: _Register, house: House) -> tuple[MessyFile, MessyFile]:
    columns = {
        "Numero": "number", "Oggetto": "subject", "Cliente": "company", "Contraente": "group_company",
        "Stipula": "signed_on", "Inizio": "starts_on", "Fine": "ends_on", "Stato": "state",
    }  # fmt: skip
    above = [["Contratti in essere"], ["Contratto", "", "Parti", "", "Date", "", "", "", "Economico", ""]]
    headings = [*columns, "Servizio", "Canone annuo"]
    lines = MessyFile(
        "contratti.xlsx", ContractLine, {"Numero": "contract", "Servizio": "service", "Canone annuo": "yearly_fee"}
    )
    sheet = _Sheet(MessyFile("contratti.xlsx", Contract, columns), above, headings)
    for number in range(1, register.count // 2 + 1):
        wrong = UNKNOWN if register.unknown(number) else {
            3: NEEDED, 5: OVER, 11: BACKWARDS, 15: NO_DAY, 19: REPEATED, 25: NO_STATE,
        }.get(number % 50)  # fmt: skip
        state = ("Attivo", "ATTIVO", "Scaduto", "Attivo", "Sospeso")[number % 5]
        starts, ends = _ago(400 + number % 90), _ago(-30 - number % 300)
        if state == "Scaduto":
            ends = _ago(10)
        written: list[Any] = [
            _day(starts - timedelta(days=7), number),
            starts,
            ends if number % 2 else _day(ends, number),
        ]
        if wrong == NEEDED:
            written[0], state = "", "Attivo"
        elif wrong == OVER:
            written[2], state = _ago(4), "Attivo"
        elif wrong == BACKWARDS:
            written[2], state = starts - timedelta(days=1), "Firmato"
        elif wrong == NO_DAY:
            written[1] = "31/02/2026"
        elif wrong == NO_STATE:
            state = "Ripreso"
        code = number - 1 if wrong == REPEATED else number
        poor = wrong is None and number % 50 == 29
        fee: Any = "mille euro" if poor else (1000.5 + number if number % 2 else f"€ 1.{number % 900:03d},50")
        cents = round(fee * 100) if isinstance(fee, float) else 100_050 + number % 900 * 100
        service = house.services[number % len(house.services)]
        cells = [
            f"C/{code:05}",
            "Assistenza",
            register.named(number),
            house.group_company,
            *written,
            state,
            service,
            fee,
        ]
        sheet.add(cells, wrong)
        why = NO_AMOUNT if poor else wrong and (UNKNOWN if wrong != REPEATED else None)
        _count_line(lines, len(sheet.lines), why, cents)
    lines.content = sheet.xlsx(["A2:B2", "C2:D2", "E2:H2", "I2:J2"]).content
    return sheet.file, lines


def _count_line(lines: MessyFile, row: int, why: str | None, cents: int) -> None:
    if why is not None:
        lines.refused[row] = why
    else:
        lines.good += 1
        lines.total += cents


def _tickets(register: _Register, house: House) -> MessyFile:
    columns = {
        "N.": "number", "Coda": "queue", "Cliente": "company", "Oggetto": "subject", "Richiesta": "description",
        "Stato": "state", "In carico a": "assignee", "Aperto il": "created_at",
    }  # fmt: skip
    above: list[list[str]] = [["Richieste aperte", "", "", "", "", "", "", ""], []]
    sheet = _Sheet(MessyFile("richieste.csv", Ticket, columns), above, [*columns])
    for number in range(1, register.count // 2 + 1):
        wrong = UNKNOWN if register.unknown(number) else {4: NEEDED, 8: NO_STATE, 12: NO_NAME}.get(number % 50)
        state = ("Qualificazione", "Assegnato", "In lavorazione", "Attende il cliente")[number % 4]
        who = house.colleague if number % 4 > 1 else ""
        if wrong == NEEDED:
            state, who = "In lavorazione", ""
        elif wrong == NO_STATE:
            state = "Archiviato"
        opened = (f"{_ago(1 + number % 60):%d/%m/%Y} 10:15", "46023,4375", f"{_ago(1 + number % 60):%Y-%m-%d} 08:30")[
            number % 3
        ]
        subject = "" if wrong == NO_NAME else "Non si apre; è urgente"
        cells = [f"V{number}/2026", house.queue, register.named(number), subject, "Non va più", state, who, opened]
        sheet.add(cells, wrong)
    return sheet.csv("utf-8-sig")


def _balances(register: _Register) -> MessyFile:
    columns = {
        "Offerta": "number", "Cliente": "company", "Ore acquistate": "purchased_minutes",
        "Ore residue": "residual_minutes", "Valido dal": "valid_from",
    }  # fmt: skip
    above = [["Saldo ore al 31/10/2026"], [], ["Pacchetto", "", "Ore", "", "Validità"]]
    headings = ["Offerta", "Cliente", "Ore acquistate", "Ore residue", "Valido dal"]
    sheet = _Sheet(MessyFile("saldi.xlsx", SupportPackage, columns), above, headings)
    for number in range(1, register.count // 4 + 1):
        wrong = (
            UNKNOWN
            if register.unknown(number)
            else {6: TOO_MUCH, 10: NO_HOURS, 14: NEEDED, 18: REPEATED}.get(number % 50)
        )
        minutes = number % 40 * 30
        left: Any = (minutes / 60, f"{minutes // 60}:{minutes % 60:02d}", timedelta(minutes=minutes))[number % 3]
        left = {TOO_MUCH: "99:00", NO_HOURS: "circa dieci"}.get(wrong or "", left)
        since: Any = _ago(100) if number % 2 else _day(_ago(100), number)
        if wrong == NEEDED:
            left, minutes, since = "1:00", 60, ""
        code = number - 1 if wrong == REPEATED else number
        sheet.add([f"OF-{code:04}", register.named(number), 40, left, since], wrong, minutes)
    return sheet.xlsx(["A3:B3", "C3:D3"])
