"""`python bench/tested.py SUITE...`: runs the tests of suites of bench/report.toml: how many passed, as JSON.

What was skipped has not passed: `share` is of all that there are.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from cp_whisperx.images import results
from cp_whisperx.images.report import table

_CLONE = Path(__file__).parent.parent


def main() -> int:
    suites = table.read(_CLONE).suites
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="+", choices=tuple(suites))
    return max(_run(name, suites[name]) for name in parser.parse_args().suite)


def _run(name: str, suite: table.Suite) -> int:
    with tempfile.TemporaryDirectory() as work:
        report = Path(work) / "tests.xml"
        words = [f"--junit-xml={report}", *(f"--deselect={test}" for test in suite.without), *suite.tests]
        done = subprocess.run([sys.executable, "-m", "pytest", "-q", *words], cwd=_CLONE, check=False)
        if done.returncode not in (0, 1):
            return done.returncode
        found, = ElementTree.parse(report).getroot().iter("testsuite")
    failed, skipped, of = (sum(int(found.get(key, 0)) for key in keys)
                           for keys in (("failures", "errors"), ("skipped",), ("tests",)))
    passed = of - failed - skipped
    reasons = sorted({re.sub(r"\s+", " ", one.get("message", "")) for one in found.iter("skipped")})
    print(results.write(_CLONE, name, f"tests of the suite `{name}`", {
        "tests": list(suite.tests), "without": list(suite.without),
        "passed": passed, "failed": failed, "skipped": skipped, "of": of,
        "share": round(passed / of, 4) if of else 0, "why_skipped": reasons}))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
