"""One typed tree of settings: flags over environment over TOML file over defaults; unknown keys are refused.

    cp-whisperx.toml                     in the working folder, else in the user's configuration folder
    CP_WHISPERX__STAGES__ASR__MODEL=...  any key, with two underscores between its parts, in upper or lower case;
                                         lists with commas; an empty variable is none
    CP_WHISPERX_MODELS=...               the same as CP_WHISPERX__MODEL_STORE__PATH, which wins over it
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from cp_whisperx.errors import ConfigError
from cp_whisperx.models.sources import SOURCES
from cp_whisperx.models.store import ENVIRONMENT, default_root
from cp_whisperx.stages import STAGES

FILE = "cp-whisperx.toml"
PREFIX = "CP_WHISPERX__"
_SHOWS_ALL = "`cp-whisperx config` shows every setting with its meaning"

Key = tuple[str, ...]


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in SOURCES:
            raise ValueError(f"there is no source {name}, only {' and '.join(SOURCES)}")
    return names


Folder = Annotated[Path, AfterValidator(Path.expanduser)]
"""No shell has replaced the `~` of a path in a file."""
SourceNames = Annotated[tuple[str, ...], BeforeValidator(_split), AfterValidator(_known)]


class _Tree(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True)


class ModelStoreSettings(_Tree):
    path: Folder | None = Field(None, description="Folder of the model store; empty: the user's cache folder")
    sources: SourceNames = Field(tuple(SOURCES), description="Where `models pull` looks, in this order")

    @property
    def root(self) -> Path:
        return self.path or default_root()


class ImageSettings(_Tree):
    registry: str = Field("", description="Where images are pushed to, as example.org/acme; empty: this machine alone")
    base: str = Field("", description="A base image in the place of the pinned one, if no public registry is reached")
    debs: Folder | None = Field(None, description="Folder of kept Debian packages; empty: in the user's cache folder")
    cache: str = Field("", description="Registry reference of the build cache, as example.org/acme/cache; empty: none")


StageSettings: type[BaseModel] = create_model(
    "StageSettings", __base__=_Tree,
    **{stage.name.replace("-", "_"): (stage.options, Field(default_factory=stage.options, alias=stage.name))
       for stage in STAGES})  # type: ignore[call-overload]


class Settings(_Tree):
    jobs: Folder = Field(Path("out"), description="Folder in which each job has its folder")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where the models compute")
    threads: int = Field(0, ge=0, description="CPU threads of each stage; 0: as many as this process may use")
    runner: Literal["local", "docker"] = Field("local", description="Stages as processes of this machine, or each in "
                                               "its container")
    model_store: ModelStoreSettings = Field(default_factory=ModelStoreSettings)
    images: ImageSettings = Field(default_factory=ImageSettings)
    if TYPE_CHECKING:
        stages: BaseModel
    else:
        stages: StageSettings = Field(default_factory=StageSettings)

    @property
    def stage_options(self) -> dict[str, dict[str, Any]]:
        """Resolved options by stage name, as they are frozen into a job's request."""
        return self.stages.model_dump(mode="json", by_alias=True)


def load(flags: Mapping[str, Any] | None = None, *, file: Path | None = None,
         environment: Mapping[str, str] | None = None) -> Settings:
    """`flags` maps dotted keys (`stages.asr.model`) to values; None values are absent.

    Raises ConfigError that names the key and where it was set.
    """
    environment = os.environ if environment is None else environment
    tree: dict[str, Any] = {}
    origins: dict[Key, str] = {}
    for origin, key, value in _layers(flags or {}, _file(file, environment), environment):
        _put(tree, key, value, origin)
        origins[_plain(key)] = origin
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise _refused(error, origins) from None


def _layers(flags: Mapping[str, Any], file: Path | None,
            environment: Mapping[str, str]) -> Iterator[tuple[str, Key, Any]]:
    """Where each value was set, its key, the value; what comes later wins."""
    if file:
        for key, value in _flat(_read(file)):
            yield f"in {file}", key, value
    if models := environment.get(ENVIRONMENT):
        yield f"by ${ENVIRONMENT}", ("model_store", "path"), models
    for name, text in sorted(environment.items()):
        # Compose files pass variables on that nobody set: they arrive empty.
        if name.upper().startswith(PREFIX) and text:
            yield f"by ${name}", tuple(name[len(PREFIX):].lower().split("__")), text
    for dotted, value in flags.items():
        if value is not None:
            yield "on the command line", tuple(dotted.split(".")), value


