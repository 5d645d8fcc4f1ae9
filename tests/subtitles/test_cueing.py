from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cp_whisperx.subtitles import profiles
from cp_whisperx.subtitles.cueing import cues
from cp_whisperx.subtitles.grid import Grid
from cp_whisperx.subtitles.text import clusters, width
from cp_whisperx.timeline import Breach, Cue, Word

NETFLIX = profiles.named("netflix-en")
BBC = profiles.named("bbc")
FILM = Grid.of(24.0)


def spoken(text: str, start: float = 0.0, each_s: float = 0.3, gap_s: float = 0.05,
           speaker: str | None = None) -> list[Word]:
    return [Word(start + position * (each_s + gap_s), start + position * (each_s + gap_s) + each_s, f" {word}", 0.9,
                 speaker=speaker)
            for position, word in enumerate(text.split())]


def made(words: Sequence[Word], **options: object) -> tuple[Cue, ...]:
    return cues(words, NETFLIX, grid=FILM, language="en", **options)  # type: ignore[arg-type]


def text_of(made_cues: Sequence[Cue]) -> str:
    return " ".join(line for cue in made_cues for line in cue.lines)


# What is said, and the cues that a subtitler would make of it (| between cues, / between lines).
SAID = {
    "fits on one line": "Why did nobody tell me?",
    "after punctuation": "Yes, my daughter,/but the train is late again tonight.",
    "before a preposition": "My father told me that somebody/from the village would meet me here.",
    "sentences that fill a cue each": "We wanted to be sure/before we gave you hope.|Take your bags,/"
                                      "all of them, and stay close.",
    "no first name without the last": "When the war had ended/we all believed John Smith was lost.",
    "an abbreviation ends no sentence": "I have not seen Mr. Smith in this house/since the day of the great storm.",
    "short sentences stay together": "No. Not now.",
}


@pytest.mark.parametrize("name", SAID)
def test_what_a_subtitler_would_do(name: str) -> None:
    expected = [tuple(cue.split("/")) for cue in SAID[name].split("|")]
    assert [cue.lines for cue in made(spoken(SAID[name].replace("/", " ").replace("|", " ")))] == expected


HINDI = {
    "a postposition stays with its noun": "साध्वी तेरी प्रार्थना से भगवान् ने संकटों में मेरी रक्षा की है और हम सब बच गए हैं आज",
    "an auxiliary stays with its verb": "देखो साहब मेरे पोते सत्या का इससे कोई लेना देना नहीं है उसको इसमें मत लपेटो भाई साहब",
}


@pytest.mark.parametrize("name", HINDI)
def test_hindi_lines_and_cues_tear_nothing_apart(name: str) -> None:
    found = cues(spoken(HINDI[name], each_s=0.4), profiles.named("netflix-hi"), grid=FILM, language="hi")
    firsts = {line.split()[0] for cue in found for line in cue.lines}
    assert len(found) + sum(len(cue.lines) for cue in found) > 2
    assert not firsts & {"का", "के", "की", "को", "से", "में", "पर", "ने", "है", "हैं", "भी", "ही", "गए"}


def test_a_cue_starts_with_its_first_word_and_stays_to_be_read() -> None:
    (cue,) = made([Word(5.0, 5.2, " Extraordinary.", 0.9)])
    assert (cue.start, cue.end) == (5.0, 5.833)
    (cue,) = made([Word(5.0, 5.5, " Extraordinarily incomprehensible.", 0.9)])
    assert cue.end == 6.0  # half a second behind the word: longer would be better to read, and is not allowed
    assert [breach.rule for breach in cue.breaches] == ["cps_target"]


@pytest.mark.parametrize(("gap_s", "expected_frames"), [
    (0.03, 2), (0.09, 2), (0.13, 2), (11 / 24, 2), (12 / 24, 12), (0.9, 22)])
