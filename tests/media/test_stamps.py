"""Time stamps of copied packets: 25 pictures or 50 packets of sound a second, in milliseconds."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

from cp_whisperx.media.stamps import Stamps


def packet(dts: int | None, pts: int | None = None, stream: int = 0, size: int = 1) -> Any:
    return SimpleNamespace(dts=dts, pts=dts if pts is None else pts, size=size, time_base=Fraction(1, 1000),
                           stream=SimpleNamespace(index=stream))


def stamped(packets: list[Any], origin_s: float = 0.0, covers: frozenset[int] = frozenset()) -> list[tuple[int, ...]]:
    """(stream, dts, pts) of what comes out."""
    stamps = Stamps(origin_s, covers)
    done = [ready for given in packets for ready in stamps.put(given)] + list(stamps.rest())
    return [(ready.stream.index, ready.dts, ready.pts) for ready in done]


def test_good_stamps_are_left_alone() -> None:
    given = [(0, 40 * i, 40 * i + 80) for i in range(50)]
    assert stamped([packet(dts, pts) for _, dts, pts in given]) == given


def test_the_origin_is_taken_off() -> None:
    assert stamped([packet(1_000_040), packet(1_000_080)], 1000.0) == [(0, 40, 40), (0, 80, 80)]


def test_what_has_no_time_or_content_is_left_out() -> None:
    nothing = SimpleNamespace(dts=None, pts=None, size=1, time_base=Fraction(1, 1000), stream=SimpleNamespace(index=0))
    assert stamped([packet(0), nothing, packet(40, size=0), packet(80)]) == [(0, 0, 0), (0, 80, 80)]


def test_a_cover_has_no_time_and_needs_none() -> None:
    cover = SimpleNamespace(dts=None, pts=None, size=9, time_base=Fraction(1, 1), stream=SimpleNamespace(index=3))
    end = SimpleNamespace(dts=None, pts=None, size=0, time_base=Fraction(1, 1), stream=SimpleNamespace(index=3))
    assert stamped([cover, end], covers=frozenset({3})) == [(3, 0, 0)]


def test_reordered_pictures_without_decoding_times_keep_their_presentation() -> None:
    # An open group: two pictures are shown before the first that is stored.
    packets = [packet(None, pts) for pts in (80, 0, 40)] + [packet(83, 333), packet(167, 250)]
    out = stamped(packets)
    assert [pts for _, _, pts in out] == [80, 0, 40, 333, 250]
    assert all(a[1] < b[1] for a, b in pairwise(out))


def test_a_small_step_back_is_squeezed() -> None:
    out = stamped([packet(i * 20 - (60 if i >= 10 else 0)) for i in range(20)])
    assert [dts for _, dts, _ in out][8:16] == [160, 180, 181, 182, 183, 200, 220, 240]


def test_two_clocks_in_one_film() -> None:
    """Both streams start anew at 10 s; the last sound of the first part comes after the first new picture."""
    first = [packet(at, stream=at // 20 % 2) for at in range(0, 20_000, 20)]
    second = [packet(at, stream=at // 20 % 2) for at in range(0, 20_000, 20)]
    out = stamped([*first[:-1], second[0], first[-1], *second[1:]])
    for stream in (0, 1):
        times = [pts for index, _, pts in out if index == stream]
        steps = [after - before for before, after in pairwise(times)]
        assert min(steps) > 0 and max(steps) < 100
        assert 39_900 < times[-1] < 40_100


def test_a_hole_stays_a_hole() -> None:
    times = [at + (3_600_000 if at >= 2000 else 0) for at in range(0, 4000, 20)]
    out = stamped([packet(at, stream=at // 20 % 2) for at in times])
    assert sorted(pts for _, _, pts in out) == times


def test_one_damaged_stamp_moves_nothing_else() -> None:
    for damage in (3_600_000, -3_600_000):
        out = stamped([packet(20 * i + (damage if i == 50 else 0)) for i in range(100)])
        times = [pts for _, _, pts in out]
        assert times[:50] + times[51:] == [20 * i for i in range(100) if i != 50]
        assert 980 <= times[50] <= 1019


def test_a_last_packet_far_behind_the_others_is_kept() -> None:
    assert stamped([packet(0), packet(20), packet(60_000)]) == [(0, 0, 0), (0, 20, 20), (0, 60_000, 60_000)]
