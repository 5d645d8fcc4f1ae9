from __future__ import annotations

import pytest

from cp_whisperx.engines.fake import SteadySound
from cp_whisperx.guards import judge
from cp_whisperx.guards.repeats import duplicate, echo
from tests.guards.making import context, segment

LINE = "I will see you at the station."


def test_a_line_said_twice_in_no_time() -> None:
    before = segment(LINE, 10.0, 12.0)
    assert duplicate(segment(LINE, 12.0, 12.3), context(before=(before,)))
    assert duplicate(segment(LINE, 12.0, 14.0), context(before=(before,))) is None
    assert duplicate(segment(LINE, 20.0, 20.3), context(before=(before,))) is None
    assert duplicate(segment("Another line of words.", 12.0, 12.3), context(before=(before,))) is None
    assert duplicate(segment(LINE, 12.0, 12.3), context()) is None


ECHOES = {
    "every half minute to the end": (LINE, 9, 0.9, 0.95, 8),
    "a refrain that is well heard": (LINE, 5, 0.9, 0.95, 0),
    "a refrain that is not": (LINE, 5, 0.5, 0.95, 4),
    "over music": (LINE, 5, 0.9, 0.6, 4),
    "three times": (LINE, 3, 0.3, 0.5, 0),
    "one word": ("No!", 5, 0.3, 0.5, 0),
    "one word without end": ("No!", 8, 0.9, 0.95, 7),
}


@pytest.mark.parametrize("name", ECHOES)
def test_one_sentence_again_and_again(name: str) -> None:
    text, times, sure, mean, doubted = ECHOES[name]
    line = [segment(text, 30.0 * number, 30.0 * number + 2, sure=sure) for number in range(times)]
    around = [segment("Before it all.", 0.0, 1.0), *line, segment("And after.", 900.0, 902.0)]
    judged = judge(around, SteadySound(mean=mean))
    assert sum(one.guard == "echo" for one in judged) == doubted
    assert not judged[0].doubt and not judged[1].doubt


def test_the_first_is_left_to_others() -> None:
    line = segment(LINE)
    assert echo(line, context(after=(line,) * 9)) is None
