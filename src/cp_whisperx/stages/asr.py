"""asr: speech spans in, segments with words and their times out.

Each window is written down as soon as it is heard. A run that was killed goes on behind the last of them,
and since windows depend on nothing but those before them it ends with the same transcript.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, TypeAdapter

from cp_whisperx import alignment, languages, publish
from cp_whisperx import writing as writings
from cp_whisperx.artifacts import (
    AudioTrack,
    Decision,
    Glossary,
    LanguageVote,
    Name,
    SpeakerActivity,
    Speech,
    Transcript,
)
from cp_whisperx.engines import pocketsphinx
from cp_whisperx.engines.alignment_workers import Workers
from cp_whisperx.engines.faster_whisper import WhisperTranscriber
from cp_whisperx.engines.protocols import Heard, Task, Transcriber, Translator
from cp_whisperx.errors import ConfigError
from cp_whisperx.guards import HeardSound, Sound
from cp_whisperx.guards.verdicts import Verdicts, decide
from cp_whisperx.media.samples import Samples
from cp_whisperx.models import catalog
from cp_whisperx.models.store import is_path
from cp_whisperx.names import evidence
from cp_whisperx.names.hints import REACH_S, hints
from cp_whisperx.stage import ImageNeeds, Inputs, Stage, StageOptions, Tools
from cp_whisperx.timeline import SAMPLE_RATE, Segment, monotone, total
from cp_whisperx.translation import WhisperTranslator, second_pass
from cp_whisperx.windows import Window, pack, spread

if TYPE_CHECKING:
    from cp_whisperx.engines.protocols import Waveform

_JOURNAL = "windows.jsonl"
_VOTE_WINDOWS = 12
_SAME_SPEECH = {"ur": "hi"}
"""Hindi and Urdu sound alike to Whisper; which script is written is a matter of policy, not of hearing."""
_WEAK = frozenset(("tiny", "base"))
_SURE_SHARE = 0.6
_LOSS_TOLD_S = 5.0
_LOSS_TOLD_SHARE = 0.05
_NAME_TOKENS = 100
"""Of the 223 that Whisper takes for what was said before."""


class Options(StageOptions):
    model: str = Field("base", description="A model of the catalogue, or a folder with one in CTranslate2 form")
    source: str | None = Field(None, description="Language spoken: hi, en…; empty: voted over the whole film")
    task: Task = Field("transcribe", description="transcribe: text as spoken; translate: into English")
    script: writings.Policy = Field(
        "auto", description="Of Hindi and its like: devanagari, roman, or mixed, as it comes; auto: devanagari")
    names: bool = Field(True, description="Where names of the film are known, ask the model what it is unsure of "
                        "once more: is it one of them?")
    second_hearing: bool = Field(True, description="Speech that got no words is heard once more, alone")
    beam_size: int = Field(5, ge=1, le=10, description="Hypotheses kept while decoding")
    align: Literal["auto", "off"] = Field(
        "auto", description="Word times; auto: English by forced alignment, translations from the words spoken "
                            "(each window is then heard twice); off: the model's own")


def run(inputs: Inputs, options: Options, tools: Tools) -> Transcript:
    _check(options)
    speech, heard = inputs[SpeakerActivity], inputs[Speech]
    track = inputs[AudioTrack]
    samples = Samples(inputs.file(AudioTrack, track.file))
    if not speech.spans:
        tools.log.info("nobody speaks: nothing to recognise")
        source = _code(options.source)
        vote = LanguageVote(language=source or "und", how="silence", windows=0, shares={})
        return _transcript(vote, options, _text_language(vote, options, None))
    engine = WhisperTranscriber(tools.models.path(options.model), device=tools.device, threads=tools.threads,
                                beam_size=options.beam_size, log=tools.log)
    tools.facts.update({"engine": engine.version, "device": engine.device.name,
                        "compute_type": engine.device.compute_type, "device_reason": engine.device.reason})
    sound = HeardSound(samples, inputs.file(Speech, heard.frames), heard.frame_samples / SAMPLE_RATE)
    return recognise(engine, samples, speech, options, tools, sound, inputs[Glossary])


def recognise(engine: Transcriber, samples: Samples, speech: SpeakerActivity, options: Options, tools: Tools,
              sound: Sound, glossary: Glossary | None = None, translator: Translator | None = None) -> Transcript:
    """The stage with its engine given: vote, hear every window, judge every segment, hear what was lost again.

    What translates is the engine itself, unless a `translator` is given.
    """
    windows = pack(speech.spans, engine.window_s)
    journal = _Journal(tools.work / _JOURNAL)
    vote = journal.vote(lambda: _vote(engine, windows, samples, options))
    tools.log.info(_vote_text(vote))
    if vote.language not in ("en", "und") and options.model in _WEAK:
        tools.warn(f"the model {options.model} is weak in {_name(vote.language)}: use --model medium or larger")
    language = _text_language(vote, options, translator)
    writing = writings.writing(language, "transcribe", options.script)
    names = _Names(_expected(glossary, writing, options), engine.tokens)
    total_s = sum(window.speech_s for window in windows)
    done_s = 0.0
    again = len(journal.heard)
    with ExitStack() as stack:
        workers = stack.enter_context(Workers(tools.threads)) if _alignable(vote, options, tools) else None

        def timed(number: int, window: Window) -> Callable[[], tuple[Segment, ...]]:
            """A window's segments with their final times; heard now, unless an earlier run has heard it."""
            if number >= len(journal.heard):
                if names.known:
                    names.expect(_lately(windows, journal.heard, window), window.spans[0].start)
                journal.add(_hear(engine, window.sound(samples), vote.language, options, names, translator))
            return _timing(window, journal.heard[number].segments, samples, workers)

        waiting: list[Callable[[], tuple[Segment, ...]]] = []
        for number, window in enumerate(windows):
            waiting.append(timed(number, window))
            done_s += window.speech_s
            tools.progress(done_s, total_s)
        placed = [segment for window, segments in zip(windows, waiting, strict=True)
                  for segment in window.place(segments())]
        verdicts = decide(placed, speech.spans, sound, samples, windows=len(windows), hear_alone=(
            lambda number, window: window.place(timed(len(windows) + number, window)()))
            if options.second_hearing else None)
    tools.facts["windows"] = f"{len(windows)} heard, {min(again, len(windows))} of them by an earlier run"
    if names.known:
        tools.facts["names"] = f"{names.places} places that may be one, found in {names.seconds:.1f} s"
    decisions = tuple(decision for window, heard in zip(windows, journal.heard, strict=False)
                      for decision in _decisions(window, heard, placed))
    _tell(verdicts, decisions, speech, tools)
    journal.close()
    return _transcript(vote, options, language, verdicts, decisions)


