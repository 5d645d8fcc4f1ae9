from __future__ import annotations

from pathlib import Path

import pytest

from cp_whisperx.models import catalog
from cp_whisperx.models.catalog import Model
from cp_whisperx.models.store import ModelStore
from tests.models.toy import BYTES, Given, model_of


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Model:
    """The one model of the catalogue for the length of a test."""
    model = model_of(BYTES)
    monkeypatch.setattr(catalog, "catalog", lambda: {"toy": model})
    return model


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "store")


@pytest.fixture
def given(tmp_path: Path) -> Given:
    return Given(tmp_path / "fetched")
