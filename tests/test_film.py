"""Film in, subtitled film out: the real command on real weights, as a user runs it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cp_whisperx.artifacts import FILE, AudioTrack, SubtitledFilm, Subtitles
from cp_whisperx.job import LOG, RECORD
from cp_whisperx.media.probe import probe
from cp_whisperx.timeline import Cue
from scenes import Scene, SceneSpec
from scenes.score import normalised, score, word_error_rate

pytestmark = pytest.mark.real

COMMAND = str(Path(sys.executable).with_name("cp-whisperx"))
FRAME_S = 1 / 24
SHORT = SceneSpec(length_s=22, audio_codec="flac", picture="still", fps=12, width=160, height=90, video_codec="mpeg4",
                  lead_in_s=2.0, seed=3)


def command(*arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300)
    assert not check or done.returncode == 0, done.stderr
    return done


def run(film: Path, out: Path, *flags: object) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(command("-q", "run", film, "--out", out, "--json", *flags).stdout)
    return result


def cues(result: dict[str, Any]) -> tuple[Cue, ...]:
    return Subtitles.read(Path(result["folder"]) / "subtitle-gen").cues


def stages(result: dict[str, Any]) -> dict[str, str]:
    return {stage["name"]: stage["status"] for stage in result["stages"]}


def artifacts(folder: Path) -> dict[str, bytes]:
    """Every file of a job that is a result: all but records and logs, which tell when and how long."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name not in (RECORD, LOG) and not path.name.endswith(".lock")}


@pytest.fixture(scope="module")
def demo(make_scene: Callable[[SceneSpec], Scene]) -> Scene:
    return make_scene(SceneSpec(picture="still", fps=12, width=160, height=90, video_codec="mpeg4"))


