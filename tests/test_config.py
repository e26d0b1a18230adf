"""Settings: what the environment may say, and what happens when it does not."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

import config

KEYS = {
    "BACKOFFICE_SECRET_KEY": "a" * 40,
    "BACKOFFICE_CLIENT_SECRET_KEY": "b" * 40,
    "BACKOFFICE_JWT_SECRET_KEY": "c" * 40,
}


def load(tmp_path: Path, **environment: str) -> config.Settings:
    return config.load({"BACKOFFICE_VAR": str(tmp_path), **environment})


def test_without_any_setting_it_is_sqlite_on_this_machine_alone(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.is_sqlite
    # Beside the keys: whoever tries a backup in a folder of its own does not meet the live database.
    assert settings.database_url == f"sqlite:///{tmp_path}/backoffice.sqlite"
    assert (settings.host, settings.port, settings.proxies, settings.demo) == ("127.0.0.1", 8000, 0, True)


def test_missing_keys_are_generated_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first, second = load(tmp_path), load(tmp_path)
    keys = {first.secret_key, first.client_secret_key, first.jwt_secret_key}
    assert len(keys) == 3
    assert min(map(len, keys)) >= 32
    assert (second.secret_key, second.client_secret_key) == (first.secret_key, first.client_secret_key)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    assert len(list(tmp_path.iterdir())) == 3


def test_postgresql_refuses_to_start_without_keys(tmp_path: Path) -> None:
    with pytest.raises(config.BadSetting, match="set BACKOFFICE_CLIENT_SECRET_KEY, BACKOFFICE_JWT_SECRET_KEY"):
        load(tmp_path, BACKOFFICE_DATABASE_URL="postgresql:///desk", BACKOFFICE_SECRET_KEY="a" * 40)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_way_to_write_postgresql_uses_one_driver(tmp_path: Path, scheme: str) -> None:
    settings = load(tmp_path, BACKOFFICE_DATABASE_URL=f"{scheme}://desk:p%40ss@db/desk", **KEYS)
    assert settings.database_url == "postgresql+psycopg://desk:p%40ss@db/desk"
    assert not settings.is_sqlite


def test_port_may_come_without_the_prefix_but_the_prefixed_one_wins(tmp_path: Path) -> None:
    assert load(tmp_path, PORT="9000").port == 9000
    assert load(tmp_path, PORT="9000", BACKOFFICE_PORT="9001").port == 9001


def test_a_mail_server_needs_a_sender(tmp_path: Path) -> None:
    for sender in ("", "desk", "nicolò@prova.example", "a@b.example\r\nBcc: c@d.example"):
        with pytest.raises(config.BadSetting, match="BACKOFFICE_MAIL_SENDER"):
            load(tmp_path, BACKOFFICE_MAIL_SERVER="mail", BACKOFFICE_MAIL_SENDER=sender)
    for sender in ("desk@prova.example", "Sistemi Uno <desk@prova.example>"):
        assert load(tmp_path, BACKOFFICE_MAIL_SERVER="mail", BACKOFFICE_MAIL_SENDER=sender).mail_sender == sender


def test_links_in_mails_begin_where_people_reach_it(tmp_path: Path) -> None:
    assert load(tmp_path, PORT="9000").root_url == "http://localhost:9000"
    assert load(tmp_path, BACKOFFICE_PUBLIC_URL="https://desk.example/").root_url == "https://desk.example"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("BACKOFFICE_MAIL_PORT", "0", "between 1 and 65535"),
        ("BACKOFFICE_MAIL_TLS", "ssl", "starttls, tls or none"),
        ("BACKOFFICE_PORT", "http", "BACKOFFICE_PORT must be a whole number, not 'http'."),
        ("BACKOFFICE_PORT", "70000", "BACKOFFICE_PORT must lie between 1 and 65535, not 70000."),
        ("BACKOFFICE_DEMO", "perhaps", "BACKOFFICE_DEMO must be 1 or 0, not 'perhaps'."),
        ("BACKOFFICE_LANGUAGE", "de", "BACKOFFICE_LANGUAGE must be it or en, not 'de'."),
        ("BACKOFFICE_THREADS", "0", "BACKOFFICE_THREADS must be at least 1."),
        ("BACKOFFICE_S3_ENDPOINT", "127.0.0.1:7481", "BACKOFFICE_S3_ENDPOINT must begin with http:// or https://"),
        ("BACKOFFICE_S3_ACCESS_KEY", "a", "BACKOFFICE_S3_ACCESS_KEY and BACKOFFICE_S3_SECRET_KEY are given both"),
        ("BACKOFFICE_DATABASE_URL", "mysql://db/x", "must begin with sqlite:// or postgresql://, not mysql://."),
        ("BACKOFFICE_DATABASE_URL", "secret@nowhere", "BACKOFFICE_DATABASE_URL is not a database address"),
        ("BACKOFFICE_DATABASE_URL", "sqlite://", "must name a file"),
    ],
)
def test_a_value_without_sense_is_answered_with_one_sentence(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    with pytest.raises(config.BadSetting) as refused:
        load(tmp_path, **{name: value})
    assert sentence in str(refused.value)
    assert "secret" not in str(refused.value)


def test_secrets_do_not_show_when_settings_are_printed(tmp_path: Path) -> None:
    settings = load(tmp_path, BACKOFFICE_ADMIN_PASSWORD="do-not-print-me", **KEYS)
    assert "do-not-print-me" not in repr(settings)
    assert "a" * 40 not in repr(settings)


def test_every_setting_is_described() -> None:
    for name, _default, meaning in config.describe():
        assert name.startswith("BACKOFFICE_")
        assert meaning.endswith(".")
