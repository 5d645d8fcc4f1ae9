"""Silero VAD version 6 in onnxruntime: a speech probability for every 32 ms.

The model sees 512 samples with the 64 before them, and carries an LSTM state; the sequence export takes many
frames a call (https://github.com/snakers4/silero-vad, MIT). A call of 512 frames holds 15 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cp_whisperx.errors import EngineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cp_whisperx.engines.protocols import Waveform

FRAME = 512
_CONTEXT = 64
_STATE = (1, 1, 128)


class SileroDetector:
    frame_samples = FRAME

    def __init__(self, model: Path, *, threads: int = 1) -> None:
        """Raises EngineError if onnxruntime cannot load the model."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(model / "silero_vad.onnx"), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise EngineError(f"the speech detector in {model} cannot be loaded ({error})",
                              hint="run: cp-whisperx models verify silero-vad") from error
        self.version = f"silero 6, onnxruntime {onnxruntime.__version__}"

    def probabilities(self, blocks: Iterator[Waveform]) -> Iterator[NDArray[np.float32]]:
        import numpy as np

        hidden = np.zeros(_STATE, np.float32)
        cell = np.zeros(_STATE, np.float32)
        before = np.zeros(_CONTEXT, np.float32)
        for block in blocks:
            frames = -(-block.size // FRAME)
            if not frames:
                continue
            padded = np.zeros(_CONTEXT + frames * FRAME, np.float32)
            padded[:_CONTEXT] = before
            padded[_CONTEXT:_CONTEXT + block.size] = block
            before = padded[-_CONTEXT:].copy()
            views = np.lib.stride_tricks.sliding_window_view(padded, _CONTEXT + FRAME)[::FRAME]
            heard, hidden, cell = self._session.run(
                ("speech_probs", "hn", "cn"), {"input": np.ascontiguousarray(views), "h": hidden, "c": cell})
            yield heard.reshape(-1)
