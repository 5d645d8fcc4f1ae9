from __future__ import annotations

from pathlib import Path

import pytest

from cp_whisperx.errors import ConfigError
from cp_whisperx.names import corrections
from cp_whisperx.names.corrections import Corrections, Veto


def test_what_is_written_is_read(tmp_path: Path) -> None:
    said = Corrections().with_added("Kuljeet", 'D"Souza', "सिमरन", "Kuljeet").with_vetoes(
        Veto("Bald Ev", "Baldev"), Veto("Simon", "Simran", 83.25), Veto("Bald Ev", "Baldev"))
    path = corrections.write(tmp_path, said)
    assert path.name == "names.toml" and corrections.read(tmp_path) == said
    assert len(said.add) == 3 and len(said.veto) == 2


def test_no_file_says_nothing(tmp_path: Path) -> None:
    assert corrections.read(tmp_path) == Corrections()


@pytest.mark.parametrize(("text", "found"), [
    ("Simon -> Simran", Veto("Simon", "Simran")), ("  Bal Dev→Baldev @ 7.5", Veto("Bal Dev", "Baldev", 7.5))])
def test_vetoes_are_read(text: str, found: Veto) -> None:
    assert Veto.parse(text) == found and Veto.parse(str(found)) == found


REFUSED = {
    "no TOML": b"add = [", "another encoding": "add = ['é']".encode("latin-1"), "an unknown key": b'vetos = ["a -> b"]',
    "a text for a list": b'add = "Kuljeet"', "a number in a list": b"add = [1]", "an empty name": b'add = [" "]',
    "half a veto": b'veto = ["Simon"]', "huge": b"#" * 300_000, "deep": b"add = " + b"[" * 50_000,
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_file_is_told_in_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "names.toml").write_bytes(REFUSED[name])
    with pytest.raises(ConfigError, match="cannot be used") as caught:
        corrections.read(tmp_path)
    assert "\n" not in caught.value.message and caught.value.hint


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "names.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        corrections.read(tmp_path)
