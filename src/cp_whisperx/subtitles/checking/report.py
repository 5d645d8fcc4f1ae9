"""What the validator answers: for each rule whether it holds, and which cues break it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Result = Literal["passed", "failed", "not checked", "off"]
"""`off`: the profile has no such rule."""


NO_CUE = 0


@dataclass(frozen=True)
class Finding:
    """`cue` counts from 1 in the order of the file, NO_CUE where the fault is that there is none.

    `value` is what it came to, in words for a person.
    """

    cue: int
    value: str


@dataclass(frozen=True)
class Outcome:
    """`limit` as a person reads it; `reason` says why a rule was not checked."""

    rule: str
    about: str
    limit: str
    result: Result
    findings: tuple[Finding, ...] = ()
    reason: str = ""

    @property
    def cues(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(finding.cue for finding in self.findings if finding.cue != NO_CUE))


@dataclass(frozen=True)
class Report:
    """`outcomes` has every rule there is, in a fixed order."""

    profile: str
    cues: int
    frame_rate: float
    frame_rate_known: bool
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        """No cue breaks a rule that was checked."""
        return all(outcome.result != "failed" for outcome in self.outcomes)

    @property
    def broken(self) -> tuple[int, ...]:
        """Cues that break at least one rule, sorted."""
        return tuple(sorted({cue for outcome in self.outcomes for cue in outcome.cues}))

    @property
    def pass_rate(self) -> float:
        """Share of the cues that break no rule; 1 where there are no cues."""
        return 1 - len(self.broken) / self.cues if self.cues else 1.0

    @property
    def not_checked(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.result == "not checked")

    def counts(self) -> dict[str, int]:
        """Findings by rule, of the rules that were checked."""
        return {outcome.rule: len(outcome.findings) for outcome in self.outcomes
                if outcome.result in ("passed", "failed")}

    def as_dict(self) -> dict[str, Any]:
        return {
            "profile": self.profile, "passed": self.passed, "cues": self.cues,
            "cues_that_pass": round(self.pass_rate, 4),
            "frame_rate": round(self.frame_rate, 3), "frame_rate_known": self.frame_rate_known,
            "rules": [{"rule": outcome.rule, "about": outcome.about, "limit": outcome.limit, "result": outcome.result,
                       "count": len(outcome.findings), "reason": outcome.reason,
                       "findings": [{"cue": finding.cue, "value": finding.value} for finding in outcome.findings]}
                      for outcome in self.outcomes]}