def test_gaps_are_two_frames_or_half_a_second(gap_s: float, expected_frames: int) -> None:
    """Slow speech needs no linger, so the gap between the words is the gap between the cues where it may be."""
    first = spoken("It was here.", 0.0, each_s=1.0, gap_s=0.0)
    second = spoken("Now it is gone.", 3.0 + gap_s, each_s=1.0, gap_s=0.0)
    before, after = made([*first, *second], breaks_before={3})
    assert FILM.tick(after.start) - FILM.tick(before.end) == expected_frames
    assert FILM.tick(after.start) == FILM.tick(second[0].start)
    assert not before.breaches + after.breaches


def test_a_pause_and_a_break_end_a_cue() -> None:
    assert len(made([*spoken("and then", 0.0), *spoken("he came", 3.0)])) == 2
    joined = spoken("and then he came")
    assert len(made(joined)) == 1
    assert [cue.words for cue in made(joined, breaks_before={2})] == [(0, 2), (2, 4)]


def test_two_speakers_share_a_cue_only_where_it_helps() -> None:
    quick = [*spoken("Ready?", 0.0, speaker="S1"), *spoken("Ready.", 0.4, speaker="S2")]
    (cue,) = made(quick)
    assert (cue.lines, cue.speakers) == (("-Ready?", "-Ready."), ("S1", "S2"))
    slow = [*spoken("Are you really ready for this?", 0.0, speaker="S1"),
            *spoken("I have been ready for years.", 2.3, speaker="S2")]
    assert [(cue.lines, cue.speakers) for cue in made(slow)] == [
        (("Are you really ready for this?",), ("S1",)), (("I have been ready for years.",), ("S2",))]


def test_speakers_are_named_where_they_begin() -> None:
    words = [*spoken("Are you ready for this?", 0.0, speaker="S1"),
             *spoken("I am. And you are too.", 2.0, speaker="S1"),
             *spoken("So be it then my friend.", 5.5, speaker="S2")]
    found = cues(words, BBC, grid=FILM, language="en", labels={"S2": "ANNA:"})
    assert [line for cue in found for line in cue.lines if "ANNA" in line] == ["ANNA: So be it then my friend."]


@pytest.mark.parametrize(("next_s", "lacking"), [(1.2, False), (1.1, True)])
def test_the_words_of_a_label_are_read_as_well(next_s: float, lacking: bool) -> None:
    """The BBC's 0.3 s a word, for four words of which one is spoken."""
    words = [*spoken("Yes.", speaker="S1"), *spoken("No, he is not here any more.", next_s, speaker="S2")]
    found = cues(words, BBC, grid=Grid.of(None), language="en", labels={"S1": "THE OLD MAN:"}, breaks_before={1})
    assert [breach.limit for breach in found[0].breaches if breach.rule == "min_duration_s"] == [1.2] * lacking


def test_songs_by_policy() -> None:
    words = [*spoken("He sat down."), *spoken("The river runs to the sea tonight", 1.5)]
    sung = range(3, 10)
    assert [cue.lines for cue in made(words, sung=sung)] == [
        ("He sat down.",), ("♪ The river runs to the sea tonight ♪",)]
    plain = profiles.changed(NETFLIX, {"song_policy": "plain"})
    assert text_of(cues(words, plain, grid=FILM, sung=sung)) == "He sat down. The river runs to the sea tonight"
    left_out = profiles.changed(NETFLIX, {"song_policy": "leave-out"})
    assert text_of(cues(words, left_out, grid=FILM, sung=sung)) == "He sat down."
    long_song = spoken("The river runs to the sea tonight and nobody will ever see it come again", each_s=0.6)
    marked = cues(long_song, BBC, grid=FILM, sung=range(len(long_song)))
    assert len(marked) > 1
    assert all(cue.lines[0].startswith("# ") for cue in marked)
    assert [cue.lines[-1].endswith(" #") for cue in marked] == [False] * (len(marked) - 1) + [True]


