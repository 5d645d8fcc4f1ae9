"""Measuring is itself measured: what is planted has to be found, and named."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cp_whisperx.errors import ArtifactInvalid
from cp_whisperx.images import check_start, context, layout, ownership, sizes
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.evidence import Evidence
from cp_whisperx.images.measure import contents, opened, rebuilds, session, starts, table
from cp_whisperx.images.measure.sets import OurSet
from cp_whisperx.images.recipe import LAYERS, Image, select
from cp_whisperx.models.store import ModelStore
from tests.images.containers import ROOT, copy_of_the_clone, require_images
from tests.images.layouts import File, Files, Made, write
from tests.images.test_measure import Scripted, plan

IMAGES = select(("subtitle-gen", "silero-vad", "asr"), "cpu")
_RECORD = "{0}/a.so,,\n{0}-1.dist-info/RECORD,,\n"
MB_5 = File(bytes(5_000_000))
_LOCAL = """#!{python}
import os, sys
words = sys.argv[1:]
os.environ["PYTHONPATH"] = {path!r}
os.execv(sys.executable, [sys.executable, *words[words.index("--entrypoint") + 3:]])
"""
"""A `docker run --entrypoint P IMAGE …` that runs this interpreter instead."""


def layers(image: Image, planted: Files, where: str) -> list[Files]:
    """The layers of an image by its plan; `planted` comes on top of what the layer `where` has."""
    found: list[Files] = [{"usr/bin/python3.11": File(b"python"), "usr/lib/libc.so.6": File(bytes(300_000))}]
    for layer in image.layers:
        files = {f"site/{layer}-1.dist-info/RECORD": File(_RECORD.format(layer).encode()),
                 f"site/{layer}/a.so": File(layer.encode() * 40_000)}
        found.append(files | (planted if layer == where else {}))
    return [*found, {"licenses/sbom.cdx.json": File(image.target.encode())}, {"app/core.pyc": File(b"core")},
            *({f"app/{part}.pyc": File(part.encode())} for part in image.code), {"app/stages.pyc": File(b"stages")}]


def stored(path: Path, planted: Files | None = None, where: str = "array",
           change: Callable[[Image, list[Files]], list[Files]] = lambda image, made: made) -> layout.Layout:
    return write(path, {f"ours/{image.reference()}": Made(change(image, layers(image, planted or {}, where)))
                        for image in IMAGES})


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return copy_of_the_clone(tmp_path / "clone")


@pytest.mark.parametrize(("place", "named"), [
    ("site/array/tables.bin", r"\+50000\d\d bytes  array \(2000\d\d before\)"),
    ("site/stray.bin", r"\+5000000 bytes  site/stray.bin \(new\)"),
    ("usr/lib/libplanted.so.1", r"\+5000000 bytes  usr/lib/libplanted.so.1 \(new\)"),
])
def test_a_planted_file_of_5_mb_is_named_by_its_package(tmp_path: Path, clone: Path, place: str, named: str) -> None:
    before = Evidence(clone, IMAGES, stored(tmp_path / "before.tar"))
    (clone / sizes.BUDGETS).unlink()
    (clone / sizes.BUDGETS).write_text(sizes.today(before))
    assert sizes.budgets(before) == (0, ())
    planted = {place: MB_5}
    if "array/" in place:
        planted["site/array-1.dist-info/RECORD"] = File(f"{_RECORD.format('array')}array/tables.bin,,\n".encode())
    over, detail = sizes.budgets(Evidence(clone, IMAGES, stored(tmp_path / "after.tar", planted)))
    assert over > 3 * 4_900_000
    where = next(number for number, line in enumerate(detail) if line.startswith("set-cpu: unpacked is"))
    assert "since it was agreed grew:" in detail[where]
    assert re.fullmatch(named, detail[where + 1].strip())
    assert not [line for line in detail if line.startswith("subtitle-gen-cpu")], "it has no such layer"


def test_growth_below_two_percent_is_no_breach(tmp_path: Path, clone: Path) -> None:
    (clone / sizes.BUDGETS).unlink()
    (clone / sizes.BUDGETS).write_text(sizes.today(Evidence(clone, IMAGES, stored(tmp_path / "before.tar"))))
    whole = sum(layer.unpacked for layer in layout.unique(stored(tmp_path / "again.tar").images))
    for share, met in ((0.019, True), (0.021, False)):
        more = {"site/array/more.bin": File(bytes(int(whole * share)))}
        _, detail = sizes.budgets(Evidence(clone, IMAGES, stored(tmp_path / f"{share}.tar", more)))
        assert bool([line for line in detail if line.startswith("set-cpu: unpacked")]) is not met


def test_an_agreement_keeps_what_it_does_not_concern(tmp_path: Path, clone: Path) -> None:
    (clone / sizes.BUDGETS).write_text("[asr-cuda]\nunpacked = 7\n[start]\nmilliseconds = 900\n")
    text = sizes.today(Evidence(clone, IMAGES, stored(tmp_path / "images.tar")))
    assert "[asr-cuda]\nunpacked = 7\n" in text
    assert "[start]\nmilliseconds = 900\n" in text
    (clone / sizes.BUDGETS).write_text(text)
    assert sizes.today(Evidence(clone, IMAGES, stored(tmp_path / "same.tar"))) == text


def test_a_planted_file_in_the_context_is_named(tmp_path: Path, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "--quiet", str(clone)], check=True)
    (clone / "src/cp_whisperx/planted.bin").write_bytes(bytes(5_000_000))
    (clone / "film.mkv").write_bytes(bytes(5_000_000))
    monkeypatch.setattr(rebuilds, "sent", lambda session, one: 0.1)
    engine = Scripted()
    ours = OurSet(plan(clone), engine, tmp_path, layer="onnx")
    made = session.Session(plan(clone), engine, tmp_path, {"ours": ours},
                           ModelStore(tmp_path), built={"ours"})
    found, _ = rebuilds.context_size(made, row("context"))
    assert found.met is False
    assert found.detail[0] == "ours: 5000000 bytes  src/cp_whisperx/planted.bin"
    assert "film.mkv" not in context.held(ours.clone), "the allow-list holds"


def row(name: str) -> session.Measurement:
    return next(one for one in table.TABLE if one.name == name)


def swapped(image: Image, made: list[Files]) -> list[Files]:
    """asr with two layers in another order."""
    if image.stage == "asr":
        made[1], made[2] = made[2], made[1]
    return made


def test_a_planted_second_order_of_layers_is_named(tmp_path: Path, clone: Path) -> None:
    assert contents.misplaced(Evidence(clone, IMAGES, stored(tmp_path / "as-planned.tar"))) == ()
    evidence = Evidence(clone, IMAGES, stored(tmp_path / "swapped.tar", change=swapped))
    asr = next(image for image in IMAGES if image.stage == "asr")
    lower, upper = asr.layers[:2]
    found = contents.misplaced(evidence)
    assert f"asr-cpu: the layer {lower} of silero-vad-cpu stands in the place of {upper}" in found


def test_a_layer_on_a_second_pile_costs_its_bytes_again(tmp_path: Path) -> None:
    def cost(made: layout.Layout) -> int:
        on_disk = sum(layer.unpacked for layer in contents.chains(made.images).values())
        return on_disk - sum(layer.unpacked for layer in layout.unique(made.images))

    planned, other = stored(tmp_path / "planned.tar"), stored(tmp_path / "swapped.tar", change=swapped)
    assert cost(other) > cost(planned)
    assert "the layer of site/base/a.so" in "\n".join(contents.repeated(contents.chains(other.images)))


@pytest.fixture
def slow(tmp_path: Path) -> Engine:
    """An engine whose containers run here, with a package in which one module sleeps when it is imported."""
    source = tmp_path / "src"
    shutil.copytree(ROOT / "src" / "cp_whisperx", source / "cp_whisperx", ignore=shutil.ignore_patterns("__pycache__"))
    module = source / "cp_whisperx" / "progress.py"
    module.write_text(module.read_text().replace("import logging\n", "import logging\nimport time\n", 1)
                      + "\n__import__('time').sleep(2)\n")
    binary = tmp_path / "docker"
    binary.write_text(_LOCAL.format(python=sys.executable, path=str(source)))
    binary.chmod(0o755)
    return Engine(str(binary), "26", "0.13", True, False, Path("/nowhere"))


def test_a_planted_slow_start_is_named(slow: Engine, clone: Path) -> None:
    image, = select(("subtitle-gen",), "cpu")
    (clone / sizes.BUDGETS).write_text("[start]\nmilliseconds = 1900\n")
    found = check_start.start(slow, clone, (image,))
    assert not found.met
    assert found.figure == 1
    assert found.detail[0].startswith("subtitle-gen-cpu: ready after ")
    assert found.detail[1].endswith("  cp_whisperx.progress")
    (clone / sizes.BUDGETS).write_text("[start]\nmilliseconds = 600000\n")
    assert check_start.start(slow, clone, (image,)).met


def test_a_busy_machine_is_no_slow_start(slow: Engine, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image, = select(("subtitle-gen",), "cpu")
    monkeypatch.setattr(starts, "started", lambda *arguments: 3.0)
    for idle, met in ((0.2, False), (1.0, False), (2.0, True)):
        monkeypatch.setattr(starts, "idle", lambda *arguments, idle=idle: idle)
        assert check_start.start(slow, clone, (image,)).met is met


def test_own_times_are_those_without_what_a_module_imports(slow: Engine) -> None:
    found = starts.imports(slow, "python", "image", "asr")
    assert max(found, key=lambda name: found[name]) == "cp_whisperx.progress"
    assert found["cp_whisperx.stages"] < 1


def test_a_start_budget_that_is_no_number_is_said(clone: Path) -> None:
    (clone / sizes.BUDGETS).write_text('[start]\nmilliseconds = "fast"\n')
    with pytest.raises(ArtifactInvalid, match="not a whole number"):
        check_start.budget(clone)
    (clone / sizes.BUDGETS).write_text("")
    assert check_start.budget(clone) == check_start.TARGET_MS


def test_what_is_never_opened_is_counted_once(tmp_path: Path) -> None:
    made = stored(tmp_path / "images.tar", {"site/array/unused.so": File(bytes(70_000))}).images
    by_name = {image: next(one for one in made if one.name.endswith(image.reference())) for image in IMAGES}
    all_but = {image: frozenset(entry.path for entry in one.entries if not entry.path.endswith("unused.so"))
               for image, one in by_name.items()}
    size, detail = opened.unopened({image: (by_name[image], all_but[image]) for image in IMAGES})
    assert size == 70_000
    assert "70000 bytes  site/array/unused.so" in detail
    # One stage that opens it is enough.
    asr = next(image for image in IMAGES if image.stage == "asr")
    all_but[asr] |= {"site/array/unused.so"}
    assert opened.unopened({image: (by_name[image], all_but[image]) for image in IMAGES})[0] == 0


def test_the_eye_sees_what_is_opened_and_what_is_mapped(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(opened.WATCH.replace("/watched", str(tmp_path)))
    (tmp_path / "read.txt").write_text("x")
    (tmp_path / "asked.txt").write_text("x")
    code = (f"import os, pathlib, _ctypes, json.tool; pathlib.Path({str(tmp_path / 'read.txt')!r}).read_text(); "
            f"os.stat({str(tmp_path / 'asked.txt')!r})")
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(tmp_path)})
    written, = tmp_path.glob("opened-*")
    seen = written.read_text().splitlines()
    assert str(tmp_path / "read.txt") in seen
    assert str(tmp_path / "asked.txt") not in seen
    assert [path for path in seen if "_ctypes" in path and ".so" in path]
    assert [path for path in seen if "/libc.so" in path], "mapped, and opened by no Python"
    assert [path for path in seen if path.endswith("encodings/__init__.py")], "was there before the eye"


def deb(files: Files) -> bytes:
    """A binary package with nothing but its files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:xz") as tar:
        for name, file in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(file.content)
            tar.addfile(member, io.BytesIO(file.content))
    data = out.getvalue()

    def part(name: str, content: bytes) -> bytes:
        head = f"{name:16}{0:<12}{0:<6}{0:<6}{644:<8}{len(content):<10}`\n"
        return head.encode() + content + b"\n" * (len(content) % 2)

    return b"!<arch>\n" + part("debian-binary", b"2.0\n") + part("control.tar", b"x") + part("data.tar.xz", data)


