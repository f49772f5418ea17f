"""Rounds of chaos: see scripts/chaos.sh, which starts this."""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import checks
import disturb
from checks import Failure
from tasks import Task

ROOT = pathlib.Path(__file__).resolve().parents[2]
TASKS = 40      # of a seed; their uninterrupted results are kept
LONGEST = 120   # seconds that a process may take
STUDIES = 0.15  # share of rounds


class Outcome:
    def __init__(self, code, errors, seconds):
        self.code, self.errors, self.seconds = code, errors, seconds


class Counts:
    def __init__(self):
        self.lock = threading.Lock()
        self.disturbances, self.missed, self.ends, self.messages = (collections.Counter() for _ in range(4))

    def add(self, counter, name):
        with self.lock:
            counter[name] += 1


class Workshop:
    """What rounds share: the program, the folder and the uninterrupted results."""

    def __init__(self, options):
        self.options = options
        self.folder = ROOT / "build" / "chaos" / f"seed-{options.seed}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.counts = Counts()
        self.lock, self.locks, self.results = threading.Lock(), {}, {}

    def expected(self, number, study):
        """The task and the results of a round that nothing disturbs."""
        with self.lock:
            lock = self.locks.setdefault((number, study), threading.Lock())
        with lock:
            if (number, study) not in self.results:
                folder = self.folder / f"task-{number}{'-study' if study else ''}"
                self.results[number, study] = Round(self, Task(self.options.seed, number), folder, None).uninterrupted(study)
                shutil.rmtree(folder)
            return self.results[number, study]


