#!/usr/bin/env bash
# Installs what the build needs; what is there already is left as it is.
#
#   scripts/setup.sh                 Debian packages, and LibTorch for the CPU in .deps/libtorch
#   scripts/setup.sh --torch DIR     uses the LibTorch in DIR (so does VOSTRACK_TORCH=DIR)
#   scripts/setup.sh --cuda          LibTorch with CUDA in .deps/libtorch; needs no CUDA toolkit
#   scripts/setup.sh --cuda=cu126    the same, for that version of CUDA, from the official archive
#
# Packages are installed by apt-get as root or through sudo. LibTorch is only ever put inside this
# folder, and only when it is complete, so an interrupted run can simply be repeated.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

version=2.13.0
deps=$root/.deps
archives=https://download.pytorch.org/libtorch
packages=(
  build-essential ccache cmake curl ffmpeg fonts-dejavu-core g++ libavcodec-dev libavdevice-dev
  libavformat-dev libavutil-dev libboost-dev libcli11-dev libeigen3-dev libfmt-dev libfreetype-dev
  libgmock-dev libgoogle-perftools-dev libgtest-dev libopencv-dev libpng-dev libswscale-dev
  ninja-build nlohmann-json3-dev pkg-config python3 python3-pip unzip zlib1g-dev
)

torch=${VOSTRACK_TORCH:-}
cuda=
while (($#)); do
  case $1 in
    --torch)
      (($# > 1)) || die "--torch needs a folder, such as --torch /opt/libtorch"
      torch=$2
      shift
      ;;
    --cuda) cuda=any ;;
    --cuda=cu[0-9]*) cuda=${1#*=} ;;
    -h | --help)
      usage "$0"
      exit
      ;;
    *) die "unknown argument '$1'; scripts/setup.sh --help lists what there is" ;;
  esac
  shift
done

install_packages() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    die "this is not a Debian system; install the equivalents of: ${packages[*]}"
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0

  local install="apt-get install -y --no-install-recommends ${missing[*]}"
  local as_root=()
  if ((EUID != 0)); then
    # A sudo that would ask for a password helps only where somebody can type it.
    if command -v sudo >/dev/null && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; then
      as_root=(sudo)
    else
      die "packages are missing and this user cannot install them; as root, run:
  apt-get update && $install"
    fi
  fi
  say "Installing ${#missing[@]} packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $install >&2
}

# torch_version DIR: such as 2.13.0, or nothing where there is no LibTorch.
torch_version() {
  local header
  for header in include/torch/headeronly/version.h include/torch/csrc/api/include/torch/version.h; do
    if [[ -e $1/$header ]]; then
      awk '/#define TORCH_VERSION_(MAJOR|MINOR|PATCH) / {printf "%s%s", dot, $3; dot = "."}' \
        "$1/$header"
      return
    fi
  done
}

# offered REQUIREMENT: what pip would install for it: cpu, cuda or none.
offered() {
  local scratch answer
  scratch=$(mktemp -d)
  # A target folder keeps Debian's protection of its own Python out of the way.
  if python3 -m pip install --dry-run --quiet --ignore-installed --no-deps --only-binary=:all: \
    --disable-pip-version-check --target "$scratch" --report "$scratch/report" "$1" \
    >/dev/null 2>&1; then
    answer=$(python3 - "$scratch/report" <<'PYTHON'
import json, sys
metadata = json.load(open(sys.argv[1]))["install"][0]["metadata"]
needs = [need for need in metadata.get("requires_dist", []) if "extra ==" not in need]
print("cuda" if any(need.startswith(("nvidia-", "cuda-")) for need in needs) else "cpu")
PYTHON
    )
  fi
  rm -rf "$scratch"
  echo "${answer:-none}"
}

