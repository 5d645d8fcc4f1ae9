"""Test films with exactly known truth: our own dialogue, voices, music and picture, and chosen troubles.

The product never imports this package; the demo, the tests and the benchmarks do.
"""

from scenes.build import build
from scenes.spec import SceneSpec, SubtitleSpec, TrackSpec
from scenes.truth import Line, Scene

__all__ = ["Line", "Scene", "SceneSpec", "SubtitleSpec", "TrackSpec", "build"]