def test_the_ellipsis_is_the_profile_s() -> None:
    assert text_of(made(spoken("Well... I never"))) == "Well… I never"
    assert text_of(cues(spoken("Well… I never"), BBC, grid=FILM)) == "Well... I never"


def test_speech_without_spaces_is_cut_between_its_characters() -> None:
    words = [Word(number * 0.2, number * 0.2 + 0.2, character, 0.9)
             for number, character in enumerate("東京は夜の七時" * 8)]
    found = cues(words, profiles.named("netflix"), grid=FILM, language="ja")
    assert "".join(line for cue in found for line in cue.lines) == "東京は夜の七時" * 8


def test_parts_of_one_written_word_stay_together() -> None:
    words = [Word(0.0, 0.3, " twenty", 0.9), Word(0.3, 0.6, "-five", 0.9), Word(0.6, 0.9, "%", 0.9)]
    assert [cue.lines for cue in made(words)] == [("twenty-five%",)]


def test_nothing_gives_nothing() -> None:
    assert made([]) == ()
    assert made([Word(0.0, 1.0, " ", 0.9)]) == ()


def test_a_word_longer_than_a_line_is_cut_and_shares_its_time() -> None:
    found = made([Word(0.0, 4.0, " " + "a" * 100, 0.9)])
    assert all(width(line) <= 42 for cue in found for line in cue.lines)
    assert text_of(found).replace(" ", "") == "a" * 100
    assert {cue.words for cue in found} == {(0, 1)}


TEXT = st.one_of(
    st.sampled_from(("the", "of", "house,", "is.", "Mr.", "और", "के", "लिए", "है।", "क्षत्रिय", "स्त्रियों", "किन्तु?", "न्",
                     "👩\u200d👩\u200d👧", "twenty-five", "...")),
    st.text(st.characters(categories=("L", "N", "Mn", "Mc", "P"), exclude_characters="."), min_size=1, max_size=60)
    .filter(lambda text: text.strip() == text),
)
SPOKEN = st.lists(st.tuples(TEXT, st.floats(0, 3), st.floats(-0.3, 2), st.sampled_from((None, "S1", "S2", "S3")),
                            st.booleans()), max_size=40)


@settings(max_examples=120, deadline=None)
@given(said=SPOKEN, profile=st.sampled_from(profiles.names()), rate=st.sampled_from((23.976, 24.0, 25.0, 59.94, None)),
       cuts=st.lists(st.floats(0, 60), max_size=8), named=st.booleans())
