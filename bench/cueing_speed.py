"""`python bench/cueing_speed.py`: seconds from words to cues for films of half an hour to four hours, as dated JSON.

Talk without end: 2.5 words a second, a pause after every tenth word or so, a cut every five seconds, a new speaker
every twenty words. `one breath` is the worst case: words of one letter, without punctuation, pauses or speakers.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import random
import time
from itertools import cycle
from pathlib import Path

from cp_whisperx.stage import peak_rss_mb
from cp_whisperx.subtitles import profiles
from cp_whisperx.subtitles.cueing import cues
from cp_whisperx.subtitles.grid import Grid
from cp_whisperx.timeline import Word

_HOURS = (0.5, 1.0, 2.0, 4.0)
_WORDS_PER_S = 2.5
_SEED = 7
_TALK = {
    "en": """My father told me that somebody from the village would meet me here. Then you must be Anna. Uncle, did you
        ask her about the letter? Be patient, let her drink some tea first. I came back last week, because a stranger
        called me from a shop in the old town, and he said that my brother was alive. When we reach the city, do not
        speak to anyone at the station.""",
    "hi": """मेरे पिता ने कहा था कि गाँव से कोई मुझे लेने आएगा। तो तुम ही अन्ना हो। चाचा, क्या आपने उससे चिट्ठी के बारे में पूछा? धीरज रखो,
        पहले उसे चाय पीने दो। मैं पिछले हफ़्ते लौटा हूँ, क्योंकि एक अजनबी ने मुझे पुराने बाज़ार की दुकान से फ़ोन किया था और कहा कि
        मेरा भाई ज़िंदा है। जब हम शहर पहुँचें, तब स्टेशन पर किसी से बात मत करना।""",
}


def talk(language: str, count: int) -> list[Word]:
    chance = random.Random(_SEED)
    clock, words = 0.0, []
    for number, text in zip(range(count), cycle(_TALK[language].split()), strict=False):
        clock += chance.choice((0.02,) * 9 + (0.9,))
        length = chance.uniform(0.1, 0.5)
        words.append(Word(clock, clock + length, f" {text}", 0.9, speaker=f"S{number // 20 % 4 + 1}"))
        clock += length
    return words


def one_breath(count: int) -> list[Word]:
    return [Word(number * 0.1, number * 0.1 + 0.1, " a", 0.9) for number in range(count)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python bench/cueing_speed.py")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    out: Path = parser.parse_args().out
    rows = []
    for hours in _HOURS:
        count = round(hours * 3600 * _WORDS_PER_S)
        for name, profile, words in (("en", "netflix-en", talk("en", count)), ("hi", "netflix-hi", talk("hi", count)),
                                     ("en", "bbc", talk("en", count)), ("one breath", "netflix-en", one_breath(count))):
            cuts = [float(second) for second in range(0, round(words[-1].end), 5)] if name != "one breath" else []
            began = time.process_time()
            made = cues(words, profiles.named(profile), grid=Grid.of(23.976), language=name[:2], cuts=cuts)
            seconds = time.process_time() - began
            flagged = sum(bool(cue.breaches) for cue in made)
            rows.append({"hours": hours, "talk": name, "profile": profile, "words": count, "cues": len(made),
                         "cues_with_breaches": flagged, "cpu_s": round(seconds, 3)})
            print(f"{hours:4} h  {name:10} {profile:11} {count:6} words  {len(made):5} cues  {seconds:6.2f} s")
    result = {
        "what": "CPU seconds from words to cues, one core", "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs", "python": platform.python_version(),
        "peak_rss_mb": peak_rss_mb(), "rows": rows,
    }
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"cueing-speed-{time.strftime('%Y-%m-%d')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
