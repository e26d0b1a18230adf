"""The committed data dictionary is what the declarations say."""

from backoffice import dictionary
from models.base import ENTITIES


def test_dictionary_is_current() -> None:
    assert dictionary.FILE.read_text(encoding="utf-8") == dictionary.render(), "run: python -m backoffice.dictionary"


def test_every_entity_and_every_column_is_in_it() -> None:
    text = dictionary.render()
    for name, entity in ENTITIES.items():
        assert f"Table `{name}`" in text
        for column in entity.__table__.columns:
            assert f"`{column.name}`" in text, f"{name}.{column.name}"


def test_columns_bring_the_sentence_of_their_declaration() -> None:
    assert "Printed on the signed copy" in dictionary.render()
