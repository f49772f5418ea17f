#!/usr/bin/env bash
# Looks for what compilers do not tell: the format of every file (clang-format), and faults (clang-tidy) in the files that
# differ from those that were clean before; scripts/lint.clean lists these by their sums.
#   lint.sh          clang-tidy takes up to 20 seconds of a core for each file: after LINT_MINUTES (default 12) no further
#                    one is begun, and those not looked at are named
#   lint.sh --all    every file that is not known to be clean, in batches, however long it takes (up to a minute of a core
#                    for each of 81). Clean ones go into scripts/lint.clean at once, so that a run that was stopped goes on.
#   lint.sh format   the format alone
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# So that --all looks at a file again once the rules are others.
rules() { sha256sum .clang-tidy | cut -c 1-16; }

sources() { find app lib tests examples \( -name '*.cpp' -o -name '*.h' \) | LC_ALL=C sort; }

check_format() {
  scripts/provide.sh clang-format-14 clang-format-14 || exit 1
  local wrong
  wrong=$(sources | xargs clang-format-14 --dry-run 2>&1 | grep -oE '^[^ :]+:[0-9]+' | sort -u -t : -k 1,1 || true)
  [[ -z $wrong ]] || {
    printf 'lint: not as clang-format-14 -i writes it:\n%s\n' "$wrong" >&2
    return 1
  }
}

# A version that does not look into the headers of libraries, which takes a tenth of the time.
readonly tidy=build/lint-tools/clang_tidy/data/bin/clang-tidy
provide_tidy() {
  [[ -x $tidy && $(sha256sum <scripts/lint-wheels.txt) == "$(cat build/lint-tools/list.sum 2>/dev/null)" ]] && return
  rm -rf build/lint-tools
  python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary=:all: \
    --require-hashes --target build/lint-tools -r scripts/lint-wheels.txt >&2 ||
    { echo "lint: pip could not install clang-tidy; check the network, then run this again" >&2; return 77; }
  sha256sum <scripts/lint-wheels.txt >build/lint-tools/list.sum
}

# What clang-tidy is given: sources, looked at together with the header of their name, and headers without a source. Not the
# one source that only the fuzz preset compiles.
units() {
  local file
  while IFS= read -r file; do
    [[ $file == tests/fuzz/fuzz.cpp || ($file == *.h && -e ${file%.h}.cpp) ]] || echo "$file"
  done < <(sources)
}
line_of() { # UNIT: as scripts/lint.clean lists it
  local files=("$1") sum
  [[ ! -e ${1%.cpp}.h ]] || files+=("${1%.cpp}.h")
  sum=$(cat "${files[@]}" | sha256sum)
  echo "${sum:0:16}-$(rules) $1"
}

note_clean() { # UNIT...
  local unit
  for unit in "$@"; do
    flock scripts/lint.clean bash -c 'sed -i "\| $2\$|d" "$0"; echo "$1" >>"$0"' scripts/lint.clean "$(line_of "$unit")" "$unit"
  done
}
tidy_reads() { # FOLDER-OF-BUILD FILE [ARGUMENT...]
  "$tidy" --quiet -p "$1" --extra-arg=-Wno-pragma-once-outside-header "${@:3}" "$2" 2>/dev/null
}

check_unit() { # UNIT
  # For headers: they are given the flags of a source nearby, which may do without LibTorch.
  local torch_headers=()
  [[ $1 != *.h ]] || mapfile -t torch_headers < <(grep -om 1 -- '-isystem [^ ]*/torch/include ' \
    build/lint/compile_commands.json | sed 's/-isystem \([^ ]*\) .*/--extra-arg=-isystem\1/')
  local found
  if (($(date +%s) > deadline)); then
    echo "lint: $1 was not looked at for want of time" >&2
  elif ! found=$(tidy_reads build/lint "$1" "${torch_headers[@]}"); then
    printf '%s\n' "$found" >&2
    return 1
  fi
}

# The sources of a batch, or the one that is compiled alone.
sources_of() { # COMPILED-FILE
  if [[ $1 == */Unity/* ]]; then
    sed -n "s|^#include \"$PWD/\(.*\)\"$|\1|p" "$1"
  else
    echo "${1#"$PWD"/}"
  fi
}

check_batch() { # COMPILED-FILE
  local found files
  mapfile -t files < <(sources_of "$1")
  if found=$(tidy_reads build/lint-all "$1" --checks=-bugprone-suspicious-include); then  # that is what a batch does
    note_clean "${files[@]}"
  else
    printf '%s\n' "$found" >&2
    return 1
  fi
}

# Units that scripts/lint.clean does not list as they are.
changed_units() {
  local unit
  while IFS= read -r unit; do grep -qxF "$(line_of "$unit")" scripts/lint.clean || echo "$unit"; done < <(units)
}

prepare() { # PRESET
  provide_tidy || exit
  scripts/setup.sh
  cmake --preset "$1" >/dev/null
  export tidy
  export -f check_unit check_batch note_clean tidy_reads sources_of line_of rules
}
in_parallel() { xargs -r -P "$(scripts/jobs.sh)" -n 1 bash -c "$1 \"\$1\"" lint; }

check_changed() { # MINUTES
  local changed
  mapfile -t changed < <(changed_units)
  ((${#changed[@]})) || return 0
  prepare lint
  echo "lint: clang-tidy reads ${#changed[@]} of $(units | wc -l) files" >&2
  export deadline=$(($(date +%s) + 60 * $1))
  printf '%s\n' "${changed[@]}" | in_parallel check_unit
}

check_all() {
  prepare lint-all
  touch scripts/lint.clean
  local compiled batches=() files file
  declare -A wanted=()
  while IFS= read -r file; do wanted[$file]=1; done < <(changed_units)
  # Each file once: the loops are compiled for several processors.
  while IFS= read -r compiled; do
    while IFS= read -r file; do
      [[ -z ${wanted[$file]:-} ]] || { batches+=("$compiled"); break; }
    done < <(sources_of "$compiled")
  done < <(sed -n 's/^ *"file": "\(.*\)",*$/\1/p' build/lint-all/compile_commands.json | LC_ALL=C sort -u)
  echo "lint: clang-tidy reads ${#batches[@]} batches" >&2
  ((${#batches[@]} == 0)) || printf '%s\n' "${batches[@]}" | in_parallel check_batch || return 1
  # Headers without a source were read with those that include them.
  mapfile -t files < <(units | grep '\.h$')
  note_clean "${files[@]}"
  # What no batch holds: the examples.
  mapfile -t files < <(changed_units)
  export deadline=$(($(date +%s) + 3600))
  if ((${#files[@]})); then
    prepare lint
    printf '%s\n' "${files[@]}" | in_parallel check_unit || return 1
    note_clean "${files[@]}"
  fi
  LC_ALL=C sort -k 2 -o scripts/lint.clean scripts/lint.clean
}

case ${1:-} in
  --all) check_format && check_all ;;
  format) check_format ;;
  '') check_format && check_changed "${LINT_MINUTES:-12}" ;;
  *) echo "usage: scripts/lint.sh [--all|format]" >&2; exit 2 ;;
esac
