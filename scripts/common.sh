# What the scripts share. Source it; it defines functions and changes nothing.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# say TEXT...: one line of progress.
say() { printf '%s\n' "$*" >&2; }

# die TEXT...: one line with the remedy, and failure.
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# usage FILE: the comment that opens a script is its help.
usage() { awk 'NR > 1 && !/^#/ {exit} NR > 1 {sub(/^# ?/, ""); print}' "$1"; }

# now: seconds since the epoch with milliseconds.
now() { date +%s.%3N; }

# since START: seconds gone by since `now` said START.
since() { awk -v a="$1" -v b="$(now)" 'BEGIN {printf "%.1f s", b - a}'; }

# jobs: how many compilers may run at once. One that reads LibTorch's headers takes up to 2 GB.
jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable/ {print int($2 / 2097152)}' /proc/meminfo)
  if ((memory < 1)); then memory=1; fi
  echo $((cores < memory ? cores : memory))
}

# split_arguments ARGS...: sorts what the caller passed on into setup_arguments, cmake_arguments
# and rest_arguments. A LibTorch that CMake is told of needs no set-up.
split_arguments() {
  setup_arguments=() cmake_arguments=() rest_arguments=()
  while (($#)); do
    case $1 in
      --torch)
        (($# > 1)) || die "--torch needs a folder, such as --torch /opt/libtorch"
        setup_arguments+=("$1" "$2")
        cmake_arguments+=("-DVOSTRACK_TORCH=$(realpath -m "$2")")
        shift
        ;;
      --cuda | --cuda=*) setup_arguments+=("$1") ;;
      -DTorch_DIR=*)
        setup_arguments+=(--torch "${1#*=}/../../..")
        cmake_arguments+=("$1")
        ;;
      -D*) cmake_arguments+=("$1") ;;
      *) rest_arguments+=("$1") ;;
    esac
    shift
  done
}
