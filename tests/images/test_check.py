"""Every claim holds for the clone and for a set of images in miniature, and what undoes it is found."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cp_whisperx import __version__
from cp_whisperx.errors import ArtifactInvalid, ConfigError
from cp_whisperx.images import bases, check, debs, layout, locks, sizes
from cp_whisperx.images.build import BuildPlan
from cp_whisperx.images.evidence import Check, Evidence
from cp_whisperx.images.recipe import Image, select
from tests.images.containers import ROOT, copy_of_the_clone, real_engine, require_images
from tests.images.layouts import FOLDER, UNCHECKED, File, Files, Made, elf, write

Set = dict[str, Made]
"""Images by the name of their target."""

IMAGES = select((), "cpu")
FOUNDING = {str(number) for number in range(1, 11)}
TARGETS = {"I7": 2e6, "I1a": 400e6, "I1b": 125e6, "I2a": 60e6, "I2b": 1e6, "I3": 1.3e9, "I11a": 0, "I11b": 0}
"""What was promised, written down a second time."""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return copy_of_the_clone(tmp_path / "clone")


def miniature(images: tuple[Image, ...] = IMAGES) -> Set:
    """Images that meet every claim: each layer has a file, each package its list of files."""
    root: Files = {"usr/lib/python3.11/os.py": File(b"os"), "usr/lib/python3.11/__pycache__/os.cpython-311.pyc":
                   File(UNCHECKED), "tmp": replace(FOLDER, mode=0o1777),
                   "licenses/debs": File((ROOT / debs.LOCK).read_bytes()),
                   **{f"licenses/{name}": File(name.encode()) for name in debs.wanted(ROOT)}}
    core: Files = {"app/cp_whisperx/__init__.py": File(b"core"),
                   "app/cp_whisperx/__pycache__/__init__.cpython-311.pyc": File(UNCHECKED)}
    stages: Files = {"app/cp_whisperx/stages/asr.py": File(b"stages"),
                     "app/cp_whisperx/stages/__pycache__/asr.cpython-311.pyc": File(UNCHECKED)}
    environment = ["CP_WHISPERX_MODELS=/models", "HF_HOME=/models/hub", "HF_HUB_OFFLINE=1",
                   "TORCH_HOME=/models/torch"]
    label = {f"org.opencontainers.image.{name}": value for name, value in {
        "source": "https://example.org", "revision": "0123abc", "version": __version__, "licenses": "MIT",
        "base.name": "python:3.11", "base.digest": bases.read(ROOT)[0].digest}.items()}
    return {image.target: Made(
        [root, *(python_layer(layer) for layer in image.layers), bill(image), core,
         *({f"app/cp_whisperx/{part}/a.pyc": File(UNCHECKED)} for part in image.code), stages],
        {"Env": environment.copy(), "Labels": label.copy(), "User": "65532:0", "StopSignal": "SIGTERM", "Cmd": ["/job"],
         "Entrypoint": ["/usr/bin/python3.11", "-m", "cp_whisperx.stages", image.stage]},
        ["COPY /rootfs/ / # buildkit"]) for image in images}


def bill(image: Image) -> Files:
    named = [("deb", deb.name, deb.version) for deb in debs.read(ROOT)]
    named += [("pypi", pin.name, pin.version) for layer in image.layers for pin in locks.read(ROOT, layer)
              if pin.wanted]
    components = [{"name": name, "version": version, "purl": f"pkg:{kind}/{name}@{version}"}
                  for kind, name, version in named]
    return {layout.BILL: File(json.dumps({"components": components}).encode())}


def python_layer(layer: str) -> Files:
    files: Files = {}
    for pin in locks.read(ROOT, layer):
        if pin.wanted:
            name = pin.name.replace("-", "_")
            files |= {f"site/{name}-{pin.version}.dist-info/RECORD": File(
                f"{name}/a.py,,\n{name}-{pin.version}.dist-info/RECORD,,\n".encode()),
                      f"site/{name}/a.py": File(pin.name.encode() * 10),
                      f"site/{name}/__pycache__/a.cpython-311.pyc": File(UNCHECKED)}
    return files


def stored(tmp_path: Path, made: Set, images: tuple[Image, ...] = IMAGES) -> layout.Layout:
    return write(tmp_path / "set.tar", {f"registry.test/x/{image.reference()}": made[image.target]
                                        for image in images if image.target in made})


def one(found: tuple[Check, ...], name: str) -> Check:
    return next(row for row in found if row.id == name)


def broken(found: Check, word: str) -> None:
    assert not found.met
    assert found.figure > found.limit
    assert any(word in line for line in found.detail), found.detail


# ---- the clone

def test_every_founding_item_has_a_claim() -> None:
    ids = [row.id for row in (*check.RECIPE, *check.CONTENT)]
    assert {re.sub(r"[a-z]$", "", name) for name in ids} >= FOUNDING
    assert len(ids) == len(set(ids))


def test_limits_are_the_targets() -> None:
    assert {row.id: row.limit for row in (*check.RECIPE, *check.CONTENT) if row.id in TARGETS} == TARGETS
    assert all(row.limit == 0 for row in (*check.RECIPE, *check.CONTENT) if row.unit == "faults")


@pytest.mark.parametrize("name", [row.id for row in check.RECIPE])
def test_the_clone_meets_its_claims(clone: Path, name: str) -> None:
    found = one(check.checks(clone, None, IMAGES), name)
    assert found.met, found.detail


def edited(name: str, old: str, new: str) -> Callable[[Path], object]:
    def edit(clone: Path) -> None:
        path = clone / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r} any more: mend this test"
        path.write_text(text.replace(old, new, 1))
    return edit


def added(name: str, text: str) -> Callable[[Path], object]:
    return lambda clone: (clone / name).open("a").write(text)


DOCKERFILE = "docker/Dockerfile"
MUX_DEBUG = "FROM mux-cpu AS mux-cpu-debug\n"
PIP_MOUNT = "    --mount=type=cache,id=cp-whisperx-pip,target=/root/.cache/pip,sharing=locked \\\n"
CHANGES: list[tuple[str, str, Callable[[Path], object]]] = [
    ("1", "docker/bases.lock", added(".dockerignore", "!docker/bases.lock\n")),
    ("1", "requirements/onnx.txt is not", edited(".dockerignore", "!requirements/onnx.txt\n", "")),
    ("1", "film.mkv", lambda clone: (edited(".dockerignore", "*\n", "")(clone), (clone / "film.mkv").write_text("x"))),
    ("1", "src/other", edited(DOCKERFILE, "source=src/cp_whisperx,", "source=src/other,")),
    ("I7", "big.bin", lambda clone: (clone / "src/cp_whisperx/big.bin").write_bytes(bytes(2_000_000))),
    ("2", "docker-clean", edited(DOCKERFILE, "rm -f /etc/apt/apt.conf.d/docker-clean; \\\n", "\\\n")),
    ("2", "docker-clean", edited(DOCKERFILE, "    rm -f /etc/apt/apt.conf.d/docker-clean; \\\n    apt-get update",
                                 "    apt-get install x; rm -f /etc/apt/apt.conf.d/docker-clean; apt-get update")),
    ("2", "not locked", edited(DOCKERFILE, ",sharing=locked", ",sharing=shared")),
    ("2", "not locked", edited(DOCKERFILE, ",sharing=locked", "")),
    ("2", "apt-get clean", edited(DOCKERFILE, "apt-get update", "apt-get clean; apt-get update")),
    ("2", "rm -rf /var/lib/apt/lists", added("docker/make-root", "rm -rf /var/lib/apt/lists/*\n")),
    ("2", "cd /var/cache/apt", added("docker/make-root", "cd /var/cache/apt && rm -rf archives\n")),
    ("2", "--no-cache", edited("docker/make-layer", "uv pip install", "uv pip install --no-cache")),
    ("2", "--no-cache-dir", edited(DOCKERFILE, "-m pip install", "-m pip install --no-cache-dir")),
    ("2", "2 ids (cp-whisperx-uv, mine)", edited(DOCKERFILE, "id=cp-whisperx-uv", "id=mine")),
    ("2", "no id", edited(DOCKERFILE, "type=cache,id=cp-whisperx-pip,", "type=cache,")),
    ("2", "pip downloads", edited(DOCKERFILE, PIP_MOUNT, "")),
    ("2", "apt-get downloads", edited(DOCKERFILE, "target=/var/lib/apt/lists,", "target=/var/lib/dpkg,")),
    ("2", "uv downloads", edited(DOCKERFILE, "target=/root/.cache/uv,", "target=/cache,")),
    ("3", "by no digest", lambda clone: (clone / DOCKERFILE).write_text(
        re.sub(r"@sha256:\w+", "", (clone / DOCKERFILE).read_text()))),
    ("3", "is used by no FROM", edited("docker/bases.lock", "sha256:", "sha256:" + "0" * 64 + "  # 2026-01-01\n#")),
    ("3", "FROM python", edited(DOCKERFILE, "@sha256:a", "@sha256:b")),
    ("3", "alpine:3", edited(DOCKERFILE, "--from=root", "--from=alpine:3")),
    ("3", "ubuntu:24.04", added(DOCKERFILE, "\nFROM ubuntu:24.04 AS other\n")),
    ("3", "frontend", lambda clone: (clone / DOCKERFILE).write_text(
        "# syntax=docker/dockerfile:1\n" + (clone / DOCKERFILE).read_text())),
    ("4", "docker/compose.yaml", edited("docker/compose.yaml", "read_only: true", "read_only: false")),
    ("4", "mux-cpu", edited("docker/docker-bake.hcl", 'target "mux-cpu" {', 'target "mux" {')),
    ("4", "2 bake files", lambda clone: (clone / "docker-bake.json").write_text("{}")),
    ("5a", "by no hash", lambda clone: (clone / "requirements/media.txt").write_text("av==18.1.0\n")),
    ("5a", "no exact version", added("requirements/media.txt", "numpy>=2 --hash=sha256:" + "0" * 64 + "\n")),
    ("5a", "torch has no place", added("requirements/asr.txt", "torch==2.9.0 --hash=sha256:" + "0" * 64 + "\n")),
    ("5a", "nvidia-cudnn-cu12", added("requirements/cuda.txt", "nvidia_cudnn-cu12==9.1 --hash=sha256:" + "0" * 64)),
    ("5a", "numpy is in requirements/array.txt", added("requirements/asr.txt",
                                                       "numpy==2.4.6 --hash=sha256:" + "0" * 64 + "\n")),
    ("5a", "--index-url", added("requirements/base.txt", "--index-url https://example.org\n")),
    ("8a", "zlib1g stands after zzz", edited("docker/packages.txt", "zlib1g", "zzz\nzlib1g")),
    ("8a", "there twice", added("docker/packages.txt", "zlib1g\n")),
    ("8a", "2 lists", lambda clone: (clone / "docker/more-packages.txt").write_text("")),
    ("8a", "recommend", edited("docker/make-root", "--no-install-recommends ", "")),
    ("8a", "not sorted", edited(DOCKERFILE, "binutils busybox-static", "busybox-static binutils")),
    ("10b", "no stage mux-cpu-debug", edited(DOCKERFILE, MUX_DEBUG, "FROM mux-cpu AS mux-shell\n")),
    ("10b", "mux-cpu-debug adds no shell", edited(
        DOCKERFILE, MUX_DEBUG + "COPY --link --from=shell /shell/ /", MUX_DEBUG)),
]


@pytest.mark.parametrize(("name", "word", "change"), CHANGES, ids=[f"{row[0]}: {row[1]}" for row in CHANGES])
def test_a_change_that_undoes_a_claim_is_found(clone: Path, name: str, word: str,
                                               change: Callable[[Path], object]) -> None:
    change(clone)
    broken(one(check.checks(clone, None, IMAGES), name), word)


@pytest.mark.parametrize(("wrong", "word"), [
    ((), "mux-cpu does not say"),
    (("--set", "{}.cache-to=type=registry,ref=r/cache:one,mode=min"), "overwrites another target's"),
    (("--set", "{}.cache-from=type=registry,ref=r/c", "--set", "{}.cache-to=type=registry,ref=r/c:{},mode=max"),
     f"{len(IMAGES)} targets export every step")])
def test_a_cache_that_is_not_exported_well_is_found(monkeypatch: pytest.MonkeyPatch, wrong: tuple[str, ...],
                                                    word: str) -> None:
    monkeypatch.setattr(BuildPlan, "_cache_arguments",
                        lambda self, image, target: [part.replace("{}", target) for part in wrong])
    broken(one(check.checks(ROOT, None, IMAGES), "9"), word)


# ---- the images

def test_images_in_miniature_meet_every_claim(tmp_path: Path, clone: Path) -> None:
    for found in check.checks(clone, stored(tmp_path, miniature()), IMAGES):
        assert found.met, (found.id, found.detail)


def in_layer(number: int, files: Files) -> Callable[[Set], object]:
    """Adds files to one layer of the image of mux: 0 is the root, -1 the code."""
    return lambda made: made["mux-cpu"].layers[number].update(files)


def in_config(key: str, value: object) -> Callable[[Set], object]:
    return lambda made: made["mux-cpu"].config.update({key: value})


def without(target: str, layer: int, part: str) -> Callable[[Set], object]:
    def take(made: Set) -> None:
        files = made[target].layers[layer]
        for path in [path for path in files if part in path]:
            del files[path]
    return take


PYC = "site/av/__pycache__/a.cpython-311.pyc"
ENTRYPOINT = ["/usr/bin/python3.11", "-m", "cp_whisperx.stages", "mux"]
FLAWS: list[tuple[str, str, Callable[[Set], object]]] = [
    ("5b", "holds torch 2.9", in_layer(2, {"site/torch-2.9.dist-info/RECORD": File()})),
    ("5b", "holds av 17.0.0", in_layer(2, {"site/av-17.0.0.dist-info/RECORD": File()})),
    ("5b", "mux-cpu lacks av", without("mux-cpu", 2, "av-")),
    ("6a", "usr/bin/gcc: a tool", in_layer(0, {"usr/bin/gcc": File(b"x")})),
    ("6a", "builds packages", in_layer(2, {"site/pip/main.txt": File(b"x")})),
    ("6a", "builds packages", in_layer(0, {"usr/lib/python3.11/ensurepip/x": File(b"x")})),
    ("6a", "a.h: for building", in_layer(2, {"site/numpy/a.h": File(b"x")})),
    ("6a", "a.a: for building", in_layer(2, {"site/numpy/a.a": File(b"x")})),
    ("6a", "a.whl: for building", in_layer(2, {"wheels/a.whl": File(b"x")})),
    ("6a", "tests", in_layer(2, {"site/numpy/tests/data.txt": File(b"x")})),
    ("6b", "site/av/a.py is not compiled", without("mux-cpu", 2, "pycache")),
    ("6b", "checked against", in_layer(2, {PYC: File(UNCHECKED[:4] + b"\x00" + UNCHECKED[5:])})),
    ("6b", "checked against", in_layer(2, {PYC: File(UNCHECKED[:4] + b"\x03" + UNCHECKED[5:])})),
    ("6b", "another Python", in_layer(2, {PYC: File(b"\xcb\x0d\x0d\x0a" + UNCHECKED[4:])})),
    ("6b", "no source", in_layer(2, {"site/av/__pycache__/gone.cpython-311.pyc": File(UNCHECKED)})),
    ("6c", "a.so has a symbol table of 999", in_layer(2, {"site/av/a.so": File(elf(999))})),
    ("7a", "assets/silero.onnx: a model", in_layer(2, {"site/x/assets/silero.onnx": File(bytes(100_001))})),
    ("7a", "model.bin", in_layer(-1, {"app/model.bin": File(bytes(200_000))})),
    ("7b", "give away HF_TOKEN", in_config("Env", ["HF_TOKEN=abc"])),
    ("7b", "give away password", in_config("Labels", {"password": "abc"})),
    ("7b", "give away RUN pip install", lambda made: made["mux-cpu"].history.append(
        "RUN pip install --index https://me:word@example.org/simple")),
    ("7b", "app/settings looks", in_layer(-1, {"app/settings": File(b"hf_" + b"a" * 34)})),
    ("7b", ".netrc looks", in_layer(0, {"root/.netrc": File(b"machine x")})),
    ("7c", "HF_HOME is /root", lambda made: made["mux-cpu"].config["Env"].__setitem__(1, "HF_HOME=/root/.cache")),
    ("7c", "HF_HUB_OFFLINE is None", lambda made: made["mux-cpu"].config["Env"].remove("HF_HUB_OFFLINE=1")),
    ("7c", "TRANSFORMERS_CACHE is set", lambda made: made["mux-cpu"].config["Env"].append("TRANSFORMERS_CACHE=/m")),
    ("8b", "var/lib/dpkg/status", in_layer(0, {"var/lib/dpkg/status": File(b"x")})),
    ("8b", "etc/apt", in_layer(0, {"etc/apt/sources.list": File(b"x")})),
    ("10a", "bin/sh: a shell", in_layer(0, {"bin/sh": File(kind=b"2", target="busybox")})),
    ("10a", "usr/bin/apt-get: a package manager", in_layer(0, {"usr/bin/apt-get": File(b"x")})),
    ("10a", "setuid", in_layer(0, {"usr/bin/su": File(b"x", 0o755 | stat.S_ISUID)})),
    ("10a", "setuid", in_layer(0, {"usr/bin/wall": File(b"x", 0o755 | stat.S_ISGID)})),
    ("10a", "anyone may write", in_layer(-1, {"app/x": File(b"x", 0o666)})),
    ("C1", "the layer stages is not the one of",
     lambda made: made["mux-cpu"].layers.__setitem__(-1, {"app/y": File()})),
    ("C1", "layers; its plan has", lambda made: made["mux-cpu"].layers.append({})),
    ("C2", "its user is root", in_config("User", "")),
    ("C2", "its user is 0:0", in_config("User", "0:0")),
    ("C2", "its user is app", in_config("User", "app")),
    ("C2", "its user is 1000:1000", in_config("User", "1000:1000")),
    ("C2", "its entrypoint is", in_config("Entrypoint", ["/bin/sh", "-c", " ".join(ENTRYPOINT)])),
    ("C2", "stopped by None", in_config("StopSignal", None)),
    ("C2", "health check", in_config("Healthcheck", {"Test": ["CMD", "true"]})),
    ("C3", "revision is missing", lambda made: made["mux-cpu"].config["Labels"].pop(
        "org.opencontainers.image.revision")),
    ("C3", "base.digest is sha256:other", lambda made: made["mux-cpu"].config["Labels"].update(
        {"org.opencontainers.image.base.digest": "sha256:other"})),
    ("C4", "licenses/zlib1g is missing", without("mux-cpu", 0, "licenses/zlib1g")),
    ("C4", "licenses/nano is of no package", in_layer(0, {"licenses/nano": File(b"x")})),
    ("I11a", "the layer stages replaces licenses/zlib1g", in_layer(-1, {"licenses/zlib1g": File(b"x")})),
    ("I11a", "removes usr/lib/.wh.python3.11", in_layer(-1, {"usr/lib/.wh.python3.11": File()})),
    ("I11b", "70.0 kB in root:a and stages:app/b", lambda made: (in_layer(0, {"a": File(bytes(70_000))})(made),
                                                               in_layer(-1, {"app/b": File(bytes(70_000))})(made))),
]


@pytest.mark.parametrize(("name", "word", "change"), FLAWS, ids=[f"{row[0]}: {row[1]}" for row in FLAWS])
def test_a_flaw_in_an_image_is_found(tmp_path: Path, name: str, word: str, change: Callable[[Set], object]) -> None:
    made = miniature()
    change(made)
    broken(one(check.checks(ROOT, stored(tmp_path, made), IMAGES), name), word)


@pytest.mark.parametrize("files", [
    {"site/av.libs/a.so": File(elf(999))}, {"site/x/tiny.onnx": File(bytes(1000))},
    {"usr/lib/python3.11/link.py": File(kind=b"2", target="os.py"),
     "usr/lib/python3.11/__pycache__/link.cpython-311.pyc": File(UNCHECKED)},
    {"site/av/latest": File(b"x"), "site/av/contest/a": File(b"x")}])
def test_what_is_allowed_is_not_refused(tmp_path: Path, files: Files) -> None:
    made = miniature()
    for image in made.values():
        image.layers[0].update(files)
    for found in check.checks(ROOT, stored(tmp_path, made), IMAGES):
        # That these files are of no package is another matter.
        assert found.met or found.id == "C5", (found.id, found.detail)


@pytest.mark.parametrize("name", ["I1a", "I1b", "I2a", "I2b", "I3"])
def test_sizes_over_their_limit_are_broken_and_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                         name: str) -> None:
    images = select((), None)
    row = next(row for row in check.CONTENT if row.id == name)
    content = stored(tmp_path, miniature(images), images)
    found = one(check.checks(ROOT, content, images), name)
    assert 0 < found.figure <= found.limit
    monkeypatch.setattr(check, "CONTENT", (replace(row, limit=found.figure - 1),))
    word = "layer" if row.measure == sizes.set_compressed else "bytes  "
    broken(one(check.checks(ROOT, content, images), name), word)


def test_a_claim_on_a_variant_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    ids = [row.id for row in check.checks(ROOT, stored(tmp_path, miniature()), IMAGES)]
    assert "I1a" in ids
    assert "I3" not in ids


def test_each_layer_counts_once(tmp_path: Path) -> None:
    made = miniature()
    found = one(check.checks(ROOT, stored(tmp_path, made), IMAGES), "I1a")
    contents = {tuple(sorted((path, file.content) for path, file in layer.items()))
                for image in made.values() for layer in image.layers}
    assert found.figure == sum(len(content) for layer in contents for _, content in layer)


def test_an_image_over_its_budget_is_explained_by_package(tmp_path: Path, clone: Path) -> None:
    content = stored(tmp_path, miniature())
    evidence = Evidence(clone, IMAGES, content)
    text = sizes.today(evidence)
    (clone / sizes.BUDGETS).write_text(re.sub(r"(\[mux-cpu\]\nunpacked = )\d+", r"\g<1>10", text))
    found = one(check.checks(clone, content, IMAGES), "B")
    assert not found.met
    assert re.match(r"mux-cpu: unpacked is \d+ bytes, \d+ over its budget", found.detail[0])
    assert any(re.search(r"\d+ bytes  av 18", line) for line in found.detail), found.detail
    assert not any("demux" in line for line in found.detail)


def test_an_image_without_a_budget_is_a_breach(tmp_path: Path, clone: Path) -> None:
    (clone / sizes.BUDGETS).write_text("")
    broken(one(check.checks(clone, stored(tmp_path, miniature()), IMAGES), "B"), "mux-cpu: no budget for unpacked")


@pytest.mark.parametrize("text", ["mux-cpu = 3", "[mux-cpu]\nunpacked = 'much'"])
def test_a_budget_that_cannot_be_read_is_said(tmp_path: Path, clone: Path, text: str) -> None:
    (clone / sizes.BUDGETS).write_text(text)
    with pytest.raises(ArtifactInvalid, match="mux-cpu"):
        check.checks(clone, stored(tmp_path, miniature()), IMAGES)


def test_budgets_stay_within_the_targets(clone: Path) -> None:
    agreed = sizes._read(Evidence(clone, IMAGES, None))
    assert agreed["set-cpu"]["unpacked"] <= 400e6
    assert agreed["set-cpu"]["compressed"] <= 125e6
    assert all(agreed[image.target]["unpacked"] <= 60e6 for image in IMAGES if image.layers == ("base",))


def test_an_image_that_the_layout_lacks_is_named(tmp_path: Path) -> None:
    made = miniature()
    del made["asr-cpu"]
    with pytest.raises(ConfigError, match="does not hold cp-whisperx-app-asr:cpu"):
        check.checks(ROOT, stored(tmp_path, made), IMAGES)


@pytest.mark.parametrize(("marker", "wanted"), [
    ("", True), ("python_full_version < '3.12'", True), ("python_full_version >= '3.12'", False),
    ("python_full_version >= '3.9'", True), ("sys_platform != 'emscripten'", True), ("sys_platform == 'win32'", False),
    ("python_full_version >= '3.12' and sys_platform == 'linux'", False),
    ("python_full_version >= '3.12' or sys_platform == 'linux'", True),
    ("(platform_machine == 'x86_64') and os_name == 'posix'", True)])
def test_markers_are_read_for_the_images_system(marker: str, wanted: bool) -> None:
    assert locks.Pin("x", "1", marker, ()).wanted is wanted


def test_a_marker_of_another_kind_is_said() -> None:
    with pytest.raises(ArtifactInvalid, match="extra"):
        _ = locks.Pin("x", "1", "extra == 'y'", ()).wanted


@pytest.mark.parametrize(("figure", "unit", "said"), [
    (0, "faults", "0 faults"), (1, "faults", "1 fault"), (326_258_182, "bytes", "326.3 MB of 400.0 MB"),
    (64_000, "bytes", "64.0 kB of 400.0 MB")])
def test_a_figure_is_said_with_its_unit(figure: int, unit: str, said: str) -> None:
    assert str(Check("x", "y", figure, 400_000_000, True, (), unit)) == said


@pytest.mark.docker
def test_the_built_images_meet_every_claim(tmp_path: Path) -> None:
    require_images(IMAGES)
    content = layout.save(real_engine(), tuple(image.reference() for image in IMAGES), tmp_path / "images.tar")
    failed = {f"{found.id} {found.claim}: {found}": found.detail[:20]
              for found in check.checks(ROOT, content, IMAGES) if not found.met}
    assert not failed, os.linesep.join(map(str, failed.items()))
