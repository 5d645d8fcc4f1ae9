"""The commands about container images."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from cp_whisperx import log as logs
from cp_whisperx import publish, settings
from cp_whisperx.cli.flags import config_flag, json_flag
from cp_whisperx.cli.output import fields_of, print_json
from cp_whisperx.cli.report import images_report
from cp_whisperx.errors import RunnerError
from cp_whisperx.images import (
    bases,
    check,
    check_start,
    debs,
    engine,
    layout,
    measure,
    prove,
    recipe,
    reproduce,
    sizes,
    standin,
)
from cp_whisperx.images.build import BuildPlan, build, own_certificates
from cp_whisperx.images.evidence import Evidence

_log = logs.get("images")

_variant = click.option("--variant", type=click.Choice(("cpu", "cuda")), help="One kind of image [cpu]")
_registry = click.option("--registry", help="Where images are pushed to, such as example.org/acme")


@click.group()
def images() -> None:
    """The container images: build, base, lock, generate, check, measure, prove, reproduce, sbom, report.

    \b
    Example:  cp-whisperx images build
    """


images.add_command(images_report)


@images.command("build")
@click.argument("stages", nargs=-1, metavar="[STAGE...]")
@_variant
@_registry
@click.option("--base", help="A base image in the place of the pinned one, as `images base` prints it")
@click.option("--push", is_flag=True, help="Push to the registry when all are built.")
@click.option("--cache", help="Registry reference to take cached steps from")
@click.option("--cache-export", is_flag=True, help="Write the cache there as well, for the next builder.")
@click.option("--debug", is_flag=True, help="The -debug images, which have a shell.")
@click.option("--no-cache", is_flag=True, help="Build every step anew.")
@click.option("--locked", is_flag=True, help="Fail where a Debian package is not to be had as docker/debs.lock has it.")
@click.option("--dry-run", is_flag=True, help="Print the command and the images, and build nothing.")
@config_flag
@json_flag
def images_build(stages: Sequence[str], variant: str | None, dry_run: bool, config: Path | None, as_json: bool,
                 **flags: Any) -> None:
    """Build the images of some stages, or of all, side by side.

    \b
    Examples:
      cp-whisperx images build
      cp-whisperx images build asr --variant cuda
      cp-whisperx images build --push --registry example.org/acme
    """
    plan = _plan(stages, variant or "cpu", config, **flags)
    if dry_run:
        click.echo("docker " + " ".join(plan.arguments(containerd=True)))
        for reference in plan.references():
            click.echo(reference)
        return
    built = build(plan, engine.find())
    if as_json:
        print_json({"images": list(built)})
    else:
        click.echo("\n".join(built))


@images.command("base")
@click.option("--push-to", default="127.0.0.1:5000/base:bookworm", show_default=True,
              help="The registry that holds it; one on this machine will do.")
@click.option("--force", is_flag=True, help="Make it anew although the registry has it.")
def images_base(push_to: str, force: bool) -> None:
    """Make a stand-in for the pinned base from Debian packages, where no public registry is reached.

    \b
    Example:  cp-whisperx images build --base $(cp-whisperx images base)
    """
    click.echo(standin.make(engine.find(), push_to, force=force))


@images.command("lock")
@click.option("--check", "only_check", is_flag=True, help="Compare with the registry and the archive, change nothing.")
@click.option("--only", type=click.Choice(("bases", "debs")), help="One of the two locks [both]")
@click.option("--base", help="A base image in the place of the pinned one, to ask Debian's archive from")
@config_flag
def images_lock(only_check: bool, only: str | None, base: str | None, config: Path | None) -> None:
    """Pin the upstream bases to what their tags are now, and the Debian packages to what the archive has now.

    \b
    Examples:
      cp-whisperx images lock --check
      cp-whisperx images lock --only debs
    The packages are kept in a folder, so that they give the same images when the archive has moved on.
    """
    moved = [f"{old}  ->  {new}" for which, move in (("bases", _lock_bases), ("debs", _lock_debs))
             if only in (None, which) for old, new in move(only_check, base, config)]
    click.echo("\n".join(moved) if moved else "all is as pinned")
    recipe.generate(recipe.root())
    sys.exit(RunnerError.exit_code if only_check and moved else 0)


def _lock_bases(only_check: bool, base: str | None, config: Path | None) -> list[tuple[str, str]]:
    clone = recipe.root()
    pinned = bases.read(clone)
    now = bases.updated(pinned, engine.find(), date.today())
    if not only_check:
        bases.write(clone, now)
    return [(f"{old.reference} {old.digest[:19]}", new.digest[:19])
            for old, new in zip(pinned, now, strict=True) if old != new]


def _lock_debs(only_check: bool, base: str | None, config: Path | None) -> list[tuple[str, str]]:
    plan = _plan((), "cpu", config, base=base)
    pinned = {deb.name: deb for deb in debs.read(plan.clone)}
    if only_check:
        with tempfile.TemporaryDirectory() as work:
            now = debs.now(plan, engine.find(), Path(work))
    else:
        assert plan.debs
        now = debs.lock(plan, engine.find(), plan.debs)
    return [(f"{deb.name} {pinned[deb.name].version if deb.name in pinned else 'not locked'}", deb.version)
            for deb in now if pinned.get(deb.name) != deb]


@images.command("generate")
@click.option("--check", "only_check", is_flag=True, help="Say what is stale, change nothing.")
def images_generate(only_check: bool) -> None:
    """Write the generated files of docker/ from the table of stages.

    \b
    Example:  cp-whisperx images generate
    """
    clone = recipe.root()
    changed = recipe.stale(clone) if only_check else recipe.generate(clone)
    click.echo("\n".join(changed) if changed else "everything is fresh")
    sys.exit(RunnerError.exit_code if only_check and changed else 0)


@images.command("check")
@click.argument("stages", nargs=-1, metavar="[STAGE...]")
@_variant
@_registry
@click.option("--clone-only", is_flag=True, help="What the clone alone shows; no image is needed.")
@click.option("--starts", is_flag=True, help="Also start every image, against the budget of seconds (target I8).")
@click.option("--agree", is_flag=True, help="Write docker/budgets.toml: what the images have now, and 2 %.")
@config_flag
@json_flag
def images_check(stages: Sequence[str], variant: Any, registry: str | None, clone_only: bool, starts: bool, agree: bool,
                 config: Path | None, as_json: bool) -> None:
    """Verify every claim about the built images of one variant; exits non-zero on a breach.

    \b
    Examples:
      cp-whisperx images check
      cp-whisperx images check --variant cuda
    """
    clone = recipe.root()
    chosen = settings.load({"images.registry": registry}, file=config)
    made = recipe.select(stages, variant or "cpu")
    if clone_only:
        found = check.checks(clone, None, made)
    else:
        with tempfile.TemporaryDirectory() as work:
            references = tuple(image.reference(chosen.images.registry) for image in made)
            stored = layout.save(engine.find(), references, Path(work) / "images.tar")
            if agree:
                text = sizes.today(Evidence(clone, made, stored))
                publish.publish_file(clone / sizes.BUDGETS, text.encode())
            found = check.checks(clone, stored, made)
        if starts:
            found += (check_start.start(engine.find(), clone, made, chosen.images.registry),)
    if as_json:
        print_json([fields_of(one) for one in found])
    else:
        for one in found:
            click.echo(f"{'ok' if one.met else 'BREACH':7} {one.id:4} {one.claim}: {_figure(one)}")
            for line in () if one.met else one.detail:
                click.echo(f"{'':13}{line}")
    sys.exit(0 if all(one.met for one in found) else RunnerError.exit_code)


@images.command("sbom")
@click.argument("stage")
@_variant
@_registry
@config_flag
def images_sbom(stage: str, variant: Any, registry: str | None, config: Path | None) -> None:
    """Print the bill of materials that an image carries: CycloneDX JSON, with versions, sources and licences.

    \b
    Example:  cp-whisperx images sbom asr > asr.cdx.json
    """
    image, = recipe.select((stage,), variant or "cpu")
    chosen = settings.load({"images.registry": registry}, file=config).images
    with tempfile.TemporaryDirectory() as work:
        stored, = layout.save(engine.find(), (image.reference(chosen.registry),), Path(work) / "image.tar").images
        text = next((entry.text for entry in stored.entries if entry.path == layout.BILL), "")
    if not text:
        raise RunnerError(f"{stored.name} carries no bill of materials", hint="build it: cp-whisperx images build")
    click.echo(text, nl=False)


@images.command("measure")
@click.option("--only", multiple=True, metavar="NAME", help="One measurement (repeatable): " + ", ".join(measure.NAMES))
@click.option("--sets", default=",".join(measure.SETS), show_default=True,
              help="What is measured: ours, and the plain sets beside it.")
@click.option("--quick", is_flag=True, help="Ours alone, one run, the cheap ones: a minute.")
@click.option("--runs", type=click.IntRange(min=1), help="At most so many runs of each [as the table has]")
@click.option("--base", help="A base image in the place of the pinned one")
@click.option("--film", type=click.Path(path_type=Path), help="What the stages are run on [a short film of our own]")
@click.option("--out", type=click.Path(path_type=Path), help="A file to write to [bench/results/images-<date>.json]")
@click.option("--dry-run", is_flag=True, help="Say what would be measured, and how long it takes; measure nothing.")
@config_flag
def images_measure(only: Sequence[str], sets: str, quick: bool, runs: int | None, base: str | None, film: Path | None,
                   out: Path | None, dry_run: bool, config: Path | None) -> None:
    """Measure the images beside two plain sets: builds, sizes, starts, pulls. Each figure is written at once.

    \b
    Examples:
      cp-whisperx images measure --quick
      cp-whisperx images measure --only code-line --only start --sets ours,plain
    """
    rows = measure.chosen(only, quick=quick)
    named = ("ours",) if quick else tuple(sets.split(","))
    runs = runs or (1 if quick else None)
    if dry_run:
        for row in rows:
            click.echo(f"{row.estimate_s(named, runs):5.0f} s  {row.name:13} {row.target:4} {row.what}")
        click.echo(f"{measure.estimate_s(rows, named, runs) / 60:.0f} min in all, roughly, with {', '.join(named)}")
        return
    plan, found = _plan((), "cpu", config, base=base), engine.find()
    film = film and film.absolute()
    if quick and not out:
        for figure in measure.measure(plan, found, rows, sets=named, film=film, runs=runs):
            click.echo(measure.line(figure))
    else:
        click.echo(measure.write(plan, found, rows, sets=named, film=film, runs=runs, out=out))


@images.command("prove")
@click.argument("numbers", nargs=-1, type=int, metavar="[NUMBER...]")
@click.option("--clone-only", is_flag=True, help="Only what can be proven without building an image.")
@click.option("--base", help="A base image in the place of the pinned one")
@config_flag
@json_flag
def images_prove(numbers: Sequence[int], clone_only: bool, base: str | None, config: Path | None,
                 as_json: bool) -> None:
    """Undo each optimisation on a copy, and see that its check fails; exits non-zero if one does not.

    \b
    Examples:
      cp-whisperx images prove
      cp-whisperx images prove 2 9 --clone-only
    """
    plan, found = _plan((), "cpu", config, base=base), None if clone_only else engine.find()
    proofs = prove.prove(plan, found, only=numbers, tell=lambda proof: None if as_json else _tell_proof(proof))
    if found and not numbers:
        _log.info(f"written to {prove.write(proofs, plan.clone, found)}")
    if as_json:
        print_json([fields_of(one) | {"proven": one.proven} for one in proofs])
    else:
        click.echo(f"{sum(one.proven for one in proofs)} of {len(proofs)} proven, "
                   f"{sum(len(one.verdicts) for one in proofs)} mutants")
    sys.exit(0 if all(one.proven for one in proofs) else RunnerError.exit_code)


@images.command("reproduce")
@click.argument("stages", nargs=-1, metavar="[STAGE...]")
@_variant
@click.option("--base", help="A base image in the place of the pinned one")
@config_flag
@json_flag
def images_reproduce(stages: Sequence[str], variant: Any, base: str | None, config: Path | None,
                     as_json: bool) -> None:
    """Build what is committed twice, with empty caches, and compare to the bit; exits non-zero on a difference.

    \b
    Example:  cp-whisperx images reproduce
    """
    plan, found = _plan(stages, variant or "cpu", config, base=base), engine.find()
    compared = reproduce.reproduce(plan, found)
    if not stages:
        _log.info(f"written to {reproduce.write(compared, plan.clone, found)}")
    if as_json:
        print_json([fields_of(one) | {"equal": one.equal} for one in compared])
    else:
        for one in compared:
            click.echo(f"{'equal' if one.equal else 'DIFFERS':8} {one.image}  {one.difference or one.digest}")
        click.echo(f"{sum(one.equal for one in compared)} of {len(compared)} equal")
    sys.exit(0 if all(one.equal for one in compared) else RunnerError.exit_code)


def _tell_proof(proof: prove.Proof) -> None:
    click.echo(f"{'proven' if proof.proven else 'OPEN':7} {proof.number:2} {proof.title}: "
               + ", ".join(f"{name} {figure}" for name, figure in proof.figures.items()))
    for one in proof.verdicts:
        click.echo(f"{'':11}{'found' if one.killed else 'NOT FOUND'}  {one.claim:3} {one.what}: {one.said[:90]}")


def _figure(one: check.Check) -> str:
    """What was found, beside what is allowed if that is more than nothing."""
    if one.unit == "faults":
        return f"{one.figure} faults" if one.figure else "none found wrong"
    allowed = f" of {one.limit / 1e6:.0f}" if one.limit else ""
    return f"{one.figure / 1e6:.1f}{allowed} MB"


def _plan(stages: Sequence[str], variant: Any, config: Path | None, *, registry: str | None = None,
          base: str | None = None, cache: str | None = None, push: bool = False, cache_export: bool = False,
          debug: bool = False, no_cache: bool = False, locked: bool = False) -> BuildPlan:
    chosen = settings.load({"images.registry": registry, "images.base": base, "images.cache": cache},
                           file=config).images
    return BuildPlan(recipe.root(), recipe.select(stages, variant), registry=chosen.registry, push=push,
                     base=chosen.base, cache=chosen.cache, cache_to=cache_export, debug=debug, no_cache=no_cache,
                     ca=own_certificates(), debs=chosen.debs or debs.default_folder(), locked=locked)
