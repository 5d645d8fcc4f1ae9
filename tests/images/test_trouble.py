"""Whatever breaks a build, every name of an image has what it had or what was built, whole; and a rerun completes."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pytest

from cp_whisperx.errors import INTERRUPTED, RunnerError
from cp_whisperx.images import naming, recipe, reproduce, turn
from cp_whisperx.images.build import BuildPlan, build, forget
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.recipe import select
from tests.images.containers import ROOT, copy_of_the_clone, require_base
from tests.images.servers import Gate, empty_builder, wait_for

pytestmark = pytest.mark.docker

IMAGES = select(("subtitle-gen", "mux"), "cpu")
NAMES = "cp-whisperx-trouble"
LIMIT_S = 60
MB = 1 << 20
_DOCKERFILE = "".join(f"FROM scratch AS {one.target}\nCOPY {one.stage} /{one.stage}\n" for one in IMAGES)


@dataclass
class Miniature:
    """A clone whose images are a file each; `plan` builds them."""

    plan: BuildPlan
    engine: Engine

    def edit(self, size: int = MB) -> None:
        """Other content for every image, which no compression makes smaller."""
        for image in self.plan.images:
            (self.plan.clone / image.stage).write_bytes(os.urandom(size))

    def build(self) -> dict[str, str]:
        build(self.plan, self.engine)
        return self.here()

    def here(self) -> dict[str, str]:
        """What the engine has under each name."""
        return self.engine.named(name for names in self.plan.names() for name in names)


@pytest.fixture
def miniature(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Miniature]:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "Dockerfile").write_text(_DOCKERFILE)
    shutil.copy2(ROOT / "docker" / "docker-bake.hcl", tmp_path / "docker")
    # It is not generated from the table of stages, of course.
    monkeypatch.setattr(recipe, "stale", lambda clone: ())
    monkeypatch.setenv("BUILDKIT_PROGRESS", "plain")
    found = Miniature(BuildPlan(tmp_path, IMAGES, registry=NAMES), engine)
    found.edit()
    yield found
    forget(found.plan, engine)


# ---- the registry goes away

def first_megabyte() -> Callable[[bytes], bool]:
    """In the middle of a layer."""
    left = [MB]

    def fatal(data: bytes) -> bool:
        left[0] -= len(data)
        return left[0] < 0

    return fatal


def before(request: bytes) -> Callable[[bytes], bool]:
    """When a client asks for that, before the registry hears of it."""
    return lambda data: data.startswith(request)


PUSHES: dict[str, tuple[Callable[[], Callable[[bytes], bool]], str]] = {
    "in a layer": (first_megabyte, "no name that others pull has moved"),
    "before the first manifest": (lambda: before(b"PUT /v2/cp-whisperx-app-subtitle-gen/manifests/"),
                                  "no name that others pull has moved"),
    "between the two images": (lambda: before(b"PUT /v2/cp-whisperx-app-mux/manifests/cpu HTTP"),
                               "1 of 2 images have their new names there, the others have their old ones"),
}


@pytest.mark.parametrize("name", PUSHES)
def test_a_registry_that_goes_away_in_a_push(miniature: Miniature, work: Path, registry: str, name: str) -> None:
    breaks, state = PUSHES[name]
    gate = Gate(int(registry.rpartition(":")[2]))
    miniature.plan = replace(miniature.plan, registry=f"127.0.0.1:{gate.port}", push=True)
    try:
        gate.open()
        old = miniature.build()
        assert whole(registry, miniature.plan) == old
        gate.shut()
        miniature.edit(3 * MB)
        gate.open(breaks())
        with pytest.raises(RunnerError, match=rf"127\.0\.0\.1:{gate.port} did not take the images \(") as caught:
            miniature.build()
        assert not gate.is_open, "it did not break"
        assert caught.value.hint.startswith(state)
        assert caught.value.exit_code == 7
        new = miniature.here()
        assert old.keys() == new.keys() and not set(old.values()) & set(new.values()), "it is built all the same"
        found = whole(registry, miniature.plan)
        assert all(found[one] in (old[one], new[one]) for one in old)
        moved = {image.stage for image in IMAGES for one in (image.reference(miniature.plan.registry),)
                 if found[one] == new[one]}
        assert moved == ({"subtitle-gen"} if state.startswith("1 ") else set())
        gate.open()
        assert miniature.build() == new == whole(registry, miniature.plan)
    finally:
        gate.shut()
        forget(miniature.plan, miniature.engine)


def whole(registry: str, plan: BuildPlan) -> dict[str, str]:
    """What the registry has under each name of the plan; every blob of it is there in its full length."""
    found = {}
    for name in (name for names in plan.names() for name in names):
        repository, _, tag = name.removeprefix(f"{plan.registry}/").rpartition(":")
        answer, text = ask(registry, "GET", f"/v2/{repository}/manifests/{tag}")
        manifest = json.loads(text)
        for blob in (manifest["config"], *manifest["layers"]):
            headers, _ = ask(registry, "HEAD", f"/v2/{repository}/blobs/{blob['digest']}")
            assert int(headers["Content-Length"]) == blob["size"]
        found[name] = answer["Docker-Content-Digest"]
    return found


def ask(registry: str, method: str, path: str) -> tuple[Mapping[str, str], bytes]:
    connection = http.client.HTTPConnection(registry, timeout=LIMIT_S)
    connection.request(method, path, headers={"Accept": "application/vnd.docker.distribution.manifest.v2+json, "
                                                        "application/vnd.oci.image.manifest.v1+json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    assert answer.status == 200, (path, text)
    return answer.headers, text


# ---- the disk is full

def test_a_full_disk(miniature: Miniature, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with empty_builder(work, monkeypatch, disk_mb=64) as small:
        miniature.engine = small
        old = miniature.build()
        miniature.edit(40 * MB)
        with pytest.raises(RunnerError, match="the engine's disk is full, and no name of an image has moved") as caught:
            miniature.build()
        assert "docker builder prune" in caught.value.hint
        assert caught.value.exit_code == 7
        assert miniature.here() == old
        miniature.edit()
        # The engine gives back what the failed build took in its own time.
        wait_for(lambda: completes(miniature), work / "engine.log")
        new = miniature.here()
        assert new.keys() == old.keys() and not set(old.values()) & set(new.values())


def completes(miniature: Miniature) -> bool:
    """Whether it builds when a person has made room as the hint says."""
    try:
        miniature.engine.ask("builder", "prune", "--all", "--force")
        miniature.build()
    except RunnerError:
        return False
    return True


# ---- names move together

def test_names_that_cannot_all_be_given_go_back(miniature: Miniature) -> None:
    old = miniature.build()
    miniature.edit()
    new = replace(miniature.plan, registry=f"{NAMES}/new")
    build(new, miniature.engine)
    ids = iter(miniature.engine.named(new.references()).values())
    fresh = f"{NAMES}/fresh:1"
    wanted = {fresh: next(ids), miniature.plan.references()[0]: next(ids), f"{NAMES}/NO NAME": next(iter(old.values()))}
    with (turn.taken(miniature.engine) as lock,
          pytest.raises(RunnerError, match="the engine did not name them") as caught):
        naming.move(miniature.engine, wanted, lock)
    assert "every name is as it was" in caught.value.hint
    assert miniature.here() == old
    assert not miniature.engine.named((fresh,))
    forget(new, miniature.engine)


def test_nothing_is_left_of_what_a_build_replaces(miniature: Miniature) -> None:
    old = miniature.build()
    assert miniature.build() == old, "the same again"
    miniature.edit()
    miniature.build()
    # The engine takes it away while the command is gone already.
    deadline = time.monotonic() + LIMIT_S
    while miniature.engine.tags(set(old.values())):
        assert time.monotonic() < deadline
        time.sleep(0.1)


# ---- the command is killed, or there are two

@pytest.fixture(scope="module")
def clone(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A real clone; a step of its builds lasts as long as the test wants."""
    folder = copy_of_the_clone(tmp_path_factory.mktemp("clone"))
    yield folder
    forget(BuildPlan(folder, IMAGES, registry=NAMES), engine)


