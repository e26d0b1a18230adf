"""Invented files: terms of contracts, what clients saw when something failed, and what clients find in their area."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any

from backoffice.actors import SYSTEM
from backoffice.files.store import FileStore, digest
from backoffice.operations.attachments import attach_file
from models.attachment import Attachment
from models.base import Recorded
from models.certificate import Certificate
from models.client_document import ClientDocument
from models.contract import Contract
from models.ticket import Ticket
from models.waste_movement import WasteMovement
from seed.invented.world import World

LOG = "2026-05-03 10:12:07 ERROR salvataggio interrotto: tempo scaduto\n2026-05-03 10:12:07 INFO nuovo tentativo\n"


def invent_attachments(
    world: World, contracts: Sequence[Contract], tickets: Sequence[Ticket], store: FileStore
) -> None:
    """Attach some files to contracts and tickets of one corporate group."""
    terms, screen = make_pdf("Foglio informativo"), _png(96, 54)

    def add(parent: Recorded, name: str, content: bytes, description: str) -> None:
        attach_file(
            world.session, parent, name, content, store=store, limit_mb=1, actor=SYSTEM, description=description
        )

    for contract in contracts[:6]:
        add(contract, "foglio-informativo.pdf", terms, "Foglio informativo")
    for ticket in tickets[:12]:
        add(ticket, "schermata.png", screen, "Schermata dell’errore")
    for ticket in tickets[:4]:
        add(ticket, "registro.txt", LOG.encode(), "")


def invent_client_files(
    world: World,
    documents: Sequence[ClientDocument],
    certificates: Sequence[tuple[Certificate, bytes]],
    movements: Sequence[WasteMovement],
    store: FileStore,
) -> None:
    """Give documents, certificates and some waste movements the files that clients find."""
    for document in documents:
        _put(world, store, "documento.pdf", make_pdf("Documento di esempio"), client_document=document)
    for certificate, content in certificates:
        _put(world, store, "rapporto-di-prova.pdf", content, certificate=certificate)
    for movement in movements[:20]:
        _put(world, store, "formulario.pdf", make_pdf("Formulario di esempio"), waste_movement=movement)
    world.session.flush()


def _put(world: World, store: FileStore, name: str, content: bytes, **parent: Any) -> None:
    """Put a file to a record that may be in a state in which nobody else could."""
    sha256 = digest(content)
    file = Attachment(name=name, media_type="application/pdf", size_bytes=len(content), sha256=sha256, **parent)
    file.group_id, file.client_visible = world.group.id, True
    world.add(file)
    store.put(sha256, content)


def _png(width: int, height: int) -> bytes:
    """Return a grey picture with a red bar across it."""
    rows = (
        b"\0" + (b"\xc0\x30\x30" if height // 3 < y < height // 2 else b"\xe8\xe8\xe8") * width for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def make_pdf(title: str) -> bytes:
    """Return a page with one line on it."""
    text = f"BT /F1 24 Tf 72 760 Td ({title}) Tj ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        " /Resources << /Font << /F1 4 0 R >> >> >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
    )
    made, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    return f"{made}{head}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(made)}\n%%EOF\n".encode()
