"""What was said about the invented tickets: put together by the database itself, from the tickets it has just taken."""

from __future__ import annotations

from bench.loading import Loader

_COLUMNS = "id, group_id, ticket_id, company_id, visibility, direction, channel, body, created_at, updated_at"
#: Said in this order, again and again; in whose direction, and whether the client reads it.
_SAID = (
    (
        "public",
        "incoming",
        "Buongiorno, da stamattina non riesco ad accedere: dopo la password la pagina resta bianca.",
    ),
    ("internal", "outgoing", "Stesso errore di ieri su altri due clienti: sentire il fornitore prima di rispondere."),
    (
        "public",
        "outgoing",
        "Buongiorno, abbiamo ripristinato il collegamento. Può provare di nuovo e dirci se funziona?",
    ),
    ("public", "incoming", "Ora la pagina si apre, ma il certificato di ottobre manca ancora dall’elenco. Grazie."),
    (
        "public",
        "outgoing",
        "Il certificato è stato pubblicato; lo trova nella sezione Documenti. Restiamo a disposizione.",
    ),
)


def say(loader: Loader, first_ticket: int, tickets: int, messages: int) -> None:
    """Append so many messages to the new tickets, dealt out evenly; the older tickets get what is left over.

    The last message of a ticket is as old as its last change, the others are as old as the ticket.
    """
    if not tickets or not messages:
        return
    each, more = divmod(messages, tickets)
    place, most = f"(t.id - {first_ticket})", each + (more > 0)
    numbers = " UNION ALL ".join(f"SELECT {number} AS n" for number in range(most))
    many = f"{each} + CASE WHEN {place} < {more} THEN 1 ELSE 0 END"
    (base,) = loader.ids("SELECT coalesce(max(id), 0) + 1 FROM ticket_message")
    visibility, direction, body = (_in_turn(values) for values in zip(*_SAID, strict=True))
    query = (
        f"SELECT {base} + {place} * {most} + n, t.group_id, t.id, t.company_id, {visibility}, {direction}, t.channel, "
        f"{body}, CASE WHEN n = {most} - 1 THEN t.updated_at ELSE t.created_at END, t.updated_at "
        f"FROM ticket t CROSS JOIN ({numbers}) AS numbers "
        f"WHERE t.id >= {first_ticket} AND t.id < {first_ticket + tickets} AND n < {many} ORDER BY t.id, n"
    )
    loader.fill("ticket_message", _COLUMNS, query)


def _in_turn(values: tuple[str, ...]) -> str:
    cases = " ".join(f"WHEN {place} THEN '{value}'" for place, value in enumerate(values))
    return f"CASE n % {len(values)} {cases} END"
