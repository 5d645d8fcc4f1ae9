from __future__ import annotations

import pytest

from cp_whisperx.subtitles.language import guess

CASES = {
    "He said that the train was late, and so were we.": "en",
    "मैं नहीं आऊँगा, आपको आना होगा": "hi",
    "मैं OK हूँ": "hi",
    "Main ghar ja raha hoon, tum bhi mere saath aao na": "hi",
    "Der Zug ist in der Nacht nicht gekommen, und so war es.": "und",
    "El tren no ha llegado, y por eso me quedo en casa.": "und",
    "Quand le train est en retard, on attend sur le quai.": "und",
    "Il treno era in ritardo, e noi no.": "und",
    "Поезд опоздал": "und", "東京": "und", "": "und", "123 … -": "und",
}


@pytest.mark.parametrize("text", CASES)
def test_guess(text: str) -> None:
    assert guess(text.split(",")) == CASES[text]
