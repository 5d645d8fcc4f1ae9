"""Which images there are and what each is made of: the generated half of docker/, from the table of stages.

Layers stand in the same order in every image, so that images share them. A stage that joins the table has its
images by that alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cp_whisperx.errors import ConfigError
from cp_whisperx.images import bases
from cp_whisperx.stage import Stage
from cp_whisperx.stages import BY_NAME, STAGES

Variant = Literal["cpu", "cuda"]

NAME = "cp-whisperx-app"
SOURCE = "https://github.com/cp-whisperx/cp-whisperx-app"
LAYERS = ("base", "media", "array", "onnx", "names", "web", "hub", "asr", "align", "pull", "cuda")
"""Bottom to top; requirements/<layer>.txt is what a layer adds to those below it."""
TAGS = ("", "-${VERSION}", "-${REVISION}")
"""What follows `:<variant>` in an image's tags: the one that each build moves first, that of one commit last."""
MARK = "# ---- generated\n"
_NOTE = "from the table of stages by `cp-whisperx images generate`; do not edit"


@dataclass(frozen=True, slots=True)
class Image:
    """One image; its bake target is `<stage>-<variant>`, with `-debug` for the one that has a shell."""

    stage: str
    variant: Variant
    layers: tuple[str, ...]
    code: tuple[str, ...] = ()
    """Parts of our own code (docker/make-code) besides those that every image has."""

    @property
    def target(self) -> str:
        return f"{self.stage}-{self.variant}"

    def reference(self, registry: str = "", suffix: str = "") -> str:
        """`<registry>/cp-whisperx-app-<stage>:<variant>`."""
        place = f"{registry.rstrip('/')}/" if registry else ""
        return f"{place}{NAME}-{self.stage}:{self.variant}{suffix}"


PULLER = Image("models", "cpu", ("base", "array", "onnx", "web", "hub", "pull"), ("sound", "pull"))
"""The one image that is no stage: fills the model store, with a network, and has pip to fetch packages with and
onnx to convert models with."""


def images() -> tuple[Image, ...]:
    """Every stage has :cpu; those that compute have :cuda too."""
    return tuple(Image(stage.name, variant, _layers(stage, variant), _code(stage))
                 for stage in STAGES for variant in variants(stage))


def _code(stage: Stage[Any, Any]) -> tuple[str, ...]:
    """What computes is told by the layer of numpy: a stage without it has no use for the engines."""
    parts = {"sound": "array" in stage.image.layers, "media": stage.reads_film}
    return tuple(part for part, wanted in parts.items() if wanted)


def variants(stage: Stage[Any, Any]) -> tuple[Variant, ...]:
    return ("cpu", "cuda") if stage.image.gpu else ("cpu",)


def select(names: Iterable[str], variant: Variant | None) -> tuple[Image, ...]:
    """The images of some stages, or of all. Raises ConfigError for a stage there is none of."""
    wanted = tuple(names)
    for name in wanted:
        if name not in (*BY_NAME, PULLER.stage):
            raise ConfigError(f"there is no stage called {name}", hint="stages: " + ", ".join(BY_NAME))
    found = tuple(image for image in (*images(), *((PULLER,) if PULLER.stage in wanted else ()))
                  if (not wanted or image.stage in wanted) and variant in (None, image.variant))
    if not found:
        raise ConfigError(f"none of {', '.join(wanted)} has a :{variant} image", hint="leave --variant out")
    return found


def _layers(stage: Stage[Any, Any], variant: Variant) -> tuple[str, ...]:
    wanted = {*stage.image.layers, *(stage.image.cuda_layers if variant == "cuda" else ())}
    if unknown := wanted - set(LAYERS):
        # Left out in silence, it would be missed by an import, in a container, hours into a film.
        raise ConfigError(f"{stage.name} wants the layer {min(unknown)}, which has no place among the others",
                          hint="give it one in LAYERS of cp_whisperx/images/recipe.py")
    return tuple(layer for layer in LAYERS if layer in wanted)


def root(start: Path | None = None) -> Path:
    """The clone that holds docker/: the working folder or one above it. Raises ConfigError outside of one."""
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / "docker" / "Dockerfile").is_file() and (folder / "requirements").is_dir():
            return folder
    raise ConfigError("images are built from a clone of the project, and this folder is in none",
                      hint="clone it, change into it and run the same command there")


