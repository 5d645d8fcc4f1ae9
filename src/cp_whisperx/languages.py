"""The languages that Whisper knows, by the codes that films use: ISO 639-1, 639-2/T and 639-2/B.

Source: ISO 639-2 code list; where Whisper has no two-letter code its own is the first column.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    code: str
    """As Whisper and file names have it: two letters where there are two."""
    three: str
    """ISO 639-2/T, as in the language tags of MP4."""
    bibliographic: str
    """ISO 639-2/B where it differs, else the same; as in the language tags of Matroska."""
    name: str


_TABLE = """
af afr - Afrikaans|am amh - Amharic|ar ara - Arabic|as asm - Assamese|az aze - Azerbaijani|ba bak - Bashkir
be bel - Belarusian|bg bul - Bulgarian|bn ben - Bengali|bo bod tib Tibetan|br bre - Breton|bs bos - Bosnian
ca cat - Catalan|cs ces cze Czech|cy cym wel Welsh|da dan - Danish|de deu ger German|el ell gre Greek
en eng - English|es spa - Spanish|et est - Estonian|eu eus baq Basque|fa fas per Persian|fi fin - Finnish
fo fao - Faroese|fr fra fre French|gl glg - Galician|gu guj - Gujarati|ha hau - Hausa|haw haw - Hawaiian
he heb - Hebrew|hi hin - Hindi|hr hrv - Croatian|ht hat - Haitian|hu hun - Hungarian|hy hye arm Armenian
id ind - Indonesian|is isl ice Icelandic|it ita - Italian|ja jpn - Japanese|jw jav - Javanese|ka kat geo Georgian
kk kaz - Kazakh|km khm - Khmer|kn kan - Kannada|ko kor - Korean|la lat - Latin|lb ltz - Luxembourgish
ln lin - Lingala|lo lao - Lao|lt lit - Lithuanian|lv lav - Latvian|mg mlg - Malagasy|mi mri mao Maori
mk mkd mac Macedonian|ml mal - Malayalam|mn mon - Mongolian|mr mar - Marathi|ms msa may Malay|mt mlt - Maltese
my mya bur Burmese|ne nep - Nepali|nl nld dut Dutch|nn nno - Norwegian Nynorsk|no nor - Norwegian|oc oci - Occitan
pa pan - Punjabi|pl pol - Polish|ps pus - Pashto|pt por - Portuguese|ro ron rum Romanian|ru rus - Russian
sa san - Sanskrit|sd snd - Sindhi|si sin - Sinhala|sk slk slo Slovak|sl slv - Slovenian|sn sna - Shona
so som - Somali|sq sqi alb Albanian|sr srp - Serbian|su sun - Sundanese|sv swe - Swedish|sw swa - Swahili
ta tam - Tamil|te tel - Telugu|tg tgk - Tajik|th tha - Thai|tk tuk - Turkmen|tl tgl - Tagalog|tr tur - Turkish
tt tat - Tatar|uk ukr - Ukrainian|ur urd - Urdu|uz uzb - Uzbek|vi vie - Vietnamese|yi yid - Yiddish
yo yor - Yoruba|yue yue - Cantonese|zh zho chi Chinese
"""

# Other codes that films carry: withdrawn ones, parts of a language, and names that Whisper takes as well.
_ALIASES = {
    "iw": "he", "in": "id", "ji": "yi", "jv": "jw", "mo": "ro", "mol": "ro", "scc": "sr", "scr": "hr",
    "nb": "no", "nob": "no", "fil": "tl", "cmn": "zh", "pes": "fa", "prs": "fa", "arb": "ar",
    "mandarin": "zh", "castilian": "es", "valencian": "ca", "flemish": "nl", "moldavian": "ro", "moldovan": "ro",
    "haitian creole": "ht", "nynorsk": "nn", "letzeburgesch": "lb", "pushto": "ps", "panjabi": "pa",
    "sinhalese": "si", "filipino": "tl", "farsi": "fa",
}


def _read(row: str) -> Language:
    code, three, other, name = row.split(maxsplit=3)
    return Language(code, three, three if other == "-" else other, name)


LANGUAGES: dict[str, Language] = {
    language.code: language for language in map(_read, _TABLE.strip().replace("\n", "|").split("|"))
}

_BY_ANY_CODE = {
    code: language
    for language in LANGUAGES.values()
    for code in (language.code, language.three, language.bibliographic, language.name.lower())
} | {alias: LANGUAGES[code] for alias, code in _ALIASES.items()}


def find(tag: str | None) -> Language | None:
    """By any of its codes, by its English name, or by a tag with a region (`pt-BR`). None if unknown or `und`."""
    if not tag:
        return None
    return _BY_ANY_CODE.get(tag.lower().replace("_", "-").split("-")[0].strip())
