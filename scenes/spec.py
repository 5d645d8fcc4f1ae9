"""What a scene is made of: every option of a test film, in frozen dataclasses with units in the names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Container = Literal["mkv", "mp4"]
AudioCodec = Literal["aac", "ac3", "flac", "pcm", "opus"]
VideoCodec = Literal["h264", "mpeg4"]
Picture = Literal["moving", "still", "none"]
Channels = Literal["mono", "stereo", "stereo_inverted", "5.1", "5.1_silent_centre"]
TrackContent = Literal["dialogue", "dialogue_b", "music"]
SubtitleContent = Literal["dialogue", "dialogue_b"]


@dataclass(frozen=True)
class TrackSpec:
    """One audio track.

    `content` "dialogue" is the scene's own dialogue over music, "dialogue_b" other lines by the same
    voices over the same music (a commentary, a dub), "music" the music alone.
    `language` is an ISO 639-2 code such as "eng".
    """

    language: str = "eng"
    title: str = ""
    content: TrackContent = "dialogue"
    default: bool = False
    comment: bool = False
    visual_impaired: bool = False


@dataclass(frozen=True)
class SubtitleSpec:
    """One subtitle track, `subrip` in MKV and `mov_text` in MP4, timed to the voices it repeats."""

    language: str = "eng"
    title: str = ""
    content: SubtitleContent = "dialogue"
    default: bool = False
    forced: bool = False
    hearing_impaired: bool = False


@dataclass(frozen=True)
class SceneSpec:
    """A whole film. The defaults are the demo: about 75 s, four speakers, music, H.264 + AAC in MKV.

    Clocks: *position* counts seconds (or samples) in the sound as it was mixed; *film time* is the
    presentation timestamp in the file, whose zero is timestamp 0 of the container. The troubles below
    part the two, and the truth is always given in film time.

    audio_start_s: timestamp asked for the first audio sample, against a picture that starts at 0.
        MKV cannot hold negative timestamps: its muxer lifts every stream by the same amount, so -1 is
        stored as audio at 0 and picture at 1. MP4 keeps the picture at 0 and stores an edit list that
        hides all audio before 0: that sound is in the file but no player presents it. The truth says
        which lines are so lost (`presented_fraction` below 1).
        A positive value is kept as it is in both: an audio stream that starts late.
    hole_at_s, hole_s: at the pause nearest to position hole_at_s the audio timestamps jump forward by
        hole_s. No audio is lost, nothing is stored for the hole; later lines come hole_s later.
    overlap_at_s, overlap_s: likewise backwards: later audio packets carry timestamps overlap_s earlier
        than they should. MKV only, as no muxer agrees to write it: the file is patched afterwards.
    speech_dbfs: RMS of each voiced line in dB of full scale, before `quiet_db`.
    music_under_db, music_alone_db: RMS of the music in dB relative to speech_dbfs, under the lines and
        where it plays alone. `music=False` leaves it out altogether.
    quiet_every: every so many lines (0: none) one is quieter by quiet_db (below 0), over music at
        quiet_music_db.
    pauses_s: pauses between lines in order, used again from the first when they run out; None draws
        them from the seeded generator between pause_min_s and pause_max_s.
    music_every: after so many lines the music plays alone for music_gap_s (0: never).
    length_s: None takes the dialogue once, in its order. A number repeats it shuffled up to that length.
    picture: "moving"; "still" (drawn once but for the timecode; choose a low fps, for long films);
        "none" leaves the video stream out. The timecode shows the picture's own clock, frame 0 = 0.
    sample_rate_hz: 48000, 44100, 32000 or 16000; opus takes no 44100 or 32000.
    """

    seed: int = 1
    container: Container = "mkv"
    length_s: float | None = None

    lead_in_s: float = 3.5
    lead_out_s: float = 2.5
    pauses_s: tuple[float, ...] | None = None
    pause_min_s: float = 0.4
    pause_max_s: float = 1.0
    speech_dbfs: float = -20.0
    quiet_every: int = 0
    quiet_db: float = -12.0

    music: bool = True
    music_alone_db: float = -8.0
    music_under_db: float = -24.0
    quiet_music_db: float = -18.0
    music_every: int = 5
    music_gap_s: float = 3.0

    audio_codec: AudioCodec = "aac"
    sample_rate_hz: int = 48_000
    channels: Channels = "stereo"
    tracks: tuple[TrackSpec, ...] = (TrackSpec(default=True),)
    audio_start_s: float = 0.0
    hole_at_s: float = 0.0
    hole_s: float = 0.0
    overlap_at_s: float = 0.0
    overlap_s: float = 0.0

    picture: Picture = "moving"
    video_codec: VideoCodec = "h264"
    width: int = 640
    height: int = 360
    fps: int = 24

    subtitles: tuple[SubtitleSpec, ...] = ()
    chapters: bool = False
    cover_art: bool = False
    attachment: bool = False

    def __post_init__(self) -> None:
        if not self.tracks:
            raise ValueError("a scene needs at least one audio track")
        if self.overlap_s and self.container != "mkv":
            raise ValueError("overlap_s needs container='mkv'")
        if self.attachment and self.container != "mkv":
            raise ValueError("attachment needs container='mkv'")
        if self.hole_s < 0 or self.overlap_s < 0:
            raise ValueError("hole_s and overlap_s are lengths and cannot be negative")
        if self.sample_rate_hz not in (16_000, 32_000, 44_100, 48_000):
            raise ValueError(f"sample_rate_hz={self.sample_rate_hz}: take 48000, 44100, 32000 or 16000")
        if self.width % 2 or self.height % 2 or self.fps < 1:
            raise ValueError("width and height must be even and fps at least 1")
        if not -30.0 <= self.audio_start_s <= 30.0:
            raise ValueError("audio_start_s must lie between -30 and 30")
