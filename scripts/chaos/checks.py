"""What must hold of files, messages and results after a disturbance."""
import json
import pickletools
import re
import zipfile
import zlib


class Failure(Exception):
    """A round fails: what was found."""


# Keys of train.jsonl and of archives that tell times, speed and memory.
TIMES = re.compile(r"second|data_wait_share|peak_memory_mib|waited|minutes")

# Of libraries and the language's own exceptions.
RAW = re.compile(
    r"not foreseen|terminate called|std::|what\(\)|basic_|filesystem error|ios_base|iostream|enforce fail|Exception raised"
    r"|c10::|torch::|at::|bad_alloc|PytorchStreamWriter|PytorchStreamReader|unexpected pos|json\.exception|parse_error"
    r"|stoi|stoul|vector::|map::at|sentencepiece_|\.cc?(pp)?[:(]\d")
# What a message begins with: a file or folder, or what was being done.
DOING = re.compile(
    r"seq2seq: (/\S.*|run [\w.-]+|training after update \d+|update \d+|loading .*|translating lines? .*|scoring .*|standard output"
    r"|validation.*|[^:]*\.(?:jsonl|json|tsv|gz|pt|txt|source|target)(?::\d+)?): \S")


def check_message(errors, what):
    """`errors`: all that a process wrote to stderr before it ended with an exit code of failure."""
    lines = errors.rstrip("\n").split("\n")
    if not lines[-1]:
        raise Failure(f"{what}: no message")
    if not DOING.match(lines[-1]):
        raise Failure(f"{what}: the message does not say what was being done: {lines[-1]}")
    check_words(errors, what)


def check_words(errors, what):
    for line in errors.split("\n"):
        if RAW.search(line):
            raise Failure(f"{what}: a raw message: {line}")


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(entry) for key, entry in value.items() if not TIMES.search(key)}
    return [without_times(entry) for entry in value] if isinstance(value, list) else value


def log_lines(run):
    """The lines of train.jsonl without times; one that was cut short at the end is left out."""
    lines = []
    path = run / "train.jsonl"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for number, line in enumerate(text.split("\n"), 1):
        try:
            lines += [without_times(json.loads(line))] if line else []
        except ValueError as error:
            if number < text.count("\n") + 1:
                raise Failure(f"{path}:{number}: is damaged: {line[:100]}") from error
    return lines


def steps(run):
    names = [path.name for path in (run / "checkpoints").glob("step-*")]
    return sorted(int(name[5:]) for name in names if name[5:].isdigit())


def is_started(run):
    """Whether there is a checkpoint to go on from."""
    folders = [run / "checkpoints" / f"step-{step}" for step in steps(run)]
    return any(is_whole(folder) for folder in [*folders, run / "last", run / "best"])


def is_whole(checkpoint):
    return all((checkpoint / name).exists() for name in ("model.pt", "state.pt"))


def check_checkpoints(run):
    """Every checkpoint that has its name, and every link, is whole: returns the update of `last`, -1 without one."""
    for step in steps(run):
        for name in ("model.pt", "state.pt"):
            check_zip(run / "checkpoints" / f"step-{step}" / name)
    for name in ("best", "last"):
        link = run / name
        if link.is_symlink() and not is_whole(link):
            raise Failure(f"{link}: leads to {link.readlink()}, which is not whole")
    for config in run.glob("config.json"):
        json.loads(config.read_text(encoding="utf-8"))
    last = run / "last"
    return int(last.readlink().name[5:]) if last.is_symlink() else -1


def check_zip(path):
    try:
        with zipfile.ZipFile(path) as file:
            damaged = file.testzip()
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise Failure(f"{path}: is damaged or missing: {error}") from error
    if damaged:
        raise Failure(f"{path}: {damaged} is damaged")


def contents(path):
    """The entries of an archive, with pickles as their operations and without times."""
    result = {}
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            data = file.read(name)
            name = name.split("/", 1)[1]
            if name.endswith("provenance.json"):
                result[name] = without_times(json.loads(data))
            elif name == "data.pkl":
                result[name] = [(op.name, readable(argument)) for op, argument, _ in pickletools.genops(data)]
            elif name != ".data/serialization_id":  # a checksum of all the others
                result[name] = data
    return result


def readable(argument):
    if isinstance(argument, str) and argument.startswith("{"):
        return without_times(json.loads(argument))
    return argument


def result_of_run(run):
    """All of a run that may not depend on how often it was disturbed."""
    result = {"train.jsonl": log_lines(run)}
    for name in ("best", "last"):
        link = run / name
        result[name] = str(link.readlink()) if link.is_symlink() else "no link"
        for file in ("model.pt", "state.pt") if link.exists() else ():
            result[f"{name}/{file}"] = contents(link / file)
    return result


def result_of_study(folder):
    result = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob("outputs/*"))}
    # Speed, memory, date and machine aside.
    result["report.json"] = [line for line in (folder / "report.json").read_text(encoding="utf-8").split("\n")
                             if not re.search("second|memory|seq2seq", line)]
    for run in sorted(path for path in (folder / "runs").iterdir() if path.is_dir()):
        result[f"runs/{run.name}"] = result_of_run(run)
    return result


def difference(expected, actual, place=""):
    """The first difference in words, or None."""
    if type(expected) is not type(actual):
        return f"{place}: {short(expected)}, then {short(actual)}"
    if isinstance(expected, dict):
        if expected.keys() != actual.keys():
            return f"{place}: {sorted(expected.keys() ^ actual.keys())} in one alone"
        found = (difference(expected[key], actual[key], f"{place}{': ' * bool(place)}{key}") for key in expected)
        return next(filter(None, found), None)
    if isinstance(expected, list):
        found = (difference(one, other, f"{place} entry {at}") for at, (one, other) in enumerate(zip(expected, actual), 1))
        lengths = f"{place}: {len(expected)} entries, then {len(actual)}" if len(expected) != len(actual) else None
        return next(filter(None, found), lengths)
    return None if expected == actual else f"{place}: {short(expected)}, then {short(actual)}"


def short(value):
    text = repr(value)
    return text if len(text) < 200 else text[:200] + "..."
