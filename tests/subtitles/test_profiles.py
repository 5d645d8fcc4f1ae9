from __future__ import annotations

from pathlib import Path

import pytest

from cp_whisperx.errors import ConfigError
from cp_whisperx.subtitles import profiles
from cp_whisperx.subtitles.profiles import Rules

TABLE = {
    # profile: cpl, lines, cps, hard, min_s, max_s, gap, chain_s, linger_s, dash, song
    "netflix": (42, 2, 17, None, 0.833, 7.0, 2, 0.5, 0.5, "-", "♪"),
    "netflix-en": (42, 2, 20, 22, 0.833, 7.0, 2, 0.5, 0.5, "-", "♪"),
    "netflix-en-sdh": (42, 2, 20, 22, 0.833, 7.0, 2, 0.5, 0.5, "-", "♪"),
    "netflix-hi": (42, 2, 22, None, 0.833, 7.0, 2, 0.5, 0.5, "-", "♪"),
    "netflix-hi-sdh": (42, 2, 25, None, 0.833, 7.0, 2, 0.5, 0.5, "-", "♪"),
    "netflix-hi-latn": (42, 2, 22, None, 0.833, 7.0, 2, 0.5, 0.5, "-", "♪"),
    "bbc": (37, 2, 15, None, 0.3, None, 0, 1.0, 1.5, "- ", "#"),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_numbers_of_the_guides(name: str) -> None:
    made = profiles.named(name)
    assert TABLE[name] == (
        made.max_cpl, made.max_lines, made.cps_target, made.cps_hard_flag, made.min_duration_s, made.max_duration_s,
        made.min_gap_frames, made.chain_below_s, made.linger_s, made.dash, made.song_mark)


def test_every_profile_is_in_the_table() -> None:
    assert set(profiles.names()) == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_every_value_says_where_it_comes_from(name: str) -> None:
    made = profiles.named(name)
    assert set(made.origins) == set(Rules.model_fields)
    assert all(origin.source for origin in made.origins.values())


def test_a_value_has_the_origin_of_the_file_that_states_it() -> None:
    made = profiles.named("netflix-en-sdh")
    assert (made.origins["max_cpl"].profile, made.origins["max_cpl"].mark) == ("netflix", "1st")
    assert (made.origins["cps_hard_flag"].profile, made.origins["cps_hard_flag"].mark) == ("netflix-en", "own")


def test_every_rule_has_a_unit_and_a_meaning() -> None:
    for rule, field in Rules.model_fields.items():
        assert field.description
        assert profiles.unit_of(rule)


def test_a_file_of_the_user(tmp_path: Path) -> None:
    file = tmp_path / "house.toml"
    file.write_text('title = "House"\nextends = "bbc"\nmax_cpl = 32\n[cps_target]\nvalue = 12\nsource = "our editor"\n')
    made = profiles.load(str(file))
    assert (made.name, made.title, made.max_cpl, made.cps_target, made.min_gap_frames) == ("house", "House", 32, 12, 0)
    assert made.origins["cps_target"].source == "our editor"
    assert made.origins["max_cpl"].profile == "house"


@pytest.mark.parametrize(("text", "name"), [
    ("max_cpl = 32", "house"), ('name = "ours"\nmax_cpl = 32', "ours"), ("[max_cpl]\nvalue = 32\n\n", "house")])
def test_a_file_can_travel_as_text(tmp_path: Path, text: str, name: str) -> None:
    file = tmp_path / "house.toml"
    file.write_text(text)
    made = profiles.parse(profiles.portable(file))
    assert (made.name, made.max_cpl) == (name, 32)


def test_a_file_that_extends_nothing_has_the_rest_from_netflix() -> None:
    assert profiles.parse("max_lines = 1").cps_target == profiles.named("netflix-en").cps_target


REFUSED = {
    "a rule that is none": ("max_cp = 40", "there is no rule max_cp", "max_cpl"),
    "too small": ("max_cpl = 3", "max_cpl", "characters"),
    "no number": ("cps_target = 'fast'", "cps_target", "characters per second"),
    "another unit": ("[linger_s]\nvalue = 500\nunit = 'ms'", "linger_s is in s, not in ms", "convert"),
    "a key that is none": ("[max_cpl]\nvalu = 40", "max_cpl has no key valu", "value"),
    "a mark that is none": ("[max_cpl]\nvalue = 40\nmark = '3rd'", "max_cpl: mark", ""),
    "extends what is not there": ("extends = 'netflx'", "no subtitle profile netflx", "netflix"),
    "a kind of pair that is none": ("no_split = ['articles']", "no kind of pair called articles", "article"),
    "no TOML": ("max_cpl: 40", "no TOML", "max_cpl = 37"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    text, message, hint = REFUSED[case]
    with pytest.raises(ConfigError) as raised:
        profiles.parse(text, "house.toml")
    assert message in raised.value.message
    assert hint in raised.value.hint


@pytest.mark.parametrize(("asked", "message"), [
    ("netflix-eng", "no subtitle profile netflix-eng"), ("missing.toml", "there is no profile missing.toml")])
def test_a_profile_that_is_not_there(asked: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        profiles.load(asked)
    assert "netflix-en" in raised.value.hint


@pytest.mark.parametrize(("language", "text", "name"), [
    ("hi", "तुम कहाँ थे", "netflix-hi"), ("hi", "tum kahan the", "netflix-hi-latn"), ("hi", "", "netflix-hi"),
    ("hi", "मैं OK हूँ", "netflix-hi"), ("en", "where", "netflix-en"), ("und", "", "netflix-en"),
    ("es", "dónde", "netflix"),
    ("hi", "میں نہیں Saadvi teri", "netflix-hi-latn"), ("hi", "میں نہیں ہوں teri", "netflix-hi"),
])
def test_the_default_follows_language_and_script(language: str, text: str, name: str) -> None:
    assert profiles.default_name(language, text) == name


def test_single_rules_can_be_changed() -> None:
    made = profiles.changed(profiles.named("netflix-en"), {"max_cpl": 37})
    assert (made.max_cpl, made.max_lines, made.origins["max_cpl"].profile) == (37, 2, "settings")
    with pytest.raises(ConfigError, match="max_lines"):
        profiles.changed(made, {"max_lines": 9})
