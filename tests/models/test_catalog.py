from __future__ import annotations

import re
from importlib import resources

import pytest
from pydantic import ValidationError

from cp_whisperx.errors import ConfigError
from cp_whisperx.models.catalog import Model, catalog, find
from cp_whisperx.models.store import is_path

MODELS = pytest.mark.parametrize("model", catalog().values(), ids=lambda model: model.name)


@MODELS
def test_every_file_is_pinned(model: Model) -> None:
    assert model.files
    for file in model.files:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.size > 0
    assert len({file.name for file in model.files}) == len(model.files)


@MODELS
def test_every_source_is_pinned(model: Model) -> None:
    assert model.hub or model.packages, "nobody brings it"
    if model.hub:
        assert re.fullmatch("[0-9a-f]{40}", model.hub.revision)
    for package in model.packages:
        assert re.fullmatch(r"[a-z0-9-]+==\d+(\.\d+)*", package.requirement)
        assert re.fullmatch("[0-9a-f]{64}", package.sha256)


@MODELS
def test_packages_carry_exactly_the_files(model: Model) -> None:
    if model.packages:
        carried = {member.file for package in model.packages for member in package.members}
        wanted = {model.conversion.checkpoint.name} if model.conversion else {file.name for file in model.files}
        assert carried == wanted


@MODELS
def test_a_person_knows_what_it_is(model: Model) -> None:
    assert model.about and model.licence
    assert not is_path(model.name)


def test_names_and_bytes_are_unique() -> None:
    text = resources.files("cp_whisperx.models").joinpath("catalog.toml").read_text(encoding="utf-8")
    assert re.findall(r'^\["([^"]+)"\]$', text, re.MULTILINE) == list(catalog())
    assert len({model.folder for model in catalog().values()}) == len(catalog())


@pytest.mark.parametrize(("asked", "hint"), [
    ("bse", "did you mean base?"),
    ("large-v3-trubo", "did you mean large-v3-turbo?"),
    ("silero", "did you mean silero-vad?"),
    ("qqqq", "`cp-whisperx models list` shows all; a folder works as well"),
    ("", "`cp-whisperx models list` shows all; a folder works as well"),
])
def test_an_unknown_name_gives_the_nearest(asked: str, hint: str) -> None:
    with pytest.raises(ConfigError, match="there is no model called") as caught:
        find(asked)
    assert caught.value.hint == hint


WRONG = {
    "short sha256": {"files": [{"name": "a", "size": 1, "sha256": "ab"}]},
    "no bytes": {"files": [{"name": "a", "size": 0, "sha256": "a" * 64}]},
    "no files": {"files": []},
    "a path for a name": {"files": [{"name": "../a", "size": 1, "sha256": "a" * 64}]},
    "a branch for a revision": {"hub": {"repository": "a/b", "revision": "main"}},
    "an unknown key": {"colour": "red"},
    "an unknown kind": {"kind": "magic"},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_wrong_entry_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Model.model_validate(find("base").model_dump() | change)


def test_the_folder_follows_the_bytes() -> None:
    model = find("silero-vad")
    other = model.model_copy(update={"files": (model.files[0].model_copy(update={"sha256": "0" * 64}),)})
    assert model.folder != other.folder
    assert model.folder.startswith("silero-vad-")
