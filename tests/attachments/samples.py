"""Small files of many kinds, harmless and not."""

from __future__ import annotations

import io
import zipfile

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n"
EXE = b"MZ\x90\0\x03\0\0\0" + b"\0" * 100


def archive(**members: str) -> bytes:
    """Return a ZIP; two underscores in a name are a slash, a single one at its end a dot and what follows."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, text in members.items():
            made.writestr(name.replace("__", "/").replace("_DOT_", "."), text)
    return file.getvalue()


DOCX = archive(**{"[Content_Types].xml": "<Types/>", "word__document_DOT_xml": "<w/>"})
DOCM = archive(**{"[Content_Types].xml": "<Types/>", "word__document_DOT_xml": "<w/>", "word__vbaProject_DOT_bin": "x"})
ODT = archive(mimetype="application/vnd.oasis.opendocument.text", content_DOT_xml="<o/>")
SIGNED = bytes.fromhex("3082012306092a864886f70d010702") + b"\0" * 40
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600

TAKEN = {
    "schermata.png": (PNG, "image/png"),
    "FOTO.JPEG": (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 40, "image/jpeg"),
    "contratto firmato.pdf": (PDF, "application/pdf"),
    "lettera.docx": (DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "verbale.odt": (ODT, "application/vnd.oasis.opendocument.text"),
    "vecchio.doc": (OLE, "application/msword"),
    "errore.txt": ("Perché non va più?".encode("cp1252"), "text/plain"),
    "dati.csv": ("nome;città\nAda;Trento\n".encode("utf-16"), "text/csv"),
    "IT01234567890_00001.xml": (b"<?xml version='1.0'?><FatturaElettronica/>", "application/xml"),
    "fattura.xml.p7m": (SIGNED, "application/pkcs7-mime"),
    "posta.eml": (b"From: a@b.example\r\nSubject: x\r\n\r\n<html><b>ciao</b></html>", "message/rfc822"),
    "registri.zip": (archive(a_DOT_log="x"), "application/zip"),
}
REFUSED = {
    "rotto.json": b"{a: 1}",
    "profondo.json": b"[" * 100_000,
    "programma.exe": EXE,
    "programma.png": EXE,
    "fattura.pdf.exe": PDF,
    "fattura.exe.pdf": PDF,
    "pagina.html": b"<html></html>",
    "pagina.txt": b"  <!DOCTYPE html><script>alert(1)</script>",
    "disegno.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "disegno.xml": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    "comandi.txt": b"#!/bin/sh\nrm -rf /\n",
    "binario.csv": b"a;b\0c",
    "macro.docx": DOCM,
    "macro.doc": OLE + "_VBA_PROJECT".encode("utf-16-le"),
    "tabella.xlsx": DOCX,
    "foto.png": PDF,
    "documento.pdf": PNG,
    "nascosto.zip": archive(lettura__avvio_DOT_bat="del"),
    "rotto.zip": b"PK\x03\x04rotto",
    "sconosciuto.qqq": PDF,
    ".htaccess": b"Options +ExecCGI",
    "posta.pst": b"!BDN" + b"\0" * 40,
}
