"""The environment is read once, and told about without its values."""

import pathlib

import pytest

from edge import config

DSN = "postgresql://consult_edge:s3cret@db:5432/consult"


def test_defaults() -> None:
    found = config.load({"EDGE_DATABASE_URL": DSN})
    assert (found.host, found.port, found.log_format) == ("127.0.0.1", 8787, "json")
    assert found.edge_url == "http://127.0.0.1:8787"
    assert found.office_url == "http://127.0.0.1:8000"


def test_all_problems_come_at_once_and_without_values() -> None:
    environ = {
        "EDGE_DATABASE_URL": "mysql://canary",
        "CONSULT_EDGE_PORT": "canary",
        "CONSULT_EDGE_URL": "https://canary/path",
        "CONSULT_OFFICE_URL": "canary",
        "CONSULT_LOG_FORMAT": "canary",
        "CONSULT_TRUSTED_PROXIES": "10.0.0.0/8, canary",
    }
    with pytest.raises(config.BadConfig) as caught:
        config.load(environ)
    assert len(caught.value.problems) == 6
    assert all(name in str(caught.value) for name in environ)
    assert "canary" not in str(caught.value)


def test_what_would_start_and_be_wrong_is_refused() -> None:
    for name, value in (
        ("CONSULT_TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0"),
        ("CONSULT_TRUSTED_PROXIES", "::/0"),
        ("CONSULT_EDGE_URL", "https://in.example:99999"),
        ("CONSULT_EDGE_URL", "https://in.example:0"),
        ("CONSULT_OFFICE_URL", "https://:443"),
        ("CONSULT_OFFICE_URL", "https://me:s3cret@office.example"),
    ):
        with pytest.raises(config.BadConfig, match=name) as caught:
            config.load({"EDGE_DATABASE_URL": DSN, name: value})
        assert len(caught.value.problems) == 1
        assert "s3cret" not in str(caught.value)
    found = config.load({"EDGE_DATABASE_URL": DSN, "CONSULT_TRUSTED_PROXIES": "10.0.0.0/8,fc00::/7"})
    assert len(found.trusted_proxies) == 2


def test_missing_address_is_one_problem() -> None:
    with pytest.raises(config.BadConfig, match="EDGE_DATABASE_URL is missing"):
        config.load({})


def test_secret_from_a_file(tmp_path: pathlib.Path) -> None:
    secret = tmp_path / "dsn"
    secret.write_text(DSN + "\n")
    assert config.load({"EDGE_DATABASE_URL_FILE": f"{secret}"}).database_url == DSN
    with pytest.raises(config.BadConfig, match="both set"):
        config.load({"EDGE_DATABASE_URL": DSN, "EDGE_DATABASE_URL_FILE": f"{secret}"})
    with pytest.raises(config.BadConfig) as caught:
        config.load({"EDGE_DATABASE_URL_FILE": f"{tmp_path}/missing"})
    assert caught.value.problems == ["EDGE_DATABASE_URL_FILE names a file that cannot be read"]


def test_nothing_shows_the_password() -> None:
    found = config.load({"EDGE_DATABASE_URL": DSN})
    assert "s3cret" not in repr(found)
    assert "s3cret" not in str(found)
    assert config.redacted(DSN) == "postgresql://***@db:5432/consult"
    assert "s3cret" not in config.redacted("postgresql://u:s3cret@[::1/x")
