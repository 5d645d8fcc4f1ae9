"""Claims that the clone alone proves or breaks: its Dockerfile, scripts, locks and generated files."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from cp_whisperx.images import bases, context, debs, dockerfile, locks, recipe
from cp_whisperx.images.build import BuildPlan
from cp_whisperx.images.dockerfile import Instruction
from cp_whisperx.images.evidence import Evidence, Finding, faults

_CACHED = {
    "apt-get": (re.compile(r"\bapt(-get)?\b.*\b(update|install|download)\b"),
                ("/var/cache/apt", "/var/lib/apt/lists")),
    "pip": (re.compile(r"(?<!uv )\bpip3?\b.*\b(install|download|wheel)\b"), ("/root/.cache/pip",)),
    "uv": (re.compile(r"\buv\b.*\b(install|sync|download)\b"), ("/root/.cache/uv",)),
}
"""Per package manager: how a command that downloads looks, and where what it downloads must be kept."""

_EMPTIES = re.compile(
    r"\b(?:rm|find|cd)\b[^;&|\n]*(?:/var/cache/apt|/var/lib/apt|/root/\.cache|~/\.cache)\S*|\bapt(?:-get)?\s+(?:auto)?clean\b|"
    r"--no-cache(?:-dir)?\b|\b(?:uv|pip)\s+cache\s+\w+|\b(?:UV_NO_CACHE|PIP_NO_CACHE_DIR)=")
_DOCKER_CLEAN = re.compile(r"\brm\b[^;&|\n]*docker-clean")
_APT_INSTALL = re.compile(r"\bapt(?:-get)?\b[^;&|\n]*\binstall\b[^;&|\n]*")
_PLACE = re.compile(r"^\s*(--(?:extra-)?index-url|--find-links|--trusted-host|-i|-f)\b", re.MULTILINE)
_BANNED = re.compile(r"torch(audio|vision)?|triton|tensorflow|nvidia-cudnn.*")


def context_exact(evidence: Evidence) -> Finding:
    found = context.read(evidence.clone)
    return faults([*(f"{name}: {found.files[name]} bytes that nothing takes" for name in found.untaken),
                   *(f"Dockerfile:{line}: {source} is not in the context" for source, line in found.absent.items())])


def context_size(evidence: Evidence) -> Finding:
    found = context.read(evidence.clone)
    largest = sorted(found.files.items(), key=lambda row: -row[1])[:10]
    return found.size, tuple(f"{size} bytes  {name}" for name, size in largest)


def cache_mounts(evidence: Evidence) -> Finding:
    """A cache mount keeps something only if nothing empties it, and is shared only under one id."""
    found = []
    ids: dict[str, set[str]] = defaultdict(set)
    cleaned: dict[str, bool] = {}
    for one in evidence.instructions:
        if one.word == "FROM":
            cleaned[one.stage] = cleaned.get(one.rest.split()[0], False)
        if one.word != "RUN":
            continue
        where, text = f"Dockerfile:{one.line}", _commands(one, evidence)
        caches = [mount for mount in one.mounts if mount.get("type") == "cache"]
        for mount in caches:
            ids[mount.get("target", "")].add(mount.get("id", ""))
            if mount.get("sharing") != "locked":
                found.append(f"{where}: the cache of {mount.get('target')} is not locked: two builds may tear it")
            if not mount.get("id"):
                found.append(f"{where}: the cache of {mount.get('target')} has no id of its own")
        if caches and (emptied := _EMPTIES.search(text)):
            found.append(f"{where}: `{emptied[0].strip()}` empties a cache that is mounted to be kept")
        for tool, (pattern, targets) in _CACHED.items():
            used = any(pattern.search(line) for line in re.split(r"[;\n]|&&", text))
            absent = [target for target in targets if target not in {mount.get("target") for mount in caches}]
            if used and absent:
                found.append(f"{where}: {tool} downloads, and no cache is mounted at {', '.join(absent)}")
        clean, install = _DOCKER_CLEAN.search(text), _APT_INSTALL.search(text)
        if install and not cleaned[one.stage] and not (clean and clean.start() < install.start()):
            found.append(f"{where}: docker-clean is still in place: it empties the apt cache after each install")
        cleaned[one.stage] |= bool(clean)
    found += [f"{target} is cached under {len(names)} ids ({', '.join(sorted(names))}): nothing is shared"
              for target, names in ids.items() if len(names) > 1]
    if not ids:
        found.append("no RUN mounts a cache")
    return faults(found)


def pins(evidence: Evidence) -> Finding:
    pinned = {base.pinned for base in bases.read(evidence.clone)}
    known, outside, found = {"scratch"}, set(), []
    for stage in dockerfile.stages(evidence.instructions):
        if stage.parent not in known:
            outside.add(stage.parent)
            if "@sha256:" not in stage.parent:
                found.append(f"Dockerfile:{stage.line}: FROM {stage.parent} is pinned by no digest")
            elif stage.parent not in pinned:
                found.append(f"Dockerfile:{stage.line}: FROM {stage.parent} is not what {bases.LOCK} pins")
        known.add(stage.stage)
    for one in evidence.instructions:
        origins = [one.flag("from"), *(mount.get("from") for mount in one.mounts)]
        found += [f"Dockerfile:{one.line}: takes files from {origin}, which is no stage of this file"
                  for origin in origins if origin and origin not in known]
    found += [f"{bases.LOCK}: {row} is used by no FROM" for row in sorted(pinned - outside)]
    first, *_ = evidence.read("docker/Dockerfile").splitlines()
    if first.replace(" ", "").startswith("#syntax=") and "@sha256:" not in first:
        found.append(f"Dockerfile:1: the frontend is pinned by no digest: {first}")
    return faults(found)


def generated(evidence: Evidence) -> Finding:
    found = [f"{name}: not as the table of stages has it" for name in recipe.stale(evidence.clone)]
    bakes = [path for pattern in ("docker/*bake*", "*bake*.hcl", "*bake*.json")
             for path in sorted(evidence.clone.glob(pattern))]
    if len(bakes) != 1:
        found.append(f"there are {len(bakes)} bake files: {', '.join(path.name for path in bakes)}")
    targets = {name for path in bakes for name in re.findall(r'^target "([^"]+)"', path.read_text(), re.MULTILINE)}
    return faults(found + [f"no bake target builds {image.target}" for image in (*recipe.images(), recipe.PULLER)
                           if image.target not in targets])


def locks_split(evidence: Evidence) -> Finding:
    """Each layer's lock is pinned by hash, names no index, shares no package with another, and is free of torch."""
    found: list[str] = []
    owners: dict[str, str] = {}
    for layer in ("uv", *recipe.LAYERS):
        name = f"requirements/{layer}.txt"
        text = evidence.read(name)
        found += [f"{name}: names a place to download from: {option}" for option in _PLACE.findall(text)]
        for pin in locks.parse(text):
            if not pin.version:
                found.append(f"{name}: {pin.name} is at no exact version")
            if not pin.hashes:
                found.append(f"{name}: {pin.name} is pinned by no hash")
            if _BANNED.fullmatch(pin.name):
                found.append(f"{name}: {pin.name} has no place in an image")
            if (other := owners.setdefault(pin.name, layer)) != layer and layer != "uv":
                found.append(f"{name}: {pin.name} is in requirements/{other}.txt already")
    return faults(found)


