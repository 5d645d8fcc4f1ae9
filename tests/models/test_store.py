from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cp_whisperx import publish
from cp_whisperx.errors import ConfigError, EngineError, ModelMissing
from cp_whisperx.models import store as store_module
from cp_whisperx.models.catalog import Model
from cp_whisperx.models.sources import FolderSource
from cp_whisperx.models.store import ModelStore, default_root
from tests.models.toy import BYTES, Given

_FORK = multiprocessing.get_context("fork")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def visible(store: ModelStore) -> list[str]:
    """What a reader may take for a model, and what is left of pulls; locks are neither."""
    return sorted(path.name for path in store.root.iterdir() if not path.name.endswith(".lock"))


# Finding

def test_a_missing_model_says_what_to_run(toy: Model, store: ModelStore) -> None:
    with pytest.raises(ModelMissing, match="not in the store") as caught:
        store.path("toy")
    assert "cp-whisperx models pull toy" in caught.value.hint
    assert not store.has("toy")


def test_a_short_file_is_named(toy: Model, store: ModelStore, given: Given) -> None:
    os.truncate(store.pull("toy", [given]) / "model.bin", 5)
    with pytest.raises(ModelMissing, match=r"damaged: model\.bin has 5 of 16384 bytes") as caught:
        store.path("toy")
    assert "cp-whisperx models pull toy" in caught.value.hint


def test_an_own_folder_names_what_is_missing(store: ModelStore, tmp_path: Path) -> None:
    own = tmp_path / "own"
    with pytest.raises(ModelMissing, match="there is no model folder"):
        store.path(str(own))
    own.mkdir()
    (own / "model.bin").touch()
    with pytest.raises(ModelMissing, match=r"config\.json, tokenizer\.json is missing"):
        store.path(str(own))
    for name in ("config.json", "tokenizer.json"):
        (own / name).touch()
    assert store.path(str(own)) == own
    assert store.pull(str(own), []) == own


def test_an_own_folder_is_what_its_bytes_are(store: ModelStore, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for file, data in BYTES.items():
            (tmp_path / name / file).write_bytes(data)
    assert store.digest(str(tmp_path / "one")) == store.digest(str(tmp_path / "two"))
    (tmp_path / "two" / "config.json").write_bytes(b"{ }")
    assert store.digest(str(tmp_path / "one")) != store.digest(str(tmp_path / "two"))


def test_the_root_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CP_WHISPERX_MODELS", "~/m")
    assert default_root() == Path.home() / "m"
    monkeypatch.delenv("CP_WHISPERX_MODELS")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert default_root() == Path("/caches/cp-whisperx/models")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_root() == Path.home() / ".cache/cp-whisperx/models"


def test_a_read_only_store_is_enough(toy: Model, store: ModelStore, given: Given) -> None:
    """Root may write anywhere, so the store is watched: nothing in it is opened for writing, made or moved."""
    store.pull("toy", [given])
    events: list[tuple[str, object]] = []
    armed = [True]
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if armed[0] and arguments and str(store.root) in str(arguments[0]):
            if event == "open" and isinstance(arguments[2], int) and not arguments[2] & writing:
                return
            if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.truncate"):
                events.append((event, arguments))

    store.root.chmod(0o555)
    sys.addaudithook(watch)
    try:
        store.path("toy")
        assert store.verify("toy") == []
        store.pull("toy", [given])
        (store.root / "seen").touch()
    except PermissionError:
        events.append(("open", "seen"))
    finally:
        armed[0] = False
        store.root.chmod(0o755)
    assert len(events) == 1, "the hook sees the last line, and nothing before it"
    assert "seen" in str(events[0])
    assert given.count == 1


# Verifying

@pytest.mark.parametrize("name", BYTES)
def test_a_flipped_byte_is_found_and_named(toy: Model, store: ModelStore, given: Given, name: str) -> None:
    path = store.pull("toy", [given]) / name
    assert store.verify("toy") == []
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert store.verify("toy") == [f"{path} does not have the catalogued size and sha256"]
    path.unlink()
    assert store.verify("toy") == [f"{path} is missing"]


# Pulling

def test_a_pulled_model_is_not_fetched_again(toy: Model, store: ModelStore, given: Given) -> None:
    first = store.pull("toy", [given])
    assert contents(first) == BYTES
    assert store.pull("toy", [given]) == first == store.path("toy")
    assert given.count == 1
    assert visible(store) == [toy.folder]


def test_others_may_read_it(toy: Model, store: ModelStore, given: Given) -> None:
    folder = store.pull("toy", [given])
    assert folder.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}


