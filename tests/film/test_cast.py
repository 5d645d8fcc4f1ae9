from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp_whisperx.artifacts import Credit
from cp_whisperx.errors import ConfigError
from cp_whisperx.film import cast
from cp_whisperx.film.facts import FilmFacts

WANTED = FilmFacts(
    credits=(Credit(person="Kajol", characters=("Simran Singh",), order=0),
             Credit(person="A. Bachchan", characters=("Vijay", "raju"), order=1)),
    extra_names=("Lajjo", "पंजाब"))
TEXT = "# names\n\nSimran Singh = Kajol\r\n  Vijay / raju=A. Bachchan\nLajjo\nपंजाब\n lajjo \n"
TOML = 'names = ["Lajjo", "पंजाब"]\n[cast]\n"Simran Singh" = "Kajol"\n"Vijay / raju" = "A. Bachchan"\n'
JSON = '{"cast": {"Simran Singh": "Kajol", "Vijay / raju": "A. Bachchan"}, "names": ["Lajjo", "पंजाब"]}'


@pytest.mark.parametrize(("name", "data"), [
    ("cast.txt", TEXT.encode()), ("cast", b"\xef\xbb\xbf" + TEXT.encode()), ("cast.txt", TEXT.encode("utf-16")),
    ("cast.toml", TOML.encode()), ("CAST.JSON", JSON.encode())])
def test_each_form_says_the_same(name: str, data: bytes, tmp_path: Path) -> None:
    assert cast.parse(data, name) == WANTED
    (tmp_path / name).write_bytes(data)
    assert cast.read(tmp_path / name) == WANTED


WRONG: dict[str, tuple[str, bytes, str]] = {
    "empty": ("c.txt", b"", "has no names in it"),
    "comments alone": ("c.txt", b"# a\n\n", "has no names in it"),
    "no actor": ("c.txt", b"Raj = \n", "line 1 of the cast file c.txt has one side of its `=` empty"),
    "no character": ("c.txt", b"a = b\n = Kajol\n", "line 2 of the cast file"),
    "another encoding": ("c.txt", "é".encode("cp1252"), "is not in UTF-8"),
    "binary": ("c.txt", b"a\0b", "is not text"),
    "large": ("c.txt", b"a\n" * cast.MAX_BYTES, "is larger than 256 KB"),
    "no TOML": ("c.toml", b"cast = ", "cannot be read"),
    "no JSON": ("c.json", b"{", "cannot be read"),
    "deep JSON": ("c.json", b"[" * 100_000, "cannot be read"),
    "a list": ("c.json", b"[]", "something else in it than `cast` and `names`"),
    "unknown keys": ("c.toml", b"actors = 1", "something else in it than `cast` and `names`"),
    "a number": ("c.json", b'{"cast": {"Raj": 1}}', "`cast` as a table of texts"),
    "a text for a list": ("c.json", b'{"names": "Raj"}', "`names` as a list"),
    "an empty name": ("c.json", b'{"cast": {"": "Raj"}}', "has an empty name"),
}


@pytest.mark.parametrize(("name", "data", "sentence"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_used_is_one_sentence(name: str, data: bytes, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        cast.parse(data, name)
    assert sentence in caught.value.message and caught.value.hint


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none", Path("a\0b")):
        with pytest.raises(ConfigError, match="cast file"):
            cast.read(path)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))),
       st.sampled_from(["c.txt", "c.toml", "c.json"]))
def test_no_file_is_too_odd(data: bytes, name: str) -> None:
    try:
        cast.parse(data, name).model_dump_json()
    except ConfigError as error:
        assert error.message