def _refused(error: ValidationError, origins: Mapping[Key, str]) -> ConfigError:
    first = error.errors()[0]
    key = _plain(tuple(str(part) for part in first["loc"] if not isinstance(part, int)))
    name = next((known for known in all_keys() if _plain(tuple(known.split("."))) == key), ".".join(key))
    said = first["msg"].removeprefix("Value error, ")
    hint = _SHOWS_ALL
    if first["type"] == "extra_forbidden":
        said = "there is no such setting"
        near = difflib.get_close_matches(name, list(all_keys()), n=1, cutoff=0.75)
        hint = f"did you mean {near[0]}?" if near else hint
    # A value that is no table, or a table that is no value, was set under a part of the key or below it.
    related = (origin for other, origin in origins.items() if other[:len(key)] == key or key[:len(other)] == other)
    origin = origins.get(key) or next(related, "")
    return ConfigError(f"setting {name}: {said}" + (f" (set {origin})" if origin else ""), hint=hint)


def all_keys() -> Iterator[str]:
    """Every key there is, dotted, as a file has them."""
    for path, _ in _walk(Settings, ()):
        yield ".".join(path)


def example() -> str:
    """A settings file with every key at its default, and its explanation above it."""
    return "\n".join([f"# {FILE}: every key is optional, unknown keys are refused.",
                      f"# The environment wins over this file ({PREFIX}STAGES__ASR__MODEL=small), flags win over both.",
                      *_lines()]) + "\n"


def _lines() -> Iterator[str]:
    table: Key = ()
    for key, field in _walk(Settings, ()):
        if key[:-1] != table:
            table = key[:-1]
            yield ""
            yield f"[{'.'.join(table)}]"
        elif not table:
            yield ""
        yield f"# {field.description}"
        default = field.get_default(call_default_factory=True)
        yield f"# {key[-1]} =" if default is None else f"{key[-1]} = {_toml(default)}"


def _walk(model: type[BaseModel], path: Key) -> Iterator[tuple[Key, FieldInfo]]:
    """The keys of a table, then those of the tables in it: the order that TOML asks for."""
    fields = [((*path, field.alias or name), field) for name, field in model.model_fields.items()]
    yield from ((key, field) for key, field in fields if not _is_table(field))
    for key, field in fields:
        if _is_table(field):
            yield from _walk(cast(type[BaseModel], field.annotation), key)


def _is_table(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(entry)}" for key, entry in value.items()) + "}"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _file(asked: Path | None, environment: Mapping[str, str]) -> Path | None:
    if asked:
        if not asked.is_file():
            raise ConfigError(f"there is no settings file {asked}", hint="check --config")
        return asked
    config = environment.get("XDG_CONFIG_HOME") or "~/.config"
    places = (Path(FILE), Path(config).expanduser() / "cp-whisperx" / FILE)
    return next((place for place in places if place.is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        # Some editors put a byte order mark in front, which TOML does not know.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path} cannot be read as settings ({error})",
                          hint="`cp-whisperx config` prints a file to start from") from None


def _flat(tree: Mapping[str, Any], path: Key = ()) -> Iterator[tuple[Key, Any]]:
    """The values of a file by their keys. An empty table is a value: it may have a name that is unknown."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, (*path, key))
        else:
            yield (*path, key), value


def _put(tree: dict[str, Any], key: Key, value: Any, origin: str) -> None:
    """Stage names have a hyphen in files and an underscore in the environment: one of them in the tree."""
    node = tree
    for part in _plain(key[:-1]):
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise ConfigError(f"setting {'.'.join(key)}: {part} is a value, not a table (set {origin})",
                              hint=_SHOWS_ALL)
    last = _plain(key)[-1]
    if value != {} or last not in node:
        node[last] = value


def _plain(key: Key) -> Key:
    return tuple(part.replace("-", "_") for part in key)