class Round:
    def __init__(self, shop, task, folder, draw):
        self.shop, self.task, self.folder, self.draw = shop, task, folder, draw
        self.disk = disturb.Disk(folder / "disk", draw.choice([0, 32, 32]) if draw else 0)
        self.text, self.run, self.study = folder / "text", folder / "disk" / "run", folder / "disk" / "study"
        self.text.mkdir()
        (folder / "disk" / "tmp").mkdir()
        (folder / "messages").mkdir()
        task.write_text(self.text)
        self.processes = 0
        self.story = []

    def environment(self, clock):
        result = dict(os.environ, HOME=str(self.folder), XDG_CACHE_HOME=str(self.disk.folder / "cache"),
                      TMPDIR=str(self.disk.folder / "tmp"))
        if clock:
            # As on a real machine: neither the clock that counts from the start nor the times of files jump.
            result |= {"LD_PRELOAD": disturb.CLOCK, "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
                       "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
        return result

    # --- processes

    def process(self, arguments, disturbances=(), children=False, models=()):
        """Runs the program to its end among `disturbances`, pairs of a moment and a disturbance."""
        self.processes += 1
        clock = None
        if disturb.CLOCK and any(isinstance(one, disturb.Clock) for _, one in disturbances):
            clock = self.folder / f"clock-{self.processes}"
            clock.write_text("+0\n", encoding="utf-8")
        name = self.folder / "messages" / f"{self.processes:02}-{arguments[0]}"
        with open(f"{name}.err", "wb") as errors, open(f"{name}.out", "wb") as output:
            begin = time.monotonic()
            process = subprocess.Popen([self.shop.options.program, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=errors, cwd=self.folder, env=self.environment(clock))
        scene = disturb.Scene(self.disk, self.study if children else self.run, process, children,
                              [path for path in self.text.iterdir() if children or not path.name.startswith("test")],
                              models, clock)
        if models:
            scene.texts = [path for path in self.text.iterdir() if path.name.startswith("test")]
        waiting, begun = list(disturbances), []
        while process.poll() is None:
            since = time.monotonic() - begin
            for moment, disturbance in list(waiting):
                if moment.has_come(scene, since):
                    disturbance.begin(scene)
                    waiting.remove((moment, disturbance))
                    begun.append(disturbance)
            for disturbance in begun:
                disturbance.later(scene)
            if since > LONGEST:
                for child in [*disturb.descendants(process.pid), process.pid]:
                    disturb.send(signal.SIGKILL, child)
                process.wait()
                raise Failure(f"{arguments[0]} did not end within {LONGEST} seconds")
            time.sleep(0.0001 if any(moment.is_near() for moment, _ in waiting) else 0.002)
        self.await_orphans(str(scene.folder), children)
        for disturbance in reversed(begun):
            disturbance.end(scene)
        happened = [disturbance for disturbance in begun if disturbance.took_place]
        for disturbance in happened:
            self.shop.counts.add(self.shop.counts.disturbances, disturbance.kind)
        self.count_missed(disturbances, happened)
        outcome = Outcome(process.returncode, pathlib.Path(f"{name}.err").read_text(encoding="utf-8", errors="replace"),
                          time.monotonic() - begin)
        self.story.append(f"{arguments[0]}: {', '.join(one.kind for one in happened) or 'undisturbed'}: ended with {outcome.code}")
        self.shop.counts.add(self.shop.counts.ends, str(outcome.code))
        self.judge(outcome, happened, self.story[-1])
        return outcome

    def count_missed(self, disturbances, happened):
        for _, one in disturbances:
            if one not in happened:
                reason = " too late or nothing to disturb"
                if isinstance(one, (disturb.FullDisk, disturb.ReadOnly)) and not disturb.MOUNTS:
                    reason = ": no mounts"
                elif isinstance(one, disturb.Clock) and not disturb.CLOCK:
                    reason = ": no faketime"
                self.shop.counts.add(self.shop.counts.missed, one.kind + reason)

    def await_orphans(self, folder, children):
        """The runs of a study that was killed die a little later than it."""
        for _ in range(1000 if children else 0):
            found = False
            for entry in os.listdir("/proc"):
                try:
                    words = pathlib.Path("/proc", entry, "cmdline").read_bytes() if entry.isdigit() else b""
                    found = found or (folder.encode() + b"/runs" in words)
                except OSError:
                    pass
            if not found:
                return
            time.sleep(0.01)
        if children:
            raise Failure("a run outlived its study by ten seconds")

    def judge(self, outcome, happened, what):
        signals = {one.number for one in happened if isinstance(one, disturb.Kill) and not isinstance(one, disturb.KillChild)}
        checks.check_words(outcome.errors, what)
        for log in self.study.glob("runs/*.log"):
            checks.check_words(log.read_text(encoding="utf-8", errors="replace"), f"{what}: {log.name}")
        if outcome.code < 0:
            if -outcome.code not in signals:
                raise Failure(f"{what}: {signal.Signals(-outcome.code).name}: {outcome.errors[-300:]}")
        elif outcome.code == 128 + signal.SIGTERM and signal.SIGTERM in signals:
            pass
        elif outcome.code == 1 and any(one.may_fail for one in happened):
            checks.check_message(outcome.errors, what)
            child = re.search(r"was ended by signal (\d+)", outcome.errors)
            if child and not any(isinstance(one, disturb.KillChild) and int(child[1]) == one.number for one in happened):
                raise Failure(f"{what}: {outcome.errors[-500:]}")
            message = outcome.errors.rstrip("\n").split("\n")[-1].replace(str(self.folder), "")
            self.shop.counts.add(self.shop.counts.messages, "".join("N" if c.isdigit() else c for c in message))
        elif outcome.code != 0:
            raise Failure(f"{what}: {outcome.errors[-500:]}")

    # --- commands

    def train(self):
        if checks.is_started(self.run):
            return ["train", "--resume", "--run-directory", self.run]
        return ["train", "--run-directory", self.run, *self.task.training_text(self.text), *self.task.options]

    def reader(self, command):
        ending = ["--beam-size", "2", "--scores"] if command == "translate" else []
        return [command, "--model", self.run, *self.task.test_text(self.text, command), "--threads", "1", "--device", "cpu",
                "--output", self.disk.folder / f"{command}.out", *ending]

    def studying(self):
        return ["study", "--config", self.folder / "study.json", "--output", self.study]

    def write_study(self):
        """The same training twice, with another learning rate; its options as --dump-config tells them."""
        dumped = subprocess.run([self.shop.options.program, "train", "--dump-config", *self.task.training_text(self.text),
                                 *self.task.options], capture_output=True, check=True)
        base = json.loads(dumped.stdout)
        study = {
            "title": "Chaos", "description": "Two learning rates.", "base": base,
            "runs": [{"name": "one", "title": "One"},
                     {"name": "two", "title": "Two", "from": "one", "changes": {"optimization": {"learning-rate": 0.004}}}],
            "test": self.task.test_text(self.text, "study"), "score": "bleu", "length-limits": [12], "beam-size": 2, "examples": 1,
            "comparisons": [], "claims": [],
        }
        (self.folder / "study.json").write_text(json.dumps(study), encoding="utf-8")

    # --- what is done

    def uninterrupted(self, study):
        """Results and usual seconds of each command."""
        results, seconds = {}, {}
        if study:
            self.write_study()
            seconds["study"] = self.process(self.studying(), children=True).seconds
            results["study"] = checks.result_of_study(self.study)
        else:
            seconds["train"] = self.process(self.train()).seconds
            results["train"] = checks.result_of_run(self.run)
            for command in ("translate", "score"):
                seconds[command] = self.process(self.reader(command)).seconds
                results[command] = (self.disk.folder / f"{command}.out").read_bytes()
        return results, seconds

    def draw_disturbances(self, kinds, usual_seconds):
        if disturb.MOUNTS and not self.disk.mounted:
            kinds = [kind for kind in kinds if kind is not disturb.FullDisk]
        chosen = [self.draw.choice(kinds) for _ in range(self.draw.choice([1, 1, 2]))]
        if all(kind in (disturb.Stop, disturb.Clock) for kind in chosen):  # these end nothing
            chosen.append(self.draw.choice(kinds))
        return [(disturb.Moment(self.draw, usual_seconds), kind(self.draw)) for kind in dict.fromkeys(chosen)]

    def disturbed(self, study):
        (results, seconds) = self.shop.expected(self.task.number, study)
        if study:
            self.disturbed_study(results["study"], seconds["study"])
            return
        self.disturbed_training(seconds["train"])
        self.compare("train", results["train"], checks.result_of_run(self.run))
        self.verify(self.run / "last")
        for command in ("translate", "score"):
            self.disturbed_reader(command, results[command], seconds[command])
        self.verify(self.run / "best" if (self.run / "best").exists() else self.run / "last")

    def compare(self, what, expected, actual):
        found = checks.difference(expected, actual)
        if found:
            raise Failure(f"{what}: the end differs from the uninterrupted one: {found}")

    def verify(self, model):
        self.process(["inspect", "--verify", "--model", model])

    def disturbed_training(self, usual_seconds):
        announced, done = -1, False
        for attempt in range(self.draw.randint(2, 5)):
            # What is left to do takes less and less time.
            disturbances = self.draw_disturbances(disturb.OF_RUN, usual_seconds * 0.8 ** attempt)
            done = self.process(self.train(), disturbances).code == 0
            last = checks.check_checkpoints(self.run)
            if last < announced:
                raise Failure(f"{self.story[-1]}: 'last' led to update {announced}, then to {last}")
            if done:
                break
            if last >= 0 and self.draw.random() < 0.2:
                self.verify(self.run / "last")
            announced = last
            between = disturb.disturb_between(self.draw, self.run)
            if between:
                self.story.append(between)
                self.shop.counts.add(self.shop.counts.disturbances, "between: " + between)
                announced = -1
        if not done:
            self.process(self.train())
        checks.check_checkpoints(self.run)

    def disturbed_reader(self, command, expected, usual_seconds):
        output = self.disk.folder / f"{command}.out"
        models = [(self.run / "last" / "model.pt").resolve(), (self.run / "best" / "model.pt").resolve()]
        disturbances = self.draw_disturbances(disturb.OF_READER, usual_seconds)
        self.process(self.reader(command), disturbances, models=models)
        written = output.read_bytes() if output.exists() else b""
        # Without the model of `best`, a run stands for that of `last`.
        other_model = any(isinstance(one, disturb.VanishModel) and one.took_place for _, one in disturbances)
        if not other_model and not expected.startswith(written):
            raise Failure(f"{self.story[-1]}: {output} is no beginning of the uninterrupted one")
        self.process(self.reader(command))
        self.compare(command, expected, output.read_bytes())
        output.unlink()

    def disturbed_study(self, expected, usual_seconds):
        self.write_study()
        for _ in range(self.draw.randint(1, 3)):
            done = self.process(self.studying(), self.draw_disturbances(disturb.OF_STUDY, usual_seconds), children=True).code == 0
            for run in self.study.glob("runs/*/"):
                if run.is_dir():
                    checks.check_checkpoints(run)
            if done:
                break
        self.process(self.studying(), children=True)  # what is done already is kept
        self.compare("study", expected, checks.result_of_study(self.study))

    def keep_or_remove(self, keep):
        if keep and self.disk.mounted:  # what is in memory would be gone
            shutil.copytree(self.disk.folder, self.folder / "kept", symlinks=True, ignore_dangling_symlinks=True)
        self.disk.close()
        if keep:
            (self.folder / "story").write_text("".join(line + "\n" for line in [str(self.task), *self.story]), encoding="utf-8")
        else:
            shutil.rmtree(self.folder)


def one_round(shop, number):
    """None, or what is wrong."""
    draw = random.Random(f"{shop.options.seed} round {number}")
    task, study = Task(shop.options.seed, draw.randrange(TASKS)), draw.random() < STUDIES
    current = Round(shop, task, shop.folder / f"round-{number}", draw)
    failure = None
    try:
        current.disturbed(study)
    except Failure as found:
        failure = str(found)
    except Exception as error:  # of these scripts
        failure = f"chaos itself: {type(error).__name__}: {error}"
    current.keep_or_remove(failure is not None or shop.options.keep)
    line = f"round {number}: {'study of ' if study else ''}task {task.number} ({task}): " + \
        (f"FAILED: {failure}" if failure else f"{current.processes} processes")
    return number, failure, line


def options_of_command_line():
    parser = argparse.ArgumentParser(prog="chaos.sh", description="Rounds of chaos; see the head of scripts/chaos.sh.")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--only", type=int, help="this round alone")
    parser.add_argument("--program", default=str(ROOT / "build" / "release" / "seq2seq"))
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="rounds at a time")
    parser.add_argument("--keep", action="store_true", help="keep the folders of rounds that went well, too")
    options = parser.parse_args()
    options.program = str(pathlib.Path(options.program).resolve())
    if not os.access(options.program, os.X_OK):
        parser.error(f"{options.program}: is not there; build it with scripts/build.sh program")
    return options


def main():
    options = options_of_command_line()
    shop, begin = Workshop(options), time.monotonic()
    numbers = [options.only] if options.only is not None else range(1, options.rounds + 1)
    print(f"chaos: seed {options.seed}, {len(numbers)} rounds in {shop.folder}", file=sys.stderr, flush=True)
    failures, every = [], 1 if sys.stderr.isatty() or options.only is not None else 10
    with concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs) as pool:
        rounds = [pool.submit(one_round, shop, number) for number in numbers]
        for done, future in enumerate(concurrent.futures.as_completed(rounds), 1):
            number, failure, line = future.result()
            if failure:
                failures.append({"round": number, "what": failure, "folder": str(shop.folder / f"round-{number}"),
                                 "reproduce": f"scripts/chaos.sh --seed {options.seed} --only {number}"})
            if failure or done % every == 0:
                print(f"{done}/{len(numbers)} {line}", file=sys.stderr, flush=True)
    counts = shop.counts
    summary = {
        "seed": options.seed, "rounds": len(numbers), "seconds": round(time.monotonic() - begin),
        "processes": sum(counts.ends.values()), "disturbances": dict(sorted(counts.disturbances.items())),
        "left out": dict(sorted(counts.missed.items())), "exit codes": dict(sorted(counts.ends.items())),
        "messages": dict(counts.messages.most_common()), "failures": sorted(failures, key=lambda one: one["round"]),
    }
    print(json.dumps(summary, indent=1))
    if not failures and not options.keep:
        shutil.rmtree(shop.folder)
    return 1 if failures else 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))  # the terminal has sent it to all processes
    sys.exit(main())
