"""pre-ner: what is known of the film in, the names to expect out."""

from __future__ import annotations

from pydantic import Field

from cp_whisperx.artifacts import Film, Glossary
from cp_whisperx.engines.protocols import NameFinder
from cp_whisperx.names import glossary
from cp_whisperx.stage import ImageNeeds, Inputs, Stage, StageOptions, Tools

_MODEL = "en-names"


class Options(StageOptions):
    read_plot: bool = Field(True, description="Look for names in the film's plot and keywords as well, in English")
    names: tuple[str, ...] = Field((), description="Names to expect in every film, besides those of its cast")


def run(inputs: Inputs, options: Options, tools: Tools) -> Glossary:
    finder = None
    if options.read_plot and inputs[Film].overview:
        from cp_whisperx.engines.spacy_ner.finder import SpacyNames

        finder = SpacyNames(tools.models.path(_MODEL))
        tools.facts["engine"] = finder.version
    return expect(inputs[Film], finder, options, tools)


def expect(film: Film, finder: NameFinder | None, options: Options, tools: Tools) -> Glossary:
    """The stage with its engine given."""
    # Keywords are separate sentences: one name must not run on into the next.
    texts = (film.overview, *film.keywords) if finder else ()
    entities = [entity for text in texts if finder for entity in finder.find(text)]
    entities += glossary.proper_nouns(film.overview, entities) if finder else ()
    added = (*tools.gathered.get("add", ()), *options.names)
    names = glossary.build(film, entities, added)
    tools.log.info(f"{len(names)} names to expect" + (": " + ", ".join(name.canonical for name in names[:8])
                                                      if names else ": nothing is known of this film"))
    tools.progress(1.0, 1.0)
    return Glossary(names=names)


STAGE = Stage(
    name="pre-ner",
    version=2,
    needs=(Film,),
    makes=Glossary,
    options=Options,
    run=run,
    image=ImageNeeds(layers=("base", "array", "names")),
    models=lambda options: (_MODEL,) if options.read_plot else (),
)
