from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.subtitles import breaks, profiles
from cp_whisperx.subtitles.layout import TOO_LONG, Layout
from cp_whisperx.subtitles.profiles import Rules
from cp_whisperx.subtitles.text import width
from cp_whisperx.subtitles.tokens import tokens
from cp_whisperx.timeline import Word

NETFLIX = profiles.named("netflix-en")


def layout(text: str, rules: Rules = NETFLIX, labels: dict[str, str] | None = None, sung: bool = False) -> Layout:
    """`A:` and `B:` before a word say who speaks from there on."""
    words, speaker = [], None
    for part in text.split():
        if part in ("A:", "B:"):
            speaker = part[0]
        else:
            words.append(Word(len(words), len(words) + 0.5, f" {part}", 1.0, speaker=speaker))
    return Layout(tokens(words, rules.max_cpl - 4 * sung, breaks.language("en", rules.no_split),
                         sung=frozenset(range(len(words))) if sung else ()), rules, labels or {})


def lines(made: Layout) -> tuple[str, ...] | None:
    last = len(made.tokens) - 1
    return made.lines(0, last) if made.cost(0, last)[0] < TOO_LONG else None


@pytest.mark.parametrize(("sizes", "fits"), [
    ((42,), 1), ((20, 21), 1), ((20, 22), 2), ((42, 42), 2), ((42, 1), 2), ((20, 20, 42), 2), ((21, 42, 21), 0),
    ((42, 42, 1), 0), ((43 - 1, 20, 21), 2), ((42, 20, 22), 0)])
def test_both_sides_of_a_full_line(sizes: tuple[int, ...], fits: int) -> None:
    found = lines(layout(" ".join("x" * size for size in sizes)))
    assert (len(found) if found else 0) == fits


def test_a_third_line_where_the_profile_has_one() -> None:
    three = profiles.changed(NETFLIX, {"max_lines": 3})
    assert lines(layout(" ".join("x" * 40 for _ in range(3)), three)) == ("x" * 40,) * 3
    assert lines(layout(" ".join("x" * 40 for _ in range(4)), three)) is None


def test_a_line_for_each_of_two_speakers() -> None:
    assert lines(layout("A: Ready? B: Always.")) == ("-Ready?", "-Always.")
    assert lines(layout("A: Ready? B: Always. A: Go.")) is None
    assert lines(layout(f"A: {'x' * 41} B: {'y' * 41}")) == ("-" + "x" * 41, "-" + "y" * 41)
    assert lines(layout(f"A: {'x' * 42} B: y")) is None
    assert lines(layout("A: Ready? B: Always.", labels={"B": "[Ann]"})) == ("-Ready?", "-[Ann] Always.")


def test_a_label_that_leaves_no_room_is_left_out() -> None:
    assert lines(layout("A: Ready", labels={"A": "[Ann]"})) == ("[Ann] Ready",)
    assert lines(layout("A: " + "x" * 40, labels={"A": "[Ann]"})) == ("x" * 40,)


def test_song_signs_count() -> None:
    assert lines(layout("x" * 38, sung=True)) == ("♪ " + "x" * 38 + " ♪",)
    assert lines(layout("x" * 20 + " " + "y" * 18, sung=True)) == ("♪ " + "x" * 20, "y" * 18 + " ♪")


@given(st.lists(st.integers(1, 42), min_size=1, max_size=12), st.integers(1, 3))
def test_cost_and_lines_agree(sizes: list[int], most: int) -> None:
    rules = profiles.changed(NETFLIX, {"max_lines": most})
    made = layout(" ".join("x" * size for size in sizes), rules)
    cost, characters = made.cost(0, len(sizes) - 1)
    if cost < TOO_LONG:
        found = made.lines(0, len(sizes) - 1)
        assert len(found) <= most
        assert all(width(line) <= rules.max_cpl for line in found)
        assert characters - sum(map(width, found)) == len(found) - 1  # a space at each break
    else:
        assert sum(sizes) + len(sizes) - 1 > rules.max_cpl


@pytest.mark.parametrize(("text", "labels", "count"), [
    ("A: Ready for it?", {}, 3), ("A: Ready?", {"A": "[Ann]"}, 2), ("A: Ready? B: Always.", {"B": "[Ann Smith]"}, 4),
    ("A: Ready - now?", {}, 2)])
def test_words_that_are_read_are_those_of_the_labels_too(text: str, labels: dict[str, str], count: int) -> None:
    made = layout(text, labels=labels)
    assert made.words(0, len(made.tokens) - 1) == count
