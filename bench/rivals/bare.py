"""The limit: the same rows by hand-written SQL and one template, without users, rights, filters or masks."""

from __future__ import annotations

import os
from typing import Any

import sqlalchemy as sa
from flask import Flask, redirect, render_template_string, request

ROWS = 25
_COLUMNS = """
SELECT t.id, t.created_at, t.number, t.subject, c.legal_name AS company, t.state, t.priority,
       u.first_name || ' ' || u.last_name AS assignee, t.due_at
"""
_JOINS = """
  FROM {rows} t
  LEFT JOIN company c ON c.id = t.company_id
  LEFT JOIN ab_user u ON u.id = t.assignee_id
 ORDER BY t.created_at DESC, t.id DESC
"""
#: The rows first, then what they refer to.
LIST = _COLUMNS + _JOINS.format(
    rows="(SELECT * FROM ticket WHERE group_id = :group_id{more} ORDER BY created_at DESC, id DESC LIMIT :limit)"
)
#: Every row, for the exports.
EVERY = _COLUMNS + _JOINS.format(rows="(SELECT * FROM ticket WHERE group_id = :group_id)")

PAGE = """<!doctype html><html lang="it"><head><meta charset="utf-8"><title>Ticket</title></head><body>
<h1>{{ title }}</h1><table><tr><th>Numero<th>Oggetto<th>Azienda<th>Stato<th>Priorità<th>Assegnatario<th>Scadenza</tr>
{% for row in rows %}<tr><td><a href="/ticket/{{ row.id }}/edit">{{ row.number }}</a><td>{{ row.subject }}
<td>{{ row.company or "" }}<td>{{ row.state }}<td>{{ row.priority }}
<td>{{ row.assignee or "" }}<td>{{ row.due_at or "" }}</tr>
{% endfor %}</table>{% if rows %}<a href="?before={{ rows[-1].created_at }},{{ rows[-1].id }}">next</a>{% endif %}
</body></html>"""
FORM = """<!doctype html><html lang="it"><head><meta charset="utf-8"><title>{{ row.number }}</title></head><body>
<form method="post">{% for name, value in row._mapping.items() if name != "id" -%}
<label>{{ name }} <input name="{{ name }}" value="{{ '' if value is none else value }}"></label>
{% endfor %}<button>Save</button></form></body></html>"""

app = Flask(__name__)
engine = sa.create_engine(os.environ["BENCH_URL"], pool_size=16)


@app.get("/")
def tickets() -> str:
    """Show one page: the first, the one after a row, of a state and a company, or with a word."""
    args, more, values = request.args, "", {}
    if before := args.get("before"):
        at, _, key = before.rpartition(",")
        more, values = " AND (created_at, id) < (:at, :key)", {"at": at, "key": int(key)}
    elif "state" in args:
        more = " AND state = :state AND company_id = :company"
        values = {"state": args["state"], "company": int(args["company"])}
    elif "company" in args:
        more, values = " AND company_id = :company", {"company": int(args["company"])}
    elif word := args.get("q"):
        more, values = " AND search_key LIKE :word", {"word": f"%{word}%"}
    return _page("Ticket", more, values)


@app.get("/company/<int:key>")
def company(key: int) -> str:
    """Show a company with its newest tickets."""
    with engine.connect() as connection:
        name = connection.execute(sa.text("SELECT legal_name FROM company WHERE id = :key"), {"key": key}).scalar_one()
    return _page(name, " AND company_id = :company", {"company": key})


@app.route("/ticket/<int:key>/edit", methods=["GET", "POST"])
def edit(key: int) -> Any:
    """Show the form of a ticket, and store its subject."""
    if request.method == "POST":
        with engine.begin() as connection:
            values = {"key": key, "subject": request.form["subject"]}
            connection.execute(sa.text("UPDATE ticket SET subject = :subject WHERE id = :key"), values)
        return redirect("/", 303)
    with engine.connect() as connection:
        statement = sa.text(
            "SELECT t.id, t.number, t.subject, t.description, t.state, t.priority, t.channel, c.legal_name, t.due_at"
            " FROM ticket t LEFT JOIN company c ON c.id = t.company_id WHERE t.id = :key"
        )
        row = connection.execute(statement, {"key": key}).one()
    return render_template_string(FORM, row=row)


def _page(title: str, more: str, values: dict[str, Any]) -> str:
    # Only whose rows they are is taken for granted: the first group's, as its administrator sees them.
    with engine.connect() as connection:
        statement = sa.text(LIST.replace("{more}", more))
        rows = connection.execute(statement, {"group_id": 1, "limit": ROWS, **values}).all()
    return render_template_string(PAGE, title=title, rows=rows)
