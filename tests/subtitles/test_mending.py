from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cp_whisperx.subtitles import profiles, reading
from cp_whisperx.subtitles.formats import FORMATS, Sheet
from cp_whisperx.subtitles.mending import Mended, mend
from cp_whisperx.timeline import Cue

NETFLIX = profiles.named("netflix-en")


def mended(*cues: tuple[float, float, str], profile: str = "netflix-en", frame_rate: float | None = 24.0,
           cuts: list[float] | None = None) -> Mended:
    return mend([Cue(start, end, tuple(text.split("|"))) for start, end, text in cues], profiles.named(profile),
                frame_rate=frame_rate, cuts=cuts, language="en")


def shown(done: Mended) -> list[tuple[float, float, str]]:
    return [(cue.start, cue.end, "|".join(cue.lines)) for cue in done.cues]


def test_what_is_right_stays() -> None:
    cues = [(1.0, 3.0, "He said|that they would come."), (4.0, 6.0, "-Who?|-They.")]
    done = mended(*cues)
    assert shown(done) == cues
    assert not any(change.what for change in done.changes)


CASES = {
    # what is given, what comes of it, what became of the cues
    "a gap is closed": ([(1.0, 3.0, "One."), (3.25, 5.0, "Two.")], [(1.0, 3.166, "One."), (3.25, 5.0, "Two.")],
                        ["retimed", ""]),
    "too short to be read, with room behind": ([(1.0, 1.5, "Who are you, then?")], [(1.0, 1.916, "Who are you, then?")],
                                               ["retimed"]),
    "a long line": ([(1.0, 5.0, "I never thought that you would come back to us.")],
                    [(1.0, 5.0, "I never thought|that you would come back to us.")], ["broken anew"]),
    "an article without its noun": ([(1.0, 4.0, "He told me about the|letter from home.")],
                                    [(1.0, 4.0, "He told me about the letter from home.")], ["broken anew"]),
    "overlapping": ([(1.0, 4.0, "One and two."), (3.0, 5.0, "Three.")],
                    [(1.0, 2.916, "One and two."), (3.0, 5.0, "Three.")], ["retimed", ""]),
    "out of order": ([(4.0, 5.0, "Two."), (1.0, 2.0, "One.")], [(1.0, 2.0, "One."), (4.0, 5.0, "Two.")], ["", ""]),
    "dots and a song": ([(1.0, 3.0, "# La la... #")], [(1.0, 3.0, "♪ La la… ♪")], ["reworded"]),
    "signs alone": ([(1.0, 3.0, "♪♪")], [(1.0, 3.0, "♪♪")], [""]),
    "dashes": ([(1.0, 3.0, "- Who?|- Me.")], [(1.0, 3.0, "-Who?|-Me.")], ["reworded"]),
    "no length": ([(1.0, 1.0, "Yes.")], [(1.0, 1.833, "Yes.")], ["retimed"]),
}


@pytest.mark.parametrize("name", CASES)
def test_cases(name: str) -> None:
    given_, expected, what = CASES[name]
    done = mended(*given_)
    assert shown(done) == expected
    assert [" ".join(change.what) for change in done.changes] == what
    assert done.after.passed


def test_a_cue_is_cut_where_its_sentence_ends_and_says_from_where() -> None:
    done = mended((1.0, 9.0, "The first of the two is a sentence on its own here.|And this is the second of the two of "
                             "them, as one can see."))
    assert len(done.cues) == 2 and done.cues[0].lines[-1].endswith("here.")
    assert [(change.of, change.what) for change in done.changes] == [((1,), ("cut",)), ((1,), ("cut",))]
    assert done.after.passed


def test_cuts_of_the_film_are_kept() -> None:
    done = mended((1.0, 3.0, "One and two."), (3.2, 5.0, "Three."), cuts=[3.0])
    assert done.cues[1].start == 3.0 and done.cues[0].end == 2.916
    assert done.after.passed and not any(one.rule.startswith("shot") for one in done.after.not_checked)


def test_look_and_speakers_stay() -> None:
    done = mend([Cue(1, 3, ("One.",), italic=True), Cue(4, 6, ("Two.",), ("Asha",), top=True)], NETFLIX)
    assert [(cue.italic, cue.top, cue.speakers) for cue in done.cues] == [
        (True, False, ()), (False, True, ("Asha",))]


