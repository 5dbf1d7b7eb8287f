from __future__ import annotations

import os
from pathlib import Path

import pytest

from registry.settings import Environment, Settings, SettingsError, read_settings


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("REGISTRY_")]:
        monkeypatch.delenv(name)


def test_without_any_setting_it_is_production_on_the_embedded_database() -> None:
    settings = read_settings(env_file=None)
    assert settings.env is Environment.PRODUCTION
    assert (settings.database_url, settings.data_dir, settings.province) == ("", Path("var"), "46")


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("REGISTRY_PORT=8100\nREGISTRY_HOST=0.0.0.0\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("REGISTRY_PORT", "8200")
    settings = read_settings(file)
    assert (settings.port, settings.host) == (8200, "0.0.0.0")  # noqa: S104  (read, not bound)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PORT", "eighty", "REGISTRY_PORT: "),
        ("PORT", "70000", "REGISTRY_PORT: "),
        ("ENV", "staging", "REGISTRY_ENV: "),
        ("PROVINCE", "Hainan", "REGISTRY_PROVINCE: "),
        ("DATABASE_URL", "mysql://root:hunter2@db", "REGISTRY_DATABASE_URL: it must begin with postgresql://"),
        ("PUBLIC_URL", "registry.example", "REGISTRY_PUBLIC_URL: it must begin with https:// or http://"),
        ("NOW", "2026-11-21T09:00:00+08:00", "REGISTRY_NOW is allowed only with REGISTRY_ENV=demo"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it_and_not_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(f"REGISTRY_{name}", value)
    with pytest.raises(SettingsError) as error:
        read_settings(env_file=None)
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)
    assert "hunter2" not in str(error.value)


def test_a_fixed_clock_needs_its_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_ENV", "demo")
    monkeypatch.setenv("REGISTRY_NOW", "2026-11-21T09:00:00")
    with pytest.raises(SettingsError, match="offset"):
        read_settings(env_file=None)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"key_dir": "keys"}, "REGISTRY_PUBLIC_URL"),
        ({"key_dir": "keys", "public_url": "http://registry.example"}, "REGISTRY_PUBLIC_URL"),
        ({"public_url": "https://registry.example"}, "REGISTRY_KEY_DIR"),
    ],
)
def test_production_does_not_serve_over_plain_http_or_with_keys_made_on_the_way(
    given: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsError, match=named):
        Settings.model_validate(given).ensure_fit_to_serve()


def test_production_serves_with_its_own_keys_behind_https() -> None:
    Settings.model_validate({"key_dir": "keys", "public_url": "https://registry.example/"}).ensure_fit_to_serve()


def test_a_demo_serves_as_it_is() -> None:
    settings = Settings.model_validate({"env": "demo"})
    settings.ensure_fit_to_serve()
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.keys == Path("var/keys")


def test_secrets_do_not_print() -> None:
    assert "hunter2" not in repr(Settings.model_validate({"demo_password": "hunter2"}))
