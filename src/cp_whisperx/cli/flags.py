"""The flags that several commands share: those that stand for settings, and times."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from cp_whisperx import settings
from cp_whisperx.errors import ConfigError
from cp_whisperx.timeline import Span

_TIME = re.compile(r"(?:(?:(?P<hours>\d+):(?=\d+:))?(?P<minutes>\d+):(?=[0-5]?\d(?:\D|$)))?(?P<seconds>\d+(?:\.\d+)?)")
_NO_END_S = 1e6


class Clock(click.ParamType[float]):
    """Seconds, M:SS or H:MM:SS; the seconds may have decimals."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = _TIME.fullmatch(str(value).strip())
        if not found or (found["hours"] and int(found["minutes"]) > 59):
            self.fail(f"{value} is no time: give seconds or H:MM:SS", param, ctx)
        return int(found["hours"] or 0) * 3600 + int(found["minutes"] or 0) * 60 + float(found["seconds"])


class TextFile(click.ParamType[str]):
    """A file, taken for its text: the container of a stage does not see the user's folders."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return Path(value).expanduser().read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            self.fail(f"{value} is no text in UTF-8", param, ctx)
        except OSError as error:
            self.fail(f"{value} cannot be read: {error.strerror}", param, ctx)


_FILM_FLAGS: tuple[tuple[str, tuple[str, ...], dict[str, Any]], ...] = (
    ("--source", ("stages.asr.source", "stages.demux.language"), {
        "help": "Language spoken: hi, en… [voted over the film]"}),
    ("--task", ("stages.asr.task",), {
        "type": click.Choice(("transcribe", "translate")), "help": "Text as spoken, or into English [transcribe]"}),
    ("--model", ("stages.asr.model",), {"help": "Name in the catalogue, or a folder [base]"}),
    ("--film-id", ("stages.tmdb.film_id",), {
        "help": "Which film it is: tt0112870 or tmdb:19404 [found by .nfo and name]"}),
    ("--cast", ("stages.tmdb.cast",), {
        "type": click.Path(), "help": "File with names to expect: lines `Character = Actor` [none]"}),
    ("--track", ("stages.demux.track",), {"type": int, "help": "Index of the audio stream [by policy]"}),
    ("--speakers", ("stages.diarization.speakers", "stages.subtitle-gen.speakers"), {
        "type": click.Choice(("off", "labels", "names")), "help": "Tell who speaks, and how to call them [off]"}),
    ("--speaker-names", ("stages.subtitle-gen.names",), {
        "type": TextFile(), "metavar": "FILE", "help": "Who S1, S2… are, a line each: S1=Simran; then --speakers is "
                                                       "names"}),
    ("--format", ("stages.subtitle-gen.formats",), {"help": "Of srt,vtt,ass,ttml,txt,json [srt,vtt]"}),
    ("--profile", ("stages.subtitle-gen.profile",), {
        "help": "Rules for subtitles: netflix-en, bbc…, or a TOML file [by language]"}),
    ("--songs", ("stages.subtitle-gen.rules.song_policy",), {
        "type": click.Choice(("mark", "leave-out", "plain")),
        "help": "Sung words: with the profile's sign, not at all, or without a sign [by profile]"}),
    ("--device", ("device",), {"type": click.Choice(("auto", "cpu", "cuda")), "help": "Where to compute [auto]"}),
    ("--runner", ("runner",), {
        "type": click.Choice(("local", "docker")), "help": "Stages as processes, or each in its container [local]"}),
    ("--out", ("jobs",), {"type": click.Path(path_type=Path), "help": "Folder for the jobs [out]"}),
)
"""Flags that stand for settings: name, the keys they set, how click shows them. One table for all commands."""


def film_flags(command: Callable[..., None]) -> Callable[..., None]:
    for name, _, attributes in reversed(_FILM_FLAGS):
        command = click.option(name, **attributes)(command)
    command = click.option("--start", type=Clock(), help="Only from here on: seconds or H:MM:SS")(command)
    return click.option("--end", type=Clock(), help="Only up to here: seconds or H:MM:SS")(command)


config_flag = click.option("--config", type=click.Path(path_type=Path), help="Settings file [./cp-whisperx.toml]")
json_flag = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
runner_flag = click.option("--runner", type=click.Choice(("local", "docker")),
                           help="Stages as processes, or each in its container [local]")
out_flag = click.option("--out", type=click.Path(path_type=Path), help="Folder of the jobs [out]")


def settings_of(config: Path | None, flags: Mapping[str, Any]) -> settings.Settings:
    """The settings with `flags` (as `film_flags` names them) over them."""
    values = {key: flags.get(name.removeprefix("--").replace("-", "_")) for name, keys, _ in _FILM_FLAGS
              for key in keys}
    if flags.get("speaker_names") and not flags.get("speakers"):
        values |= {"stages.diarization.speakers": "names", "stages.subtitle-gen.speakers": "names"}
    return settings.load(values, file=config)


def clip(start: float | None, end: float | None) -> Span | None:
    """The part of the film that --start and --end ask for; None for all of it."""
    if start is None and end is None:
        return None
    span = Span(start or 0.0, _NO_END_S if end is None else end)
    if span.duration <= 0:
        raise ConfigError("--end is not behind --start", hint="give both as seconds or H:MM:SS")
    return span
