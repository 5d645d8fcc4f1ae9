from __future__ import annotations

from pathlib import Path

import pytest

from cp_whisperx.errors import ConfigError, CpWhisperxError, MediaError
from cp_whisperx.subtitles import profiles, reading
from cp_whisperx.subtitles.checking import check
from cp_whisperx.subtitles.evaluating import Reference, Utterance, evaluate, read_names, read_reference
from cp_whisperx.subtitles.evaluating.evaluate import Offsets, turns_of
from cp_whisperx.timeline import Cue, Turn

TRUTH = Reference("Where were you? At home with Asha.", (
    Utterance(1.0, 2.0, "Where were you?", "Ben"), Utterance(3.0, 5.0, "At home with Asha.", "Asha")),
    (Turn(1.0, 2.0, "Ben"), Turn(3.0, 5.0, "Asha")))


def test_the_truth_itself_is_perfect() -> None:
    cues = [Cue(one.start, one.end, (one.text,), (one.speaker,)) for one in TRUTH.utterances]
    made = evaluate(cues, TRUTH, turns=turns_of(cues), names=("Asha",),
                    report=check(cues, profiles.named("netflix-en")))
    assert (made.wer, made.cer, made.der, made.der_collar, made.uncovered_s, made.speech_s) == (0, 0, 0, 0, 0, 3.0)
    assert made.in_cue == made.out_cue == Offsets(2, 0, 0, 0, 0, 0)
    assert made.names is not None and (made.names.expected, made.names.right, made.names.extra) == (1, 1, 0)
    assert (made.profile, made.cues_that_pass) == ("netflix-en", 1.0)


def test_each_fault_is_measured() -> None:
    cues = [Cue(1.25, 2.5, ("Where was you?",)), Cue(3.5, 4.0, ("At home with Asha and Asha.",))]
    made = evaluate(cues, TRUTH, turns=[Turn(1.0, 5.0, "x")], names=("Asha", "Ben"), frame_rate=24)
    assert made.words == {"reference": 7, "substituted": 1, "deleted": 0, "inserted": 2}
    assert made.wer == pytest.approx(3 / 7)
    # 1.0-1.25 and 3.0-3.5 and 4.0-5.0 have no cue.
    assert made.uncovered_s == pytest.approx(1.75)
    assert made.in_cue == Offsets(2, 9.0, 12.0, 9.0, 0.0, 1.0)
    # The second cue ends with the last Asha, which stands for that of the reference: a second early.
    assert made.out_cue == Offsets(2, 18.0, 24.0, -6.0, 0.5, 0.5)
    assert made.names is not None and (made.names.right, made.names.extra) == (1, 1)
    # One speaker for two: the shorter one's second is confused, and a second of silence is invented.
    assert made.der == pytest.approx(2 / 3)


def test_early_and_late_do_not_cancel_out() -> None:
    cues = [Cue(0.5, 2.0, ("Where were you?",)), Cue(3.5, 5.0, ("At home with Asha.",))]
    made = evaluate(cues, TRUTH, frame_rate=24)
    assert made.in_cue == Offsets(2, 12.0, 12.0, 0.0, 0.5, 0.5)


def test_a_cue_that_begins_inside_an_utterance_is_not_compared() -> None:
    cues = [Cue(1.0, 1.4, ("Where",)), Cue(1.5, 2.0, ("were you?",)), Cue(3.0, 5.0, ("At home with Asha.",))]
    made = evaluate(cues, TRUTH)
    assert made.in_cue == made.out_cue == Offsets(2, 0, 0, 0, 0, 0)


def test_what_the_reference_does_not_know_is_not_measured() -> None:
    made = evaluate([Cue(0, 1, ("Hi",))], Reference(text="Hi"))
    assert (made.wer, made.in_cue, made.uncovered_s, made.der, made.names, made.cues_that_pass) == (0.0, *(None,) * 5)
    only_turns = evaluate([Cue(0, 1, ("Hi",))], Reference(turns=(Turn(0, 2, "a"),)), turns=[Turn(0, 2, "b")])
    assert (only_turns.wer, only_turns.der, only_turns.uncovered_s) == (None, 0.0, 1.0)


def test_nothing_heard_is_all_lost() -> None:
    made = evaluate([], TRUTH)
    assert (made.wer, made.uncovered_s, made.in_cue) == (1.0, 3.0, None)


def test_speakers_of_cues_are_turns_only_if_every_cue_has_them() -> None:
    assert turns_of([Cue(0, 1, ("a",), ("S1",)), Cue(1, 2, ("b", "c"), ("S1", "S2"))]) == (
        Turn(0, 1, "S1"), Turn(1, 2, "S1"), Turn(1, 2, "S2"))
    assert turns_of([Cue(0, 1, ("a",), ("S1",)), Cue(1, 2, ("b",))]) == ()


@pytest.mark.media
def test_one_truth_in_three_forms(shared_media: Path) -> None:
    folder = shared_media / "composed"
    stm, srt, rttm = (read_reference(folder / f"hi_dialogue_4spk.{suffix}") for suffix in ("stm", "srt", "rttm"))
    assert stm.text == srt.text and len(stm.utterances) == 12 == len(rttm.turns)
    assert [one.start for one in stm.utterances] == [one.start for one in srt.utterances]
    made = evaluate(reading.read(folder / "hi_dialogue_4spk.srt").cues, stm, turns=rttm.turns)
    assert (made.wer, made.cer, made.uncovered_s) == (0, 0, 0)
    assert made.der is not None and made.der < 0.001


@pytest.mark.parametrize(("name", "text", "message"), [
    ("a.stm", "a 1 S 1.0\n", "is no STM: line 1"), ("a.stm", ";; note\na 1 S 2.0 1.0 text\n", "is no STM: line 2"),
    ("a.stm", "a 1 S nan inf text\n", "is no STM"), ("a.rttm", "hello there\n", "is no RTTM"),
    ("a.srt", "hello", "no subtitle file"), ("a.stm", "PNG\0\1\2\3\4\5\6\7" * 9, "is no text")])
def test_references_that_are_none(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises((MediaError, ConfigError), match=message):
        read_reference(tmp_path / name)


@pytest.mark.parametrize("suffix", [".stm", ".rttm", ".txt", ".srt"])
def test_a_reference_that_is_missing(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(CpWhisperxError, match="cannot be read"):
        read_reference(tmp_path / f"missing{suffix}")


def test_stm_labels_and_gaps(tmp_path: Path) -> None:
    file = tmp_path / "a.stm"
    file.write_text("a 1 S1 0 1 <o,f0,male> Hello  there\na 1 S2 1 2 ignore_time_segment_in_scoring\n")
    assert read_reference(file).utterances == (Utterance(0.0, 1.0, "Hello  there", "S1"),)


def test_names(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("Asha\n# cast\nNew Delhi  # place\n\nAsha\n")
    assert read_names(file) == ("Asha", "New Delhi")
