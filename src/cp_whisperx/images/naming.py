"""The names of a built set: they move when all of it is there, in the engine and then in the registry.

Every name is given in one request, so that it has its old image or its new one at any moment, whatever breaks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cp_whisperx import log as logs
from cp_whisperx.errors import RunnerError
from cp_whisperx.images.engine import Engine

_log = logs.get("images")

_PUSHED = re.compile(r"\bdigest: (sha256:[0-9a-f]{64})\b")


def move(engine: Engine, wanted: Mapping[str, str], lock: int) -> None:
    """Gives each name the image with that id, and takes away images that have no name any more by this.

    If one cannot be given, or this process is told to end meanwhile, those that moved go back. Raises RunnerError
    then, and if another build has given the names away right after. `lock` is that of builds (turn.taken).
    """
    before = engine.named(wanted)
    moving = {name: image for name, image in wanted.items() if before.get(name) != image}
    if not moving:
        return
    try:
        for name, image in moving.items():
            engine.ask("image", "tag", image, name)
    except BaseException as error:
        _put_back(engine, tuple(moving), before)
        if isinstance(error, RunnerError):
            raise RunnerError(f"the images are built, but the engine did not name them ({_words(error)})",
                              hint="every name is as it was; `docker system df` shows the room it has") from None
        raise
    now = engine.named(wanted)
    if lost := [name for name, image in wanted.items() if now.get(name) != image]:
        raise RunnerError(f"{lost[0]} is not what was built: another build has moved it meanwhile",
                          hint="let one build end before the next begins, then run this again")
    _drop(engine, sorted({before[name] for name in moving if name in before}), lock)


def push(engine: Engine, images: Sequence[Sequence[str]], ids: Sequence[str]) -> None:
    """Pushes the names of each image, which end with the one that no other build has.

    That one goes first, for all: so everything is in the registry, and has been compared, before a name moves
    that others pull. Raises RunnerError if the registry does not take one.
    """
    registry = images[0][0].rpartition("/")[0]
    for number, (names, image) in enumerate(zip(images, ids, strict=True), 1):
        _log.info(f"pushing {names[-1]} ({number} of {len(images)})")
        _push(engine, names[-1], image, registry, "no name that others pull has moved there")
    for number, (names, image) in enumerate(zip(images, ids, strict=True)):
        for name in names[:-1]:
            _push(engine, name, image, registry, f"{number} of {len(images)} images have their new names there, "
                                                 "the others have their old ones")
    _log.info(f"{len(images)} images are in {registry}")


def _push(engine: Engine, name: str, image: str, registry: str, state: str) -> None:
    try:
        said = engine.ask("push", name)
    except RunnerError as error:
        raise RunnerError(f"{registry} did not take the images ({_words(error)})",
                          hint=f"{state}; see that it runs and that you may push to it (docker login), then run again: "
                               "what it has is not sent again") from None
    digest = _PUSHED.search(said)
    # An engine with the classic image store has ids of its own, which no registry knows.
    if engine.containerd and digest and digest[1] != image:
        raise RunnerError(f"{name} is {digest[1][:19]} in the registry and {image[:19]} here: another build has "
                          "moved it meanwhile", hint="let one build end before the next begins, then run this again")


def _put_back(engine: Engine, moved: Sequence[str], before: Mapping[str, str]) -> None:
    now = engine.named(moved)
    for name in moved:
        try:
            if name in before and now.get(name) != before[name]:
                engine.ask("image", "tag", before[name], name)
            elif name not in before and name in now:
                engine.ask("image", "rm", name)
        except RunnerError as error:
            _log.warning(f"{name} has its new image and keeps it ({_words(error)})")


def _drop(engine: Engine, images: Sequence[str], lock: int) -> None:
    """The engine keeps for ever what has lost its name."""
    nameless = [image for image, tags in engine.tags(images).items() if not tags] if images else []
    if nameless:
        # Not waited for: the engine collects its garbage meanwhile, which takes longer than a build of one change. The
        # next build waits, which may make the same image again. One that a container still runs stays.
        engine.leave("image", "rm", *nameless, keep=(lock,))


def _words(error: RunnerError) -> str:
    """The engine's own, without the command."""
    return error.message.partition(" failed: ")[2] or error.message
