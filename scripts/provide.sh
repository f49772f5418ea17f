#!/usr/bin/env bash
# Installs a program that only some checks need, unless it is there; exit code 77 and one line where that cannot be done.
# usage: scripts/provide.sh PROGRAM PACKAGE
set -euo pipefail
command -v "$1" >/dev/null && exit
as_root=()
((EUID == 0)) || as_root=(sudo -n)
{ "${as_root[@]}" apt-get update -q && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends "$2"; } >/dev/null 2>&1 </dev/null ||
  { echo "$1 is missing: install it (Debian package $2)" >&2; exit 77; }
