from __future__ import annotations

import pytest

from cp_whisperx.artifacts import Name
from cp_whisperx.names.hints import hints


def names(*weighed: tuple[str, float]) -> tuple[Name, ...]:
    return tuple(Name(canonical=name, kind="person", source="", weight=weight) for name, weight in weighed)


CAST = names(("Simran Singh", 0.95), ("Simran", 0.9), ("Baldev", 0.9), ("Kuljeet", 0.85), ("Shah Rukh Khan", 0.15),
             ("Kajol", 0.15))


def words(text: str) -> int:
    return len(text.split())


@pytest.mark.parametrize(("budget", "said"), [
    (10, "Baldev, Simran, Kuljeet"), (2, "Baldev, Simran"), (1, "Baldev"), (0, "")])
def test_the_budget_is_kept(budget: int, said: str) -> None:
    assert hints(CAST, budget=budget, tokens=words) == said


def test_what_was_heard_of_late_comes_first() -> None:
    recent = [(100.0, "Kuljeet! Kuljeet, come here.")]
    assert hints(CAST, recent, 120.0, budget=1, tokens=words) == "Kuljeet"
    assert hints(CAST, recent, 90.0, budget=1, tokens=words) == "Baldev", "nobody has said it yet"
    assert hints(CAST, recent, 900.0, budget=1, tokens=words) == "Baldev", "that is long ago"


def test_newer_counts_more_than_older() -> None:
    recent = [(10.0, "Kuljeet"), (118.0, "Simran")]
    assert hints(names(("Kuljeet", 0.9), ("Simran", 0.9)), recent, 120.0, budget=1, tokens=words) == "Simran"


def test_nobody_is_suggested_in_another_script() -> None:
    both = (Name(canonical="Simran", kind="person", source="", weight=0.9, variants=("सिमरन",)),)
    assert hints(both, budget=9, tokens=words) == "Simran"
    assert hints(both, budget=9, tokens=words, devanagari=True) == "सिमरन"