def _text_language(vote: LanguageVote, options: Options, translator: Translator | None) -> str:
    """Of what is written: that of the sound, unless it is translated."""
    if options.task == "transcribe":
        return vote.language
    return translator.target if translator else WhisperTranslator.target


@dataclass(slots=True)
class _Names:
    """Names to expect, and what it took to ask for them."""

    known: tuple[Name, ...]
    tokens: Callable[[str], int]
    told: tuple[str, ...] = ()
    places: int = 0
    seconds: float = 0.0

    def expect(self, recent: Sequence[tuple[float, str]], now_s: float) -> None:
        """For the next window; of a large cast those who were spoken of lately."""
        found = hints(self.known, recent, now_s, budget=_NAME_TOKENS, tokens=self.tokens)
        self.told = tuple(found.split(", ")) if found else ()


def _expected(glossary: Glossary | None, writing: writings.Writing, options: Options) -> tuple[Name, ...]:
    if not glossary or not options.names or writing.script == "Deva" or writing.roman:
        return ()
    return glossary.names


def _lately(windows: Sequence[Window], heard: Sequence[Heard], now: Window) -> list[tuple[float, str]]:
    """Words before a window, and names that they may have been, each with its time."""
    until_s = now.spans[0].start
    near = (segment for window, one in zip(windows, heard, strict=False)
            if window.spans[0].start < until_s <= window.spans[-1].end + REACH_S
            for segment in window.place(one.segments))
    return [said for segment in near for said in (
        *((word.start, word.text) for word in segment.words),
        *((segment.words[one.first].start, one.name) for one in segment.alternatives if one.gain > 0))]


