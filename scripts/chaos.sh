#!/usr/bin/env bash
# Trains, validates, translates, studies and resumes tiny models while processes are killed and stopped, disks fill up,
# mounts become read-only, files vanish and the clock jumps (docs/testing.md). Not a part of CI.
#   chaos.sh [--seed S] [--rounds N] [--only N] [--program FILE] [--jobs N] [--keep]
# One line a round on a terminal, else every tenth; then a summary as JSON on the standard output. Exit code 1: a round failed.
#   --seed S    what all is drawn from; the time of day otherwise, printed
#   --rounds N  how many rounds (default 200, at most an hour on two cores)
#   --only N    the round of this number alone, drawn as among the others. What a process is doing when it is disturbed
#               depends on the machine, too: repeat it.
#   --keep      keeps the folders of all rounds in build/chaos/, not only of those that failed
# Full disks and read-only mounts need a mount namespace, clock jumps need faketime: without them these are left out and
# counted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Mounts are seen by these processes alone, and are gone with them.
namespace=()
for flags in -m -rm; do
  # shellcheck disable=SC2016
  if unshare "$flags" bash -c 'mount -t tmpfs none "$0"' "$PWD/scripts/chaos" 2>/dev/null; then
    namespace=(unshare "$flags")
    break
  fi
done
((${#namespace[@]})) || echo "chaos: no mount is permitted here: full disks and read-only mounts are left out" >&2
command -v faketime >/dev/null ||
  echo "chaos: no faketime here: clock jumps are left out; install it with: apt-get install faketime" >&2

export CHAOS_MOUNTS=${#namespace[@]} PYTHONDONTWRITEBYTECODE=1 OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
exec "${namespace[@]}" python3 scripts/chaos/chaos.py "$@"