def test_every_byte_has_a_package_a_line_and_stages(tmp_path: Path, clone: Path) -> None:
    (clone / "docker/debs.lock").write_text(f"libc6 2.36 {'a' * 64}\npython3.11 3.11.2 {'b' * 64}\n")
    kept = tmp_path / "debs"
    kept.mkdir()
    (kept / f"{'a' * 64}.deb").write_bytes(deb({"usr/lib/libc.so.6": File(b"c")}))
    (kept / f"{'b' * 64}.deb").write_bytes(deb({"usr/bin/python3.11": File(b"p")}))
    for layer in LAYERS:
        (clone / "requirements" / f"{layer}.txt").write_text(f"# made\n{layer}==1 \\\n    --hash=sha256:1\n")
    evidence = Evidence(clone, IMAGES, stored(tmp_path / "images.tar"))
    shares = ownership.shares(evidence, kept)
    assert sum(share.size for share in shares) == sum(layer.unpacked for _, layer in evidence.by_layer.values())
    assert not [share for share in shares if not share.lock]
    found = {share.package: share for share in shares}
    assert found["libc6 2.36"].lock == "docker/debs.lock:1"
    assert found["onnx 1"].lock == "requirements/onnx.txt:2"
    assert found["onnx 1"].layer == "onnx"
    assert "subtitle-gen" not in found["onnx 1"].stages
    assert set(found["libc6 2.36"].stages) == {image.stage for image in IMAGES}
    assert found["cp-whisperx-app"].lock == "src/cp_whisperx"