def _hear(engine: Transcriber, sound: Waveform, language: str, options: Options, names: _Names,
          translator: Translator | None) -> Heard:
    """One window as it is to be written; a translation with the times of the words that it translates."""
    def as_spoken(policy: writings.Policy) -> Heard:
        return writings.hear(engine, sound, language=language, task="transcribe",
                             writing=writings.writing(language, "transcribe", policy))

    if options.task == "transcribe":
        return _with_names(engine, sound, as_spoken(options.script), language, options, names)
    if translator is not None:
        return second_pass(translator, sound, as_spoken("auto").segments, source=language)
    translator = WhisperTranslator(engine)
    if options.align == "off" or language == translator.target:
        # It listens, so the sound is not transcribed for it.
        heard = translator.translate(sound, (), source=language)
    else:
        heard = second_pass(translator, sound, as_spoken("auto").segments, source=language)
    return _with_names(engine, sound, heard, language, options, names)


def _with_names(engine: Transcriber, sound: Waveform, heard: Heard, language: str, options: Options,
                names: _Names) -> Heard:
    """With the names that may have been said in the place of some words; the words are as they were heard."""
    began = time.perf_counter()
    words = [word for segment in heard.segments for word in segment.words]
    told = f"{', '.join(names.told)}."
    found = evidence.alternatives(words, names.told, lambda texts: engine.score(
        sound, texts, language=language, task=options.task, names=told),
        lambda: engine.expecting(sound, told, language=language, task=options.task))
    each = evidence.by_segment(found, [len(segment.words) for segment in heard.segments])
    names.places += len(found)
    names.seconds += time.perf_counter() - began
    return replace(heard, segments=tuple(replace(segment, alternatives=own)
                                         for segment, own in zip(heard.segments, each, strict=True)))


def _alignable(vote: LanguageVote, options: Options, tools: Tools) -> bool:
    if options.align == "off" or vote.language != "en":
        return False
    if not pocketsphinx.available():
        tools.warn("word times are the model's own: pocketsphinx, which aligns them, is not installed")
        return False
    return True


def _timing(window: Window, segments: tuple[Segment, ...], samples: Samples,
            workers: Workers | None) -> Callable[[], tuple[Segment, ...]]:
    """What gives the segments with their final times; aligned while the next window is heard."""
    if workers is None or not segments:
        return lambda: segments
    # The sound is read when its turn comes: a resumed run has all its windows waiting here.
    return workers.submit(lambda aligner: alignment.align(aligner, window.sound(samples), segments)).result


def _decisions(window: Window, heard: Heard, placed: Sequence[Segment]) -> Iterator[Decision]:
    for segment in window.place(heard.refused):
        after = " ".join(other.text for other in placed if other.overlap(segment) > 0)
        yield Decision(start=segment.start, end=segment.end, before=segment.text, after=after, reason="another script")


def _share_aligned(segments: Sequence[Segment]) -> str:
    words = [word for segment in segments for word in segment.words]
    aligned = sum(word.timing == "aligned" for word in words)
    return f"{aligned} of {len(words)} words aligned"


def _tell(verdicts: Verdicts, decisions: Sequence[Decision], speech: SpeakerActivity, tools: Tools) -> None:
    for decision in decisions:
        tools.log.info(f"heard again at {decision.start:.1f} s ({decision.reason}): {decision.before}")
    for drop in verdicts.dropped:
        tools.log.info(f"dropped at {drop.start:.1f} s ({drop.guard}, {drop.reason}): {drop.text}")
    for song in verdicts.songs:
        tools.log.info(f"sung: {song.start:.0f} s to {song.end:.0f} s (score {song.score:.2f})")
    lost_s = total(verdicts.unheard)
    said = f"{lost_s:.0f} s of {speech.speech_s:.0f} s of speech got no words, in {len(verdicts.unheard)} places"
    tools.facts.update(second_hearing=f"{verdicts.again} spans", unheard=said,
                       word_times=_share_aligned(verdicts.kept))
    if lost_s > max(_LOSS_TOLD_S, _LOSS_TOLD_SHARE * speech.speech_s):
        tools.warn(f"{said}: a larger model may hear them")