def apt_list(evidence: Evidence) -> Finding:
    """One list, sorted, nothing twice, and the lock names the same; every install without recommended packages."""
    names = debs.wanted(evidence.clone)
    found = [f"{debs.PACKAGES}: {after} stands after {before}" for before, after in pairwise(names) if before > after]
    found += [f"{debs.PACKAGES}: {name} is there twice" for name in sorted(set(names)) if names.count(name) > 1]
    locked = {deb.name for deb in debs.read(evidence.clone)}
    found += [f"{debs.LOCK}: {name} is not in both" for name in sorted(locked ^ set(names))]
    lists = sorted(path.name for path in (evidence.clone / "docker").glob("*packages*"))
    if len(lists) != 1:
        found.append(f"there are {len(lists)} lists of packages: {', '.join(lists)}")
    for one in evidence.instructions:
        for install in _APT_INSTALL.findall(_commands(one, evidence)) if one.word == "RUN" else ():
            packages = [word for word in shlex.split(install.split(" install", 1)[1]) if not re.match(r"[-$>/]", word)]
            if "--no-install-recommends" not in install:
                found.append(f"Dockerfile:{one.line}: installs what packages recommend, too")
            if packages != sorted(set(packages)):
                found.append(f"Dockerfile:{one.line}: packages are not sorted: {' '.join(packages)}")
    return faults(found)


def cache_export(evidence: Evidence) -> Finding:
    """One target carries every step (mode=max), the others their own (min), each under a reference of its own."""
    plan = BuildPlan(evidence.clone, evidence.images, cache="registry.invalid/cache", cache_to=True)
    given = plan.arguments(containerd=True)
    found, modes, references = [], {}, set()
    for target in plan.targets:
        to = [value for value in given if value.startswith(f"{target}.cache-to=")]
        if not any(value.startswith(f"{target}.cache-from=type=registry,ref=") for value in given):
            found.append(f"{target} takes nothing from the registry's cache")
        if len(to) != 1 or not (stated := re.search(r"=type=registry,ref=([^,]+),mode=(min|max)$", to[0])):
            found.append(f"{target} does not say what it exports to the registry's cache")
            continue
        if stated[1] in references:
            found.append(f"{target} overwrites another target's cache at {stated[1]}")
        references.add(stated[1])
        modes[target] = stated[2]
    if list(modes.values()).count("max") != 1:
        found.append(f"{list(modes.values()).count('max')} targets export every step (mode=max), and one should")
    return faults(found)


def debug_targets(evidence: Evidence) -> Finding:
    """Every image has a -debug target upon it that adds a shell."""
    parents = {stage.stage: stage.parent for stage in dockerfile.stages(evidence.instructions)}
    shells = {one.stage for one in evidence.instructions if one.word == "COPY" and one.flag("from") == "shell"}
    found = []
    for image in evidence.images:
        name = f"{image.target}-debug"
        if parents.get(name) != image.target:
            found.append(f"there is no stage {name} upon {image.target}")
        elif name not in shells:
            found.append(f"{name} adds no shell")
    return faults(found)


def _commands(run: Instruction, evidence: Evidence) -> str:
    """What a RUN executes: its own text and that of the scripts it mounts from docker/, without their comments."""
    return "\n".join([run.rest, *_scripts(run, evidence.clone)])


def _scripts(run: Instruction, clone: Path) -> Iterator[str]:
    for mount in run.mounts:
        path = clone / mount.get("source", "")
        if mount.get("type", "bind") == "bind" and path.is_file() and path.name.startswith("make-"):
            lines = path.read_text(encoding="utf-8").splitlines()
            yield "\n".join(line for line in lines if not line.lstrip().startswith("#")).replace("\\\n", " ")