BAD: dict[str, Callable[[Given], Given]] = {
    "poisoned": lambda given: Given(given.counter, {**BYTES, "model.bin": bytes(16384)}, name="bad"),
    "truncated": lambda given: Given(given.counter, {**BYTES, "model.bin": BYTES["model.bin"][:-1]}, name="bad"),
    "incomplete": lambda given: Given(given.counter, {"model.bin": BYTES["model.bin"]}, name="bad"),
    "empty": lambda given: Given(given.counter, {}, name="bad"),
    "failing": lambda given: Given(given.counter, error=EngineError("it is closed on Sundays"), name="bad"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_source_is_passed_over(toy: Model, store: ModelStore, given: Given,
                                     bad: Callable[[Given], Given]) -> None:
    assert contents(store.pull("toy", [bad(given), given])) == BYTES
    assert given.count == 2
    assert visible(store) == [toy.folder]


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_nothing_wrong_is_published(toy: Model, store: ModelStore, given: Given,
                                    bad: Callable[[Given], Given]) -> None:
    with pytest.raises(EngineError):
        store.pull("toy", [bad(given)])
    assert visible(store) == []


def test_the_error_lists_what_each_source_answered(toy: Model, store: ModelStore, given: Given) -> None:
    sources = [BAD["poisoned"](given), BAD["failing"](given)]
    sources[0].name, sources[1].name = "one", "two"
    with pytest.raises(EngineError) as caught:
        store.pull("toy", sources)
    assert "one: model.bin came with other bytes than catalogued" in caught.value.message
    assert "two: it is closed on Sundays" in caught.value.message
    assert "--from FOLDER" in caught.value.hint
    with pytest.raises(EngineError, match="none offers it"):
        store.pull("toy", [])


def test_what_was_not_asked_for_is_not_kept(toy: Model, store: ModelStore, given: Given) -> None:
    given.files = {**BYTES, "README.md": b"read me"}
    assert contents(store.pull("toy", [given])) == BYTES


@pytest.mark.parametrize("damage", [
    lambda folder: os.truncate(folder / "model.bin", 7),
    lambda folder: (folder / "model.bin").write_bytes(bytes(16384)),
    lambda folder: (folder / "config.json").unlink(),
], ids=["short", "flipped", "missing"])
def test_a_damaged_folder_is_made_whole(toy: Model, store: ModelStore, given: Given,
                                        damage: Callable[[Path], object]) -> None:
    folder = store.pull("toy", [given])
    damage(folder)
    assert contents(store.pull("toy", [given])) == BYTES
    assert given.count == 2
    assert visible(store) == [toy.folder]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said(toy: Model, store: ModelStore, given: Given, number: int) -> None:
    given.error = OSError(number, os.strerror(number))
    other = Given(given.counter)
    with pytest.raises(ConfigError, match="no space left on the disk that holds the model store") as caught:
        store.pull("toy", [given, other])
    assert "CP_WHISPERX_MODELS" in caught.value.hint
    assert given.count == 1, "another source cannot do better on a full disk"
    assert visible(store) == []


def test_a_really_full_disk_is_said(tmp_path: Path) -> None:
    mount = ["unshare", "--mount", "--map-root-user", "sh", "-c",
             f"mount -t tmpfs -o size=64k tmpfs {tmp_path} && exec \"$@\"", "sh"]
    try:
        subprocess.run([*mount, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this system lets nobody mount a small disk")
    code = f"""if True:
        from pathlib import Path
        from cp_whisperx.errors import ConfigError
        from cp_whisperx.models import catalog
        from cp_whisperx.models.store import ModelStore
        from tests.models.toy import BYTES, Given, model_of
        catalog.catalog = lambda: {{"toy": model_of(BYTES)}}
        store = ModelStore(Path({str(tmp_path)!r}) / "store")
        try:
            store.pull("toy", [Given(Path("/dev/null"), {{"model.bin": bytes(200_000)}})])
        except ConfigError as error:
            print(error.message, [path.name for path in store.root.iterdir()])
    """
    done = subprocess.run([*mount, sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    assert done.stdout.startswith("no space left on the disk that holds the model store")
    assert done.stdout.rstrip().endswith("['.toy.lock']")


def test_room_is_looked_for_before_anything_is_fetched(store: ModelStore, given: Given,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    huge = Model.model_validate({
        "name": "huge", "kind": "whisper", "about": "-", "languages": "many", "licence": "MIT",
        "files": [{"name": "model.bin", "size": 1 << 60, "sha256": "0" * 64}]})
    monkeypatch.setattr("cp_whisperx.models.catalog.catalog", lambda: {"huge": huge})
    with pytest.raises(ConfigError, match="no space left for the model huge"):
        store.pull("huge", [given])
    assert given.count == 0


def test_a_store_that_is_a_file_is_said(toy: Model, store: ModelStore, given: Given) -> None:
    store.root.touch()
    with pytest.raises(ConfigError, match="cannot be used") as caught:
        store.pull("toy", [given])
    assert "CP_WHISPERX_MODELS" in caught.value.hint


# Crashes and crowds

class Halting(Given):
    """Writes half a file, says so, and never comes back."""

    said = _FORK.Event()

    def fetch(self, model: Model, folder: Path) -> None:
        (folder / "model.bin").write_bytes(BYTES["model.bin"][:100])
        self.said.set()
        signal.pause()


def test_kill_9_in_the_middle_leaves_nothing_under_a_final_name(toy: Model, store: ModelStore, given: Given) -> None:
    halting = Halting(given.counter)
    process = _FORK.Process(target=store.pull, args=("toy", [halting]))
    process.start()
    assert halting.said.wait(30)
    process.kill()
    process.join()
    left = visible(store)
    assert len(left) == 1 and left[0].startswith(".pull-toy-")
    with pytest.raises(ModelMissing):
        store.path("toy")
    assert contents(store.pull("toy", [given])) == BYTES


def test_what_a_killed_pull_left_is_cleared_in_time(toy: Model, store: ModelStore, given: Given) -> None:
    old, young, busy = (store.root / f".pull-toy-{name}" for name in ("old", "young", "busy"))
    for folder in (old, young, busy):
        folder.mkdir(parents=True)
        (folder / "model.bin").touch()
    long_ago = time.time() - store_module._ABANDONED_S - 60
    os.utime(old / "model.bin", (long_ago, long_ago))
    for folder in (old, busy):
        os.utime(folder, (long_ago, long_ago))
    store.pull("toy", [given])
    assert visible(store) == [busy.name, young.name, toy.folder]


def _crowd(size: int, target: Callable[..., None], *arguments: object) -> list[int | None]:
    processes = [_FORK.Process(target=target, args=arguments) for _ in range(size)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]


def _pull(store: ModelStore, source: Given) -> None:
    folder = store.pull("toy", [source])
    assert contents(folder) == BYTES


def test_sixteen_at_once_fetch_once(toy: Model, store: ModelStore, given: Given) -> None:
    assert _crowd(16, _pull, store, given) == [0] * 16
    assert given.count == 1
    assert visible(store) == [toy.folder]
    assert store.verify("toy") == []


class Together(Given):
    """Nobody has fetched before all have: without a lock, all of them publish at once."""

    barrier = _FORK.Barrier(8)

    def fetch(self, model: Model, folder: Path) -> None:
        super().fetch(model, folder)
        self.barrier.wait(30)


def _pull_and_note(store: ModelStore, source: Given, notes: Path) -> None:
    folder = store.pull("toy", [source])
    assert contents(folder) == BYTES
    with notes.open("a") as file:
        file.write(f"{folder.stat().st_ino}\n")


@pytest.mark.parametrize("lie", [lambda *_: None, lambda *_: (_ for _ in ()).throw(OSError(errno.ENOLCK, "no locks"))],
                         ids=["granted to all", "refused to all"])
def test_a_lock_that_lies_does_no_harm(toy: Model, store: ModelStore, given: Given, tmp_path: Path,
                                       monkeypatch: pytest.MonkeyPatch, lie: Callable[..., None]) -> None:
    monkeypatch.setattr(fcntl, "flock", lie)
    assert _crowd(8, _pull_and_note, store, Together(given.counter), tmp_path / "inodes") == [0] * 8
    assert given.count == 8
    assert visible(store) == [toy.folder]
    inodes = (tmp_path / "inodes").read_text().split()
    assert len(inodes) == 8 and len(set(inodes)) == 1, "the first one published stays"


@pytest.mark.parametrize("damaged", [False, True], ids=["new", "over a damaged one"])
def test_a_faster_process_is_never_moved_aside(toy: Model, store: ModelStore, given: Given, damaged: bool,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process publishes at the worst moment: just before this one renames."""
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    if damaged:
        os.truncate(store.pull("toy", [given]) / "model.bin", 3)
    rename = publish.rename
    states: list[bool] = []
    inodes: list[int] = []

    def late(source: Path, target: Path) -> None:
        monkeypatch.setattr(publish, "rename", watched)
        ModelStore(store.root).pull("toy", [given])
        states.append(store.verify("toy") == [])
        inodes.append((store.root / toy.folder).stat().st_ino)
        watched(source, target)

    def watched(source: Path, target: Path) -> None:
        try:
            rename(source, target)
        finally:
            if states:
                states.append(store.verify("toy") == [])

    monkeypatch.setattr(publish, "rename", late)
    folder = store.pull("toy", [given])
    assert contents(folder) == BYTES
    assert [folder.stat().st_ino] == inodes
    assert states and all(states), "from the first publication on, a reader finds a whole model at every moment"
    assert visible(store) == [toy.folder]


def test_a_repair_takes_nothing_good_away(toy: Model, store: ModelStore, given: Given,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads an intact file of a damaged model, or has just repaired it too, keeps what there is."""
    folder = store.pull("toy", [given])
    os.truncate(folder / "model.bin", 3)
    inode, rename = folder.stat().st_ino, publish.rename
    steps: list[tuple[int, bool]] = []

    def watched(source: Path, target: Path) -> None:
        try:
            rename(source, target)
        finally:
            steps.append((folder.stat().st_ino, (folder / "config.json").read_bytes() == BYTES["config.json"]))

    monkeypatch.setattr(publish, "rename", watched)
    store.pull("toy", [given])
    assert set(steps) == {(inode, True)}
    assert store.verify("toy") == []


def test_two_that_repair_at_once_do_no_harm(toy: Model, store: ModelStore, given: Given,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    os.truncate(store.pull("toy", [given]) / "model.bin", 3)
    assert _crowd(8, _pull, store, Together(given.counter)) == [0] * 8
    assert visible(store) == [toy.folder]
    assert store.verify("toy") == []


def test_a_store_is_a_source_for_another(toy: Model, store: ModelStore, given: Given, tmp_path: Path) -> None:
    store.pull("toy", [given])
    other = ModelStore(tmp_path / "other")
    assert contents(other.pull("toy", [FolderSource(store.root)])) == BYTES
