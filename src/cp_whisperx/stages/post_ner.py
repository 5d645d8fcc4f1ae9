"""post-ner: words and the names to expect in, the same words with the names as the film has them out."""

from __future__ import annotations

from pydantic import Field

from cp_whisperx.artifacts import Glossary, NamedTranscript, Transcript
from cp_whisperx.names.corrections import Veto
from cp_whisperx.names.ordinary import Lexicon
from cp_whisperx.names.repair import repair
from cp_whisperx.stage import ImageNeeds, Inputs, Stage, StageOptions, Tools

_WORDS = "en-words"


class Options(StageOptions):
    repair: bool = Field(True, description="Put the film's names in the place of what was heard for them")


def run(inputs: Inputs, options: Options, tools: Tools) -> NamedTranscript:
    transcript = inputs[Transcript]
    segments, names = transcript.segments, inputs[Glossary].names
    if not options.repair or not names:
        tools.log.info("no names to repair" if options.repair else "names are left as they were heard")
        return NamedTranscript(language=transcript.language, segments=segments, changes=())
    vetoes = [Veto.parse(text) for text in tools.gathered.get("veto", ())]
    lexicon = Lexicon(tools.models.path(_WORDS) / "words.txt")
    repaired, changes = repair(segments, names, lexicon, vetoes)
    vetoed = sum(change.vetoed for change in changes)
    tools.log.info(f"{len(changes) - vetoed} names repaired" + (f", {vetoed} left as vetoed" if vetoed else ""))
    tools.progress(1.0, 1.0)
    return NamedTranscript(language=transcript.language, segments=repaired, changes=changes)


STAGE = Stage(
    name="post-ner",
    version=3,
    needs=(Transcript, Glossary),
    makes=NamedTranscript,
    options=Options,
    run=run,
    image=ImageNeeds(layers=("base", "names")),
    models=lambda options: (_WORDS,) if options.repair else (),
)
