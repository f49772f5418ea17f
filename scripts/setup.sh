#!/usr/bin/env bash
# Provides what the build needs: Debian packages and LibTorch. Says nothing and changes nothing when all is there.
#
# usage: scripts/setup.sh [--cuda]
#   --cuda   also what LibTorch loads to compute on an NVIDIA GPU (2.7 GB to download, 3.8 GB on disk)
#
#   SEQ2SEQ_TORCH=DIR   use this LibTorch (also: Torch_DIR, CMAKE_PREFIX_PATH)
#   SEQ2SEQ_CACHE=DIR   where a downloaded LibTorch is kept (default: ~/.cache/seq2seq)
set -euo pipefail
case "$#:${1:-}" in
  0:) cuda=0 ;;
  1:--cuda) cuda=1 ;;
  *) sed -n '2,/^set/p' "${BASH_SOURCE[0]}" | sed '$d; s/^# \{0,1\}//' >&2; exit 2 ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly version=2.15.0 minimum=2.6
readonly packages=(cmake ninja-build g++ libcli11-dev nlohmann-json3-dev libgtest-dev libgmock-dev libbenchmark-dev
  libsentencepiece-dev libutf8proc-dev libzip-dev libmimalloc-dev zlib1g-dev libfmt-dev ccache unzip patch python3 python3-pip)
readonly cache=${SEQ2SEQ_CACHE:-${XDG_CACHE_HOME:-${HOME:-~}/.cache}/seq2seq}
readonly destination=$cache/libtorch-$version
readonly cpu_wheels=(scripts/libtorch-wheels.txt)
readonly cuda_wheels=("${cpu_wheels[@]}" scripts/libtorch-cuda-wheels.txt)

say() { echo "setup: $*" >&2; }
die() {
  say "$@"
  exit 1
}

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    [[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) == "install ok installed" ]] || echo "$package"
  done
}

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    # Another distribution: CMake names whatever it cannot find.
    command -v cmake >/dev/null && command -v ninja >/dev/null && return
    die "this is not Debian or Ubuntu; install the equivalents of: ${packages[*]}"
  fi
  local missing as_root=()
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
      as_root=(sudo)
    else
      die "an administrator must run: apt-get install --no-install-recommends ${missing[*]}"
    fi
  fi
  say "installing ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    die "apt-get could not install the packages; check the network and the package sources, then run this again"
  fi
  rm -f "$log"
}

# torch_version DIR: the version of the LibTorch in DIR, nothing if there is none.
torch_version() {
  local header
  [[ -e $1/lib/libtorch_cpu.so ]] || return 0
  for header in "$1"/include/torch/{headeronly,csrc/api/include/torch}/version.h; do
    [[ -e $header ]] || continue
    sed -nE 's/^#define TORCH_VERSION_(MAJOR|MINOR) ([0-9]+).*/\2/p' "$header" | paste -sd. | grep . && return 0
  done
  return 0
}

is_recent() { [[ -n $1 && $(printf '%s\n' "$minimum" "$1" | sort -V | head -n 1) == "$minimum" ]]; }

# Whether the user names a LibTorch, which the configuration step judges.
torch_is_named() {
  [[ -z ${SEQ2SEQ_TORCH:-} && -z ${Torch_DIR:-} ]] || return 0
  local prefix prefixes
  IFS=: read -ra prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  for prefix in "${prefixes[@]}"; do
    [[ -z $(torch_version "$prefix")$(torch_version "$prefix/libtorch")$(torch_version "$prefix/../..") ]] || return 0
  done
  return 1
}

# The LibTorch of the active Python, nothing if it has none that is recent enough.
torch_of_python() {
  local find="import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
  local found
  found=$(python3 -c "$find" 2>/dev/null || true)
  [[ -z $found ]] || ! is_recent "$(torch_version "$found")" || echo "$found"
}

has_driver() { { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | grep 'libcuda\.so\.1 ' >/dev/null; }

# is_unpacked LIST...: whether $destination was made from these lists of wheels. They are its stamp: a LibTorch made from
# other ones is replaced.
is_unpacked() { cat "$@" | cmp -s - "$destination/wheels.txt"; }

# Only what the program links and loads: the CUDA kernels alone are 520 MB.
unpack_wheels() { # FOLDER DESTINATION
  local libraries=({torch_cpu,c10,torch}.so 'gomp*')
  ((!cuda)) || libraries+=({torch_cuda,torch_cuda_linalg,c10_cuda,caffe2_nvrtc,torch_nvshmem}.so)
  unzip -q "$1"/torch-*.whl 'torch/include/*' "${libraries[@]/#/torch/lib/lib}" -d "$2"
  unzip -q "$1"/nvidia_cuda_runtime-*.whl 'nvidia/*/lib/libcudart.so.*' -d "$2"
  unzip -q "$1"/nvidia_cuda_cupti-*.whl 'nvidia/*/lib/libcupti.so.*' -d "$2"
  ((cuda)) || return 0
  local wheel
  for wheel in "$1"/nvidia_*.whl; do
    [[ $wheel == */nvidia_cuda_@(runtime|cupti)-* ]] || unzip -q "$wheel" 'nvidia/*/lib/*.so*' -d "$2"
  done
}

download_torch() { # LIST...
  [[ $(uname -sm) == "Linux x86_64" ]] ||
    die "no LibTorch is pinned for $(uname -sm); install torch $minimum or newer into the active Python (pip install" \
      "torch), or set SEQ2SEQ_TORCH to an unpacked LibTorch, and run this again"
  mkdir -p "$cache"
  local work
  work=$(mktemp -d "$cache/unpacking.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  say "downloading LibTorch $version ($( ((cuda)) && echo "with CUDA, 2.7 GB" || echo "550 MB")) to $destination"
  local platforms=() glibc
  for glibc in manylinux_2_{28,27,25,18,17} manylinux20{14,10}; do
    platforms+=(--platform "${glibc}_x86_64")
  done
  if ! python3 -m pip download -q --disable-pip-version-check --no-cache-dir --no-deps --only-binary=:all: \
    --implementation cp --python-version 3.11 "${platforms[@]}" --require-hashes "${@/#/--requirement=}" \
    -d "$work/wheels" >"$work/log" 2>&1 </dev/null; then
    grep -vi '^warning' "$work/log" | tail -n 5 >&2
    die "LibTorch could not be downloaded, or is not what was expected: check the network (or pip's proxy and index" \
      "settings) and run this again, or set SEQ2SEQ_TORCH to an unpacked LibTorch"
  fi
  unpack_wheels "$work/wheels" "$work/root"
  cat "$@" >"$work/root/wheels.txt"
  rm -rf "$destination"
  mv "$work/root" "$destination"
  rm -rf "$work"
  trap - EXIT
}

install_packages
torch_is_named && exit
torch=$(torch_of_python)
if [[ -n $torch ]]; then
  ((!cuda)) || [[ -e $torch/lib/libtorch_cuda.so ]] ||
    die "$torch, of the active Python, is a LibTorch without CUDA: install one with CUDA in its place (pip install" \
      "torch), or run this where Python has none"
elif ((cuda)); then
  is_unpacked "${cuda_wheels[@]}" || download_torch "${cuda_wheels[@]}"
elif ! is_unpacked "${cuda_wheels[@]}"; then
  is_unpacked "${cpu_wheels[@]}" || download_torch "${cpu_wheels[@]}"
  ! has_driver || say "there is an NVIDIA driver: scripts/setup.sh --cuda adds what computing on its GPU needs"
fi
