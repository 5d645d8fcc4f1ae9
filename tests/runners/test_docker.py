from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cp_whisperx import pipeline
from cp_whisperx.engines import secret
from cp_whisperx.errors import INTERRUPTED, ConfigError, EngineError, MediaError, RunnerError
from cp_whisperx.images.engine import Engine
from cp_whisperx.images.recipe import images, select
from cp_whisperx.job import Job, Request
from cp_whisperx.models.store import ModelStore
from cp_whisperx.runners.docker import DockerRunner
from cp_whisperx.stages import STAGES
from scenes import Scene, SceneSpec
from tests.images.containers import ROOT, FakeDocker, real_engine, require_images
from tests.images.jobs import SHORT, Done, artifacts, run_natively

GUARD_S = 5.0
"""A stage ends within a second; the rest is for a machine that is busy."""
IMAGE = select(("demux",), "cpu")[0]
FAKE = Engine("docker", "26.1.5", "0.13.1", containerd=True, gpu=False, storage=Path("/nowhere"))
NAMES = ["film.mkv", "a, b.mkv", 'the "best" film.mkv', "it's.mkv", " leading space.mkv", "two\nlines.mkv", "a:b=c.mkv",
         "सिनेमा.mkv", "--rm.mkv", "$HOME `id` \\.mkv"]


def job_of(film: Path, folder: Path, **options: object) -> Job:
    return Job.create(folder, Request(film=str(film), fingerprint="sampled:abcdef0123", options={},
                                      **options))  # type: ignore[arg-type]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mkv"
    path.touch()
    return path


@pytest.fixture
def models_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def mounts(command: list[str]) -> list[list[str]]:
    """The fields of each `--mount`, read as the engine reads them: one CSV row."""
    return [next(csv.reader(io.StringIO(value, newline=""), strict=True)) for value in after(command, "--mount")]


def after(command: list[str], flag: str) -> list[str]:
    return [command[number + 1] for number, argument in enumerate(command) if argument == flag]


