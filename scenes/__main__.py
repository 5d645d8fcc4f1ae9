"""`python -m scenes OUT_DIR`: makes a test film with its truth beside it."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import get_args

from scenes.build import build
from scenes.spec import (
    AudioCodec,
    Channels,
    Container,
    Picture,
    SceneSpec,
    SubtitleSpec,
    TrackSpec,
    VideoCodec,
)

_HELP = "default: {}"
_EXAMPLE = """\
examples:
  python -m scenes out --name demo
  python -m scenes out --name late --audio-start-s 5 --hole-at-s 30 --hole-s 2 --chapters
  python -m scenes out --name long --length-s 7200 --picture still --fps 1 --channels mono
"""
_FLOATS = (
    "length_s",
    "lead_in_s",
    "lead_out_s",
    "pause_min_s",
    "pause_max_s",
    "speech_dbfs",
    "quiet_db",
    "music_alone_db",
    "music_under_db",
    "quiet_music_db",
    "music_gap_s",
    "audio_start_s",
    "hole_at_s",
    "hole_s",
    "overlap_at_s",
    "overlap_s",
)
_INTEGERS = ("seed", "quiet_every", "music_every", "sample_rate_hz", "width", "height", "fps")
_SWITCHES = ("music", "chapters", "cover_art", "attachment")
_CHOICES = {
    "container": get_args(Container),
    "audio_codec": get_args(AudioCodec),
    "channels": get_args(Channels),
    "picture": get_args(Picture),
    "video_codec": get_args(VideoCodec),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scenes",
        description="Make a test film whose dialogue, music and times are exactly known.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out_dir", type=Path, metavar="OUT_DIR")
    parser.add_argument("--name", default="demo", help="file name without suffix (default: demo)")
    parser.add_argument(
        "--second-track",
        action="store_true",
        help="add an audio track of other lines, tagged hin and as a comment",
    )
    parser.add_argument("--subtitles", action="store_true", help="add a subtitle track of the dialogue")
    defaults = {field.name: field.default for field in fields(SceneSpec)}
    for option in (*_FLOATS, *_INTEGERS):
        kind = float if option in _FLOATS else int
        parser.add_argument(
            _flag(option), type=kind, default=defaults[option], help=_HELP.format(defaults[option])
        )
    for option in _SWITCHES:
        parser.add_argument(_flag(option), action=argparse.BooleanOptionalAction, default=defaults[option])
    for option, choices in _CHOICES.items():
        parser.add_argument(_flag(option), choices=choices, default=defaults[option])
    return parser


def _flag(option: str) -> str:
    return "--" + option.replace("_", "-")


def main() -> None:
    """Parses the command line, makes the film and names the files."""
    arguments = vars(_parser().parse_args())
    out_dir, name = arguments.pop("out_dir"), arguments.pop("name")
    if arguments.pop("second_track"):
        commentary = TrackSpec(language="hin", title="Commentary", content="dialogue_b", comment=True)
        arguments["tracks"] = (TrackSpec(default=True), commentary)
    if arguments.pop("subtitles"):
        arguments["subtitles"] = (SubtitleSpec(),)
    scene = build(SceneSpec(**arguments), out_dir, name)
    print(f"{scene.film}  {scene.duration_s:.3f} s, {len(scene.lines)} lines")
    print(scene.truth_json)
    print(scene.truth_srt)


if __name__ == "__main__":
    main()
