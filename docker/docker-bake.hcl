# from the table of stages by `cp-whisperx images generate`; do not edit
variable "REGISTRY" {
  default = ""
}
variable "VERSION" {
  default = "dev"
}
variable "REVISION" {
  default = "unknown"
}
variable "SOURCE_DATE_EPOCH" {
  default = "0"
}

group "default" {
  targets = ["cpu"]
}

group "cpu" {
  targets = ["demux-cpu", "tmdb-cpu", "pre-ner-cpu", "silero-vad-cpu", "pyannote-vad-cpu", "diarization-cpu", "asr-cpu", "post-ner-cpu", "subtitle-gen-cpu", "mux-cpu"]
}

group "cuda" {
  targets = ["silero-vad-cuda", "pyannote-vad-cuda", "diarization-cuda", "asr-cuda"]
}

target "_common" {
  context    = "."
  dockerfile = "docker/Dockerfile"
  args = {
    SOURCE_DATE_EPOCH = "${SOURCE_DATE_EPOCH}"
  }
  labels = {
    "org.opencontainers.image.source"      = "https://github.com/cp-whisperx/cp-whisperx-app"
    "org.opencontainers.image.revision"    = "${REVISION}"
    "org.opencontainers.image.version"     = "${VERSION}"
    "org.opencontainers.image.licenses"    = "MIT"
    "org.opencontainers.image.base.name"   = "python:3.11-slim-bookworm"
    "org.opencontainers.image.base.digest" = "sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b"
  }
}

target "demux-cpu" {
  inherits = ["_common"]
  target   = "demux-cpu"
  tags = [
    "${REGISTRY}cp-whisperx-app-demux:cpu",
    "${REGISTRY}cp-whisperx-app-demux:cpu-${VERSION}",
    "${REGISTRY}cp-whisperx-app-demux:cpu-${REVISION}"
  ]
}

target "demux-cpu-debug" {
  inherits = ["_common"]
  target   = "demux-cpu-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-demux:cpu-debug"
  ]
}

target "tmdb-cpu" {
  inherits = ["_common"]
  target   = "tmdb-cpu"
  tags = [
    "${REGISTRY}cp-whisperx-app-tmdb:cpu",
    "${REGISTRY}cp-whisperx-app-tmdb:cpu-${VERSION}",
    "${REGISTRY}cp-whisperx-app-tmdb:cpu-${REVISION}"
  ]
}

target "tmdb-cpu-debug" {
  inherits = ["_common"]
  target   = "tmdb-cpu-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-tmdb:cpu-debug"
  ]
}

target "pre-ner-cpu" {
  inherits = ["_common"]
  target   = "pre-ner-cpu"
  tags = [
    "${REGISTRY}cp-whisperx-app-pre-ner:cpu",
    "${REGISTRY}cp-whisperx-app-pre-ner:cpu-${VERSION}",
    "${REGISTRY}cp-whisperx-app-pre-ner:cpu-${REVISION}"
  ]
}

target "pre-ner-cpu-debug" {
  inherits = ["_common"]
  target   = "pre-ner-cpu-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-pre-ner:cpu-debug"
  ]
}

target "silero-vad-cpu" {
  inherits = ["_common"]
  target   = "silero-vad-cpu"
  tags = [
    "${REGISTRY}cp-whisperx-app-silero-vad:cpu",
    "${REGISTRY}cp-whisperx-app-silero-vad:cpu-${VERSION}",
    "${REGISTRY}cp-whisperx-app-silero-vad:cpu-${REVISION}"
  ]
}

target "silero-vad-cpu-debug" {
  inherits = ["_common"]
  target   = "silero-vad-cpu-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-silero-vad:cpu-debug"
  ]
}

target "silero-vad-cuda" {
  inherits = ["_common"]
  target   = "silero-vad-cuda"
  tags = [
    "${REGISTRY}cp-whisperx-app-silero-vad:cuda",
    "${REGISTRY}cp-whisperx-app-silero-vad:cuda-${VERSION}",
    "${REGISTRY}cp-whisperx-app-silero-vad:cuda-${REVISION}"
  ]
}

target "silero-vad-cuda-debug" {
  inherits = ["_common"]
  target   = "silero-vad-cuda-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-silero-vad:cuda-debug"
  ]
}

target "pyannote-vad-cpu" {
  inherits = ["_common"]
  target   = "pyannote-vad-cpu"
  tags = [
    "${REGISTRY}cp-whisperx-app-pyannote-vad:cpu",
    "${REGISTRY}cp-whisperx-app-pyannote-vad:cpu-${VERSION}",
    "${REGISTRY}cp-whisperx-app-pyannote-vad:cpu-${REVISION}"
  ]
}

target "pyannote-vad-cpu-debug" {
  inherits = ["_common"]
  target   = "pyannote-vad-cpu-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-pyannote-vad:cpu-debug"
  ]
}