@pytest.mark.parametrize("stage", [stage.name for stage in STAGES])
def test_every_stage_is_under_the_contract(stage: str, film: Path, models_folder: Path, tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    for name in secret.TMDB:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    (image,) = select((stage,), "cpu")
    job = job_of(film, tmp_path)
    command = DockerRunner(FAKE, models_folder, registry="reg/team", quiet=True).command(image, job)
    reads_film, network = next((one.reads_film, one.image.network) for one in STAGES if one.name == stage)
    at = command.index(f"reg/team/cp-whisperx-app-{stage}:cpu")
    flags, rest = command[:at], command[at + 1:]
    assert flags[:2] == ["docker", "run"]
    assert {"--rm", "--interactive", "--read-only"} <= set(flags)
    assert {"--privileged", "--tty", "--env", "--volume", "--gpus"}.isdisjoint(flags)
    assert after(flags, "--user") == [f"{os.getuid()}:{os.getgid()}"]
    assert after(flags, "--cap-drop") == ["ALL"]
    assert after(flags, "--security-opt") == ["no-new-privileges"]
    assert after(flags, "--tmpfs") == ["/tmp:mode=1777"]
    assert after(flags, "--network") == ["bridge" if network else "none"]
    assert after(flags, "--pull") == ["never"]
    assert mounts(flags) == [
        ["type=bind", f"source={job.folder}", "target=/job"],
        ["type=bind", f"source={models_folder}", "target=/models", "readonly"],
        *([["type=bind", f"source={film}", f"target={film}", "readonly"]] if reads_film else []),
    ]
    assert rest == ["/job", "--runner", "docker", "--stop-on-eof", "--quiet"]


@pytest.mark.parametrize("stage", [stage.name for stage in STAGES])
def test_a_key_reaches_the_one_stage_that_may_use_it_and_is_no_argument(
        stage: str, film: Path, models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (image,) = select((stage,), "cpu")
    secrets = next(one.image.secrets for one in STAGES if one.name == stage)
    (tmp_path / "key").write_text("top-secret-key")
    monkeypatch.setenv("TMDB_TOKEN", "top-secret-token")
    monkeypatch.delenv("TMDB_API_KEY", raising=False)
    monkeypatch.setenv("TMDB_API_KEY_FILE", str(tmp_path / "key"))
    command = DockerRunner(FAKE, models_folder).command(image, job_of(film, tmp_path))
    assert "top-secret" not in " ".join(command)
    inside = "/run/secrets/tmdb_api_key"
    mounted = ["type=bind", f"source={tmp_path / 'key'}", f"target={inside}", "readonly"]
    if secrets:
        assert stage == "tmdb"
        assert after(command, "--env") == ["TMDB_TOKEN", f"TMDB_API_KEY_FILE={inside}"]
        assert mounted in mounts(command)
        monkeypatch.setenv("TMDB_API_KEY_FILE", str(tmp_path / "gone"))
        assert after(DockerRunner(FAKE, models_folder).command(image, job_of(film, tmp_path)), "--env") == [
            "TMDB_TOKEN"]
    else:
        assert "--env" not in command and mounted not in mounts(command)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_film_is_one_mount(name: str, models_folder: Path, tmp_path: Path) -> None:
    film = tmp_path / name
    film.touch()
    fields = mounts(DockerRunner(FAKE, models_folder).command(IMAGE, job_of(film, tmp_path / "a, \"job\"")))
    assert fields[-1] == ["type=bind", f"source={film}", f"target={film}", "readonly"]
    assert fields[0][1].startswith(f"source={tmp_path}/a, \"job\"/")


@pytest.mark.parametrize(("given", "source", "inside"), [
    ("{tmp}/own model", "{tmp}/own model", "{tmp}/own model"),
    ("./own model", "{tmp}/./own model", "/own model"),
    ("~/own model", "{tmp}/own model", "/tmp/own model"),
])
def test_a_model_given_by_its_path_is_mounted_where_the_stage_looks(
        film: Path, models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, source: str,
        inside: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "own model").mkdir()
    request = Request(film=str(film), fingerprint="sampled:abcdef0123",
                      options={"asr": {"model": given.format(tmp=tmp_path)}})
    command = DockerRunner(FAKE, models_folder).command(select(("asr",), "cpu")[0], Job.create(tmp_path, request))
    _, _, _, readonly = own = next(fields for fields in mounts(command) if "own model" in fields[1])
    assert readonly == "readonly"
    assert Path(own[1].removeprefix("source=")) == Path(source.format(tmp=tmp_path))
    assert own[2] == f"target={inside.format(tmp=tmp_path)}"


def test_what_is_not_there_is_not_mounted(tmp_path: Path) -> None:
    """A mount of nothing ends in the engine's words; the stage has a sentence for it."""
    command = DockerRunner(FAKE, tmp_path / "no-models").command(IMAGE, job_of(tmp_path / "no.mkv", tmp_path))
    assert [fields[2] for fields in mounts(command)] == ["target=/job"]


CHOICES: dict[str, tuple[str, bool, tuple[str, ...], str, str]] = {
    "auto, no GPU": ("auto", False, ("cpu", "cuda"), "cpu", ""),
    "auto, a GPU": ("auto", True, ("cpu", "cuda"), "cuda", ""),
    "auto, a GPU, no :cuda image": ("auto", True, ("cpu",), "cpu", ""),
    "cpu asked, a GPU": ("cpu", True, ("cpu", "cuda"), "cpu", ""),
    "cuda asked, no GPU": ("cuda", False, ("cpu", "cuda"), "cpu",
                           "asr runs in its :cpu image: the engine offers no GPU"),
    "cuda asked, no :cuda image": ("cuda", True, ("cpu",), "cpu",
                                   "asr runs in its :cpu image: its :cuda image is not here"),
}


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    fake = FakeDocker(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    return fake


@pytest.mark.parametrize("name", CHOICES)
def test_which_image(docker: FakeDocker, film: Path, models_folder: Path, tmp_path: Path,
                     caplog: pytest.LogCaptureFixture, name: str) -> None:
    device, gpu, there, chosen, warning = CHOICES[name]
    inspect = "image inspect --format {{.Id}} cp-whisperx-app-asr:"
    docker.says({"run": (0, "", ""), **{inspect + variant: (0, "id", "") for variant in there}})
    DockerRunner(replace(FAKE, gpu=gpu), models_folder).run("asr", job_of(film, tmp_path, device=device))
    (call,) = docker.calls("run")
    assert f"cp-whisperx-app-asr:{chosen}" in call.arguments
    assert ("--gpus" in call.arguments) == (chosen == "cuda")
    assert any("target=/cuda-cache" in argument for argument in call.arguments) == (chosen == "cuda")
    assert caplog.messages == ([warning] if warning else [])


def test_an_image_that_is_not_here(docker: FakeDocker, film: Path, models_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunnerError, match="the image reg/cp-whisperx-app-demux:cpu is not here") as caught:
        DockerRunner(FAKE, models_folder, registry="reg").run("demux", job_of(film, tmp_path))
    assert "images build" in caught.value.hint
    assert caught.value.exit_code == 7
    assert not docker.calls("run")


def test_how_a_container_ends(docker: FakeDocker, film: Path, models_folder: Path, tmp_path: Path) -> None:
    job = job_of(film, tmp_path)
    runner = DockerRunner(FAKE, models_folder)
    image = {"image inspect": (0, "id", "")}
    docker.says({**image, "run": (INTERRUPTED, "", "")})
    with pytest.raises(KeyboardInterrupt):
        runner.run("demux", job)
    docker.says({**image, "run": (125, "", "docker: invalid reference format.")})
    with pytest.raises(RunnerError, match="the container of demux could not be started"):
        runner.run("demux", job)
    docker.says({**image, "run": (137, "", "")})
    with pytest.raises(RunnerError, match="demux was killed"):
        runner.run("demux", job)
    said = json.dumps(EngineError("/job/demux/a.wav is odd", hint="see /job/demux", log="/job/.demux.partial/log.jsonl"
                                  ).as_dict())
    docker.says({**image, "run": (5, said + "\n", "")})
    with pytest.raises(EngineError) as caught:
        runner.run("demux", job)
    assert caught.value.message == f"{job.folder}/demux/a.wav is odd"
    assert caught.value.log == f"{job.folder}/.demux.partial/log.jsonl"


def test_an_interrupt_reaches_a_stage_that_is_not_up_yet(film: Path, models_folder: Path, tmp_path: Path,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    """The first process of a container ignores SIGTERM until it handles it; its closed input it notices then."""
    deaf = tmp_path / "bin" / "docker"
    deaf.parent.mkdir()
    deaf.write_text('#!/bin/sh\n[ "$1" = run ] || exit 0\ntrap "" TERM\n'
                    'timeout 10 cat > /dev/null && echo > "$0.ended"\n')
    deaf.chmod(0o755)
    monkeypatch.setenv("PATH", str(deaf.parent), prepend=os.pathsep)

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            DockerRunner(FAKE, models_folder).run("demux", job_of(film, tmp_path))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert deaf.with_name("docker.ended").exists()


# ---- with the engine of this machine

def test_kernels_are_compiled_into_the_cache_that_films_use(docker: FakeDocker, models_folder: Path) -> None:
    docker.says({"run": (0, "", ""), "image inspect": (0, "id", "")})
    DockerRunner(replace(FAKE, gpu=True), models_folder).warm("base")
    (call,) = docker.calls("run")
    cache = ["type=bind", f"source={models_folder.parent / 'cuda-cache'}", "target=/cuda-cache"]
    assert cache in mounts(call.arguments)
    place = call.arguments.index("cp-whisperx-app-asr:cuda")
    assert call.arguments[place + 1:] == ["-m", "cp_whisperx.engines.warm", "base"]
    assert call.arguments[place - 2:place] == ["--entrypoint", "/usr/bin/python3.11"]
    assert after(call.arguments, "--network") == ["none"]


@pytest.mark.parametrize(("gpu", "there", "says"), [
    (False, True, "the engine offers no GPU"), (True, False, "the image cp-whisperx-app-asr:cuda is not here"),
])
def test_nothing_to_warm_is_said(docker: FakeDocker, models_folder: Path, gpu: bool, there: bool, says: str) -> None:
    docker.says({"image inspect": (0, "id", "")} if there else {})
    with pytest.raises(RunnerError, match=says) as caught:
        DockerRunner(replace(FAKE, gpu=gpu), models_folder).warm("base")
    assert caught.value.hint


@pytest.fixture(scope="module")
def engine() -> Engine:
    found = real_engine()
    require_images(image for image in images() if image.variant == "cpu")
    return found


@pytest.fixture(scope="module")
def native(engine: Engine, make_scene: Callable[[SceneSpec], Scene], models: ModelStore,
           tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The short scene, under a name that has what breaks command lines, as a local run leaves it."""
    film = tmp_path_factory.mktemp('films, "new"') / "l'été, 1.mkv"
    film.write_bytes(make_scene(SHORT).film.read_bytes())
    return run_natively(film, tmp_path_factory.mktemp("native"), models)


@pytest.mark.docker
@pytest.mark.real
def test_containers_make_the_same_bytes(engine: Engine, native: Done, tmp_path: Path) -> None:
    job = native.before(STAGES[0].name, tmp_path / "a, b")
    ran = pipeline.run(job, native.models, DockerRunner(engine, native.models.root, quiet=True))
    assert {one.status for one in ran} == {"done"}
    assert artifacts(job.folder) == artifacts(native.job.folder)
    for stage in STAGES:
        here, there = job.record(stage.name), native.job.record(stage.name)
        assert here and there
        assert here.key == there.key, "a job may move between runners and is not redone"
        assert (here.facts["runner"], there.facts["runner"]) == ("docker", "local")


@pytest.mark.docker
@pytest.mark.real
@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a job to another user")
def test_what_is_made_belongs_to_the_caller(engine: Engine, native: Done, tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    job = native.before(STAGES[0].name, tmp_path, user=12345, group=23456)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    monkeypatch.setattr(os, "getgid", lambda: 23456)
    pipeline.run(job, native.models, DockerRunner(engine, native.models.root, quiet=True), only=STAGES[0].name)
    made = job.stage_folder(STAGES[0].name)
    assert {(path.stat().st_uid, path.stat().st_gid) for path in (made, *made.rglob("*"))} == {(12345, 23456)}


@pytest.mark.docker
def test_an_error_crosses_from_the_container(engine: Engine, tmp_path: Path) -> None:
    from cp_whisperx import publish

    film = tmp_path / "no film.mkv"
    film.write_text("this is no film")
    job = Job.create(tmp_path, Request(film=str(film), fingerprint=publish.fingerprint(film), options={}))
    with pytest.raises(MediaError) as caught:
        DockerRunner(engine, tmp_path / "no-models", quiet=True).run("demux", job)
    assert str(film) in caught.value.message
    assert caught.value.exit_code == 3
    log = Path(caught.value.log)
    assert log.is_relative_to(job.folder)
    assert caught.value.message in log.read_text()


@pytest.mark.docker
def test_a_film_that_is_gone_is_told_by_the_stage(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no longer there"):
        DockerRunner(engine, tmp_path, quiet=True).run("demux", job_of(tmp_path / "gone.mkv", tmp_path))


RUNS = """
import sys
from pathlib import Path
from cp_whisperx import log
from cp_whisperx.images import engine
from cp_whisperx.job import Job
from cp_whisperx.runners.docker import DockerRunner
log.configure()
DockerRunner(engine.find(), Path(sys.argv[2])).run("asr", Job.open(Path(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def long(engine: Engine, make_scene: Callable[[SceneSpec], Scene], models: ModelStore,
         tmp_path_factory: pytest.TempPathFactory) -> Done:
    """With so many windows that asr is sure to be found at work."""
    film = make_scene(replace(SHORT, length_s=240)).film
    return run_natively(film, tmp_path_factory.mktemp("long"), models, until="asr")


@pytest.fixture
def at_work(long: Done, tmp_path: Path) -> Iterator[tuple[Job, subprocess.Popen[str]]]:
    """asr in its container, with a client whose parent is a process of its own."""
    job = long.before("asr", tmp_path)
    journal = job.partial("asr") / "windows.jsonl"
    with subprocess.Popen([sys.executable, "-c", RUNS, str(job.folder), str(long.models.root)], cwd=ROOT, text=True,
                          stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not journal.exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield job, process
        process.kill()


def containers(engine: Engine, job: Job) -> str:
    """Those that have this job's folder."""
    return engine.ask("ps", "--all", "--quiet", "--filter", f"volume={job.folder}")


def client_of(parent: int) -> int:
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = place.joinpath("stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == parent and b"\0run\0" in place.joinpath("cmdline").read_bytes():
                return int(place.name)
        except (OSError, IndexError):
            continue
    raise AssertionError("the runner has no client")


@pytest.mark.docker
@pytest.mark.real
@pytest.mark.parametrize("victim", ["the client is told to end", "the client is killed", "its parent is killed"])
def test_the_container_never_outlives_its_client(engine: Engine, at_work: tuple[Job, subprocess.Popen[str]],
                                                 victim: str) -> None:
    job, process = at_work
    assert containers(engine, job)
    client = client_of(process.pid)
    how = signal.SIGTERM if victim == "the client is told to end" else signal.SIGKILL
    os.kill(process.pid if victim == "its parent is killed" else client, how)
    began = time.monotonic()
    while containers(engine, job):
        assert time.monotonic() < began + GUARD_S, "the container is still there"
        time.sleep(0.02)
    process.wait(timeout=GUARD_S)
    assert process.stderr
    said = process.stderr.read()
    assert ("stops: SIGTERM" if how == signal.SIGTERM else "the process that started it is gone") in said or (
        victim == "the client is killed"), said
    assert not job.stage_folder("asr").exists()
    # asr goes on where it was: its windows are kept, and nothing else half-written is.
    assert not [path for path in job.folder.rglob("*.partial") if path != job.partial("asr")]
