"""Shot changes, on films whose cuts are known by construction, and on real ones that are odd."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from cp_whisperx.errors import MediaError
from cp_whisperx.media import probe, shots
from cp_whisperx.timeline import Span
from scenes.cuts import CutSpec, build_cuts

FRAME_S = 1 / 24
FIXED = {"preset": "veryfast", "crf": "23", "threads": "1", "x264-params": "keyint=24:min-keyint=24:scenecut=0"}
LONG = {"preset": "veryfast", "crf": "23", "threads": "1", "x264-params": "keyint=999:scenecut=0"}

FILMS = {
    "plain": ("mkv", CutSpec()),
    "MP4": ("mp4", CutSpec(seed=2)),
    "transport stream": ("ts", CutSpec(seed=3)),
    "whole frames every second, none on cuts": ("mkv", CutSpec(options=FIXED)),
    "one whole frame alone": ("mkv", CutSpec(options=LONG, seed=4)),
    "grain fills the packets": ("mkv", CutSpec(grain=14.0, options=LONG)),
    "MPEG-4": ("avi", CutSpec(codec="mpeg4", options={"threads": "1", "qscale": "4"})),
    "every frame whole": ("mkv", CutSpec(codec="mjpeg", options={"threads": "1"}, shots_s=(1.0, 0.8, 1.2))),
    "a wild camera": ("mkv", CutSpec(pan=4.0, shake=True)),
    "dark shots": ("mkv", CutSpec(dark=0.35)),
    "flashes": ("mkv", CutSpec(flashes_s=(0.8, 2.6, 4.5), pan=0.05)),
    "fades": ("mkv", CutSpec(fades=True)),
    "dissolves": ("mkv", CutSpec(dissolve_s=0.7)),
    "between two fields": ("mkv", CutSpec(interlaced=True)),
    "repeated frames": ("mkv", CutSpec(repeat=5)),
    "variable frame rate": ("mkv", CutSpec(variable=True)),
    "starts late": ("mkv", CutSpec(start_s=1.5)),
    "a hole in the time stamps": ("mkv", CutSpec(hole_s=3.0)),
    "one shot": ("mkv", CutSpec(shots_s=(4.0,))),
}


Made = tuple[Path, tuple[float, ...]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """Each film with its truth."""
    films = {}
    for number, (name, (suffix, spec)) in enumerate(FILMS.items()):
        film = tmp_path_factory.getbasetemp() / f"cuts-{number}.{suffix}"
        films[name] = film, build_cuts(spec, film)
    return films


@pytest.mark.parametrize("mode", ["full", "fast"])
@pytest.mark.parametrize("name", FILMS)
def test_every_cut_to_the_frame_and_nothing_else(made: dict[str, Made], name: str, mode: shots.Mode) -> None:
    suffix, spec = FILMS[name]
    film, truth = made[name]
    found = shots.find(film, 0, mode=mode).cuts
    assert len(found) == len(truth), (truth, found)
    lift = 0.0 if suffix != "ts" else found[0] - truth[0] if found else 0.0
    assert abs(lift) < 0.1
    # Where a cut falls between two fields, either of the two frames is the first.
    within = FRAME_S + 0.002 if spec.interlaced else 0.002
    assert [abs(one - other - lift) <= within for one, other in zip(found, truth, strict=True)] == [True] * len(truth)


def test_threads_do_not_change_the_result(tmp_path: Path) -> None:
    build_cuts(CutSpec(options=FIXED), tmp_path / "film.mkv")
    assert len({shots.find(tmp_path / "film.mkv", 0, threads=threads) for threads in (1, 2, 4)}) == 1


def test_whole_frames_spare_the_decoding(tmp_path: Path) -> None:
    spec = CutSpec(shots_s=(3.0, 4.0, 2.5, 3.5), options={"preset": "veryfast", "crf": "23", "threads": "1"})
    truth = build_cuts(spec, tmp_path / "film.mkv")
    fast, full = (shots.find(tmp_path / "film.mkv", 0, mode=mode) for mode in ("fast", "full"))
    assert len(fast.cuts) == len(full.cuts) == len(truth)
    assert fast.frames < full.frames / 2


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_a_clip_in_film_time(tmp_path: Path, mode: shots.Mode) -> None:
    truth = build_cuts(CutSpec(), tmp_path / "film.mkv")
    clip = Span(truth[1] - 0.5, truth[3] - 0.1)
    found = shots.find(tmp_path / "film.mkv", 0, mode=mode, clip=clip).cuts
    assert found == pytest.approx(truth[1:3], abs=0.002)


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_a_film_that_breaks_off_is_searched_up_to_there(tmp_path: Path, mode: shots.Mode) -> None:
    truth = build_cuts(CutSpec(options=FIXED), tmp_path / "film.mkv")
    data = (tmp_path / "film.mkv").read_bytes()
    (tmp_path / "torn.mkv").write_bytes(data[:int(len(data) * 0.6)])
    damaged = bytearray(data)
    damaged[len(data) // 2:len(data) // 2 + 3000] = bytes(3000)
    (tmp_path / "damaged.mkv").write_bytes(damaged)
    found = shots.find(tmp_path / "torn.mkv", 0, mode=mode).cuts
    assert found == pytest.approx(truth[:len(found)], abs=0.002) and len(found) >= 2
    found = shots.find(tmp_path / "damaged.mkv", 0, mode=mode).cuts
    assert {round(cut, 2) for cut in truth[:1]} <= {round(cut, 2) for cut in found}


def test_no_film(tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        shots.find(tmp_path / "none.mkv", 0)


REAL = ("mp4_vfr.mp4", "mkv_cover_art.mkv", "mkv_ac3_srt_no_stream_duration.mkv", "mp4_mov_text.mp4")


@pytest.mark.media
@pytest.mark.parametrize("name", REAL)
def test_real_films(shared_media: Path, name: str) -> None:
    """Nobody has marked their cuts; what can be asked is that each is a frame, in order, and the same again."""
    film = shared_media / "containers" / name
    media = probe.probe(film)
    assert media.picture
    found = shots.find(film, media.picture.index)
    assert found == shots.find(film, media.picture.index, threads=2)
    with av.open(film) as container:
        times = {round(float(frame.pts * frame.time_base) - media.origin_s, 5)
                 for frame in container.decode(container.streams[media.picture.index]) if frame.pts is not None}
    assert {round(cut, 5) for cut in found.cuts} <= times
    assert list(found.cuts) == sorted(set(found.cuts))


def test_differences_are_of_structure() -> None:
    import numpy as np

    rng = np.random.default_rng(3)
    one, other = (rng.normal(0, 40, 64 * 36 * 3 // 2).astype(np.float32) for _ in range(2))
    assert shots.unlike(one, one) == 0.0
    assert 0.9 < shots.unlike(one, other) < 1.2
    assert 0.7 < shots.unlike(one * 0.3, other * 0.3) < 1.2
    assert shots.unlike(one * 0.02, other * 0.02) < shots.UNLIKE
    assert shots.unlike(one, one * 0.5) < 0.1
