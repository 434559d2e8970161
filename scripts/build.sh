#!/usr/bin/env bash
# Sets up and builds everything into build/release.
#
#   scripts/build.sh [--torch DIR] [--cuda] [-DNAME=VALUE...] [TARGET...]
#
# Arguments of scripts/setup.sh and of CMake may be given; VOSTRACK_PRESET names another preset.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  usage "$0"
  exit
fi
preset=${VOSTRACK_PRESET:-release}
split_arguments "$@"
"$root/scripts/setup.sh" ${setup_arguments[@]+"${setup_arguments[@]}"}

cd "$root"
log=build/$preset.configure.log
mkdir -p build
cmake --preset "$preset" ${cmake_arguments[@]+"${cmake_arguments[@]}"} >"$log" 2>&1 || {
  cat "$log" >&2
  die "configuring failed, see above"
}
cmake --build "build/$preset" --parallel "$(jobs)" \
  ${rest_arguments[@]+--target "${rest_arguments[@]}"}