def dockerfile(clone: Path) -> str:
    """The hand-written half as it stands, with the pinned base; below the mark the layers and the images."""
    head, _, _ = (clone / "docker" / "Dockerfile").read_text(encoding="utf-8").partition(MARK)
    lines = [bases.pinned_from(clone) if line.startswith("FROM ") and line.endswith(" AS base") else line
             for line in head.splitlines()]
    return "\n".join(lines) + "\n" + MARK + "".join((*map(_layer_stage, LAYERS),
                                                     *map(_image_stage, (*images(), PULLER))))


def _layer_stage(layer: str) -> str:
    return f"""
FROM builder AS layer-{layer}
RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt,required=false \\
    --mount=type=cache,id=cp-whisperx-uv,target=/root/.cache/uv,sharing=locked \\
    --mount=type=bind,source=requirements/{layer}.txt,target=/requirements/{layer}.txt \\
    --mount=type=bind,source=docker/make-layer,target=/make-layer \\
    /make-layer {layer} /layer/site
"""


def _bill_stage(image: Image) -> str:
    mounts = "".join(f"    --mount=type=bind,from=layer-{layer},source=/layer/site,target=/in/{layer} \\\n"
                     for layer in image.layers)
    return f"""
FROM biller AS sbom-{image.target}
RUN --mount=type=bind,from=root,source=/rootfs/licenses,target=/in/licenses \\
{mounts}    --mount=type=bind,source=docker/make-sbom,target=/make-sbom \\
    /make-sbom {image.target} /bill /in/licenses {" ".join(f"/in/{layer}" for layer in image.layers)}
"""


def _image_stage(image: Image) -> str:
    environment = ["HOME=/tmp", "PYTHONPATH=/app:/site", "PYTHONUNBUFFERED=1", "CP_WHISPERX_MODELS=/models"]
    module, command = f'"cp_whisperx.stages", "{image.stage}"', '"/job"'
    if image == PULLER:
        module, command = '"cp_whisperx.models"', ", ".join(f'"{word}"' for word in ("pull", *_models_of_defaults()))
        environment += ["HF_HOME=/tmp/hub"]
    else:
        environment += ["HF_HOME=/models/hub", "HF_HUB_OFFLINE=1", "TORCH_HOME=/models/torch"]
    if image.variant == "cuda":
        environment += ["CUDA_CACHE_MAXSIZE=1073741824", "CUDA_CACHE_PATH=/cuda-cache",
                        "LD_LIBRARY_PATH=/site/nvidia/cublas/lib", "NVIDIA_DRIVER_CAPABILITIES=compute,utility",
                        "NVIDIA_VISIBLE_DEVICES=all"]
    copies = "\n".join(["COPY --link --from=root /rootfs/ /",
                        *(f"COPY --link --from=layer-{layer} /layer/ /" for layer in image.layers),
                        f"COPY --link --from=sbom-{image.target} /bill/ /",
                        "COPY --link --from=code /code/core/ /",
                        *(f"COPY --link --from=code /code/{part}/ /" for part in image.code),
                        "COPY --link --from=code /code/stages/ /"])
    return _bill_stage(image) + f"""
FROM scratch AS {image.target}
{copies}
ENV {" ".join(sorted(environment))}
USER 65532:0
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/python3.11", "-m", {module}]
CMD [{command}]

FROM {image.target} AS {image.target}-debug
COPY --link --from=shell /shell/ /
"""


def _models_of_defaults() -> tuple[str, ...]:
    """The models that a film needs if nothing is said of them."""
    return tuple(name for stage in STAGES for name in stage.models(stage.options()))


def bake(clone: Path) -> str:
    """docker-bake.hcl: every image of every variant, with its tags and labels."""
    targets = "".join(_bake_target(image) for image in (*images(), PULLER))
    groups = "".join(
        f"""
group "{variant}" {{
  targets = [{", ".join(f'"{image.target}"' for image in images() if image.variant == variant)}]
}}
""" for variant in ("cpu", "cuda"))
    return f"""# {_NOTE}
variable "REGISTRY" {{
  default = ""
}}
variable "VERSION" {{
  default = "dev"
}}
variable "REVISION" {{
  default = "unknown"
}}
variable "SOURCE_DATE_EPOCH" {{
  default = "0"
}}

group "default" {{
  targets = ["cpu"]
}}
{groups}
target "_common" {{
  context    = "."
  dockerfile = "docker/Dockerfile"
  args = {{
    SOURCE_DATE_EPOCH = "${{SOURCE_DATE_EPOCH}}"
  }}
  labels = {{
    "org.opencontainers.image.source"      = "{SOURCE}"
    "org.opencontainers.image.revision"    = "${{REVISION}}"
    "org.opencontainers.image.version"     = "${{VERSION}}"
    "org.opencontainers.image.licenses"    = "MIT"
    "org.opencontainers.image.base.name"   = "{bases.read(clone)[0].reference}"
    "org.opencontainers.image.base.digest" = "{bases.read(clone)[0].digest}"
  }}
}}
{targets}"""


