#!/usr/bin/env bash
# Looks for what compilers do not tell: the format of every file (clang-format), and faults (clang-tidy) in the files that
# differ from those that were clean before; scripts/lint.clean lists these by their sums.
#   lint.sh          clang-tidy takes up to 20 seconds of a core for each file: after LINT_MINUTES (default 12) no further
#                    one is begun, and those not looked at are named
#   lint.sh --all    every file that is not known to be clean, however long it takes. Clean ones go into scripts/lint.clean
#                    at once, so that a run that was stopped goes on.
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

# What clang-tidy is given: sources, looked at together with the header of their name, and headers without a source.
units() {
  local file
  while IFS= read -r file; do [[ $file == *.h && -e ${file%.h}.cpp ]] || echo "$file"; done < <(sources)
}
line_of() { # UNIT: as scripts/lint.clean lists it
  local files=("$1") sum
  [[ ! -e ${1%.cpp}.h ]] || files+=("${1%.cpp}.h")
  sum=$(cat "${files[@]}" | sha256sum)
  echo "${sum:0:16}-$(rules) $1"
}

check_unit() { # UNIT
  local found
  if ((deadline > 0 && $(date +%s) > deadline)); then
    echo "lint: $1 was not looked at for want of time" >&2
  elif found=$("$tidy" --quiet -p build/lint --extra-arg=-Wno-pragma-once-outside-header "$1" 2>/dev/null); then
    ((deadline > 0)) || flock scripts/lint.clean bash -c 'sed -i "\| $2\$|d" "$0"; echo "$1" >>"$0"' scripts/lint.clean \
      "$(line_of "$1")" "$1"
  else
    printf '%s\n' "$found" >&2
    return 1
  fi
}

check_faults() { # MINUTES, 0 = no limit
  provide_tidy || exit
  scripts/setup.sh
  cmake --preset lint >/dev/null
  touch scripts/lint.clean
  local unit changed=() status=0
  while IFS= read -r unit; do
    grep -qxF "$(line_of "$unit")" scripts/lint.clean || changed+=("$unit")
  done < <(units)
  ((${#changed[@]})) || return 0
  echo "lint: clang-tidy reads ${#changed[@]} of $(units | wc -l) files" >&2
  export deadline=$(($1 > 0 ? $(date +%s) + 60 * $1 : 0))
  export tidy
  export -f check_unit line_of rules
  printf '%s\n' "${changed[@]}" | xargs -P "$(scripts/jobs.sh)" -n 1 bash -c 'check_unit "$1"' lint || status=1
  LC_ALL=C sort -k 2 -o scripts/lint.clean scripts/lint.clean
  return $status
}

case ${1:-} in
  --all) check_format && check_faults 0 ;;
  format) check_format ;;
  '') check_format && check_faults "${LINT_MINUTES:-12}" ;;
  *) echo "usage: scripts/lint.sh [--all|format]" >&2; exit 2 ;;
esac
