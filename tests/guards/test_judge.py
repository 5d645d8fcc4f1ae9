from __future__ import annotations

import statistics

import pytest

from cp_whisperx.engines.fake import SteadySound
from cp_whisperx.guards import GUARDS, judge, usual_logprob
from tests.guards.making import segment


def test_the_first_guard_that_doubts_is_named() -> None:
    said = [segment("Come in."), segment("..."), segment("[Music]"), segment("no " * 20)]
    assert [one.guard for one in judge(said, SteadySound())] == ["", "punctuation", "tag", "loop"]
    assert [one.segment for one in judge(said, SteadySound())] == said
    silent = judge(said, SteadySound(level_db=-90.0))
    assert [one.guard for one in silent] == ["silence", "punctuation", "tag", "silence"]


def test_every_guard_is_asked_in_order() -> None:
    assert (next(iter(GUARDS)), next(reversed(GUARDS))) == ("punctuation", "confidence")
    assert {guard.__name__ for guard in GUARDS.values()} == {name.replace("-", "_") for name in GUARDS}


@pytest.mark.parametrize("logprobs", [[-0.2], [-0.2] * 4, [-0.2, -0.3, -0.4, -0.5, -2.0], [-3.0] * 9])
def test_what_is_usual(logprobs: list[float]) -> None:
    found = usual_logprob([segment("Words.", logprob=logprob) for logprob in logprobs])
    if len(logprobs) < 5:
        assert found == 0.0
    else:
        assert found == max(-1.6, statistics.median(logprobs))


def test_a_weak_language_is_not_dropped_whole() -> None:
    """Hindi with a small model: log probabilities that would condemn English, words of middling probability."""
    hindi = [segment(f"मेरी रक्षा की है {number}", number * 5.0, number * 5.0 + 2, logprob=-1.3 - number % 3 / 10,
                     sure=0.45, no_speech=0.65) for number in range(9)]
    assert not [one for one in judge(hindi, SteadySound()) if one.doubt]
    alone = judge([segment("Who is it?", logprob=-1.5, no_speech=0.65)], SteadySound())
    assert alone[0].guard == "confidence"
