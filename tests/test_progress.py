from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field

import pytest

from cp_whisperx.progress import Progress, clock_text

log = logging.getLogger("test.progress")


@dataclass
class Hand:
    """A clock that is moved by hand, and what was saved."""

    now_s: float = 100.0
    saved: list[float] = field(default_factory=list)

    def progress(self, *, terminal: bool) -> Progress:
        return Progress("asr", log, self.saved.append, terminal, lambda: self.now_s)


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0:00"), (0.4, "0:00"), (59.4, "0:59"), (59.6, "1:00"), (123, "2:03"), (3599.7, "1:00:00"),
    (3723, "1:02:03"), (36_000, "10:00:00"),
])
def test_clock_text(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


def test_one_line_moves_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hand = Hand()
    progress = hand.progress(terminal=True)
    for step in range(11):
        progress(step * 60, 600)
        hand.now_s += 6
    progress.close()
    out, err = capsys.readouterr()
    assert out == "" and "\n" not in err
    shown = err.split("\r\x1b[K")
    assert shown[2] == "asr   20%  2:00 of 10:00  10.0x real time  0:48 left"
    assert shown[-2] == "asr  100%  10:00 of 10:00  10.0x real time"
    assert shown[-1] == "", "the line is taken away"
    progress.close()
    assert capsys.readouterr().err == ""


def test_nothing_is_drawn_more_often_than_an_eye_follows(capsys: pytest.CaptureFixture[str]) -> None:
    hand = Hand()
    progress = hand.progress(terminal=True)
    for step in range(1000):
        progress(step, 10_000)
        hand.now_s += 0.01
    assert 40 <= capsys.readouterr().err.count("\r") <= 50
    assert len(hand.saved) == 10, "once a second"


def test_log_lines_now_and_then_elsewhere(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.INFO, log.name)
    hand = Hand()
    progress = hand.progress(terminal=False)
    for second in range(36):
        progress(second * 10, 350)
        hand.now_s += 1
    progress.close()
    assert [re.sub(" +", " ", message) for message in caplog.messages] == [
        "29% 1:40 of 5:50 10.0x real time 0:25 left",
        "57% 3:20 of 5:50 10.0x real time 0:15 left",
        "86% 5:00 of 5:50 10.0x real time 0:05 left"]
    assert capsys.readouterr() == ("", "")
    assert len(hand.saved) == 36 and hand.saved[-1] == 1.0, "status follows every second here too"


def test_a_resumed_stage_is_rated_by_what_it_does_now(capsys: pytest.CaptureFixture[str]) -> None:
    hand = Hand()
    progress = hand.progress(terminal=True)
    hand.now_s += 30
    progress(500, 1000)
    hand.now_s += 10
    progress(600, 1000)
    assert capsys.readouterr().err.endswith("60%  10:00 of 16:40  10.0x real time  0:40 left")


@pytest.mark.parametrize(("done", "total", "share"), [(0, 0, 1.0), (5, 0, 1.0), (0, 10, 0.0), (11, 10, 1.0)])
def test_no_film_is_too_short(done: float, total: float, share: float, capsys: pytest.CaptureFixture[str]) -> None:
    hand = Hand()
    progress = hand.progress(terminal=True)
    for _ in range(3):
        progress(done, total)
        hand.now_s += 1
    assert set(hand.saved) == {share}
    assert "real time" not in capsys.readouterr().err, "nothing was gained, so there is no rate"
