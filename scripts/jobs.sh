#!/usr/bin/env bash
# Prints how many compilers may run at a time: one for each core that this process may use, as long as each has the 2 GB
# that it takes to read LibTorch's headers. Both may be limited by a container; /proc need not be there.
set -euo pipefail

# What a group is granted, and what those are that it is in.
group=$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null || true)
groups=(/sys/fs/cgroup)
while [[ $group == /?* ]]; do
  groups+=("/sys/fs/cgroup$group")
  group=${group%/*}
done
read_words() { cat "$@" 2>/dev/null || true; } # FILE...

jobs=$(nproc 2>/dev/null || echo 1)
fewer() { # NUMBER
  (($1 >= jobs)) || jobs=$1
}
available=$(awk '/^MemAvailable:/ {print int($2 / 2097152)}' /proc/meminfo 2>/dev/null || true)
[[ -z $available ]] || fewer "$available"
for limit in $(read_words "${groups[@]/%//memory.max}" /sys/fs/cgroup/memory/memory.limit_in_bytes); do
  [[ $limit == max ]] || fewer $((limit / 2147483648))
done
limits=$(read_words "${groups[@]/%//cpu.max}")
while read -r quota period; do
  [[ -z $period || $quota == max ]] || fewer $(((quota + period - 1) / period))
done <<<"$limits"
quota=$(read_words /sys/fs/cgroup/cpu/cpu.cfs_quota_us) period=$(read_words /sys/fs/cgroup/cpu/cpu.cfs_period_us)
[[ -z $quota || -z $period || $quota == -* ]] || fewer $(((quota + period - 1) / period))
echo $((jobs < 1 ? 1 : jobs))
