"""The container engine: found, checked for what we need of it, and called with argument lists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cp_whisperx import log as logs
from cp_whisperx.errors import RunnerError

_log = logs.get("images")

_BUILDX = (0, 12)
_BAKING = {"BUILDX_BAKE_ENTITLEMENTS_FS": "0", "BUILDX_METADATA_PROVENANCE": "disabled"}
"""From 0.20 on buildx refuses files outside the clone unless each is allowed: certificates, kept packages. Where it
writes ids of images down, it asks for a record of all that went into them as well, which nobody reads."""
_FREE_GB = 3.0
_GRACE_S = 10.0
_LEFT: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class Engine:
    """A Docker engine that answers.

    `containerd` tells whether its image store keeps OCI images as they are, `gpu` whether it can give a
    container a GPU, `storage` where its data lies if that is on this machine, `id` what no other engine has.
    """

    command: str
    version: str
    buildx: str
    containerd: bool
    gpu: bool
    storage: Path
    id: str = ""

    @property
    def label(self) -> str:
        """For a person who compares measurements."""
        return f"Docker {self.version}, buildx {self.buildx}"

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None, cwd: Path | None = None,
            keep: Sequence[int] = ()) -> None:
        """A command whose output a person watches (on stderr). Raises RunnerError if it fails.

        The error's `log` is the last that the command said, unless it drew on a terminal. If this process is told
        to end, the command is, and is waited for. `keep` are files that stay open in the command.
        """
        terminal = sys.stderr.isatty()
        last = ""
        with subprocess.Popen([self.command, *arguments], env={**os.environ, **_BAKING, **(environment or {})}, cwd=cwd,
                              text=True, stdin=subprocess.DEVNULL, stdout=2, errors="replace",
                              stderr=None if terminal else subprocess.PIPE, pass_fds=keep) as process:
            try:
                for line in process.stderr or ():
                    sys.stderr.write(line)
                    last = line.strip() or last
                process.wait()
            except BaseException:
                _end(process)
                raise
        if process.returncode:
            raise RunnerError(f"`docker {' '.join(arguments[:3])} …` failed", log=last,
                              hint="what it printed above says why; `docker system df` shows the room it has")

    def ask(self, *arguments: str) -> str:
        """What a command prints. Raises RunnerError with the engine's own words."""
        return _ask(self.command, *arguments)

    def leave(self, *arguments: str, keep: Sequence[int] = ()) -> None:
        """Starts a command that goes on by itself; whether it fails is not told. `keep` are files it has open."""
        # Held, since Python complains of a process that it loses sight of.
        _LEFT.append(subprocess.Popen([self.command, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL, start_new_session=True, pass_fds=keep))

    def named(self, names: Iterable[str]) -> dict[str, str]:
        """The ids of the images that have these names; a name that no image has is left out."""
        wanted = tuple(names)
        found = {tag: image for image, tags in self.tags(wanted).items() for tag in tags}
        return {name: found[_familiar(name)] for name in wanted if _familiar(name) in found}

    def tags(self, images: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """All names that images have which are given by a name or by an id: by id, without those that are not here."""
        done = subprocess.run([self.command, "image", "inspect", "--format", "{{.Id}} {{json .RepoTags}}", *images],
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        rows = (line.partition(" ") for line in done.stdout.splitlines() if line.startswith("sha256:"))
        return {image: tuple(json.loads(tags) or ()) for image, _, tags in rows}

    def forget_mounts(self, name: str) -> None:
        """Empties the builder's cache mounts with `name` in their id. Says so where that fails, and raises nothing."""
        try:
            rows = re.split(r"\n\s*\n", self.ask("buildx", "du", "--verbose"))
            for row in (row for row in rows if f'with id "/{name}' in row):
                if found := re.search(r"ID:\s*(\w+)", row):
                    self.ask("buildx", "prune", "--force", "--filter", f"id={found[1]}")
        except RunnerError as error:
            _log.warning(f"cache mounts named {name}… are left: {error.message}")

    def resolve(self, reference: str) -> str:
        """The digest of a reference in its registry."""
        try:
            answer = self.ask("buildx", "imagetools", "inspect", reference, "--format", "{{json .Manifest}}")
        except RunnerError as error:
            raise RunnerError(f"the registry of {reference} cannot be asked", log=error.message,
                              hint="check the connection; what docker/bases.lock pins stands as it is") from None
        return str(json.loads(answer)["digest"])

    def require_room(self) -> None:
        """Raises RunnerError if the engine's disk is nearly full: a build would fail half-way."""
        if self.storage.is_dir() and (free := shutil.disk_usage(self.storage).free / 1e9) < _FREE_GB:
            raise RunnerError(f"the engine has {free:.1f} GB left in {self.storage}, and a build needs {_FREE_GB:.0f}",
                              hint="make room: docker system prune, docker builder prune")


def find() -> Engine:
    """Raises RunnerError that says what is missing: the client, the daemon, buildx, or a new enough one."""
    command = shutil.which("docker")
    if not command:
        raise RunnerError("there is no container engine on this machine: `docker` is not found",
                          hint="install Docker Engine with the buildx plugin")
    try:
        info = json.loads(_ask(command, "info", "--format", "{{json .}}"))
    except (RunnerError, ValueError) as error:
        raise RunnerError("the container engine does not answer", log=str(error),
                          hint="start it (systemctl start docker), and see that you may use its socket") from None
    if not info.get("ServerVersion"):
        reason = "; ".join(info.get("ServerErrors") or ["no reason"])
        raise RunnerError(f"the container engine does not answer: {reason}",
                          hint="start it (systemctl start docker), and see that you may use its socket")
    try:
        buildx = _ask(command, "buildx", "version")
    except RunnerError:
        raise RunnerError("the engine has no BuildKit builder: `docker buildx` is not found",
                          hint="install the buildx plugin (package docker-buildx or docker-buildx-plugin)") from None
    found = re.search(r"(\d+)\.(\d+)(\.\d+)?", buildx.split(" ", 1)[-1])
    if not found or (int(found[1]), int(found[2])) < _BUILDX:
        raise RunnerError(f"buildx {found[0] if found else buildx} is too old: 0.12 or newer is needed",
                          hint="update the buildx plugin")
    store = any("containerd" in " ".join(map(str, row)) for row in info.get("DriverStatus") or ())
    gpu = "nvidia" in (info.get("Runtimes") or {})
    return Engine(command, str(info["ServerVersion"]), found[0], store, gpu, Path(str(info.get("DockerRootDir", ""))),
                  str(info.get("ID", "")))


def _familiar(name: str) -> str:
    """As the engine writes it: without the registry that it takes for granted."""
    return name.removeprefix("docker.io/").removeprefix("library/")


def _end(process: subprocess.Popen[str]) -> None:
    """The client passes SIGTERM on to its plugin, which has the engine give the build up."""
    process.terminate()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ask(command: str, *arguments: str | Sequence[str]) -> str:
    done = subprocess.run([command, *map(str, arguments)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()
        raise RunnerError(f"`docker {' '.join(map(str, arguments[:2]))}` failed: {said[-1]}",
                          hint="`docker info` shows whether the engine is well")
    return done.stdout.strip()
