"""M6: a refused save says why in a sentence, shows no SQL and keeps what was typed."""

from __future__ import annotations

from flask_appbuilder import ModelView
from flask_appbuilder.models.sqla.interface import SQLAInterface

from tests.toolkit.stock import Firm, Person, Stock


def test_the_stock_form_puts_sql_on_the_page_and_loses_the_input() -> None:
    class PersonView(ModelView):
        datamodel = SQLAInterface(Person)
        add_columns = ["name"]
        list_columns = ["name"]
        # The toolkit looks for duplicates beforehand; two saves at once pass it, as a check constraint always does.
        validators_columns = {"name": []}

    stock = Stock(WTF_CSRF_ENABLED=False)
    view = stock.add_view(PersonView)
    view.add_form.name.kwargs["validators"] = []
    stock.store(Person(name="Anna"), Firm(name="Other"))
    client = stock.client()
    answer = client.post("/personview/add", data={"name": "Anna"})
    assert answer.status_code == 302, "the form with its input is gone"
    with client.session_transaction() as session:
        texts = " ".join(text for _, text in session["_flashes"])
    assert "INSERT INTO person" in texts
