from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.scoring.assignment import assignment


@st.composite
def tables(draw: st.DrawFn) -> list[list[float]]:
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    return [[float(draw(st.integers(-9, 9))) for _ in range(columns)] for _ in range(rows)]


@given(tables())
def test_no_other_assignment_gains_more(gains: list[list[float]]) -> None:
    rows, columns = len(gains), len(gains[0])
    pairs = assignment(gains)
    assert len(pairs) == len({row for row, _ in pairs}) == len({column for _, column in pairs}) == min(rows, columns)
    wide = gains if rows <= columns else [list(line) for line in zip(*gains, strict=True)]
    best = max(sum(wide[row][column] for row, column in enumerate(chosen))
               for chosen in permutations(range(len(wide[0])), len(wide)))
    assert sum(gains[row][column] for row, column in pairs) == best


def test_nothing_has_no_pairs() -> None:
    assert assignment([]) == []
    assert assignment([[], []]) == []
