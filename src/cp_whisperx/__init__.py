"""A film goes in; the film with subtitles comes out. See `cp_whisperx.stages` for the table of stages."""

__version__ = "0.1.0"
