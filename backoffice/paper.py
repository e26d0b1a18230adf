"""Papers as PDF: headings, facts, text, tables and a place to sign, on A4 with numbered pages (XT-09, OS-05, PK-12).

Whatever the text holds, it is text: nothing in it is taken for markup.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from flask_babel import gettext as _
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import HRFlowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

#: More of one text than this is cut, and said to be: the record has the whole.
MOST_CHARACTERS = 20_000
#: More of one cell of a table is cut: a row must fit on a page.
MOST_IN_CELL = 400
_FONTS = Path(reportlab.__file__).parent / "fonts"
_WIDTH = A4[0] - 36 * mm
_FRAME = 6
_RULE = colors.HexColor("#cfcabf")
_QUIET = colors.HexColor("#55514a")


@dataclass(frozen=True)
class Heading:
    """The title of a part."""

    text: str


@dataclass(frozen=True)
class Prose:
    """Text in its own lines; ``lead`` stands before it, smaller."""

    text: str
    lead: str = ""


@dataclass(frozen=True)
class Facts:
    """Labels with their values; those without a value are left out."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Grid:
    """A table whose headings come again on each page; ``shares`` are the widths, in parts of the whole."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    shares: Sequence[float]
    #: The columns that stand to the right: numbers.
    right: Sequence[int] = ()


@dataclass(frozen=True)
class Signatures:
    """Places to sign, beside one another."""

    labels: Sequence[str]


Block = Heading | Prose | Facts | Grid | Signatures


@dataclass(frozen=True)
class Paper:
    """What a paper is called, of whom it is, and what stands in it."""

    title: str
    subtitle: str
    blocks: Sequence[Block] = field(default_factory=list)


def render_pdf(paper: Paper) -> bytes:
    """Return the paper as PDF, its words for page numbers in the language of the work."""
    _load_fonts()
    out = io.BytesIO()
    beside, above = 18 * mm, 16 * mm
    # The frame keeps some points by itself: text and tables then begin at the same edge.
    margins = {
        "leftMargin": beside - _FRAME,
        "rightMargin": beside - _FRAME,
        "topMargin": above,
        "bottomMargin": beside,
    }
    document = SimpleDocTemplate(out, pagesize=A4, title=paper.title, author=paper.subtitle, **margins)
    head = ((paper.title, "title"), (paper.subtitle, "quiet"))
    story: list[Any] = [Paragraph(_text(text), _style(style)) for text, style in head]
    story.append(HRFlowable(width="100%", color=_RULE, spaceBefore=6, spaceAfter=6))
    for block in paper.blocks:
        story += _flowables(block)
    document.build(story, canvasmaker=_Numbered)
    return out.getvalue()


def _flowables(block: Block) -> list[Any]:
    if isinstance(block, Heading):
        return [Paragraph(_text(block.text), _style("heading"))]
    if isinstance(block, Prose):
        lead = [Paragraph(_text(block.lead), _style("lead"))] if block.lead else []
        return [*lead, *(Paragraph(_text(line) or "&nbsp;", _style("body")) for line in _cut(block.text).splitlines())]
    if isinstance(block, Facts):
        rows = [[_cell(label, "quiet"), _cell(value)] for label, value in block.rows if value]
        return [_plain_table(rows, (0.28, 0.72)), Spacer(1, 4)] if rows else []
    if isinstance(block, Signatures):
        return [Spacer(1, 16 * mm), _signing(block)]
    return [_grid(block), Spacer(1, 6)] if block.rows else []


def _grid(block: Grid) -> LongTable:
    styles = ["right" if place in block.right else "cell" for place in range(len(block.headings))]
    over = {"cell": "strong", "right": "strong_right"}
    head = [_cell(text, over[style]) for text, style in zip(block.headings, styles, strict=True)]
    rows = [[_cell(text, style) for text, style in zip(row, styles, strict=True)] for row in block.rows]
    total = sum(block.shares)
    table = LongTable([head, *rows], colWidths=[_WIDTH * share / total for share in block.shares], repeatRows=1)
    table.setStyle(
        TableStyle([("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE), ("VALIGN", (0, 0), (-1, -1), "TOP"), *_TIGHT])
    )
    return table


def _plain_table(rows: list[list[Any]], shares: Sequence[float]) -> Table:
    table = Table(rows, colWidths=[_WIDTH * share for share in shares])
    table.setStyle(TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), *_TIGHT]))
    return table


def _signing(block: Signatures) -> Table:
    share = 1 / len(block.labels)
    table = Table([[_cell(label, "quiet") for label in block.labels]], colWidths=[_WIDTH * share] * len(block.labels))
    line, space = ("LINEABOVE", (0, 0), (-1, 0), 0.6, colors.black), ("RIGHTPADDING", (0, 0), (-1, -1), 14)
    table.setStyle(TableStyle([line, space, ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
    return table


_TIGHT = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
]


class _Numbered(Canvas):
    """Writes "page 2 of 7" under each page, which is known only once the last one is there."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802  # the library's name
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._pages, 1):
            self.__dict__.update(page)
            self.setFont("Vera", 7)
            words = _("Page %(number)s of %(count)s", number=number, count=len(self._pages))
            self.drawRightString(A4[0] - 18 * mm, 10 * mm, words)
            super().showPage()
        super().save()


def _cell(text: str, style: str = "cell") -> Paragraph:
    shown = text if len(text) <= MOST_IN_CELL else text[:MOST_IN_CELL] + "…"
    return Paragraph(_text(shown).replace("\n", "<br/>"), _style(style))


def _cut(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    return text[:MOST_CHARACTERS] + "\n" + _("(cut here: the record has the whole text)")


def _text(text: str) -> str:
    return escape("".join(letter for letter in text if letter.isprintable() or letter == "\n"))


def _style(name: str) -> ParagraphStyle:
    return _STYLES[name]


_BODY = {"fontName": "Vera", "fontSize": 8.5, "leading": 12, "splitLongWords": 1}
_STYLES = {
    "title": ParagraphStyle("title", fontName="VeraBd", fontSize=15, leading=19),
    "heading": ParagraphStyle("heading", fontName="VeraBd", fontSize=10.5, leading=14, spaceBefore=10, spaceAfter=3),
    "body": ParagraphStyle("body", **_BODY),
    "cell": ParagraphStyle("cell", **{**_BODY, "fontSize": 8, "leading": 10.5}),
    "right": ParagraphStyle("right", **{**_BODY, "fontSize": 8, "leading": 10.5}, alignment=TA_RIGHT),
    "strong": ParagraphStyle("strong", **{**_BODY, "fontName": "VeraBd", "fontSize": 8, "leading": 10.5}),
    "strong_right": ParagraphStyle(
        "strong_right", **{**_BODY, "fontName": "VeraBd", "fontSize": 8, "leading": 10.5}, alignment=TA_RIGHT
    ),
    "quiet": ParagraphStyle("quiet", **{**_BODY, "fontSize": 8, "leading": 11}, textColor=_QUIET),
    "lead": ParagraphStyle("lead", **{**_BODY, "fontSize": 8, "leading": 11}, textColor=_QUIET, spaceBefore=6),
}


def _load_fonts() -> None:
    """Load the letters that come with the library: they have accents and the euro sign."""
    if "Vera" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont("Vera", str(_FONTS / "Vera.ttf")))
        pdfmetrics.registerFont(TTFont("VeraBd", str(_FONTS / "VeraBd.ttf")))
        pdfmetrics.registerFontFamily("Vera", normal="Vera", bold="VeraBd", italic="Vera", boldItalic="VeraBd")
