"""Speaker segmentation by pyannote.audio itself, from a checkpoint of its own: for models that nobody has exported.

pyannote.audio brings torch. It is in no image and in no requirement of ours; whoever wants it installs it beside this
package, and describes the checkpoint in the manifest beside it:

    kind = "segmentation"
    engine = "pyannote.audio"
    file = "pytorch_model.bin"
    licence = "MIT"
    labels = "powerset"        # or "multilabel"
    outputs = "logits"         # pyannote's powerset models answer in log probabilities; leave it out for multilabel
    window_s = 10.0
    frames = 589

Its loader runs whatever code a checkpoint holds: load none that you do not trust.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cp_whisperx.engines.segmentation import Segmenter, first_line
from cp_whisperx.errors import EngineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TELEMETRY = "PYANNOTE_METRICS_ENABLED"


class PyannoteSegmenter(Segmenter):
    def __init__(self, model: Path, *, threads: int = 1) -> None:
        """`model` is a folder with a manifest. Raises ConfigError or EngineError if it cannot be used here."""
        # It tells its makers what is loaded, unless it is told not to before it is imported.
        os.environ[_TELEMETRY] = "0"
        try:
            import torch
            from pyannote.audio import Model, __version__
        except ImportError as error:
            raise EngineError(f"pyannote.audio, which the model in {model} asks for, is not installed ({error})",
                              hint="install it beside this package: pip install 'cp-whisperx-app[pyannote]'") from None
        except OSError as error:
            raise EngineError(f"pyannote.audio cannot be loaded here ({first_line(error)})",
                              hint="torch, torchaudio and torchcodec must fit each other and this machine") from None
        super().__init__(model, threads=threads, engine=f"pyannote.audio {__version__}")
        self._torch: Any = torch
        path = model / self.manifest.file
        try:
            # Windows are heard side by side; torch's own threads would only stand in each other's way.
            torch.set_num_threads(1)
            self._network: Any = Model.from_pretrained(str(path), map_location="cpu").eval()
        except Exception as error:
            raise EngineError(f"pyannote.audio cannot load {path} ({first_line(error)})",
                              hint="a checkpoint needs the packages that it was trained with; "
                                   "the first version of the segmentation needs omegaconf") from error

    def _answer(self, waves: NDArray[np.float32]) -> NDArray[np.float32]:
        import numpy as np

        with self._torch.inference_mode():
            return np.asarray(self._network(self._torch.from_numpy(np.ascontiguousarray(waves))).numpy(), np.float32)