@example(said=[("word", 0.0, 0.0, None, False)] * 40, profile="netflix-en", rate=24.0, cuts=[], named=False)
@example(said=[("a" * 60, 0.0, 0.0, "S1", True)] * 9, profile="bbc", rate=24.0, cuts=[0.1], named=True)
def test_limits_hold_whatever_is_said(said: list[tuple[str, float, float, str | None, bool]], profile: str,
                                      rate: float | None, cuts: list[float], named: bool) -> None:
    clock, words = 0.0, []
    for text, length, gap, speaker, spaced in said:
        start = max(0.0, clock + gap)
        words.append(Word(start, start + length, (" " if spaced else "") + text, 0.5, speaker=speaker))
        clock = start + length
    rules, grid = profiles.named(profile), Grid.of(rate)
    labels = {"S1": "[S1]", "S3": "[A very long name of a person indeed]"} if named else {}
    options = {"grid": grid, "language": "hi", "cuts": cuts, "labels": labels}
    found = cues(words, rules, **options)  # type: ignore[arg-type]

    assert found == cues(words, rules, **options)  # type: ignore[arg-type]
    spans = [cue.words for cue in found if cue.words]
    assert len(spans) == len(found)
    assert all(after[0] in (before[1], before[1] - 1) for before, after in pairwise(spans))
    shown = text_of(found)
    for label in labels.values():
        shown = shown.replace(label, "")
    expected = "".join(word.text.replace("…", "...").replace("...", rules.ellipsis) for word in words)
    assert clusters(shown.replace(" ", "").replace("-", "")) \
        == clusters(expected.replace(" ", "").replace("-", ""))
    torn = [line for cue in found for line in cue.lines if unicodedata.category(line[0])[0] == "M"]
    begun = {word.text.strip()[0] for word in words if word.text[0] == " " or word is words[0]}
    assert {line[0] for line in torn} <= begun

    before = None
    for cue in found:
        breaches = {breach.rule for breach in cue.breaches}
        start, end = grid.tick(cue.start), grid.tick(cue.end)
        assert 1 <= len(cue.lines) <= rules.max_lines
        assert all(width(line) <= rules.max_cpl for line in cue.lines)
        assert end > start
        assert rules.max_duration_s is None or cue.end - cue.start <= rules.max_duration_s + 0.001
        read = sum(any(map(str.isalnum, part)) for line in cue.lines for part in line.split())
        least = max(rules.min_duration_s, read * (rules.min_s_per_word or 0.0))
        assert cue.end - cue.start > least - 0.001 or "min_duration_s" in breaches
        speed = sum(map(width, cue.lines)) / (cue.end - cue.start)
        assert (speed > rules.cps_target + 1e-6) == ("cps_target" in breaches)
        assert cue.cps == pytest.approx(speed, abs=0.001)
        if before is not None:
            gap = start - grid.tick(before.end)
            assert gap >= grid.frames(rules.min_gap_frames)
            closed = gap <= grid.frames(rules.min_gap_frames) or gap >= grid.at_least(rules.chain_below_s)
            assert closed or "chain_below_s" in {breach.rule for breach in before.breaches}
        if not cuts and cue.words and "in_tolerance_frames" not in breaches:
            onset = max(word.start for word in words[:cue.words[0] + 1])
            assert start >= grid.tick(onset)
            assert start == grid.tick(onset) or (before and before.words and before.words[1] > cue.words[0])
        before = cue


@pytest.mark.media
def test_a_hindi_reference_keeps_its_words_and_its_times(shared_media: Path) -> None:
    """Each line of the reference with its words spread evenly over its time: no cue is wider or faster than allowed."""
    rules, words, lines = profiles.named("netflix-hi"), [], []
    for row in (shared_media / "composed/hi_dialogue_4spk.stm").read_text(encoding="utf-8").splitlines():
        _, _, speaker, start, end, text = row.split(maxsplit=5)
        parts = text.split()
        step = (float(end) - float(start)) / len(parts)
        words += [Word(float(start) + number * step, float(start) + (number + 1) * step, f" {part}", 1.0,
                       speaker=speaker) for number, part in enumerate(parts)]
        lines.append((float(start), text))
    found = cues(words, rules, grid=Grid.of(25.0), language="hi")
    assert text_of(found).replace("- ", "").replace("-", "") == " ".join(text for _, text in lines)
    assert all(width(line) <= rules.max_cpl for cue in found for line in cue.lines)
    assert not [cue for cue in found if cue.breaches]
    starts = [cue.start for cue in found]
    assert all(min(abs(start - one) for one in starts) <= 1 / 25 for start, _ in lines)
    # Conjuncts and vowel signs count as a reader counts: code points would be half as many again.
    text = " ".join(text for _, text in lines)
    assert 1.3 < len(text) / width(text) < 1.8


def test_a_pair_that_had_to_be_divided_is_said() -> None:
    """Nothing but articles and prepositions: wherever it is broken, a pair is."""
    found = made(spoken("of the " * 8 + "end.", each_s=0.15, gap_s=0.0))
    assert [breach for cue in found for breach in cue.breaches if breach.rule == "no_split"] == [
        Breach("no_split", 1.0, 0.0)]
    assert not any(breach.rule == "no_split" for cue in made(spoken("We waited for hours in the rain.")) for breach
                   in cue.breaches)
