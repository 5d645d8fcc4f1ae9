from __future__ import annotations

import pytest

from cp_whisperx.guards.tokens import contains, longest_run, same, tokens

TEXTS = {
    "Don't -- stop, Ms. O’Neill!": ("dont", "stop", "ms", "oneill"),
    "नमस्ते, दुनिया।": ("नमस्ते", "दुनिया"),
    "ご視聴 ok": ("ご", "視", "聴", "ok"),
    "ＡＢＣ 10%": ("abc", "10"),
    " ... ♪ ": (),
}


@pytest.mark.parametrize("text", TEXTS)
def test_words(text: str) -> None:
    assert tokens(text) == TEXTS[text]


def test_the_same_words() -> None:
    assert same("Thank you.", "thank YOU")
    assert not same("...", "...")


@pytest.mark.parametrize(("words", "period", "times"), [
    ("a a a", 1, 3), ("a b a b a", 2, 2), ("a b c", 1, 1), ("", 1, 0), ("x a b a b y", 2, 2),
    ("a b c a b c a b c", 3, 3)])
def test_runs(words: str, period: int, times: int) -> None:
    assert longest_run(words.split(), period) == times


def test_a_part_is_found_as_it_stands() -> None:
    assert contains(["a", "b", "c", "d"], ("b", "c"))
    assert not contains(["a", "b", "c", "d"], ("b", "d"))
    assert not contains((), ("b",))
