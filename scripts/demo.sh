#!/usr/bin/env bash
# Sets up, builds the vostrack command, and tracks a dog through samples/dog.mp4 from one click.
#
#   scripts/demo.sh [--torch DIR] [--cuda] [-DNAME=VALUE...] [OPTIONS OF vostrack track...]
#   scripts/demo.sh --precision bfloat16
#
# The results are put into demo-out/.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  usage "$0"
  exit
fi
split_arguments "$@"
cd "$root"
out=demo-out

started=$(now)
scripts/setup.sh ${setup_arguments[@]+"${setup_arguments[@]}"}
setup_time=$(since "$started")

started=$(now)
scripts/build.sh ${setup_arguments[@]+"${setup_arguments[@]}"} \
  ${cmake_arguments[@]+"${cmake_arguments[@]}"} vostrack_command >&2
build_time=$(since "$started")

started=$(now)
build/release/apps/vostrack track samples/dog.mp4 --point 480,300 --out "$out" \
  --overwrite ${rest_arguments[@]+"${rest_arguments[@]}"}
track_time=$(since "$started")

cat <<TEXT

Look at
  $root/$out/overlay.mp4          the clip with the dog marked
  $root/$out/contact_sheet.png    the same at one glance
  $root/$out/masks/               one indexed PNG a frame
  $root/$out/summary.json         the same in numbers

Set-up $setup_time, build $build_time, tracking $track_time
TEXT
