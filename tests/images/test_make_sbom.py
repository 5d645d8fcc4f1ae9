"""docker/make-sbom, run as the Dockerfile runs it: on folders of installed packages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MAKE_SBOM = Path(__file__).parents[2] / "docker" / "make-sbom"


def bill(tmp_path: Path, *metadata: str) -> subprocess.CompletedProcess[str]:
    licenses, site = tmp_path / "licenses", tmp_path / "site"
    licenses.mkdir()
    (licenses / "debs").write_text("libc6 2.36-9 " + 64 * "a" + "\n")
    (licenses / "libc6").write_text("Format: 1.0\nLicense: LGPL-2.1+\n")
    for number, lines in enumerate(metadata):
        folder = site / f"thing{number}-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: Thing{number}\nVersion: 1.0\n{lines}\n")
    return subprocess.run([sys.executable, MAKE_SBOM, "asr-cpu", tmp_path / "bill", licenses, site],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize(("lines", "licences"), [
    ("License-Expression: MIT OR Apache-2.0", [{"expression": "MIT OR Apache-2.0"}]),
    ("License-Expression: LicenseRef-NVIDIA-Proprietary", [{"license": {"name": "LicenseRef-NVIDIA-Proprietary"}}]),
    ("Classifier: License :: OSI Approved :: BSD License\nLicense: see LICENSE",
     [{"license": {"name": "BSD License"}}]),
    ("License: MIT\n  and more words", [{"license": {"name": "MIT"}}]),
])
def test_licence_as_the_package_states_it(tmp_path: Path, lines: str, licences: list[object]) -> None:
    done = bill(tmp_path, lines)
    assert done.returncode == 0, done.stdout
    made = json.loads((tmp_path / "bill/licenses/sbom.cdx.json").read_text())
    assert {one["name"]: one.get("licenses") for one in made["components"]} == {
        "libc6": [{"license": {"name": "LGPL-2.1+"}}], "thing0": licences}


def test_package_without_a_licence_stops_the_build(tmp_path: Path) -> None:
    done = bill(tmp_path, "License: MIT", "Summary: nothing said")
    assert done.returncode != 0
    assert done.stdout.splitlines()[-1] == "make-sbom: no licence is stated by thing1"
