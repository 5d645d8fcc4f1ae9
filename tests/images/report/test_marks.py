"""Figures in README and docs: filled in from results, and found where somebody typed one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cp_whisperx.errors import ConfigError
from cp_whisperx.images import recipe
from cp_whisperx.images.report import listing, marks, table
from cp_whisperx.images.report.measured import Reading, Result, open_results
from cp_whisperx.images.report.table import Definition
from cp_whisperx.images.report.write import texts

ROOT = recipe.root(Path(__file__).parent)
READING = Reading(352_100_000, "bytes", Result("images", "2026-11-25", {}))


def test_marks_are_filled_and_stay() -> None:
    text = "Ten have <!-- figure: set -->1 GB<!-- /figure -->, or <!-- figure: start --><!-- /figure -->.\n"
    filled = marks.fill(text, {"set": READING, "start": None})
    assert filled == ("Ten have <!-- figure: set -->352.1 MB<!-- /figure -->, "
                      "or <!-- figure: start -->(not measured)<!-- /figure -->.\n")
    assert marks.fill(filled, {"set": READING, "start": None}) == filled


@pytest.mark.parametrize(("text", "said"), [
    ("<!-- figure: nobodys -->1<!-- /figure -->", "no figure 'nobodys'"),
    ("<!-- figure: set -->1 MB", "not complete"),
    ("1 MB<!-- /figure -->", "not complete"),
    ("<!-- figure: set -->1\nMB<!-- /figure -->", "not complete"),
    ("<!-- table: nobodys -->\n<!-- /table -->", "no table 'nobodys'"),
    ("<!-- table: speed -->\n| 1 |\n", "not complete"),
    ("| 1 |\n<!-- /table -->", "not complete"),
    ("<!-- table: speed -->1<!-- /table -->", "not complete"),
    ("<!-- table: speed -->\n<!-- table: speed -->\n<!-- /table -->", "not complete"),
])
def test_a_wrong_mark_is_said(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        marks.fill(text, {"set": READING}, tables={"speed": "| 4 |"})


def test_tables_are_filled_and_stay() -> None:
    text = "Told:\n\n<!-- table: speed -->\n<!-- /table -->\n\nand\n\n<!-- table: size -->\n| old |\n<!-- /table -->\n"
    known = {"speed": "| s |\n| --- |\n| 4 |", "size": "| MB |"}
    filled = marks.fill(text, {}, tables=known)
    assert filled == (f"Told:\n\n<!-- table: speed -->\n{known['speed']}\n<!-- /table -->\n\nand\n\n"
                      "<!-- table: size -->\n| MB |\n<!-- /table -->\n")
    assert marks.fill(filled, {}, tables=known) == filled
    assert marks.used_tables(filled) == ("speed", "size")


def test_what_stands_in_a_table_is_not_typed_and_lines_keep_their_numbers() -> None:
    text = "<!-- table: speed -->\n| 4 s |\n| 5 s |\n<!-- /table -->\n\nin 6 s\n"
    assert [(one.line, one.text) for one in marks.unmarked("README.md", text, ())] == [(6, "6 s")]


@pytest.mark.parametrize("text", [
    "it has 352.5 MB", "in 1.3 s", "8.5 % of them", "86× faster", "12,345 bytes", "10 of 10 are equal", "1.2GB",
    "ten seconds of work", "half an hour", "within a second", "a 30-minute film", "twenty times", "-12 dB and 40 ms",
])
def test_what_looks_measured_is_found(text: str) -> None:
    assert len(marks.unmarked("README.md", text, ())) == 1


@pytest.mark.parametrize("text", [
    "Python 3.11", "a second attempt", "ten stages", "one test; a frame", "2026-11-25", "IMSC 1.1 and the `:cpu` image",
    "uid 65532:0", "127.0.0.1:5000", "<!-- figure: set -->352.1 MB<!-- /figure --> in all", "sha256:9c90 MBit",
    "tt0112870", "--start 10:00",
])
def test_what_does_not_is_left_alone(text: str) -> None:
    assert marks.unmarked("README.md", text, ()) == ()


def test_a_definition_covers_its_own_words_in_its_own_file() -> None:
    known = (Definition(file="README.md", text="windows of 30 s", reason="what Whisper hears"),)
    assert marks.unmarked("README.md", "windows of 30 s are heard", known) == ()
    assert [one.text for one in marks.unmarked("README.md", "windows of 30 s take 4 s", known)] == ["4 s"]
    assert marks.unmarked("docs/a.md", "windows of 30 s", known)


def test_no_figure_in_readme_or_docs_was_typed() -> None:
    """A number with a unit is filled in from a result, or is a definition of bench/report.toml with its reason."""
    known = table.read(ROOT)
    found = [one for name, text in texts(ROOT).items() for one in marks.unmarked(name, text, known.definitions)]
    assert [f"{one.file}:{one.line}: {one.text}: {one.context}" for one in found] == []


def test_every_figure_in_readme_and_docs_was_measured() -> None:
    known, results = table.read(ROOT), open_results(ROOT)
    named = {name for text in texts(ROOT).values() for name in marks.used(text)}
    assert [name for name in sorted(named) if not results.reading(known.figures[name])] == []


def test_every_table_in_readme_and_docs_was_measured() -> None:
    known, results = table.read(ROOT), open_results(ROOT)
    named = {name for text in texts(ROOT).values() for name in marks.used_tables(text)}
    assert named == set(known.tables)
    assert [f"{name}: {row[0].text}" for name in sorted(named) for row in listing.rows(known.tables[name], results).rows
            if any(cell.text == marks.NOT_MEASURED for cell in row)] == []


def test_no_mark_begins_a_line() -> None:
    """Markdown takes a line that begins with a comment for HTML: the paragraph would end before it."""
    assert [f"{name}: {line}" for name, text in texts(ROOT).items() for line in text.splitlines()
            if line.lstrip(" >*-").startswith("<!-- figure")] == []


def test_no_definition_is_left_over() -> None:
    known = texts(ROOT)
    assert [one.text for one in table.read(ROOT).definitions if one.text not in known.get(one.file, "")] == []
