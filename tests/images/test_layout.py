from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import pytest

from cp_whisperx.errors import RunnerError
from cp_whisperx.images import attribution, layout
from tests.images.containers import FakeDocker
from tests.images.layouts import FOLDER, File, Files, Made, elf, write

NAME = "registry.example.org/library/cp-whisperx-app-mux:cpu"
CODE = b"print('hello')\n"


def one_layer(tmp_path: Path, files: Files) -> layout.Layer:
    return write(tmp_path / "set.tar", {NAME: Made([files])}).images[0].layers[0]


def test_an_image_is_its_layers_and_its_config(tmp_path: Path) -> None:
    stored, = write(tmp_path / "set.tar", {NAME: Made([{"a": File(CODE)}, {"b": File()}], {"User": "1:0"})}).images
    assert stored.name == "cp-whisperx-app-mux:cpu"
    assert stored.config["config"]["User"] == "1:0"
    assert [len(layer.entries) for layer in stored.layers] == [1, 1]
    assert stored.unpacked == len(CODE)
    assert [entry.path for entry in stored.entries] == ["a", "b"]


def test_the_registry_stays_in_the_name(tmp_path: Path) -> None:
    stored, = write(tmp_path / "set.tar", {"registry.example.org/acme/x:cpu": Made([{}])}).images
    assert stored.name == "registry.example.org/acme/x:cpu"


def test_entries_tell_what_they_are(tmp_path: Path) -> None:
    entries = {entry.path: entry for entry in one_layer(tmp_path, {
        "./site": FOLDER, "./site/a.py": File(CODE, 0o4755), "link": File(kind=tarfile.SYMTYPE, target="site/a.py"),
        "pipe": File(kind=tarfile.FIFOTYPE)}).entries}
    assert {path: entry.kind for path, entry in entries.items()} == {
        "site": "folder", "site/a.py": "file", "link": "link", "pipe": "other"}
    code = entries["site/a.py"]
    assert (code.size, code.mode, code.head) == (len(CODE), 0o4755, CODE[:16])
    assert code.digest == hashlib.sha256(CODE).hexdigest()
    assert entries["link"].digest == ""


def test_a_whiteout_is_recognised(tmp_path: Path) -> None:
    layer = one_layer(tmp_path, {"etc/.wh.passwd": File(), "etc/group": File()})
    assert [entry.is_whiteout for entry in layer.entries] == [True, False]


@pytest.mark.parametrize("symbols", [0, 1234])
def test_symbol_tables_are_measured(tmp_path: Path, symbols: int) -> None:
    assert one_layer(tmp_path, {"a.so": File(elf(symbols))}).entries[0].symbols == symbols


def test_symbol_tables_beyond_the_first_megabyte_are_found(tmp_path: Path) -> None:
    small = elf(77)
    moved = small[:40] + (3_000_000).to_bytes(8, "little") + small[48:64] + bytes(3_000_000 - 64) + small[80:]
    assert one_layer(tmp_path, {"a.so": File(moved)}).entries[0].symbols == 77


@pytest.mark.parametrize(("content", "secret"), [
    (b"token = 'hf_" + b"a" * 34 + b"'", True),
    (b"ghp_" + b"A1" * 18, True),
    (b"-----BEGIN RSA PRIVATE KEY-----\n" + b"M" * 64, True),
    (b"-----BEGIN PRIVATE KEY-----", False),
    (b"hf_home hf_transfer hf_xet", False),
    (b"\x7fELF" + bytes(60) + b"hf_" + b"a" * 34, False)])
def test_secrets_are_noticed(tmp_path: Path, content: bytes, secret: bool) -> None:
    if content.startswith(b"\x7fELF"):
        content = elf(0) + content[64:]
    assert one_layer(tmp_path, {"file": File(content)}).entries[0].secret is secret


def test_only_lists_of_packages_are_kept_as_text(tmp_path: Path) -> None:
    layer = one_layer(tmp_path, {"site/a-1.dist-info/RECORD": File(b"a.py,,\n"), "site/a.py": File(CODE)})
    assert [entry.text for entry in layer.entries] == ["a.py,,\n", ""]


def test_shared_layers_are_read_once_and_counted_once(tmp_path: Path) -> None:
    base: Files = {"a": File(b"x" * 1000)}
    images = write(tmp_path / "set.tar", {"one:cpu": Made([base, {"b": File(b"y")}]),
                                          "two:cpu": Made([base, {"c": File(b"zz")}])}).images
    assert images[0].layers[0] is images[1].layers[0]
    assert sum(layer.unpacked for layer in layout.unique(images)) == 1003
    assert images[0].manifest != images[1].manifest


def test_attestations_are_not_images(tmp_path: Path) -> None:
    stored, = write(tmp_path / "set.tar", {NAME: Made([{"a": File(CODE)}], attested=True)}).images
    assert stored.unpacked == len(CODE)


def test_what_this_python_cannot_read_is_said(tmp_path: Path) -> None:
    stored = write(tmp_path / "set.tar", {NAME: Made([{}], media_type="application/vnd.oci.image.layer.v1.tar+zstd")})
    with pytest.raises(RunnerError, match="zstd"):
        _ = stored.images


def test_an_image_that_is_not_there_is_named(tmp_path: Path, docker: FakeDocker) -> None:
    from cp_whisperx.images import engine

    docker.says({"info": (0, '{"ServerVersion": "26.1"}', ""), "buildx version": (0, "buildx v0.13.1", ""),
                 "image inspect": (1, "", "No such image")})
    with pytest.raises(RunnerError, match="mux:cpu is not here") as caught:
        layout.save(engine.find(), ("cp-whisperx-app-mux:cpu",), tmp_path / "set.tar")
    assert "images build" in caught.value.hint


def test_sizes_are_read_without_contents(tmp_path: Path) -> None:
    path = tmp_path / "images.tar"
    files = {"site/a/a.so": File(b"12345"), "site/a-1.dist-info/RECORD": File(b"a/a.so,,\n")}
    write(path, {"one": Made([files])})
    whole, = layout.Layout(path).images
    sizes_alone, = layout.Layout(path, contents=False).images
    manifests_alone, = layout.Layout(path, walk=False).images
    assert [entry.size for entry in sizes_alone.entries] == [entry.size for entry in whole.entries] == [5, 9]
    assert [entry.digest == "" for entry in sizes_alone.entries] == [True, False]
    assert attribution.packages(sizes_alone.layers) == attribution.packages(whole.layers)
    assert [layer.compressed for layer in manifests_alone.layers] == [layer.compressed for layer in whole.layers]
    assert manifests_alone.unpacked == 0
    assert whole.manifest == sizes_alone.manifest == manifests_alone.manifest
