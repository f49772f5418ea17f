# Compares two files: text must be equal; numbers with a point or an exponent may differ by `tolerance`,
# relative to the expected number if that is greater than 1.
#   awk -v name=WHAT -v tolerance=1e-5 -f compare.awk EXPECTED FOUND
function fail(words) {
  print name ": " words
  failed = 1
  exit
}
function next_number(text) {
  return match(text, /-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?/)
}
function size(number) {
  return number < 0 ? -number : number
}
FNR == NR {
  expected[FNR] = $0
  expected_lines = FNR
  next
}
{
  found_lines = FNR
  if (FNR > expected_lines) fail("more than " expected_lines " lines: " $0)
  a = expected[FNR]
  b = $0
  while (a != b) {
    if (!next_number(a)) fail("line " FNR ": expected " expected[FNR] "\n  found " $0)
    text = substr(a, 1, RSTART - 1)
    x = substr(a, RSTART, RLENGTH)
    a = substr(a, RSTART + RLENGTH)
    next_number(b)
    if (substr(b, 1, RSTART - 1) != text || RSTART == 0) fail("line " FNR ": expected " expected[FNR] "\n  found " $0)
    y = substr(b, RSTART, RLENGTH)
    b = substr(b, RSTART + RLENGTH)
    if (x == y) continue
    difference = size(x - y)
    scale = size(x) > 1 ? size(x) : 1
    if ((x y) !~ /[.eE]/ || !(difference <= tolerance * scale))
      fail("line " FNR ": " y " instead of " x ", a difference of " difference "\n  expected " expected[FNR] "\n  found " $0)
    if (difference / scale > largest) largest = difference / scale
  }
}
END {
  if (!failed && found_lines < expected_lines) {
    print name ": " found_lines + 0 " lines instead of " expected_lines
    failed = 1
  }
  if (!failed && verbose) print name ": " largest + 0
  exit failed
}