ITALICS = {
    # what is given, and what comes of it
    "stays": ("On the <i>Titanic</i> I saw it.", "On the <i>Titanic</i> I saw it."),
    "over a new break": ("The people who saw it <i>never ever forgot</i> how it was.",
                         "The people\nwho saw it <i>never ever forgot</i> how it was."),
    "behind a dash": ("- Who?\n- <i>Me</i> again.", "-Who?\n<i>-Me</i> again."),
    "in a song": ("# La <i>la</i> la #", "♪ La <i>la</i> la ♪"),
    "before dots": ("He is <i>gone...</i> so.", "He is <i>gone…</i> so."),
    "all of it": ("<i>He is gone.</i>", "<i>He is gone.</i>"),
}


@pytest.mark.parametrize("name", ITALICS)
def test_words_in_italics_stay_so(name: str) -> None:
    given_, expected = ITALICS[name]
    found = reading.parse(f"1\n00:00:01,000 --> 00:00:04,000\n{given_}\n".encode(), "a")
    done = mend(found.cues, NETFLIX, frame_rate=24.0, language="en")
    assert FORMATS["srt"].text(Sheet(done.cues)).split("\n", 2)[2].strip() == expected
    assert found.notes == ()


def test_a_cue_that_is_cut_keeps_its_italics() -> None:
    text = ("I have read the whole of the book, all of <i>the long story</i> of it.\n"
            "And when I had <i>read it</i> I went to bed and slept at once, as one does.")
    found = reading.parse(f"1\n00:00:01,000 --> 00:00:09,000\n{text}\n".encode(), "a")
    done = mend(found.cues, NETFLIX, frame_rate=24.0, language="en")
    assert len(done.cues) > 1
    shown = [word for cue in done.cues for place, word in enumerate(" ".join(cue.lines).split())
             if place in cue.slanted]
    assert shown == ["the", "long", "story", "read", "it"]


def test_what_says_nothing_is_left_out_and_counted() -> None:
    done = mended((1.0, 2.0, ""), (3.0, 4.0, "One."), (5.0, 6.0, " "))
    assert (len(done.cues), done.removed) == (1, (1, 3))
    assert mended().cues == ()


def test_what_is_impossible_is_said() -> None:
    fast = "Far more is said here than anybody reads."
    done = mended((1.0, 2.0, fast), (2.083, 3.0, fast), (3.083, 5.0, "Is it?"))
    assert not done.after.passed
    assert {outcome.rule for outcome in done.after.outcomes if outcome.findings} == {"reading-speed",
                                                                                     "reading-speed-hard"}


@pytest.mark.media
@pytest.mark.parametrize(("name", "profile", "least"), [
    ("TOS-en.srt", "netflix-en", 0.97), ("TOS-ru.srt", "netflix", 0.97), ("pysrt_no-indexes.srt", "netflix-en", 1.0),
    ("../composed/hi_dialogue_4spk.srt", "netflix-hi", 1.0)])
def test_the_shared_set(name: str, profile: str, least: float, shared_media: Path) -> None:
    found = reading.read(shared_media / "subtitles" / name)
    done = mend(found.cues, profiles.named(profile), frame_rate=24.0)
    assert done.before.pass_rate < done.after.pass_rate and done.after.pass_rate >= least
    failed = {outcome.rule for outcome in done.after.outcomes if outcome.findings}
    assert failed <= {"reading-speed", "reading-speed-hard", "no-split"}
    # Speech that is too fast is impossible, and so are pairs of words in a row as long as a line.
    assert all(len(outcome.cues) <= 1 for outcome in done.after.outcomes if outcome.rule == "no-split")
    again = mend(done.cues, profiles.named(profile), frame_rate=24.0)
    assert shown(again) == shown(done)


WORDS = st.sampled_from(("I", "the", "never", "Sunday,", "go.", "का", "भगवान्", "extraordinarily", "no!", "ok", "東京"))


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 300), st.floats(-2, 12), st.lists(WORDS, max_size=25)), max_size=10),
       st.sampled_from(("netflix-en", "bbc", "netflix-hi")), st.sampled_from((None, 23.976, 25.0)))
def test_every_word_stays_and_no_cue_overlaps(cues: list[tuple[float, float, list[str]]], profile: str,
                                              rate: float | None) -> None:
    made = [Cue(start, start + lasts, (" ".join(words),)) for start, lasts, words in cues]
    done = mend(made, profiles.named(profile), frame_rate=rate)
    ordered = sorted((cue for cue in made if cue.lines[0]), key=lambda cue: cue.start)
    said = " ".join(cue.lines[0] for cue in ordered).split()
    assert [word for cue in done.cues for line in cue.lines for word in line.split()] == said
    counts = done.after.counts()
    assert [counts.get(rule) for rule in ("overlap", "order", "backwards", "empty", "line-length", "lines")] == [0] * 6

