"""The build context: what .dockerignore lets in, as BuildKit reads it, beside what the Dockerfile takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cp_whisperx.images import dockerfile

IGNORE = ".dockerignore"


@dataclass(frozen=True, slots=True)
class Context:
    """Paths are relative to the clone, with slashes.

    `files` are let in, with their sizes in bytes; `untaken` of those no instruction takes; `absent` are sources of
    the Dockerfile that the context does not hold, each with the line that names it.
    """

    files: dict[str, int]
    untaken: tuple[str, ...]
    absent: dict[str, int]

    @property
    def size(self) -> int:
        return sum(self.files.values())


def read(clone: Path, text: str | None = None) -> Context:
    """`text` stands for the Dockerfile of the clone where it is given."""
    text = (clone / "docker" / "Dockerfile").read_text(encoding="utf-8") if text is None else text
    sources = dockerfile.context_sources(dockerfile.parse(text))
    files = held(clone)
    taken = {source: {name for name in files if _under(name, source)} for source in sources}
    return Context(files, tuple(sorted(files.keys() - set().union(*taken.values()))),
                   {source: sources[source] for source, names in taken.items() if not names})


def held(clone: Path) -> dict[str, int]:
    """The files that .dockerignore lets in, with their sizes; all of the clone if there is no such file."""
    ignore = clone / IGNORE
    rules = _rules(ignore.read_text(encoding="utf-8") if ignore.is_file() else "")
    return dict(_walk(clone, clone, rules))


_Rule = tuple[re.Pattern[str], bool, str]
"""A pattern, whether it lets in what it matches, and its text."""


def _rules(text: str) -> tuple[_Rule, ...]:
    lines = (line.strip() for line in text.splitlines() if not line.startswith("#"))
    return tuple((re.compile(_expression(pattern)), line.startswith("!"), pattern) for line in lines if line
                 for pattern in (line.removeprefix("!").strip().strip("/"),))


def _expression(pattern: str) -> str:
    """`**/` is any number of folders, `*` and `?` stay within one name; what lies under a match matches too."""
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    found = re.findall(r"\*\*/|\*\*|\*|\?|[^*?]+", pattern)
    return "".join(parts.get(part) or re.escape(part) for part in found) + "(?:/.*)?"


def _lets_in(path: str, rules: tuple[_Rule, ...]) -> bool:
    """The last rule that matches decides."""
    inside = True
    for expression, lets_in, _ in rules:
        if expression.fullmatch(path):
            inside = lets_in
    return inside


def _walk(folder: Path, clone: Path, rules: tuple[_Rule, ...]) -> Iterator[tuple[str, int]]:
    for path in sorted(folder.iterdir()):
        name = path.relative_to(clone).as_posix()
        if path.is_dir() and not path.is_symlink():
            # Within a folder that is left out something may be let in again.
            if _lets_in(name, rules) or any(lets_in and (pattern.startswith((name + "/", "*"))) for
                                            _, lets_in, pattern in rules):
                yield from _walk(path, clone, rules)
        elif _lets_in(name, rules):
            yield name, path.lstat().st_size


def _under(name: str, source: str) -> bool:
    return source == "." or bool(re.fullmatch(_expression(source), name))
