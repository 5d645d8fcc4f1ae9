"""The commands about models: list, pull, verify, path, warm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from cp_whisperx import log as logs
from cp_whisperx import settings, stages
from cp_whisperx.cli.flags import config_flag, json_flag, runner_flag
from cp_whisperx.cli.output import print_json
from cp_whisperx.engines.warm import warm
from cp_whisperx.errors import ModelMissing
from cp_whisperx.images import engine
from cp_whisperx.models.catalog import catalog
from cp_whisperx.models.catalog import find as find_model
from cp_whisperx.models.sources import SOURCES, FolderSource, Source
from cp_whisperx.models.store import ModelStore, is_path
from cp_whisperx.runners.docker import DockerRunner


@click.group()
def models() -> None:
    """The models: list, pull, verify, path, warm.

    \b
    Example:  cp-whisperx models pull base
    """


@models.command("list")
@config_flag
@json_flag
def models_list(config: Path | None, as_json: bool) -> None:
    """List the catalogue, and what of it is in the store.

    \b
    Example:  cp-whisperx models list
    """
    store = ModelStore(settings.load(file=config).model_store.root)
    rows = [{"name": model.name, "kind": model.kind, "mb": round(model.size / 1e6), "licence": model.licence,
             "present": store.has(model.name), "about": model.about} for model in catalog().values()]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        here = "here" if row["present"] else "-"
        click.echo(f"{row['name']:21} {row['kind']:12} {row['mb']:5} MB  {here:5} {row['about']}")


@models.command("pull")
@click.argument("names", nargs=-1)
@click.option("--from", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="A folder that holds the files, tried first.")
@click.option("--dry-run", is_flag=True, help="Say what would be fetched, and from where.")
@config_flag
def models_pull(names: Sequence[str], folder: Path | None, dry_run: bool, config: Path | None) -> None:
    """Fetch models into the store; without a name, those that the settings use.

    \b
    Examples:
      cp-whisperx models pull
      cp-whisperx models pull large-v3-turbo
      cp-whisperx models pull base --from /media/usb/models
    """
    chosen = settings.load(file=config)
    store = ModelStore(chosen.model_store.root)
    sources: list[Source] = [*([FolderSource(folder)] if folder else []),
                             *(SOURCES[name]() for name in chosen.model_store.sources)]
    for name in names or _models_in_use(chosen):
        click.echo(_pull_plan(name, store, sources) if dry_run else store.pull(name, sources))


@models.command("verify")
@click.argument("names", nargs=-1)
@config_flag
def models_verify(names: Sequence[str], config: Path | None) -> None:
    """Hash every file of the models in the store against the catalogue.

    \b
    Example:  cp-whisperx models verify base
    """
    store = ModelStore(settings.load(file=config).model_store.root)
    wrong = []
    for name in names or [model.name for model in catalog().values() if store.folder(model).exists()]:
        problems = store.verify(name)
        sound = "complete; it is not in the catalogue" if is_path(name) else "intact"
        click.echo(f"{name}: " + ("; ".join(problems) or sound))
        wrong += [name] if problems else []
    if wrong:
        raise ModelMissing(f"not as catalogued: {', '.join(wrong)}",
                           hint=f"run: cp-whisperx models pull {' '.join(wrong)}")


@models.command("path")
@click.argument("name")
@config_flag
def models_path(name: str, config: Path | None) -> None:
    """Print the folder of a model.

    \b
    Example:  ls $(cp-whisperx models path base)
    """
    click.echo(ModelStore(settings.load(file=config).model_store.root).path(name))


@models.command("warm")
@click.argument("name", required=False)
@runner_flag
@config_flag
def models_warm(name: str | None, runner: str | None, config: Path | None) -> None:
    """Compile for this machine's GPU what its first film would wait 20 s for; needed once, on new cards.

    \b
    Example:  cp-whisperx models warm --runner docker
    """
    chosen = settings.load({"runner": runner, "stages.asr.model": name}, file=config)
    store = ModelStore(chosen.model_store.root)
    wanted = chosen.stage_options["asr"]["model"]
    folder = store.path(wanted)
    if chosen.runner == "docker":
        DockerRunner(engine.find(), store.root, registry=chosen.images.registry).warm(wanted)
        return
    seconds = warm(folder, logs.get("warm"))
    click.echo("no GPU that works: there is nothing to warm" if seconds is None else f"warm after {seconds:.1f} s")


def _pull_plan(name: str, store: ModelStore, sources: Sequence[Source]) -> str:
    if store.has(name):
        return f"{name}: in the store"
    model = find_model(name)
    offers = [source.describe(model) for source in sources if source.offers(model)]
    return f"{name}: {model.size / 1e6:.0f} MB from " + (", else from ".join(offers) or "nowhere: no source offers it")


def _models_in_use(chosen: settings.Settings) -> list[str]:
    options = {one.name: one.options.model_validate(chosen.stage_options[one.name]) for one in stages.STAGES}
    return [name for one in stages.STAGES for name in one.models(options[one.name])]