def test_a_byte_without_an_owner_is_left_over(tmp_path: Path, clone: Path) -> None:
    evidence = Evidence(clone, IMAGES, stored(tmp_path / "images.tar", {"opt/stray.bin": File(bytes(1234))}))
    stray = next(share for share in ownership.shares(evidence, None) if share.package == "opt/stray.bin")
    assert (stray.lock, stray.size, stray.layer) == ("", 1234, "array")


@pytest.mark.docker
def test_a_slow_start_is_found_in_a_real_container(engine: Engine, clone: Path, tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    image, = select(("subtitle-gen",), "cpu")
    require_images((image,))
    (tmp_path / "sitecustomize.py").write_text("import time\ntime.sleep(2)\n")
    (tmp_path / "Dockerfile").write_text(f"FROM {image.reference()}\nCOPY sitecustomize.py /planted/\n"
                                         "ENV PYTHONPATH=/planted:/app:/site\n")
    name = replace(image).reference("cp-whisperx-planted")
    engine.ask("buildx", "build", "--quiet", "--provenance=false", "--load", "--tag", name, str(tmp_path))
    # However busy this machine is: what is planted slows the idle container down as well.
    monkeypatch.setattr(starts, "idle", lambda *arguments: 0.1)
    try:
        (clone / sizes.BUDGETS).write_text("[start]\nmilliseconds = 1900\n")
        found = check_start.start(engine, clone, (image,), "cp-whisperx-planted")
        assert found.figure == 1
        assert found.detail[1].endswith("  sitecustomize")
    finally:
        engine.ask("image", "rm", name)
