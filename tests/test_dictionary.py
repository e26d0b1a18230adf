"""The committed data dictionary is what the declarations say."""

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User

from backoffice import dictionary
from models.base import ENTITIES, Model

#: Every class with a table of ours, entities or not.
OURS = sorted(
    (m.class_ for m in Model.registry.mappers if m.class_.__module__.startswith("models.")), key=lambda c: c.__name__
)


def test_dictionary_is_current() -> None:
    assert dictionary.FILE.read_text(encoding="utf-8") == dictionary.render(), "run: python -m backoffice.dictionary"


def test_every_entity_and_every_column_is_in_it() -> None:
    text = dictionary.render()
    for name, entity in ENTITIES.items():
        assert f"Table `{name}`" in text
        for column in entity.__table__.columns:
            assert f"`{column.name}`" in text, f"{name}.{column.name}"


@pytest.mark.parametrize("entity", OURS, ids=lambda entity: entity.__name__)
def test_every_column_says_what_it_means(entity: type) -> None:
    columns = {attribute.key for attribute in sa.inspect(entity).column_attrs}
    if issubclass(entity, User):
        columns -= set(vars(User))  # Flask-AppBuilder's own
    assert columns <= set(dictionary.meanings(entity)), "write a #: sentence above it"


def test_columns_bring_the_sentence_of_their_declaration() -> None:
    assert "Printed on the signed copy" in dictionary.render()
