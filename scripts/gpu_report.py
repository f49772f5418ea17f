#!/usr/bin/env python3
"""Reads what scripts/gpu_check.sh has measured: prints a summary, writes JSON, and fails where something is wrong.

    gpu_report.py tests  JSON LOG...                    (failed tests on stdout, the summary on stderr)
    gpu_report.py runs   JSON WORK UPDATES MODEL...
    gpu_report.py speeds JSON BENCHMARK...
"""
import collections
import json
import os
import re
import sys


def tests(logs):
    counts = collections.defaultdict(lambda: dict(tests=0, passed=0, skipped=0, failed=[], seconds=0))
    complete = True
    for log in logs:
        file = os.path.basename(log)
        name = file.split(".")[0]
        with open(log, errors="replace") as stream:
            text = stream.read()
        ends = {test: how for how, test in re.findall(r"^\[ +(OK|FAILED|SKIPPED) +\] ([\w./]+)", text, re.M)}
        total = re.search(r"Running (\d+) tests? from", text)
        took = re.search(r"ran\. \((\d+) ms total\)", text)
        if not took:
            complete = False
            print(f"{file} did not end: {(text.strip().splitlines() or ['no output'])[-1][:200]}", file=sys.stderr)
        count = counts[name]
        count["tests"] += int(total[1]) if total else 0
        count["passed"] += sum(end == "OK" for end in ends.values())
        count["skipped"] += sum(end == "SKIPPED" for end in ends.values())
        count["seconds"] = max(count["seconds"], int(took[1]) / 1000 if took else 0)
        # Also the one that was running at the end.
        failed = [t for t in re.findall(r"^\[ RUN      \] (\S+)", text, re.M) if ends.get(t, "FAILED") == "FAILED"]
        count["failed"] += failed
        for test in failed:
            print(name, test)
    for name, count in counts.items():
        missing = count["tests"] - count["passed"] - count["skipped"] - len(count["failed"])
        complete = complete and not count["failed"] and count["tests"] > 0
        print(f"{name:12} {count['passed']} of {count['tests']} passed, {len(count['failed'])} failed or cut off, "
              f"{count['skipped']} skipped, {missing} not run, {count['seconds']:.0f} s", file=sys.stderr)
    return counts, complete


def losses(path):
    with open(path) as lines:
        return {o["update"]: o["loss"] for o in map(json.loads, lines) if o["type"] == "update"}


def largest_difference(one, two, begin, end):
    both = [update for update in range(begin, end + 1) if update in one and update in two]
    return {"updates": len(both), "largest": max((abs(one[u] - two[u]) for u in both), default=None)}


def runs(arguments):
    work, updates, models = arguments[0], int(arguments[1]), arguments[2:]
    results, complete = {}, True

    def outputs(name):
        found = []
        for place in ("one", "two"):
            with open(f"{work}/{name}.{place}.json") as lines:
                found.append(lines.read().splitlines())
        return found

    for model in models:
        result = results[model] = {}
        try:
            one, two = (losses(f"{work}/before.{model}.{place}.jsonl") for place in ("one", "two"))
            result["first losses"] = largest_difference(one, two, 1, min(50, updates))
            result["losses"] = largest_difference(one, two, 1, updates)
            result["last loss"] = [one.get(updates), two.get(updates)]
            one, two = (losses(f"{work}/{model}.{place}/train.jsonl") for place in ("one", "two"))
            result["resumed losses"] = largest_difference(one, two, updates + 1, updates + 1000)
            one, two = ([float(line.split()[0]) for line in lines] for lines in outputs(f"score.{model}"))
            result["scores"] = {"lines": len(one), "largest": max(abs(a - b) for a, b in zip(one, two))}
            for beam in (5, 1):
                one, two = outputs(f"translate.{model}.{beam}")
                different = sum(a != b for a, b in zip(one, two)) + abs(len(one) - len(two))
                result[f"beam {beam}"] = {"lines": len(one), "different": different}
        except (OSError, ValueError, IndexError) as problem:
            result["problem"] = f"{type(problem).__name__}: {problem}"
        complete = complete and "problem" not in result and result["resumed losses"]["updates"] > 0
        print(f"{model}, on the CPU and on the device:")
        for key, value in result.items():
            if isinstance(value, dict) and value.get("largest") is not None:
                value = f"largest difference {value['largest']:.2g} of {value.get('updates', value.get('lines'))}"
            elif isinstance(value, dict):
                value = f"{value.get('different')} of {value.get('lines')} lines differ"
            print(f"  {key}: {value}")
    return results, complete


def speeds(files):
    results = {}
    for path in files:
        name = os.path.basename(path)[len("speed."):-len(".json")]
        try:
            with open(path) as stream:
                result = results[name] = json.load(stream)
        except (OSError, ValueError):
            continue  # the run has said what was wrong
        speed = result["target_tokens_per_second"]
        print(f"{name:36} {speed['median']:9.0f} target tokens/s ({speed['minimum']:.0f} to {speed['maximum']:.0f}), "
              f"{result['device']}"
              + (f", {result['data_wait_share']:.1%} waiting for data" if "data_wait_share" in result else ""))
    return results, len(results) == len(files)


what, target, *rest = sys.argv[1:]
results, complete = {"tests": tests, "runs": runs, "speeds": speeds}[what](rest)
with open(target, "w") as stream:
    json.dump(results, stream, indent=1)
sys.exit(not complete)
