from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx import publish

PRIMITIVES = ("write", "flush", "rename", "remove")


class Crash(BaseException):
    """The power goes: no handler of an error runs."""


def fail(monkeypatch: pytest.MonkeyPatch, primitive: str, call: int, error: BaseException) -> Callable[[], bool]:
    """Makes the `call`-th use (from 0) of a primitive fail; the result says whether it came to that."""
    real: Callable[..., None] = getattr(publish, primitive)
    calls = iter(range(1000))
    failed: list[bool] = []

    def failing(*arguments: Any) -> None:
        if next(calls) == call:
            failed.append(True)
            if primitive == "write":
                path, data = arguments
                path.write_bytes(data[:len(data) // 2])
            raise error
        real(*arguments)

    monkeypatch.setattr(publish, primitive, failing)
    return lambda: bool(failed)


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


# Files

@pytest.mark.parametrize("call", [0, 1])
@pytest.mark.parametrize("primitive", PRIMITIVES)
@pytest.mark.parametrize("old", [b"old", None], ids=["replacing", "new"])
def test_a_file_is_old_or_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, primitive: str, call: int,
                              old: bytes | None) -> None:
    path = tmp_path / "request.json"
    if old is not None:
        path.write_bytes(old)
    failed = fail(monkeypatch, primitive, call, OSError(errno.EIO, "broken"))
    if primitive == "remove" or (call == 1 and primitive != "flush"):
        publish.publish_file(path, b"new!")
        assert not failed()
    else:
        with pytest.raises(OSError, match="broken"):
            publish.publish_file(path, b"new!")
    now = path.read_bytes() if path.exists() else None
    # The second flush is that of the folder, behind the rename.
    assert now == (b"new!" if not failed() or (primitive, call) == ("flush", 1) else old)
    assert set(names(tmp_path)) <= {"request.json"}, "nothing is left beside it"


def test_a_file_is_flushed_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    for name in PRIMITIVES:
        real = getattr(publish, name)
        monkeypatch.setattr(publish, name, lambda *given, name=name, real=real: (done.append(name), real(*given)))
    publish.publish_file(tmp_path / "a", b"a")
    assert done == ["write", "flush", "rename", "flush"]


# Folders

@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    partial, final = tmp_path / ".asr.partial", tmp_path / "asr"
    for folder, data in ((partial, b"new"), (final, b"old")):
        (folder / "deep").mkdir(parents=True)
        (folder / "artifact.json").write_bytes(data)
        (folder / "deep" / "x").write_bytes(data)
    yield partial, final


NEW = {"artifact.json": b"new", "deep/x": b"new"}
OLD = {"artifact.json": b"old", "deep/x": b"old"}
STEPS = [("flush", 0), ("flush", 1), ("flush", 2), ("flush", 3), ("rename", 0), ("rename", 1), ("flush", 4),
         ("remove", 0)]
"""Every use of a primitive while a folder replaces another: flushes of the tree, two renames, flush, removal."""


def test_the_steps_are_all_there_are(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    for name in PRIMITIVES:
        real = getattr(publish, name)
        monkeypatch.setattr(publish, name, lambda *given, name=name, real=real: (done.append(name), real(*given)))
    publish.publish_folder(*folders)
    assert done == [primitive for primitive, _ in STEPS]
    assert tree(folders[1]) == NEW
    assert names(folders[1].parent) == ["asr"]


@pytest.mark.parametrize(("primitive", "call"), STEPS)
def test_a_folder_that_cannot_be_published_leaves_the_old_one(
        folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, primitive: str, call: int) -> None:
    partial, final = folders
    late = (primitive, call) in (("flush", 4), ("remove", 0))
    failed = fail(monkeypatch, primitive, call, OSError(errno.EIO, "broken"))
    if primitive == "remove":
        publish.publish_folder(partial, final)
    else:
        with pytest.raises(OSError, match="broken"):
            publish.publish_folder(partial, final)
    assert failed()
    assert tree(final) == (NEW if late else OLD)
    assert late or tree(partial) == NEW, "the work is not lost"
    monkeypatch.undo()
    if not late:
        publish.publish_folder(partial, final)
    assert tree(final) == NEW


@pytest.mark.parametrize(("primitive", "call"), STEPS)
def test_a_crash_leaves_what_can_be_finished(
        folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, primitive: str, call: int) -> None:
    partial, final = folders
    failed = fail(monkeypatch, primitive, call, Crash())
    with pytest.raises(Crash):
        publish.publish_folder(partial, final)
    assert failed()
    monkeypatch.undo()
    if final.exists():
        assert tree(final) in (OLD, NEW)
    else:
        assert tree(partial) == NEW and tree(final.with_name(".asr.old")) == OLD, "between the two renames"
    if partial.exists():
        publish.publish_folder(partial, final)
    assert tree(final) == NEW
    assert set(names(final.parent)) <= {"asr", ".asr.old"}


def test_what_an_earlier_crash_left_aside_is_no_hindrance(folders: tuple[Path, Path]) -> None:
    partial, final = folders
    final.with_name(".asr.old").mkdir()
    publish.publish_folder(partial, final)
    assert tree(final) == NEW
    assert names(final.parent) == ["asr"]


def test_a_new_folder_moves_nothing_that_stands(folders: tuple[Path, Path]) -> None:
    partial, final = folders
    assert publish.publish_new_folder(partial, final) is False
    assert (tree(final), tree(partial)) == (OLD, NEW)
    assert publish.publish_new_folder(partial, final.with_name("other")) is True
    assert tree(final.with_name("other")) == NEW and not partial.exists()


def test_a_new_folder_that_fails_otherwise_says_so(folders: tuple[Path, Path]) -> None:
    partial, final = folders
    with pytest.raises(OSError, match="Not a directory"):
        publish.publish_new_folder(partial, final / "artifact.json")
    assert (tree(final), tree(partial)) == (OLD, NEW)


def test_files_replace_those_of_the_same_name(tmp_path: Path) -> None:
    partial, final = tmp_path / "partial", tmp_path / "final"
    for folder, names in ((partial, "ab"), (final, "bc")):
        folder.mkdir()
        for name in names:
            (folder / name).write_text(folder.name)
    publish.replace_files(partial, final)
    assert tree(final) == {"a": b"partial", "b": b"partial", "c": b"final"}


# Identity

def changed_at(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff")


@pytest.mark.parametrize("size", [1, 1000, (1 << 20) + 1, 3 << 20, 40 << 20])
@pytest.mark.parametrize("identity", [publish.fingerprint, publish.digest, publish.sha256])
def test_size_head_and_tail_make_identity(tmp_path: Path, size: int, identity: Callable[[Path], str]) -> None:
    path = tmp_path / "film"
    seen = set()
    for change in (None, 0, size - 1):
        with path.open("wb") as file:
            file.truncate(size)
        if change is not None:
            changed_at(path, change)
        seen.add(identity(path))
    with path.open("wb") as file:
        file.truncate(size + 1)
    seen.add(identity(path))
    assert len(seen) == (4 if size > 1 else 3)
    other = tmp_path / "another name"
    other.write_bytes(path.read_bytes())
    assert identity(other) in seen, "the name is not part of it"


def test_a_small_film_is_seen_whole(tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(bytes(1 << 20))
    before = publish.fingerprint(path)
    changed_at(path, 1 << 19)
    assert publish.fingerprint(path) != before


def test_an_empty_file_has_an_identity(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert publish.fingerprint(tmp_path / "a").startswith("sampled:")
    assert publish.digest(tmp_path / "a").startswith("sha256:e3b0c442")


def test_only_huge_files_are_sampled(tmp_path: Path) -> None:
    path = tmp_path / "film"
    with path.open("wb") as file:
        file.truncate(publish.SAMPLED_ABOVE + 1)
    before = publish.digest(path)
    assert before == publish.fingerprint(path)
    changed_at(path, publish.SAMPLED_ABOVE)
    assert publish.digest(path) != before


# Lines

LINE = st.binary(max_size=20).filter(lambda line: b"\n" not in line)


@given(st.lists(LINE, max_size=6), st.data())
def test_any_cut_leaves_a_prefix_of_the_lines(lines: list[bytes], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "windows.jsonl"
        for line in lines:
            publish.append(path, line)
        assert publish.whole_lines(path) == lines
        size = path.stat().st_size if lines else 0
        cut = data.draw(st.integers(0, size))
        if lines:
            os.truncate(path, cut)
        left = publish.whole_lines(path)
        assert left == lines[:len(left)]
        assert sum(len(line) + 1 for line in lines[:len(left) + 1]) > cut or left == lines, "no whole line is lost"
        publish.append(path, b"next")
        assert publish.whole_lines(path) == [*left, b"next"]


def test_no_file_has_no_lines(tmp_path: Path) -> None:
    assert publish.whole_lines(tmp_path / "none") == []


def test_a_line_that_failed_is_not_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "windows.jsonl"
    publish.append(path, b"first")

    def broken(handle: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="full"):
        publish.append(path, b"second")
    monkeypatch.undo()
    publish.append(path, b"third")
    assert publish.whole_lines(path) == [b"first", b"third"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said() -> None:
    with pytest.raises(OSError) as caught:
        publish.append(Path("/dev/full"), b"line")
    assert caught.value.errno == errno.ENOSPC


def test_a_file_must_flush_and_a_folder_may_refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").touch()

    def refuse(handle: int) -> None:
        raise OSError(errno.EINVAL, "refused")

    monkeypatch.setattr(os, "fsync", refuse)
    publish.flush(tmp_path)
    with pytest.raises(OSError, match="refused"):
        publish.flush(tmp_path / "a")
