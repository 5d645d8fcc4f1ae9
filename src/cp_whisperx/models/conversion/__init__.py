"""From torch checkpoints, as registry packages carry them, to the ONNX files that stages run. No torch is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from cp_whisperx import publish
from cp_whisperx.errors import EngineError
from cp_whisperx.models.catalog import MANIFEST, Conversion
from cp_whisperx.models.conversion import campplus, segmentation, speaker

CONVERTERS: Mapping[str, Callable[[Path, Path], None]] = {
    "pyannet": segmentation.convert,
    "pyannet-powerset": segmentation.convert_powerset,
    "ge2e": speaker.convert,
    "campplus": campplus.convert,
}
"""By network: checkpoint in, ONNX file out."""


def convert(conversion: Conversion, folder: Path) -> None:
    """Puts the converted model and its manifest in the place of the checkpoint that lies in `folder`.

    Raises EngineError if the checkpoint is not the catalogued one, or cannot be converted.
    """
    checkpoint = folder / conversion.checkpoint.name
    if (checkpoint.stat().st_size != conversion.checkpoint.size
            or publish.sha256(checkpoint) != conversion.checkpoint.sha256):
        raise EngineError(f"{checkpoint.name} came with other bytes than catalogued; it was not converted")
    CONVERTERS[conversion.network](checkpoint, folder / conversion.file)
    (folder / MANIFEST).write_text(conversion.manifest, encoding="utf-8", newline="\n")
    checkpoint.unlink()
