"""One typed tree of settings: flags over environment over TOML file over defaults; unknown keys are refused.

    cp-whisperx.toml                     in the working folder, else in the user's configuration folder
    CP_WHISPERX__STAGES__ASR__MODEL=...  any key, with two underscores between its parts
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from cp_whisperx.errors import ConfigError
from cp_whisperx.models.sources import SOURCES
from cp_whisperx.models.store import default_root
from cp_whisperx.stages import STAGES

FILE = "cp-whisperx.toml"
PREFIX = "CP_WHISPERX__"


class _Tree(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True)


class ModelStoreSettings(_Tree):
    path: Path | None = Field(None, description="Folder of the model store; empty: the user's cache folder")
    sources: tuple[str, ...] = Field(tuple(SOURCES), description="Where `models pull` looks, in this order")

    @property
    def root(self) -> Path:
        return self.path.expanduser() if self.path else default_root()


StageSettings: type[BaseModel] = create_model(
    "StageSettings", __base__=_Tree,
    **{stage.name.replace("-", "_"): (stage.options, Field(default_factory=stage.options, alias=stage.name))
       for stage in STAGES})  # type: ignore[call-overload]


class Settings(_Tree):
    jobs: Path = Field(Path("out"), description="Folder in which each job has its folder")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where the models compute")
    threads: int = Field(0, ge=0, description="CPU threads of each stage; 0: as many as this process may use")
    model_store: ModelStoreSettings = Field(default_factory=ModelStoreSettings)
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
    tree: dict[str, Any] = {}
    origins: dict[str, str] = {}
    path = _file(file)
    layers: list[tuple[str, Iterator[tuple[tuple[str, ...], Any]]]] = []
    if path:
        layers.append((str(path), _flat(_read(path))))
    environment = os.environ if environment is None else environment
    layers.append(("the environment", _from_environment(environment)))
    layers.append(("the command line", ((tuple(key.split(".")), value) for key, value in (flags or {}).items()
                                        if value is not None)))
    for origin, values in layers:
        for key, value in values:
            _put(tree, key, value)
            origins[_dotted(key)] = origin
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        bad = _dotted(tuple(str(part) for part in first["loc"] if not isinstance(part, int)))
        message = "is no setting of ours" if first["type"] == "extra_forbidden" else first["msg"]
        where = next((origin for name, origin in origins.items() if name.startswith(bad) or bad.startswith(name)), "")
        raise ConfigError(f"setting {bad}: {message}" + (f" (set in {where})" if where else ""),
                          hint="`cp-whisperx config` shows every setting with its meaning") from None


def example() -> str:
    """A settings file with every key at its default, and its explanation above it."""
    return "\n".join([f"# {FILE}: every key is optional, unknown keys are refused.",
                      f"# The environment wins over this file ({PREFIX}STAGES__ASR__MODEL=small), flags win over both.",
                      *_table(Settings, ())]) + "\n"


def _table(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[str]:
    fields = [(field.alias or name, field) for name, field in model.model_fields.items()]
    plain = [(key, field) for key, field in fields if not _is_table(field)]
    if path and plain:
        yield ""
        yield f"[{'.'.join(path)}]"
    for key, field in plain:
        if not path:
            yield ""
        yield f"# {field.description}"
        default = field.get_default(call_default_factory=True)
        yield f"# {key} =" if default is None else f"{key} = {_toml(default)}"
    for key, field in fields:
        if _is_table(field):
            yield from _table(cast(type[BaseModel], field.annotation), (*path, key))


def _is_table(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _file(asked: Path | None) -> Path | None:
    if asked:
        if not asked.is_file():
            raise ConfigError(f"there is no settings file {asked}", hint="check --config")
        return asked
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    places = (Path(FILE), Path(config).expanduser() / "cp-whisperx" / FILE)
    return next((place for place in places if place.is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path} cannot be read as settings ({error})",
                          hint="`cp-whisperx config` prints a file to start from") from None


def _flat(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*path, key))
        else:
            yield (*path, key), value


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX):
            yield tuple(name.removeprefix(PREFIX).lower().split("__")), value


def _put(tree: dict[str, Any], key: tuple[str, ...], value: Any) -> None:
    """Stage names have a hyphen in files and an underscore in the environment: one of them in the tree."""
    node = tree
    for part in key[:-1]:
        node = node.setdefault(part.replace("-", "_"), {})
        if not isinstance(node, dict):
            raise ConfigError(f"setting {_dotted(key)}: {part} is a value, not a table",
                              hint="`cp-whisperx config` shows every setting with its meaning")
    node[key[-1].replace("-", "_")] = value


def _dotted(key: tuple[str, ...]) -> str:
    return ".".join(key).replace("-", "_")
