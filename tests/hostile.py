"""Texts that have broken programs before, and what must become of each at every door."""

from __future__ import annotations

#: Stored, shown, written and read back letter by letter.
KEPT = (
    # Quotes, SQL, shells, markup, templates.
    *("O'Brien & figli", '"tra virgolette"', "''", "«a» “b” ‘c’ `d`", "'; DROP TABLE company; --", "1' OR '1'='1"),
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</textarea></title>", "&amp;&lt;&#39;&nbsp;"),
    *("<!-- x -->", "]]>", "{{7*7}}${7*7}<%= 7*7 %>", "%s %d %(x)s %n 100%", "{0} {x} {} {{}}", "$(id) `id` | & ;"),
    *("C:\\temp\\nuovo", "\\", "\\0\\u0041\\x41\\n", "../../etc/passwd", "a;b,c|d", "?a=1&b=2#c", "%00%0d%0a"),
    # What spreadsheets would run, and what looks like our own protection against that.
    *("=1+1", "+39 0461 000000", "-2+3", "@SUM(A1)", '=HYPERLINK("http://x.example";"x")', "=cmd|' /C calc'!A0"),
    *("'=1+1", "''=1+1", "'", "'abc", "=", "-", "+", "@", "\uff1d1+1", "_x0041_", "_x000D_"),
    # What programs take for something else than text.
    *("null", "NULL", "None", "undefined", "NaN", "Infinity", "true", "0", "-0", "1e5", "1E400", "0012", "007,50"),
    *("12345678901234567890", "1/2", "31/12/2026", "1.234,56", "0x1F", "SEPT2", "[]", "{}", '{"$ne": null}', "#REF!"),
    # Letters.
    *(
        "İstanbul ıI",
        "Straße STRASSE ẞ",
        "ﬁnanza ﬀ ﬃ",
        "Ǆ ǅ ǆ",
        "Σίσυφος ΣΑΣ",
        "Łódź Žďár Ñandú œuvre",
        "日本語 株式会社",
    ),
    *("日本語 株式会社", "العربية", "עִבְרִית", "ไทย", "हिन्दी", "Zalgo z̷̢̛", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠜎", "① ½ ² ﷺ", "ＡＢＣ１２３"),
    # What is hardly seen, or turns what stands beside it.
    *(
        "\u202egnp.exe",
        "\u200fa\u200e",
        "a\u2066b\u2069c",
        "a\u200bb",
        "a\u200db",
        "a\u00adb",
        "\ufeffa",
        "x\u0301\u0301",
    ),
    *("👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇮🇹", "\U000e0041", "\ufffd", "\ue000", "\ufeffa", "x\u0301\u0301"),
    # The longest that a column holds.
    *("W" * 250, "😀" * 250, "=" * 250),
)
#: Stored in another form, which is said: composed, without spaces at the ends, one space for several.
TIDIED = {
    "  due  spazi  ": "due spazi",
    "\ttab\tin mezzo": "tab in mezzo",
    "\u00a0non divisibile\u00a0\u3000": "non divisibile",
    "cafe\u0301": "café",
    "A\u030angstrom \u212b": "Ångstrom Å",
    "riga 1\r\nriga 2\rriga 3\nriga 4": "riga 1 riga 2 riga 3 riga 4",
}
#: Those of them that keep their inner spaces and lines where a field has several lines.
LINES = {
    "  due  spazi  ": "due  spazi",
    "\ttab\tin mezzo": "tab\tin mezzo",
    "riga 1\r\nriga 2\rriga 3\nriga 4": "riga 1\nriga 2\nriga 3\nriga 4",
}
#: Nothing at all, as far as a field is concerned.
EMPTY = ("", " ", "   ", "\t", "\r\n", "\u00a0", "\u3000\u2003")
#: Characters that no database text, page or workbook can hold.
UNSTORABLE = ("a\0b", "\0", "a\x01b", "a\x08b", "a\x0bb", "a\x1bb[31m", "a\x7fb", "a\ufffeb", "a\uffffb")


def tidied(text: str, *, lines: bool = False) -> str:
    """Return what a field of one line, or of several, has to hold after ``text`` was given to it."""
    known = TIDIED | LINES if lines else TIDIED
    return known.get(text, text)