def edit(clone: Path, line: str, seconds: float = 0) -> None:
    """Other code in every image, and a builder that takes its time with it."""
    shutil.copy2(ROOT / "src/cp_whisperx/timeline.py", clone / "src/cp_whisperx/timeline.py")
    with (clone / "src/cp_whisperx/timeline.py").open("a") as file:
        file.write(f"\nBUILT = {line!r}\n")
    text = (ROOT / "docker/make-code").read_text()
    (clone / "docker/make-code").write_text(text.replace("set -eu\n", f"set -eu\nsleep {seconds}\n", 1))


@dataclass
class Command:
    """`images build` as a person starts it; its stderr is in a file."""

    process: subprocess.Popen[bytes]
    log: Path

    def says(self, pattern: str) -> None:
        deadline = time.monotonic() + LIMIT_S
        while not re.search(pattern, self.log.read_text()):
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def end(self) -> int:
        return self.process.wait(LIMIT_S)


class Start(Protocol):
    def __call__(self, clone: Path, name: str, *words: str) -> Command: ...


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the command in a clone, under the name of its log; none outlives the test. Without words it builds."""
    begun: list[Command] = []

    def begin(clone: Path, name: str, *words: str) -> Command:
        line = [sys.executable, "-m", "cp_whisperx", "images", *(
            words or ("build", "--registry", NAMES, *(image.stage for image in IMAGES))), "--base", require_base()]
        log = tmp_path / f"{name}.log"
        with log.open("wb") as file:
            begun.append(Command(subprocess.Popen(
                line, cwd=clone, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env=os.environ | {"PYTHONPATH": str(clone / "src"), "BUILDKIT_PROGRESS": "plain",
                                  "TMPDIR": str(tmp_path)}), log))
        return begun[-1]

    yield begin
    for one in begun:
        one.process.terminate()
        one.end()


AT_WORK = r"(?m)^#\d+ \[\S+ code 1/1\] RUN"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_command_that_is_killed(engine: Engine, clone: Path, start: Start, how: signal.Signals) -> None:
    plan = BuildPlan(clone, IMAGES, registry=NAMES)
    names = [name for row in plan.names() for name in row]
    edit(clone, f"before {how}")
    assert start(clone, "first").end() == 0
    old = engine.named(names)
    assert len(old) == len(names)
    edit(clone, f"after {how}", seconds=3)
    build = start(clone, "second")
    build.says(AT_WORK)
    build.process.send_signal(how)
    assert build.end() == (INTERRUPTED if how == signal.SIGTERM else -signal.SIGKILL)
    assert is_taken(engine) == (how == signal.SIGKILL), "a builder that is still at work keeps its turn"
    assert "Traceback" not in build.log.read_text()
    assert engine.named(names) == old
    again = start(clone, "third")
    again.says("building 2 images")
    assert engine.named(names) == old, "nor has the builder moved them when it ended"
    assert again.end() == 0, again.log.read_text()
    new = engine.named(names)
    assert new.keys() == old.keys() and not set(old.values()) & set(new.values())


def is_taken(engine: Engine) -> bool:
    with turn.lock_of(engine).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_two_at_once_take_turns(engine: Engine, clone: Path, tmp_path: Path, start: Start) -> None:
    other = copy_of_the_clone(tmp_path / "other")
    edit(clone, "one", seconds=3)
    edit(other, "other")
    first = start(clone, "first")
    first.says(AT_WORK)
    second = start(other, "second")
    second.says(rf"another build is at work on this engine \(begun by process {first.process.pid}\): waiting until")
    assert "building" not in second.log.read_text()
    assert (first.end(), second.end()) == (0, 0)
    names = [name for row in BuildPlan(clone, IMAGES, registry=NAMES).names() for name in row]
    here = engine.named(names)
    assert start(other, "again").end() == 0
    assert engine.named(names) == here, "all of it is of the second"


def test_a_build_of_somebody_else_is_found(miniature: Miniature, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user, or another machine, holds another lock."""
    plain = Engine.ask

    def disturbed(self: Engine, *arguments: str) -> str:
        answer = plain(self, *arguments)
        if arguments[:2] == ("image", "tag") and arguments[-1] == miniature.plan.names()[-1][-1]:
            plain(self, "image", "tag", arguments[2], miniature.plan.references()[0])
        return answer

    monkeypatch.setattr(Engine, "ask", disturbed)
    with pytest.raises(RunnerError, match="another build has moved it meanwhile"):
        miniature.build()


