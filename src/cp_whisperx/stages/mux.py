"""mux: film and cues in, the film with a soft subtitle track out; the film itself is never touched."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from cp_whisperx.artifacts import StreamFate, SubtitledFilm, Subtitles
from cp_whisperx.errors import ConfigError, EngineError
from cp_whisperx.stage import ImageNeeds, Inputs, Stage, StageOptions, Tools

if TYPE_CHECKING:
    from cp_whisperx.media import mux


class Options(StageOptions):
    pass


def run(inputs: Inputs, options: Options, tools: Tools) -> SubtitledFilm:
    # Every stage's process imports this module; the images of those that read no film do not hold these.
    from cp_whisperx.media import mux, probe

    subtitles = inputs[Subtitles]
    media = probe.probe(tools.film)
    if media.picture is None:
        return _none("the film has no picture: the subtitle files are the result", tools)
    if not subtitles.cues:
        return _none("nobody speaks: there is nothing to put into the film", tools)
    planned = mux.plan(media)
    if planned.impossible:
        tools.warn(f"no film with subtitles is made: {planned.impossible}")
        return _none(f"{planned.impossible}: the subtitle files are the result", tools)
    size = tools.film.stat().st_size
    if shutil.disk_usage(tools.work).free < size:
        raise ConfigError(f"no space left for the film with subtitles: {size / 1e9:.1f} GB are needed",
                          hint="free some space and run again; the subtitle files are complete")
    try:
        fates = _write(planned, subtitles, tools)
    except EngineError as error:
        if planned.container is mux.MKV:
            raise
        tools.warn(f"{error.message}: falling back to mkv")
        planned = mux.plan_for(media, mux.MKV, error.message)
        fates = _write(planned, subtitles, tools)
    if planned.reason != "as the film":
        tools.log.info(f"written as {planned.container.suffix[1:]}: {planned.reason}")
    return SubtitledFilm(file=tools.name + planned.container.suffix, container=planned.container.format,
                         reason=planned.reason, streams=fates)


def _write(planned: mux.Plan, subtitles: Subtitles, tools: Tools) -> tuple[StreamFate, ...]:
    from cp_whisperx.media import mux

    for fate in planned.fates:
        if fate.fate == "dropped":
            # Nobody misses the data: chapters, as a rule, and they are there again.
            tell = tools.log.info if fate.kind == "data" else tools.warn
            tell(f"stream {fate.index} ({fate.kind}, {fate.codec}) is not kept: {fate.reason}")
    out = tools.work / (tools.name + planned.container.suffix)
    if warning := mux.write(tools.film, out, planned, subtitles.cues, language=subtitles.language,
                            progress=tools.progress):
        tools.warn(warning)
    _check_streams(out, planned)
    return planned.fates


def _check_streams(out: Path, planned: mux.Plan) -> None:
    """What was promised is there: counted in the file that a player will open."""
    from cp_whisperx.media import probe

    written = probe.probe(out).streams
    promised = sum(fate.fate in ("kept", "converted") for fate in planned.fates) + 1
    if len([stream for stream in written if stream.kind != "data"]) < promised:
        raise EngineError(f"{len(written)} of {promised} streams arrived in {planned.container.suffix[1:]}",
                          hint="the subtitle files are complete; please report the film's format")


def _none(reason: str, tools: Tools) -> SubtitledFilm:
    tools.log.info(reason)
    return SubtitledFilm(file=None, container=None, reason=reason, streams=())


STAGE = Stage(
    name="mux",
    version=1,
    needs=(Subtitles,),
    makes=SubtitledFilm,
    options=Options,
    run=run,
    image=ImageNeeds(layers=("base", "media")),
    reads_film=True,
)