def _bake_target(image: Image) -> str:
    tags = ",\n".join(f'    "${{REGISTRY}}{NAME}-{image.stage}:{image.variant}{suffix}"'
                      for suffix in TAGS)
    return f"""
target "{image.target}" {{
  inherits = ["_common"]
  target   = "{image.target}"
  tags = [
{tags}
  ]
}}

target "{image.target}-debug" {{
  inherits = ["_common"]
  target   = "{image.target}-debug"
  tags = [
    "${{REGISTRY}}{NAME}-{image.stage}:{image.variant}-debug"
  ]
}}
"""


def compose(clone: Path) -> str:
    """compose.yaml: one service per stage under the container contract, by hand: `docker compose run demux`."""
    services = "".join(
        f"""
  {image.stage}:
    <<: *contract
    image: ${{REGISTRY:-}}{NAME}-{image.stage}:{image.variant}
    network_mode: {"bridge" if BY_NAME[image.stage].image.network else "none"}
{_secrets(image)}""" for image in images() if image.variant == "cpu")
    return f"""# {_NOTE}
# Once, to fill the model store:
#   docker compose --file docker/compose.yaml run --rm models
# One stage of one job by hand:
#   export JOB=$PWD/out/my-film-1a2b3c4d FILMS=$PWD/films USER_ID=$(id -u) GROUP_ID=$(id -g)
#   docker compose --file docker/compose.yaml run --rm demux
name: {NAME}

x-contract: &contract
  user: "${{USER_ID:-65532}}:${{GROUP_ID:-0}}"
  read_only: true
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  tmpfs: ["/tmp:mode=1777"]
  init: false
  volumes:
    - ${{JOB:-./job}}:/job
    - ${{FILMS:-./films}}:${{FILMS:-/films}}:ro
    - ${{MODELS:-models}}:/models:ro

services:{services}
  models:
    <<: *contract
    image: ${{REGISTRY:-}}{NAME}-{PULLER.stage}:{PULLER.variant}
    network_mode: bridge
    volumes:
      - ${{MODELS:-models}}:/models

volumes:
  models:
"""


def _secrets(image: Image) -> str:
    """Passed on by name: their values are in no file."""
    names = BY_NAME[image.stage].image.secrets
    return f"    environment: [{', '.join(names)}]\n" if names else ""


GENERATED: dict[str, Callable[[Path], str]] = {
    "docker/Dockerfile": dockerfile,
    "docker/docker-bake.hcl": bake,
    "docker/compose.yaml": compose,
    ".dockerignore": lambda clone: dockerignore(),
}
"""Files that follow from the table, by their place in the clone."""


def dockerignore() -> str:
    """An allow-list: the context holds what the Dockerfile copies, and cannot grow by accident."""
    kept = ["docker/debs.lock", "docker/make-code", "docker/make-debs", "docker/make-layer",
            "docker/make-root", "docker/make-sbom", "docker/packages.txt",
            *(f"requirements/{layer}.txt" for layer in ("uv", "sbom", *LAYERS)), "src/cp_whisperx"]
    return "\n".join([f"# {_NOTE}", "*", *(f"!{path}" for path in kept), "**/__pycache__", "**/*.pyc"]) + "\n"


def stale(clone: Path) -> tuple[str, ...]:
    """Generated files that are not as they would be made now."""
    return tuple(name for name, make in GENERATED.items()
                 if not (clone / name).is_file() or (clone / name).read_text(encoding="utf-8") != make(clone))


def generate(clone: Path) -> tuple[str, ...]:
    """Writes the generated files that are stale; returns their names."""
    changed = stale(clone)
    for name in changed:
        (clone / name).write_text(GENERATED[name](clone), encoding="utf-8", newline="\n")
    return changed