# from_pip REQUIREMENT FOLDER [PIP OPTIONS...]: unpacks wheels into FOLDER, less what only Python
# uses. Keeps torch beside the nvidia folder, where its libraries look for them.
from_pip() {
  local requirement=$1 folder=$2
  shift 2
  say "Fetching LibTorch $version through pip"
  python3 -m pip install -qq --ignore-installed --no-compile --no-cache-dir \
    --disable-pip-version-check --root-user-action=ignore --only-binary=:all: \
    --target "$folder/site" "$@" "$requirement" >&2
  mkdir "$folder/torch"
  mv "$folder"/site/torch/{lib,include,share} "$folder/torch/"
  rm -f "$folder"/torch/lib/{libtorch_python,libshm,*_test}.so
  if [[ -d $folder/site/nvidia ]]; then mv "$folder/site/nvidia" "$folder/nvidia"; fi
  rm -rf "$folder/site"
}

# from_archive VARIANT FOLDER: unpacks the official archive for the CPU or one version of CUDA.
from_archive() {
  [[ $(uname -m) == x86_64 ]] ||
    die "there is no official LibTorch archive for $(uname -m); name one of yours with --torch DIR"
  local url="$archives/$1/libtorch-shared-with-deps-$version%2B$1.zip"
  local archive="$deps/libtorch-$version-$1.zip" attempt
  say "Fetching LibTorch $version from $url"
  # The part that an earlier run left is continued; if the whole is damaged, it starts afresh.
  for attempt in continue afresh; do
    if [[ $attempt == afresh ]]; then rm -f "$archive"; fi
    if ! unzip -tqq "$archive" >/dev/null 2>&1; then
      curl --fail --location --retry 3 --continue-at - --progress-bar --output "$archive" "$url" ||
        [[ $attempt == continue ]] ||
        die "cannot fetch $url; try again, or name a LibTorch of yours with --torch DIR"
    fi
    if unzip -tqq "$archive" >/dev/null 2>&1; then
      unzip -q "$archive" -d "$2"
      mv "$2/libtorch" "$2/torch"
      rm -f "$archive"
      return
    fi
  done
  die "$url is damaged; try again, or name a LibTorch of yours with --torch DIR"
}

install_torch() {
  if [[ -n $torch ]]; then
    local found
    found=$(torch_version "$torch")
    [[ -n $found ]] || die "$torch: no LibTorch there (include/torch/… is missing)"
    say "LibTorch $found in $torch"
    return
  fi
  if [[ $(torch_version "$deps/libtorch") == "$version" ]] &&
    [[ -z $cuda || -e $deps/libtorch/lib/libtorch_cuda.so ]]; then
    say "LibTorch $version in .deps/libtorch"
    return
  fi

  local unpacking=$deps/unpacking
  rm -rf "$unpacking"
  mkdir -p "$unpacking"
  if [[ -z $cuda ]]; then
    if [[ $(offered "torch==$version") == cpu ]]; then
      from_pip "torch==$version" "$unpacking" --no-deps
    else
      from_archive cpu "$unpacking"
    fi
  elif [[ $cuda == any && $(offered "torch===$version") == cuda ]]; then
    # With the headers of CUDA that those of LibTorch's process group of NCCL ask for.
    from_pip "torch===$version" "$unpacking" 'cuda-toolkit[cccl,crt]'
  else
    [[ $cuda != any ]] || cuda=cu130
    from_archive "$cuda" "$unpacking"
  fi
  [[ $(torch_version "$unpacking/torch") == "$version" ]] ||
    die "what was fetched is not LibTorch $version; name one of yours with --torch DIR"

  rm -rf "$deps/libtorch" "$deps/nvidia"
  if [[ -d $unpacking/nvidia ]]; then
    # Its libraries look for these two folders above, so link instead of moving apart.
    rm -rf "$deps/libtorch-cuda"
    mv "$unpacking" "$deps/libtorch-cuda"
    ln -s libtorch-cuda/torch "$deps/libtorch"
  else
    mv "$unpacking/torch" "$deps/libtorch"
    rm -rf "$unpacking"
  fi
  say "LibTorch $version in .deps/libtorch"
}

install_packages
install_torch
