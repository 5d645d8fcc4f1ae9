# Ten images of one Dockerfile in one call, so that BuildKit runs the shared steps once: more than most build scripts,
# which call the builder once per image. The stages come from the table, through STAGES.
variable "STAGES" {
  default = ""
}
variable "REGISTRY" {
  default = "plain"
}

group "default" {
  targets = ["stage"]
}

target "stage" {
  name       = "plain-${stage}"
  matrix     = { stage = split(",", STAGES) }
  context    = "."
  dockerfile = "bench/baselines/Dockerfile"
  args       = { STAGE = stage }
  tags       = ["${REGISTRY}/cp-whisperx-app-${stage}:cpu"]
}
