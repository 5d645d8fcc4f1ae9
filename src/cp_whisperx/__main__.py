"""`python -m cp_whisperx` is the same command as `cp-whisperx`."""

from cp_whisperx.cli import main

if __name__ == "__main__":
    main()
