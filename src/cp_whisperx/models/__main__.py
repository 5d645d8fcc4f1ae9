"""`python -m cp_whisperx.models pull NAME…`: fills the model store. What the image for that executes."""

from __future__ import annotations

import argparse
import sys

from cp_whisperx import log as logs
from cp_whisperx.errors import CpWhisperxError
from cp_whisperx.models.sources import SOURCES
from cp_whisperx.models.store import ModelStore

_log = logs.get("models")


def main() -> int:
    parser = argparse.ArgumentParser(prog="cp_whisperx.models", description="Fills the model store.",
                                     epilog="example: python -m cp_whisperx.models pull base silero-vad")
    parser.add_argument("command", choices=("pull",))
    parser.add_argument("names", nargs="+", metavar="NAME", help="a model of the catalogue")
    names: list[str] = parser.parse_args().names
    logs.configure()
    store = ModelStore()
    try:
        for name in names:
            sys.stdout.write(f"{store.pull(name, [source() for source in SOURCES.values()])}\n")
    except CpWhisperxError as error:
        _log.error(f"{error.message} ({error.hint})" if error.hint else error.message)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
