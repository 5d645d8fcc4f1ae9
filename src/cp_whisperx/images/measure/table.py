"""Every measurement of the images: a row each, in the order in which a whole run makes them.

`runs` and `roughly_s` name the sets that a row takes; seconds are those of one run on two cores, for --dry-run.
"""

from __future__ import annotations

from cp_whisperx.images.measure import contents, opened, pulls, rebuilds, starts
from cp_whisperx.images.measure.session import Measurement
from cp_whisperx.images.results import OURS, PLAIN, WHISPERX

TABLE: tuple[Measurement, ...] = (
    Measurement("context", "the files that a build is given", "I7", "bytes", rebuilds.context_size,
                {OURS: 3, PLAIN: 3}, {OURS: 1, PLAIN: 1}, limit=2e6, quick=True, built=False),
    Measurement("cold", "all ten images, built with nothing in any cache", "", "s", rebuilds.cold,
                {OURS: 1, PLAIN: 1, WHISPERX: 1}, {OURS: 120, PLAIN: 160, WHISPERX: 360}, built=False),
    Measurement("no-change", "all ten images built again, nothing changed", "I4", "s", rebuilds.no_change,
                {OURS: 5, PLAIN: 5, WHISPERX: 3}, {OURS: 1, PLAIN: 3, WHISPERX: 3}, limit=1.0, quick=True),
    Measurement("code-line", "one line of a stage's code changed, all ten images built", "I4", "s", rebuilds.code_line,
                {OURS: 5, PLAIN: 2, WHISPERX: 1}, {OURS: 2, PLAIN: 100, WHISPERX: 280}, limit=5.0, quick=True),
    Measurement("dependency", "one package of one stage changed, all ten images built", "I5", "s", rebuilds.dependency,
                {OURS: 5}, {OURS: 4}, quick=True),
    Measurement("base-changed", "the base changed, all ten images built", "", "s", rebuilds.base_changed,
                {OURS: 1, PLAIN: 1}, {OURS: 60, PLAIN: 150}),
    Measurement("set", "the set, each layer once, unpacked", "I1", "bytes", contents.set_size,
                {OURS: 1, PLAIN: 1, WHISPERX: 1}, {OURS: 12, PLAIN: 20, WHISPERX: 45}, limit=400e6, quick=True),
    Measurement("light-stage", "the largest stage without media, arrays or models, unpacked", "I2", "bytes",
                contents.light_stage, {OURS: 1, PLAIN: 1, WHISPERX: 1}, {OURS: 1}, limit=60e6, quick=True),
    Measurement("attributed", "bytes of the set that no line of a lock and no script of ours stands for", "I11",
                "bytes", contents.attributed, {OURS: 1}, {OURS: 4}, limit=0, quick=True),
    Measurement("layer-order", "layers that are not the same, or not in the same order, in every image", "I11",
                "count", contents.layer_order, {OURS: 1}, {OURS: 1}, limit=0, quick=True),
    Measurement("start", "container start to a stage that is ready: the slowest stage", "I8", "s", starts.start,
                {OURS: 5, PLAIN: 5, WHISPERX: 3}, {OURS: 5, PLAIN: 6, WHISPERX: 6}, limit=1.0, quick=True),
    Measurement("start-model", "container start to asr with its model; whisperx: to its import alone", "I8", "s",
                starts.with_model, {OURS: 5, PLAIN: 5, WHISPERX: 3}, {OURS: 2, PLAIN: 2, WHISPERX: 12}, limit=2.5),
    Measurement("import-time", "what a stage imports before it looks at its job", "I8", "s", starts.import_time,
                {OURS: 1, PLAIN: 1}, {OURS: 7, PLAIN: 9}, quick=True),
    Measurement("never-opened", "bytes of the set that no stage opens on a short film", "I11", "bytes",
                opened.never_opened, {OURS: 1, PLAIN: 1}, {OURS: 30, PLAIN: 35}),
    Measurement("pull", "ten images into an empty engine, from a registry on this machine", "I1", "s", pulls.pull,
                {OURS: 2, PLAIN: 1}, {OURS: 45, PLAIN: 70}),
)
NAMES = tuple(row.name for row in TABLE)
