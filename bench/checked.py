"""`python bench/checked.py [--variant cuda]`: every check of the built images, and their layers by size, as dated JSON.

What `cp-whisperx images check` says, written down, so that the status report has the evidence and the sizes by layer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from cp_whisperx import settings
from cp_whisperx.images import check, engine, layout, recipe, results
from cp_whisperx.images.evidence import Evidence

_CLONE = Path(__file__).parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", choices=("cpu", "cuda"), default="cpu")
    asked = parser.parse_args()
    images, found = recipe.select((), asked.variant), engine.find()
    references = tuple(image.reference(settings.load({}).images.registry) for image in images)
    with tempfile.TemporaryDirectory() as work:
        written = describe(Evidence(_CLONE, images, layout.save(found, references, Path(work) / "images.tar")))
    name = "check" if asked.variant == "cpu" else "check-cuda"
    print(results.write(_CLONE, name, f"the checks of the :{asked.variant} images, and their layers",
                        {"engine": found.label, **written}))
    return 0 if all(one["met"] for one in written["checks"].values()) else 1


def describe(evidence: Evidence) -> dict[str, Any]:
    """Checks by id; layers of each image from the bottom, in bytes."""
    found = check.checks(evidence.clone, evidence.layout, evidence.images)
    return {
        "checks": {one.id: {"claim": one.claim, "figure": one.figure, "limit": one.limit, "unit": one.unit,
                            "met": one.met, "detail": list(one.detail[:10])} for one in found},
        "images": {image.target: [{"layer": name, "unpacked": layer.unpacked, "compressed": layer.compressed}
                                  for name, layer in evidence.layers(image)] for image in evidence.images},
        "layers": [{"layer": name, "unpacked": layer.unpacked, "compressed": layer.compressed}
                   for name, layer in evidence.by_layer.values()]}


if __name__ == "__main__":
    sys.exit(main())
