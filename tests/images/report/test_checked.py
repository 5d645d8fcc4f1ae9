"""What bench/checked.py writes is what the report reads."""

from __future__ import annotations

from pathlib import Path

from bench.checked import describe
from cp_whisperx.images import recipe
from cp_whisperx.images.evidence import Evidence
from cp_whisperx.images.report.measured import Results, at
from cp_whisperx.images.report.status import gather
from cp_whisperx.images.report.table import read
from tests.images.report.conftest import Put
from tests.images.test_check import IMAGES, miniature, stored

ROOT = recipe.root(Path(__file__).parent)


def test_checks_and_layers_of_images_are_found_where_they_were_put(tmp_path: Path, clone: Path, put: Put) -> None:
    written = describe(Evidence(ROOT, IMAGES, stored(tmp_path, miniature())))
    path = put("check", **written)
    table = read(ROOT)
    status = gather(ROOT, table, Results(path.parent))
    shown = {one.what: one for item in status.items for one in item.evidence if one.what.startswith("check ")}
    assert len(shown) >= 20 and {one.state for one in shown.values()} == {"ok"}
    layers, = at(written, table.layers.path)
    assert {image.target for image in IMAGES} == set(layers)
    assert layers["mux-cpu"][0]["layer"] == "root"
    assert all(one[table.layers.size] >= 0 for rows in layers.values() for one in rows)
    read_here = [name for name, one in table.figures.items() if one.result == "check"]
    assert read_here and all(status.results.reading(table.figures[name]) for name in read_here)
