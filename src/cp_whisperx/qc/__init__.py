"""The quality report of a film's subtitles: one JSON file for programs, one page for a person.

The page is a single file without anything from elsewhere: it opens from a disk, prints, and is searched like text.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from cp_whisperx.qc.data import Change, Drop, QcData, RuleFinding, RuleOutcome, Voice
from cp_whisperx.qc.gather import gather
from cp_whisperx.qc.page import page
from cp_whisperx.qc.peaks import PEAKS_PER_S, peaks

__all__ = ["PEAKS_PER_S", "Change", "Drop", "QcData", "RuleFinding", "RuleOutcome", "Voice", "gather", "peaks",
           "write_report"]

JSON, HTML = "qc.json", "qc.html"


def write_report(folder: Path, data: QcData) -> tuple[Path, Path]:
    """Writes qc.json and qc.html into `folder`; the same data give the same bytes."""
    plain = data.as_dict()
    written = folder / JSON, folder / HTML
    written[0].write_text(json.dumps(plain, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    plain["peaks"] = base64.b64encode(data.peaks).decode()
    plain["peaks_per_s"] = PEAKS_PER_S
    written[1].write_text(page(data, plain), encoding="utf-8", newline="\n")
    return written
