"""The time stamps of packets that are copied: on the film's clock, and such that any muxer takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_REORDERED_S = 1
"""Decoding is never further ahead of presentation."""
_JUMP_S = 10.0
"""A step back by more is a clock that starts anew, as in files put end to end; one ahead by more is to be confirmed."""


@dataclass
class Stamps:
    """Gives packets time stamps that a muxer takes: on the film's clock, never backwards in a stream."""

    origin_s: float
    covers: frozenset[int]
    """Streams of one picture, whose packet has no time."""
    _offsets_s: list[float] = field(default_factory=lambda: [0.0])
    _last: dict[int, int] = field(default_factory=dict)
    _held: dict[int, Any] = field(default_factory=dict)
    """Packets far ahead of all others: a hole if the next one of the stream is there too, else damage."""
    _now_s: float = 0.0

    def put(self, packet: Any) -> Iterator[Any]:
        """The packets that may be written now; one without time or content is left out."""
        index = packet.stream.index
        if packet.size and index in self.covers:
            packet.dts = packet.pts = 0
            yield packet
        if index in self.covers or not packet.size or (packet.dts is None and packet.pts is None):
            return
        self._shift(packet)
        if held := self._held.pop(index, None):
            if _at_s(packet) < _at_s(held) - _JUMP_S:
                held.dts = held.pts = self._last[index] + 1
            yield self._ordered(held)
        if index in self._last and _at_s(packet) > self._now_s + _JUMP_S:
            self._held[index] = packet
        else:
            yield self._ordered(packet)

    def rest(self) -> Iterator[Any]:
        """What is still held at the end of the film."""
        for packet in sorted(self._held.values(), key=_at_s):
            yield self._ordered(packet)
        self._held.clear()

    def _shift(self, packet: Any) -> None:
        """Puts a packet on the film's clock.

        Where the film's clock starts anew, later packets follow on what came before. Around that moment packets
        of both clocks come mixed: each is taken for the clock that puts it nearest.
        """
        base, last = packet.time_base, self._last.get(packet.stream.index)
        at_s = _at_s(packet) - self.origin_s
        offset = min(self._offsets_s[-2:], key=lambda offset: abs(at_s + offset - self._now_s))
        if last is not None and at_s + offset < float(last * base) - _JUMP_S:
            offset = self._now_s - at_s
            self._offsets_s.append(offset)
        ticks = round((offset - self.origin_s) / base)
        packet.pts = (packet.pts if packet.pts is not None else packet.dts) + ticks
        packet.dts = packet.dts + ticks if packet.dts is not None else None

    def _ordered(self, packet: Any) -> Any:
        """The packet with a decoding time behind that of the packet before it, and not behind its presentation."""
        last = self._last.get(packet.stream.index)
        dts = packet.dts
        if dts is None:
            # Matroska stores presentation times alone. In reordered pictures decoding is ahead of them.
            dts = last + 1 if last is not None else packet.pts - round(_REORDERED_S / packet.time_base)
        packet.dts = dts if last is None else max(dts, last + 1)
        packet.pts = max(packet.pts, packet.dts)
        self._last[packet.stream.index] = packet.dts
        self._now_s = max(self._now_s, _at_s(packet))
        return packet


def _at_s(packet: Any) -> float:
    return float((packet.dts if packet.dts is not None else packet.pts) * packet.time_base)