target "pyannote-vad-cuda" {
  inherits = ["_common"]
  target   = "pyannote-vad-cuda"
  tags = [
    "${REGISTRY}cp-whisperx-app-pyannote-vad:cuda",
    "${REGISTRY}cp-whisperx-app-pyannote-vad:cuda-${VERSION}",
    "${REGISTRY}cp-whisperx-app-pyannote-vad:cuda-${REVISION}"
  ]
}

target "pyannote-vad-cuda-debug" {
  inherits = ["_common"]
  target   = "pyannote-vad-cuda-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-pyannote-vad:cuda-debug"
  ]
}

target "diarization-cpu" {
  inherits = ["_common"]
  target   = "diarization-cpu"
  tags = [
    "${REGISTRY}cp-whisperx-app-diarization:cpu",
    "${REGISTRY}cp-whisperx-app-diarization:cpu-${VERSION}",
    "${REGISTRY}cp-whisperx-app-diarization:cpu-${REVISION}"
  ]
}

target "diarization-cpu-debug" {
  inherits = ["_common"]
  target   = "diarization-cpu-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-diarization:cpu-debug"
  ]
}

target "diarization-cuda" {
  inherits = ["_common"]
  target   = "diarization-cuda"
  tags = [
    "${REGISTRY}cp-whisperx-app-diarization:cuda",
    "${REGISTRY}cp-whisperx-app-diarization:cuda-${VERSION}",
    "${REGISTRY}cp-whisperx-app-diarization:cuda-${REVISION}"
  ]
}

target "diarization-cuda-debug" {
  inherits = ["_common"]
  target   = "diarization-cuda-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-diarization:cuda-debug"
  ]
}

target "asr-cpu" {
  inherits = ["_common"]
  target   = "asr-cpu"
  tags = [
    "${REGISTRY}cp-whisperx-app-asr:cpu",
    "${REGISTRY}cp-whisperx-app-asr:cpu-${VERSION}",
    "${REGISTRY}cp-whisperx-app-asr:cpu-${REVISION}"
  ]
}

target "asr-cpu-debug" {
  inherits = ["_common"]
  target   = "asr-cpu-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-asr:cpu-debug"
  ]
}

target "asr-cuda" {
  inherits = ["_common"]
  target   = "asr-cuda"
  tags = [
    "${REGISTRY}cp-whisperx-app-asr:cuda",
    "${REGISTRY}cp-whisperx-app-asr:cuda-${VERSION}",
    "${REGISTRY}cp-whisperx-app-asr:cuda-${REVISION}"
  ]
}

target "asr-cuda-debug" {
  inherits = ["_common"]
  target   = "asr-cuda-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-asr:cuda-debug"
  ]
}

target "post-ner-cpu" {
  inherits = ["_common"]
  target   = "post-ner-cpu"
  tags = [
    "${REGISTRY}cp-whisperx-app-post-ner:cpu",
    "${REGISTRY}cp-whisperx-app-post-ner:cpu-${VERSION}",
    "${REGISTRY}cp-whisperx-app-post-ner:cpu-${REVISION}"
  ]
}

target "post-ner-cpu-debug" {
  inherits = ["_common"]
  target   = "post-ner-cpu-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-post-ner:cpu-debug"
  ]
}

target "subtitle-gen-cpu" {
  inherits = ["_common"]
  target   = "subtitle-gen-cpu"
  tags = [
    "${REGISTRY}cp-whisperx-app-subtitle-gen:cpu",
    "${REGISTRY}cp-whisperx-app-subtitle-gen:cpu-${VERSION}",
    "${REGISTRY}cp-whisperx-app-subtitle-gen:cpu-${REVISION}"
  ]
}

target "subtitle-gen-cpu-debug" {
  inherits = ["_common"]
  target   = "subtitle-gen-cpu-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-subtitle-gen:cpu-debug"
  ]
}

target "mux-cpu" {
  inherits = ["_common"]
  target   = "mux-cpu"
  tags = [
    "${REGISTRY}cp-whisperx-app-mux:cpu",
    "${REGISTRY}cp-whisperx-app-mux:cpu-${VERSION}",
    "${REGISTRY}cp-whisperx-app-mux:cpu-${REVISION}"
  ]
}

target "mux-cpu-debug" {
  inherits = ["_common"]
  target   = "mux-cpu-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-mux:cpu-debug"
  ]
}

target "models-cpu" {
  inherits = ["_common"]
  target   = "models-cpu"
  tags = [
    "${REGISTRY}cp-whisperx-app-models:cpu",
    "${REGISTRY}cp-whisperx-app-models:cpu-${VERSION}",
    "${REGISTRY}cp-whisperx-app-models:cpu-${REVISION}"
  ]
}

target "models-cpu-debug" {
  inherits = ["_common"]
  target   = "models-cpu-debug"
  tags = [
    "${REGISTRY}cp-whisperx-app-models:cpu-debug"
  ]
}
