"""The house as it was drawn: imports flow one way, every stage has what a stage needs, nothing heavy sneaks in."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from cp_whisperx.artifacts import Artifact
from cp_whisperx.settings import Settings
from cp_whisperx.stages import STAGES

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "cp_whisperx"

ORDER = ("demux", "tmdb", "pre-ner", "silero-vad", "pyannote-vad", "diarization", "asr", "post-ner", "subtitle-gen",
         "mux")

LAYERS = (
    ("errors", "__init__"),
    ("publish", "log", "timeline", "languages", "scripts", "romanise", "progress"),
    ("artifacts", "rttm", "scoring"),
    ("media", "engines", "film", "names", "subtitles", "models", "windows", "speakers", "diarization",
     "guards", "songs", "qc", "alignment", "carrying", "writing", "translation"),
    ("job",),
    ("stage",),
    ("stages",),
    ("images",),
    ("settings", "runners"),
    ("pipeline", "preflight"),
    ("cli",),
    ("__main__",),
)
"""Lowest first. A module imports from its own layer and from those below it."""

MEDIA_LIBRARY = "av"
HEAVY = ("torch", "av", "numpy", "onnxruntime", "ctranslate2", "faster_whisper", "huggingface_hub", "httpx2", "onnx",
         "guessit", "rapidfuzz", "zxcvbn", "click")
RUN_TIME_LAYERS = ("build", "base", "media", "array", "onnx", "names", "web", "hub", "asr", "align", "cli")
SIZE_LIMIT_MB = 500
"""450 until names and alignment came: pocketsphinx has 39 MB (27 of them a language model that images leave out),
rapidfuzz 12, guessit and its own 4."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part(path: Path) -> str:
    """The top-level part of the package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, bool]]:
    """Names a file imports, and whether it does so at module level (not in a function or for types alone)."""
    found = []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = {id(inner) for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
            for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) not in late) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(f"{node.module}.{alias.name}", id(node) not in late) for alias in node.names]
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_flow_down(path: Path) -> None:
    level = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    assert part(path) in level, f"{part(path)} has no layer: give it one in LAYERS and in docs/architecture.md"
    for name, _ in imports(path):
        if name.startswith("cp_whisperx."):
            other = name.split(".")[1]
            if other.startswith("_"):
                continue
            assert level[other] <= level[part(path)], f"{path} imports {name}, which is above it"


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_the_media_library_has_one_caller(path: Path) -> None:
    callers = {"media", "preflight"}
    names = [name for name, _ in imports(path) if name.split(".")[0] == MEDIA_LIBRARY]
    assert not names or part(path) in callers


def test_stages_import_nothing_heavy() -> None:
    """A stage's process imports only what it uses; the table of stages costs the core alone."""
    code = "import sys, cp_whisperx.stages.__main__; cp_whisperx.stages.STAGES; "
    code += f"print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_stages_import_nothing_that_only_some_images_hold() -> None:
    """docker/make-code puts these modules into the images that need them alone."""
    parts = re.findall(r'"(?:media|pull) ([\w/]+?)(?:\.pyc)?"', (ROOT / "docker/make-code").read_text())
    names = ["cp_whisperx." + part.replace("/", ".") for part in parts]
    assert len(names) >= 9
    code = "import sys, cp_whisperx.stages.__main__; cp_whisperx.stages.STAGES; "
    code += f"print([name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_files_stay_readable() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert max(lines.values()) <= 400, max(lines, key=lambda path: lines[path])
    assert sorted(lines.values())[len(lines) // 2] <= 150
    banned = re.compile(r"^(utils|helpers|common|manager|misc)$|^\d")
    assert not [path for path in modules() if banned.search(path.stem)]


def test_a_stage_loads_no_other() -> None:
    code = ("import sys, cp_whisperx.stages.__main__ as main; main.stages.find('tmdb'); "
            "print([name for name in main.stages.NAMES if f'cp_whisperx.stages.{name.replace(chr(45), chr(95))}' "
            "in sys.modules])")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == (
        "['tmdb']")


def test_stages_stand_in_their_order() -> None:
    names = [stage.name for stage in STAGES]
    assert names == [name for name in ORDER if name in names]


def test_artifacts_have_one_maker_and_needs_are_made_before() -> None:
    made: set[type[Artifact]] = set()
    for stage in STAGES:
        assert stage.makes.stage == stage.name
        assert stage.makes not in made
        assert set(stage.needs) <= made, f"{stage.name} needs what nobody has made before it"
        made.add(stage.makes)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_stage_is_complete(stage: object) -> None:
    name = getattr(stage, "name").replace("-", "_")  # noqa: B009
    assert (PACKAGE / "stages" / f"{name}.py").is_file()
    assert (ROOT / "tests" / "stages" / f"test_{name}.py").is_file(), f"{name} has no test"
    for layer in getattr(stage, "image").layers:  # noqa: B009
        assert (ROOT / "requirements" / f"{layer}.in").is_file()


def test_every_setting_is_explained() -> None:
    def walk(model: type[BaseModel], path: str) -> None:
        for name, field in model.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                walk(field.annotation, f"{path}{name}.")
            else:
                assert field.description, f"{path}{name} has no explanation"

    walk(Settings, "")


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_locks_are_hashed_and_tied_to_no_index(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text and "index" not in text.lower()
    pins = re.findall(r"^([a-z0-9-]+)==\S+(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert all("--hash=sha256:" in rest for _, rest in pins)


def test_everything_wanted_is_locked_once() -> None:
    """A lock holds what its layer adds to those before it, so no two layers bring the same package."""
    locked = [name for lock in (ROOT / "requirements").glob("*.txt") for name in
              set(re.findall(r"^([a-z0-9-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE))]
    assert len(locked) == len(set(locked))
    for source in (ROOT / "requirements").glob("*.in"):
        wanted = {re.split(r"[><=\[]", line)[0].strip().lower().replace("_", "-")
                  for line in source.read_text(encoding="utf-8").split()}
        assert wanted <= set(locked), "run: make lock"


def test_locks_agree_and_hold_no_torch() -> None:
    versions: dict[str, set[str]] = {}
    for lock in (ROOT / "requirements").glob("*.txt"):
        for name, version, rest in re.findall(r"^([a-z0-9-]+)==(\S+)(.*)$", lock.read_text(), re.MULTILINE):
            versions.setdefault(name + rest.split("\\")[0].strip(), set()).add(version)
    banned = {name for name in versions if re.match(r"(torch|nvidia|triton)", name)}
    assert banned == {"nvidia-cublas-cu12"}, "cuBLAS is the one library of CUDA that a wheel of ours needs"
    assert not {name: found for name, found in versions.items() if len(found) > 1}


def test_the_run_time_environment_is_small() -> None:
    """Everything that `cp-whisperx run` needs, as installed, with pip, without compiled caches."""
    names = {name for layer in RUN_TIME_LAYERS
             for name in re.findall(r"^([a-z0-9-]+)==", (ROOT / f"requirements/{layer}.txt").read_text(), re.MULTILINE)}
    size = 0
    for distribution in importlib.metadata.distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        assert not name.startswith(("torch", "nvidia", "triton"))
        if name in names | {"pip"}:
            size += sum(Path(str(file.locate())).stat().st_size for file in distribution.files or ()
                        if file.suffix != ".pyc" and Path(str(file.locate())).is_file())
    assert size / 1e6 <= SIZE_LIMIT_MB, f"{size / 1e6:.0f} MB"
