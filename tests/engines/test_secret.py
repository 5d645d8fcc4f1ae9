from __future__ import annotations

from pathlib import Path

import pytest

from cp_whisperx.engines import secret
from cp_whisperx.errors import ConfigError
from tests.film.server import TOKEN

NAMES = ("TMDB_TOKEN", "TMDB_API_KEY")


@pytest.mark.parametrize(("environment", "found"), [
    ({}, ""),
    ({"TMDB_TOKEN": ""}, ""),
    ({"TMDB_TOKEN": "  \n"}, ""),
    ({"TMDB_TOKEN": f" {TOKEN}\n"}, TOKEN),
    ({"TMDB_API_KEY": "0123456789abcdef0123456789abcdef"}, "0123456789abcdef0123456789abcdef"),
    ({"TMDB_TOKEN": TOKEN, "TMDB_API_KEY": "0123456789abcdef0123456789abcdef"}, TOKEN),
    ({"TMDB_TOKEN_FILE": "{folder}/token"}, TOKEN),
    ({"TMDB_API_KEY_FILE": "{folder}/token"}, TOKEN),
])
def test_where_a_key_comes_from(environment: dict[str, str], found: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"\ufeff{TOKEN}\n", encoding="utf-8")
    environment = {name: value.format(folder=tmp_path) for name, value in environment.items()}
    assert secret.read(NAMES, environment) == found
    assert secret.configured(NAMES, environment) == any(environment.values())


@pytest.mark.parametrize("value", ["two words", "schlüssel12", "short", "x" * 5000, "a\r\nInjected: 1", "a\x00bcdefgh"])
def test_what_is_no_key_is_refused_without_being_told(value: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(value, encoding="utf-8")
    for environment in ({"TMDB_TOKEN": value}, {"TMDB_TOKEN_FILE": str(tmp_path / "token")}):
        with pytest.raises(ConfigError, match="holds no key") as caught:
            secret.read(NAMES, environment)
        assert value not in f"{caught.value} {caught.value.hint} {caught.value.log}"


@pytest.mark.parametrize("path", ["{folder}/none", "{folder}", "{folder}/binary"])
def test_a_file_that_cannot_be_read_is_one_sentence(path: str, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="TMDB_TOKEN_FILE names"):
        secret.read(NAMES, {"TMDB_TOKEN_FILE": path.format(folder=tmp_path)})
