"""How far a long stage is: one line that moves on a terminal, a log line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cp_whisperx.log import CLEAR_LINE

LINE_EVERY_S = 0.2
LOG_EVERY_S = 10.0
SAVE_EVERY_S = 1.0
_RATE_AFTER_S = 0.5


def clock_text(seconds: float) -> str:
    """`1:02:03` or `2:03`, to the nearest second."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


@dataclass
class Progress:
    """Called with seconds of film done and in all. `save` is given the share done (0..1), once a second at most."""

    name: str
    log: logging.Logger
    save: Callable[[float], None] = lambda share: None
    terminal: bool = field(default_factory=sys.stderr.isatty)
    clock: Callable[[], float] = time.monotonic
    """Seconds from any moment on."""

    def __post_init__(self) -> None:
        self._drawn = False
        self._first_s: float | None = None
        self._began = self._shown = self.clock()
        self._saved = self._began - SAVE_EVERY_S

    def __call__(self, done_s: float, total_s: float) -> None:
        now = self.clock()
        if self._first_s is None:
            # A resumed stage starts part of the way: its rate is that of what it does now.
            self._first_s, self._began = done_s, now
        last = done_s >= total_s
        if last or now - self._saved >= SAVE_EVERY_S:
            self._saved = now
            self.save(_share(done_s, total_s))
        if last or now - self._shown >= (LINE_EVERY_S if self.terminal else LOG_EVERY_S):
            self._shown = now
            self._show(self._text(done_s, total_s, now - self._began), last=last)

    def close(self) -> None:
        """Takes the moving line away, so that the next log line starts clean."""
        if self._drawn:
            self._draw("")
            self._drawn = False

    def _text(self, done_s: float, total_s: float, elapsed_s: float) -> str:
        assert self._first_s is not None
        text = f"{_share(done_s, total_s):4.0%}  {clock_text(done_s)} of {clock_text(total_s)}"
        gained_s = done_s - self._first_s
        if gained_s > 0 and elapsed_s > _RATE_AFTER_S:
            text += f"  {gained_s / elapsed_s:.1f}x real time"
            if done_s < total_s:
                text += f"  {clock_text((total_s - done_s) * elapsed_s / gained_s)} left"
        return text

    def _show(self, text: str, *, last: bool) -> None:
        if self.terminal:
            self._draw(f"{self.name}  {text}")
            self._drawn = True
        elif not last:
            # The stage itself logs that it is done.
            self.log.info(text.strip())

    def _draw(self, line: str) -> None:
        sys.stderr.write(CLEAR_LINE + line)
        sys.stderr.flush()


def _share(done_s: float, total_s: float) -> float:
    return min(1.0, done_s / total_s) if total_s > 0 else 1.0
