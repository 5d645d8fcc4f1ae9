"""The best one-to-one assignment between two sets."""

from __future__ import annotations

from collections.abc import Sequence


def assignment(gains: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Pairs (row, column) with the largest sum of `gains`, shape (rows, columns); one pair per row or per column.

    The Hungarian method with potentials (Kuhn 1955, Munkres 1957), O(min² · max). Gains are finite.
    """
    rows, columns = len(gains), len(gains[0]) if gains else 0
    if rows > columns:
        return sorted((row, column) for column, row in assignment([list(line) for line in zip(*gains, strict=True)]))
    # Rows and columns count from 1; column 0 holds the row that is being placed.
    row_level, column_level = [0.0] * (rows + 1), [0.0] * (columns + 1)
    row_of = [0] * (columns + 1)
    for row in range(1, rows + 1):
        row_of[0] = row
        column = 0
        slack, came_from, seen = [float("inf")] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
        while row_of[column]:
            seen[column] = True
            here = row_of[column]
            for other in range(1, columns + 1):
                if not seen[other]:
                    cost = -gains[here - 1][other - 1] - row_level[here] - column_level[other]
                    if cost < slack[other]:
                        slack[other], came_from[other] = cost, column
            nearest = min((other for other in range(1, columns + 1) if not seen[other]), key=slack.__getitem__)
            step = slack[nearest]
            for other in range(columns + 1):
                if seen[other]:
                    row_level[row_of[other]] += step
                    column_level[other] -= step
                else:
                    slack[other] -= step
            column = nearest
        while column:
            row_of[column] = row_of[came_from[column]]
            column = came_from[column]
    return sorted((row - 1, column - 1) for column, row in enumerate(row_of) if column and row)