class _Journal:
    """The language, then one line per window, in order, each on the disk before the next begins."""

    _heard: TypeAdapter[Heard] = TypeAdapter(Heard)

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = publish.whole_lines(path)
        self._vote = LanguageVote.model_validate_json(lines[0]) if lines else None
        self.heard = [self._heard.validate_json(line) for line in lines[1:]]

    def vote(self, hold: Callable[[], LanguageVote]) -> LanguageVote:
        if self._vote is None:
            self._vote = hold()
            publish.append(self._path, self._vote.model_dump_json().encode())
        return self._vote

    def add(self, heard: Heard) -> None:
        line = json.dumps(asdict(heard), ensure_ascii=False).encode()
        publish.append(self._path, line)
        # Read back, so that an undisturbed run and one that continues work on the very same values.
        self.heard.append(self._heard.validate_json(line))

    def close(self) -> None:
        self._path.unlink()


def _vote(engine: Transcriber, windows: Sequence[Window], samples: Samples, options: Options) -> LanguageVote:
    """The language asked for, or the one most probable over windows from the whole film."""
    if pinned := _code(options.source):
        return LanguageVote(language=pinned, how="pinned", windows=0, shares={})
    if not engine.multilingual:
        return LanguageVote(language="en", how="model", windows=0, shares={})
    positions = spread(len(windows), _VOTE_WINDOWS)
    shares: dict[str, float] = {}
    for position in positions:
        for language, share in engine.languages(windows[position].sound(samples)).items():
            language = _SAME_SPEECH.get(language, language)
            shares[language] = shares.get(language, 0.0) + share / len(positions)
    best = sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:5]
    return LanguageVote(language=best[0][0], how="voted", windows=len(positions),
                        shares={language: round(share, 3) for language, share in best})


def _vote_text(vote: LanguageVote) -> str:
    if vote.how != "voted":
        return f"language {_name(vote.language)} ({vote.how})"
    share = vote.shares[vote.language]
    unsure = "" if share >= _SURE_SHARE else "; not sure: name it with --source"
    return f"language {_name(vote.language)} ({share:.0%} over {vote.windows} windows of the film{unsure})"


def _name(code: str) -> str:
    return found.name if (found := languages.find(code)) else code


def _code(source: str | None) -> str | None:
    if not source:
        return None
    if not (found := languages.find(source)):
        raise ConfigError(f"{source} is no language that Whisper knows", hint="give a code such as hi, en or ta")
    return found.code


def _check(options: Options) -> None:
    """Asks of the model only what it can do, before anything is loaded."""
    source = _code(options.source)
    if is_path(options.model):
        return
    model = catalog.find(options.model)
    if model.kind != "whisper":
        raise ConfigError(f"{model.name} is no speech recogniser", hint="`cp-whisperx models list` shows them")
    if model.languages == "en" and source not in (None, "en"):
        raise ConfigError(f"the model {model.name} knows English alone, not {_name(source or '')}",
                          hint="use --model base or larger")
    if options.task == "translate" and not model.translates:
        raise ConfigError(f"the model {model.name} cannot translate", hint="use --model base, small or larger")


def _in_order(segments: Sequence[Segment]) -> list[Segment]:
    """Words that never run backwards, over all segments; each segment spans its words."""
    clean = iter(monotone([word for segment in segments for word in segment.words]))
    result = []
    for segment in segments:
        words = tuple(next(clean) for _ in segment.words)
        result.append(replace(segment, start=words[0].start, end=words[-1].end, words=words))
    return result


def _transcript(vote: LanguageVote, options: Options, language: str, verdicts: Verdicts | None = None,
                decisions: tuple[Decision, ...] = ()) -> Transcript:
    writing = writings.writing(language, "transcribe", options.script)
    kept = _in_order(verdicts.kept if verdicts else ())
    return Transcript(
        language=language, spoken=vote, task=options.task, model=options.model, script=writing.script,
        decisions=decisions,
        segments=tuple(writings.romanised(segment) if writing.roman else segment for segment in kept),
        dropped=verdicts.dropped if verdicts else (), unheard=verdicts.unheard if verdicts else (),
        songs=verdicts.songs if verdicts else ())


STAGE = Stage(
    name="asr",
    version=5,
    needs=(AudioTrack, Glossary, Speech, SpeakerActivity),
    makes=Transcript,
    options=Options,
    run=run,
    image=ImageNeeds(layers=("base", "media", "array", "web", "hub", "asr", "align"), gpu=True, cuda_layers=("cuda",)),
    resumes=True,
    models=lambda options: (options.model,),
)
