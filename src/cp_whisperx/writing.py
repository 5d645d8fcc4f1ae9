"""In which script the text is to be: the policy, the lock of the decoder, and the guard over what it wrote.

A lock suppresses tokens and cannot be passed, but for the last piece of a character that is written in pieces. The
guard looks at every segment and has its window decoded again, locked, where the script contradicts the language that
the film was voted to be in: Urdu letters in a Hindi film, a window of noise that comes out in Cyrillic.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from cp_whisperx import scripts
from cp_whisperx.engines.protocols import ANY_SCRIPT, Heard, Task, Transcriber
from cp_whisperx.romanise import romanise
from cp_whisperx.timeline import Segment, Word

if TYPE_CHECKING:
    from cp_whisperx.engines.protocols import Waveform

Policy = Literal["auto", "devanagari", "roman", "mixed"]

_HINDI = frozenset((scripts.DEVANAGARI,))
_LATIN = frozenset((scripts.LATIN,))
_PROMPTS = {"hi": "यह एक हिन्दी फ़िल्म की बातचीत है।"}
"""Told to a locked decoder as what was said before. Without it, a lock leaves base at a loss: on windows of 30 s it
writes the alphabet (bench/hindi_script.py)."""

_LEAK_WORDS = 3
"""Shorter runs of a prompt's words are said by people too: a name of the cast alone."""


@dataclass(frozen=True, slots=True)
class Writing:
    """`lock` is what the decoder is kept to from the start, `allowed` what a segment may hold, `again` what a window
    that held something else is kept to. `roman`: Devanagari is romanised at the end. `prompt` sets the decoder's style.
    """

    lock: frozenset[str]
    allowed: frozenset[str]
    again: frozenset[str]
    roman: bool = False
    prompt: str = ""

    @property
    def script(self) -> str:
        """ISO 15924 code of the text if it is Devanagari or Latin alone; else empty."""
        if self.roman or self.allowed == _LATIN:
            return "Latn"
        return "Deva" if self.allowed == _HINDI else ""


def writing(language: str, task: Task, policy: Policy) -> Writing:
    """The policies are those of languages in Devanagari; all others are written as they are."""
    own = _LATIN if task == "translate" else scripts.of_language(language)
    if own != _HINDI:
        # A language in its own letters may hold English words in theirs.
        return Writing(ANY_SCRIPT, own | _LATIN, own | _LATIN)
    if policy == "mixed":
        return Writing(own | _LATIN, own | _LATIN, own)
    return Writing(own, own, own, roman=policy == "roman", prompt=_PROMPTS.get(language, ""))


def hear(engine: Transcriber, wave: Waveform, *, language: str, task: Task, writing: Writing) -> Heard:
    """What the engine heard in one window, in the script that it is to be in, without the prompt's own words."""
    heard = engine.transcribe(wave, language=language, task=task, scripts=writing.lock, prompt=writing.prompt)
    if not any(contradicts(segment, writing) for segment in heard.segments):
        return replace(heard, segments=_unleaked(heard.segments, writing.prompt))
    refused = tuple(segment for segment in heard.segments if contradicts(segment, writing))
    if writing.again != writing.lock:
        heard = engine.transcribe(wave, language=language, task=task, scripts=writing.again, prompt=writing.prompt)
    segments = [kept for segment in heard.segments if (kept := _without_foreign(segment, writing))]
    return replace(heard, segments=_unleaked(segments, writing.prompt), refused=refused)


def contradicts(segment: Segment, writing: Writing) -> bool:
    return bool(writing.allowed and scripts.foreign(segment.text, writing.allowed))


def _without_foreign(segment: Segment, writing: Writing) -> Segment | None:
    """The segment without the words that hold letters of another script; None if no word is left."""
    return _with(segment, [word for word in segment.words if not scripts.foreign(word.text, writing.allowed)])


def _unleaked(segments: Sequence[Segment], prompt: str) -> tuple[Segment, ...]:
    """The segments without runs of words that the prompt has in the same order: the model reads it out on noise."""
    if not prompt:
        return tuple(segments)
    told = _plain(prompt)
    kept = (_with(segment, _outside(segment.words, told)) for segment in segments)
    return tuple(segment for segment in kept if segment)


def _outside(words: Sequence[Word], told: Sequence[str]) -> list[Word]:
    """Words that are in no run of `_LEAK_WORDS` or more of the prompt's, in its order."""
    plain = [_plain(word.text) for word in words]
    leaked: set[int] = set()
    for start in range(len(words)):
        for origin in range(len(told)):
            size = 0
            while start + size < len(words) and origin + size < len(told) and \
                    plain[start + size] == [told[origin + size]]:
                size += 1
            if size >= _LEAK_WORDS:
                leaked |= set(range(start, start + size))
    return [word for position, word in enumerate(words) if position not in leaked]


def _plain(text: str) -> list[str]:
    """Words in lower case. A mark on a letter is no letter to Python, so words are told by what is around them."""
    kept = "".join(one if unicodedata.category(one)[0] in "LMN" else " " for one in text.lower())
    return kept.split()


def _with(segment: Segment, words: Sequence[Word]) -> Segment | None:
    if not words:
        return None
    if len(words) == len(segment.words):
        return segment
    return replace(segment, start=words[0].start, end=words[-1].end, words=tuple(words),
                   text="".join(word.text for word in words).strip())


def romanised(segment: Segment) -> Segment:
    return replace(segment, text=romanise(segment.text),
                   words=tuple(replace(word, text=romanise(word.text)) for word in segment.words))
