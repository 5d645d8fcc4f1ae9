from __future__ import annotations

from pathlib import Path

import pytest

from cp_whisperx.errors import ConfigError
from cp_whisperx.images import recipe
from cp_whisperx.images.check import CONTENT, RECIPE
from cp_whisperx.images.mutants import OPTIMISATIONS
from cp_whisperx.images.report import table
from cp_whisperx.images.report.measured import open_results
from cp_whisperx.images.report.table import TABLE

ROOT = recipe.root(Path(__file__).parent)


@pytest.mark.parametrize(("old", "new", "said"), [
    ('minutes = 1, sources = ["src"] }\nimages', 'minuets = 1, sources = ["src"] }\nimages', "minutes|minuets"),
    ("at_most = 5", "at_most = 5\nat_least = 1", "T1: neither"),
    ("at_most = 5\n", "", "T1: neither"),
    ('figure = "theirs" }]', 'figure = "nobodys" }]', "no figure 'nobodys'"),
    ('result = "images", path', 'result = "image", path', "no bench writes 'image'"),
    ('id = "T2"', 'id = "T1"', "T1 is there twice"),
    ('targets = ["T1"]', 'targets = ["T9"]', "no target 'T9'"),
    ('ours = "ours"', 'ours = "their"', "no figure 'their'"),
    ("stale_after_days = 30", "stale_after_days = ", "cannot be read"),
])
def test_a_table_that_names_what_is_not_there_is_refused(clone: Path, old: str, new: str, said: str) -> None:
    text = (clone / TABLE).read_text(encoding="utf-8")
    assert old in text
    (clone / TABLE).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        table.read(clone)


def test_outside_of_a_clone_there_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not there"):
        table.read(tmp_path)


def test_the_ten_optimisations_are_items_with_all_their_checks() -> None:
    items = {one.optimisation: one for phase in table.read(ROOT).phases for one in phase.items if one.optimisation}
    assert list(items) == [one.number for one in OPTIMISATIONS]
    for one in OPTIMISATIONS:
        assert {mutant.claim for mutant in one.mutants} <= set(items[one.number].checks), one.title


def test_what_the_table_names_is_there() -> None:
    known = table.read(ROOT)
    claims = {one.id for one in (*RECIPE, *CONTENT)}
    for item in (item for phase in known.phases for item in phase.items):
        assert set(item.checks) <= claims
        assert item.checks or item.targets or item.results, f"nothing shows that this is done: {item.name}"
        assert [name for name in item.files if not (ROOT / name).exists()] == []
    for name, bench in known.benches.items():
        assert [path for path in bench.sources if not (ROOT / path).exists()] == [], name
        if bench.command.startswith("python "):
            assert (ROOT / bench.command.split()[1]).is_file(), bench.command
    for name, suite in known.suites.items():
        assert [test for test in suite.tests if not _stands(test)] == [], name
        assert known.benches[name].command == f"python bench/tested.py {name}"


def test_every_result_is_written_by_a_bench_of_the_table() -> None:
    known = table.read(ROOT)
    written = {stem for name, bench in known.benches.items() for stem in bench.results or (name,)}
    assert set(open_results(ROOT).by_stem) <= written


def test_the_founding_targets_are_all_there() -> None:
    """Their numbers; a letter behind one says which part of it."""
    ids = {one.id.rstrip("abcde") for one in table.read(ROOT).targets}
    wanted = {f"{letter}{number}" for letter, last in (("I", 11), ("P", 5), ("S", 7), ("R", 6))
              for number in range(1, last + 1)}
    assert wanted <= ids


def _stands(test: str) -> bool:
    path, _, name = test.partition("::")
    return (ROOT / path).is_file() and (not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"))
