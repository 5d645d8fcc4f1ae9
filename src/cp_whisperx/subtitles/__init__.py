"""From words to subtitles: cues, lines and file formats."""