def test_a_turn_ends_with_its_process(engine: Engine, tmp_path: Path) -> None:
    code = "import time; from cp_whisperx.images import engine, turn\n" \
           "with turn.taken(engine.find()): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as holder:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        holder.kill()
    began = time.monotonic()
    with turn.taken(engine):
        assert time.monotonic() - began < LIMIT_S / 10


def test_nothing_is_left_of_a_reproduction_that_is_interrupted(engine: Engine, clone: Path, tmp_path: Path,
                                                               start: Start) -> None:
    for line in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "all"]):
        subprocess.run(["git", "-C", str(clone), "-c", "user.name=x", "-c", "user.email=x@x", *line], check=True)
    command = start(clone, "reproduce", "reproduce", IMAGES[0].stage)
    command.says(r"(?m)^#\d+ \[\S*\s?builder 1/2\] RUN")
    command.process.terminate()
    assert command.end() == INTERRUPTED, command.log.read_text()
    assert "every step anew (1 of 2)" in command.log.read_text()
    assert not list(tmp_path.glob("cp-whisperx-*"))
    assert not engine.ask("images", "--quiet", "--filter", f"reference={reproduce.REGISTRY}-*/*")
    assert f"-{command.process.pid}-" not in engine.ask("buildx", "du", "--verbose")
