from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.speakers import NEAR_S, assign, parse_names
from cp_whisperx.timeline import Turn, Word

TURNS = (Turn(0.0, 4.0, "S1"), Turn(3.0, 6.0, "S2"), Turn(8.0, 9.0, "S1"))


def word(start: float, end: float) -> Word:
    return Word(start, end, " w", 0.9)


@pytest.mark.parametrize(("start", "end", "speaker"), [
    (1.0, 2.0, "S1"),
    (3.5, 4.8, "S2"),
    (2.5, 3.2, "S1"),
    (3.2, 3.8, "S1"),
    (6.2, 6.6, "S2"),
    (7.7, 7.9, "S1"),
    (6.3, 7.6, "S2"),
    (6.5, 6.5, "S2"),
    (6.9, 7.1, None),
    (9.6, 9.9, None),
    (8.5, 8.5, "S1"),
], ids=["inside", "mostly the second", "mostly the first", "both: the first to speak", "just behind", "just before",
        "between, nearer to the second", "no length", "too far from both", "too far behind",
        "no length, inside"])
def test_a_word_gets_who_speaks_during_most_of_it(start: float, end: float, speaker: str | None) -> None:
    assert assign([word(start, end)], TURNS)[0].speaker == speaker


def test_in_overlapping_speech_the_one_who_spoke_goes_on() -> None:
    words = assign([word(4.2, 4.6), word(3.2, 3.6), word(1.0, 2.0), word(3.2, 3.6)], TURNS)
    assert [found.speaker for found in words] == ["S2", "S2", "S1", "S1"]


def test_turns_of_one_speaker_that_overlap_count_once() -> None:
    turns = (Turn(0.0, 1.0, "S1"), Turn(0.0, 1.0, "S1"), Turn(0.5, 2.0, "S2"))
    assert assign([word(0.0, 2.0)], turns)[0].speaker == "S2"


def test_without_turns_nobody_is_named() -> None:
    assert assign([word(0, 1)], ()) == (word(0, 1),)
    assert assign([], TURNS) == ()


times = st.integers(0, 120).map(lambda tick: tick / 4)
turns = st.lists(st.tuples(times, st.integers(1, 20).map(lambda tick: tick / 4), st.sampled_from("ABC")), max_size=14)
words = st.lists(st.tuples(times, st.integers(0, 12).map(lambda tick: tick / 4)), max_size=10)


@given(turns, words, st.sampled_from([0.0, NEAR_S, 3.0]))
def test_it_is_what_every_word_against_every_turn_gives(
        turns: list[tuple[float, float, str]], words: list[tuple[float, float]], near_s: float) -> None:
    """Times are quarters of a second, so that sums are exact and ties are real."""
    spoken = [Turn(start, start + length, speaker) for start, length, speaker in turns]
    found = assign([word(start, start + length) for start, length in words], spoken, near_s=near_s)
    before = None
    for got in found:
        heard = {speaker: {tick for turn in spoken if turn.speaker == speaker
                           for tick in range(int(turn.start * 4), int(turn.end * 4))} for speaker in "ABC"}
        inside = set(range(int(got.start * 4), int(got.end * 4)))
        overlap = {speaker: len(ticks & inside) for speaker, ticks in heard.items() if ticks}
        gap = {speaker: min(max(0.0, turn.start - got.end, got.start - turn.end)
                            for turn in spoken if turn.speaker == speaker) for speaker in overlap}
        best = max(overlap.values(), default=0)
        claims = {speaker for speaker in overlap if overlap[speaker] == best} if best else \
            {speaker for speaker in gap if gap[speaker] == min(gap.values()) <= near_s}
        assert (got.speaker in claims) if claims else got.speaker is None
        if before in claims:
            assert got.speaker == before
        before = got.speaker


@pytest.mark.parametrize(("text", "names"), [
    ("", {}),
    ("S1=Simran,S2=Raj", {"S1": "Simran", "S2": "Raj"}),
    ("\ufeff# who is who\r\nS1 = Simran Singh  # the daughter\r\n\r\nS12=Raj\r\n",
     {"S1": "Simran Singh", "S12": "Raj"}),
    ("S1=C#, S2=\u0938\u093f\u092e\u0930\u0928", {"S1": "C#", "S2": "\u0938\u093f\u092e\u0930\u0928"}),
    ("S1=a=b", {"S1": "a=b"}),
])
def test_names_in_text(text: str, names: dict[str, str]) -> None:
    assert parse_names(text) == names


@pytest.mark.parametrize("text", ["Simran", "S1", "S1=", "=Raj", "S0=Raj", "s1=Raj", "S1 Raj", "S1=A\nS1=B"])
def test_names_that_name_nobody(text: str) -> None:
    with pytest.raises(ValueError, match=r"S1=Simran|two names"):
        parse_names(text)


def test_names_that_are_no_text_stay() -> None:
    assert parse_names({"S1": "Raj"}) == {"S1": "Raj"}
