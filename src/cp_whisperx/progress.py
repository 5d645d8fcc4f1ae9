"""How far a long stage is: one line that moves on a terminal, a log line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

LINE_EVERY_S = 0.2
LOG_EVERY_S = 10.0


def clock_text(seconds: float) -> str:
    """`1:02:03` or `2:03`."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


@dataclass
class Progress:
    """Called with seconds of film done and in all. `save` is given the share done, at most once a second."""

    name: str
    log: logging.Logger
    save: Callable[[float], None] = lambda share: None
    terminal: bool = field(default_factory=sys.stderr.isatty)
    _started: float = field(default_factory=time.monotonic)
    _first: float | None = None
    _shown: float = field(default_factory=time.monotonic)
    _drawn: bool = False

    def __call__(self, done_s: float, total_s: float) -> None:
        now = time.monotonic()
        if self._first is None:
            # A resumed stage starts part of the way: its rate is that of what it does now.
            self._first, self._started = done_s, now
        if now - self._shown < (LINE_EVERY_S if self.terminal else LOG_EVERY_S) and done_s < total_s:
            return
        self._shown = now
        share = min(1.0, done_s / total_s) if total_s else 1.0
        self.save(share)
        text = f"{share:4.0%}  {clock_text(done_s)} of {clock_text(total_s)}"
        elapsed, gained = now - self._started, done_s - self._first
        if gained > 0 and elapsed > 0.5:
            text += f"  {gained / elapsed:.1f}x real time"
            if done_s < total_s:
                text += f"  {clock_text((total_s - done_s) * elapsed / gained)} left"
        if self.terminal:
            sys.stderr.write(f"\r\x1b[K{self.name}  {text}")
            sys.stderr.flush()
            self._drawn = True
        elif done_s < total_s:
            self.log.info(text.strip())

    def close(self) -> None:
        """Takes the moving line away, so that the next log line starts clean."""
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