@pytest.fixture(scope="module")
def undisturbed(demo: Scene, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run(demo.film, tmp_path_factory.mktemp("undisturbed"))


def test_the_demo_scene(demo: Scene, undisturbed: dict[str, Any]) -> None:
    found = score(demo.lines, cues(undisturbed))
    assert found.word_error_rate <= 0.08
    assert found.in_cue_median_s <= FRAME_S
    assert set(undisturbed) >= {"job", "folder", "subtitles", "film", "cues", "warnings", "stages"}
    assert undisturbed["cues"] == len(cues(undisturbed))
    film = probe(Path(undisturbed["film"]))
    assert [stream.kind for stream in film.streams] == ["video", "audio", "subtitle"]
    assert film.streams[2].language == "eng"
    srt = Path(undisturbed["subtitles"][0]).read_text(encoding="utf-8")
    assert all(len(line) <= 42 for line in srt.splitlines())


def test_a_subtitle_option_reruns_subtitles_and_mux_alone(demo: Scene, undisturbed: dict[str, Any]) -> None:
    out = Path(undisturbed["folder"]).parent
    again = run(demo.film, out)
    assert set(stages(again).values()) == {"skipped"}
    before = artifacts(Path(undisturbed["folder"]))
    vtt = run(demo.film, out, "--format", "vtt")
    assert {name for name, status in stages(vtt).items() if status == "done"} == {"subtitle-gen", "mux"}
    assert [Path(path).suffix for path in vtt["subtitles"]] == [".vtt"]
    run(demo.film, out)
    assert artifacts(Path(undisturbed["folder"])) == before


@pytest.mark.parametrize("victim", ["the command", "the stage"])
def test_kill_during_asr_then_resume_is_as_if_nothing_happened(
        demo: Scene, undisturbed: dict[str, Any], tmp_path: Path, victim: str) -> None:
    job = command("prepare", demo.film, "--out", tmp_path).stdout.strip()
    journal = tmp_path / job / ".asr.partial" / "windows.jsonl"
    with subprocess.Popen([COMMAND, "-q", "pipeline", job, "--out", str(tmp_path)], stderr=subprocess.PIPE) as process:
        # The first line is the language, the second the first window: kill while a later one is heard.
        wait_for(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= 2)
        os.kill(process.pid if victim == "the command" else child_of(process.pid), signal.SIGKILL)
        process.wait(timeout=20)
    wait_for(lambda: not stage_processes(job))
    assert process.returncode == (-signal.SIGKILL if victim == "the command" else 7)
    done_before = journal.read_bytes().count(b"\n") - 1
    resumed = command("-q", "pipeline", job, "--out", tmp_path, "--json")
    result = json.loads(resumed.stdout)
    assert artifacts(Path(result["folder"])) == artifacts(Path(undisturbed["folder"]))
    facts = json.loads((tmp_path / job / "asr" / RECORD).read_text())["facts"]
    assert done_before >= 1
    assert re.fullmatch(rf"\d+ heard, {done_before} of them by an earlier run", facts["windows"])


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def processes() -> Iterator[tuple[int, int, str]]:
    """Process id, parent id and command line of all that run."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(place.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1])
            state = place.joinpath("stat").read_text().rsplit(")", 1)[1].split()[0]
            if state != "Z":
                yield int(place.name), parent, place.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, IndexError):
            continue


def child_of(parent: int) -> int:
    return next(process for process, of, line in processes() if of == parent and "cp_whisperx.stages" in line)


def stage_processes(job: str) -> list[int]:
    return [process for process, _, line in processes() if "cp_whisperx.stages" in line and job in line]


def test_sigterm_ends_a_stage_and_a_second_run_is_refused(demo: Scene, tmp_path: Path) -> None:
    job = command("prepare", demo.film, "--out", tmp_path).stdout.strip()
    journal = tmp_path / job / ".asr.partial" / "windows.jsonl"
    with subprocess.Popen([COMMAND, "-q", "pipeline", job, "--out", str(tmp_path)], stderr=subprocess.PIPE,
                          text=True) as process:
        wait_for(journal.exists)
        second = command("-q", "pipeline", job, "--out", tmp_path, check=False)
        assert second.returncode == 7
        assert f"job {job} is at work in process {process.pid}" in second.stderr
        status = json.loads(command("status", job, "--out", tmp_path, "--json").stdout)
        assert {stage["name"]: stage["state"] for stage in status["stages"]}["demux"] == "done"
        process.terminate()
        assert process.stderr
        said = process.stderr.read()
    assert process.returncode == 130
    assert "interrupted" in said
    assert not stage_processes(job)


@pytest.fixture(scope="module")
def undelayed(make_scene: Callable[[SceneSpec], Scene], tmp_path_factory: pytest.TempPathFactory) -> tuple[Cue, ...]:
    return cues(run(make_scene(SHORT).film, tmp_path_factory.mktemp("out"), "--model", "tiny.en"))


@pytest.mark.parametrize("change", [
    {"audio_start_s": -1.0}, {"audio_start_s": 0.5}, {"audio_start_s": 5.0}, {"audio_start_s": 2.0, "container": "mp4"},
    {"hole_at_s": 9.0, "hole_s": 3.0}, {"hole_at_s": 9.0, "hole_s": 3.0, "container": "mp4"},
], ids=str)
def test_cues_keep_the_films_clock(make_scene: Callable[[SceneSpec], Scene], undelayed: tuple[Cue, ...],
                                   tmp_path: Path, change: dict[str, Any]) -> None:
    """The same scene, its sound moved or torn: each cue moves exactly as its line does."""
    plain, scene = make_scene(SHORT), make_scene(SceneSpec(**(vars(SHORT) | change)))
    moved = cues(run(scene.film, tmp_path, "--model", "tiny.en"))
    assert len(undelayed) >= 3
    assert [cue.lines for cue in moved] == [cue.lines for cue in undelayed]
    shifts = [(line.start_s, other.start_s - line.start_s) for line, other in
              zip(plain.lines, scene.lines, strict=True)]
    for cue, before in zip(moved, undelayed, strict=True):
        shift = max((start, shift) for start, shift in shifts if start <= before.start + 0.3)[1]
        assert cue.start - before.start == pytest.approx(shift, abs=FRAME_S)


def test_jfk_is_word_perfect(shared_media: Path, tmp_path: Path) -> None:
    result = run(shared_media / "speech" / "jfk.flac", tmp_path)
    heard = " ".join(" ".join(cue.lines) for cue in cues(result))
    reference = (shared_media / "speech" / "jfk.txt").read_text(encoding="utf-8")
    assert word_error_rate(reference, heard) == 0
    assert normalised(heard).split()[:3] == ["and", "so", "my"]
    assert result["film"] is None


@pytest.mark.parametrize("name", [
    "nonspeech/music_vibe_ace.ogg", "nonspeech/music_thumri_2s.mp3", "nonspeech/rain_60s.mp3",
    "nonspeech/esc50_thunderstorm.wav", "nonspeech/esc50_car_horn.wav", "nonspeech/empty_1s.wav",
    "containers/bbb_opening_30s.webm",
])
def test_where_nobody_speaks_there_is_no_cue(shared_media: Path, tmp_path: Path, name: str) -> None:
    result = run(shared_media / name, tmp_path)
    assert result["cues"] == 0
    assert Path(result["subtitles"][0]).read_bytes() == b""
    assert result["film"] is None


def test_every_container_ends_well(shared_media: Path, tmp_path: Path) -> None:
    """One batch over all of them: a right result, or one sentence and exit code 3, and nothing left behind."""
    films = sorted((shared_media / "containers").iterdir())
    done = command("-q", "run", *films, "--out", tmp_path, "--model", "tiny.en", "--json", check=False)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == len(films)
    failed = {Path(result["input"]).name for result in results if "error" in result}
    assert failed == {"mkv_no_audio_with_srt.mkv", "mkv_truncated_corrupt.mkv", "ts_teletext.ts"}
    assert {result["error"]["exit_code"] for result in results if "error" in result} == {3}
    assert len(list(tmp_path.iterdir())) == len(films) - len(failed)
    assert not [path for path in tmp_path.rglob(".*") if not path.name.endswith(".lock")]


def test_the_delayed_film_is_heard_at_its_delay(shared_media: Path, tmp_path: Path) -> None:
    result = run(shared_media / "containers" / "mkv_audio_delayed_500ms.mkv", tmp_path, "--model", "tiny.en")
    time_map = AudioTrack.read(Path(result["folder"]) / "demux").time_map
    assert time_map.film_time(0.0) == pytest.approx(0.5, abs=1e-3)


def test_a_clip_has_the_films_time(demo: Scene, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    start, end = demo.lines[5].start_s - 0.4, demo.lines[7].end_s + 0.3
    clip = run(demo.film, tmp_path, "--start", start, "--end", end)
    assert clip["job"] != undisturbed["job"]
    made = cues(clip)
    assert all(start <= cue.start <= end for cue in made)
    whole = [cue for cue in cues(undisturbed) if start <= cue.start <= end]
    # Written times are rounded down to the millisecond.
    assert [cue.start for cue in made] == pytest.approx([cue.start for cue in whole], abs=2 * FRAME_S + 0.001)


def test_mp4_stays_mp4_and_its_own_track_is_replaced(make_scene: Callable[[SceneSpec], Scene],
                                                     tmp_path: Path) -> None:
    scene = make_scene(SceneSpec(**(vars(SHORT) | {"container": "mp4", "audio_codec": "aac"})))
    first = run(scene.film, tmp_path, "--model", "tiny.en")
    assert Path(first["film"]).suffix == ".mp4"
    second = run(Path(first["film"]), tmp_path / "again", "--model", "tiny.en")
    film = SubtitledFilm.read(Path(second["folder"]) / "mux")
    assert [stream.fate for stream in film.streams if stream.kind == "subtitle"] == ["replaced"]
    assert [stream.kind for stream in probe(Path(second["film"])).streams] == ["video", "audio", "subtitle"]


def test_artifacts_name_no_time_and_no_machine(undisturbed: dict[str, Any]) -> None:
    for path in Path(undisturbed["folder"]).rglob(FILE):
        text = path.read_text(encoding="utf-8")
        assert os.uname().nodename not in text
        assert str(Path(undisturbed["folder"])) not in text
        assert time.strftime("%Y-%m-%d") not in text
