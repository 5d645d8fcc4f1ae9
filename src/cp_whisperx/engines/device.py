"""Where CTranslate2 computes and in which number format, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

_FORMATS = {"cuda": ("float16", "int8_float16", "float32"), "cpu": ("int8", "float32")}
"""Best first: float16 needs tensor cores; int8 on a CPU is the fastest at nearly the same text."""


@dataclass(frozen=True, slots=True)
class Device:
    name: str
    compute_type: str
    reason: str


def choose(wanted: str) -> Device:
    """`wanted` is auto, cpu or cuda; cuda that is not there becomes cpu, and the reason says so."""
    import ctranslate2

    cards = ctranslate2.get_cuda_device_count()
    if wanted == "cpu":
        return _with_format("cpu", "asked for")
    if cards:
        return _with_format("cuda", "asked for" if wanted == "cuda" else f"{cards} CUDA device(s) found")
    return _with_format("cpu", "no CUDA device" + (" although cuda was asked for" if wanted == "cuda" else ""))


def _with_format(name: str, reason: str) -> Device:
    import ctranslate2

    supported = ctranslate2.get_supported_compute_types(name)
    compute_type = next((form for form in _FORMATS[name] if form in supported), "default")
    return Device(name, compute_type, reason)
