"""Disturbances of a process: when they come, what they do, and how they are undone."""
import errno
import os
import pathlib
import shutil
import signal
import subprocess
import time

MOUNTS = os.environ.get("CHAOS_MOUNTS", "0") != "0"


def clock_library():
    """libfaketime for programs with threads, as faketime preloads it; None where it is not installed."""
    if not shutil.which("faketime"):
        return None
    found = subprocess.run(["faketime", "-m", "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


CLOCK = clock_library()


def mount(*words):
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


class Disk:
    """The folder that all results go to: a small tmpfs of its own, or just a folder."""

    def __init__(self, folder, mebibytes):
        self.folder, self.mounted, self.filler = folder, False, folder / "filler"
        folder.mkdir(parents=True)
        if mebibytes and MOUNTS:
            self.mounted = mount("-t", "tmpfs", "-o", f"size={mebibytes}m", "chaos", str(folder))

    def fill(self, left):
        """Leaves `left` bytes free."""
        for _ in range(20):  # what is written meanwhile may be faster
            state = os.statvfs(self.folder)
            size = state.f_bavail * state.f_frsize - left
            if size <= 0:
                return
            with open(self.filler, "ab") as file:
                try:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
                    return
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def relieve(self):
        self.filler.unlink(missing_ok=True)

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], check=False)


class Scene:
    """What a disturbance acts on: a process and its files."""

    def __init__(self, disk, folder, process, children, texts, models, clock):
        self.disk, self.folder, self.process, self.children = disk, folder, process, children
        self.texts, self.models, self.clock = texts, models, clock


def descendants(process):
    """The ids of what a process has started."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                status = pathlib.Path("/proc", entry, "stat").read_text(encoding="utf-8", errors="replace")
                parents[int(entry)] = int(status.rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                pass
    found, added = {process}, True
    while added:
        new = {child for child, parent in parents.items() if parent in found} - found
        found |= new
        added = bool(new)
    return sorted(found - {process})


def send(number, process):
    try:
        os.kill(process, number)
    except ProcessLookupError:
        pass


class Disturbance:
    """`begin` is called once its moment has come, `end` after the process has ended. Both tolerate that there is nothing
    left to disturb; `took_place` tells. `may_fail`: whether the process may then end with an error."""
    kind, may_fail = "", True

    def __init__(self, draw):
        self.draw, self.took_place = draw, False

    def begin(self, scene):
        raise NotImplementedError

    def later(self, scene):
        """Called again and again while the process runs."""

    def end(self, scene):
        pass


class Kill(Disturbance):
    kind, may_fail, number = "SIGKILL", False, signal.SIGKILL

    def begin(self, scene):
        send(self.number, scene.process.pid)
        self.took_place = True


class Terminate(Kill):
    kind, number = "SIGTERM", signal.SIGTERM


class KillChild(Kill):
    """Of a study: one of the runs that it trains, which it tells."""
    kind, may_fail = "SIGKILL of a study's run", True

    def begin(self, scene):
        children = descendants(scene.process.pid)
        if children:
            send(self.number, self.draw.choice(children))
            self.took_place = True


class Stop(Disturbance):
    kind, may_fail = "SIGSTOP", False

    def begin(self, scene):
        self.stopped = [scene.process.pid]
        if scene.children and self.draw.random() < 0.5:
            self.stopped = descendants(scene.process.pid)
        for process in self.stopped:
            send(signal.SIGSTOP, process)
        self.until = time.monotonic() + self.draw.uniform(0.02, 0.6)
        self.took_place = True

    def later(self, scene):
        if self.took_place and time.monotonic() > self.until:
            for process in self.stopped:
                send(signal.SIGCONT, process)
            self.stopped = []


class FullDisk(Disturbance):
    kind = "full disk"

    def begin(self, scene):
        if scene.disk.mounted:
            scene.disk.fill(self.draw.choice([0, 0, 4096, int(4096 * 2 ** self.draw.uniform(0, 8))]))
            self.took_place = True

    def end(self, scene):
        scene.disk.relieve()


class ReadOnly(Disturbance):
    """A read-only mount over a folder: files that are open stay so, no other can be written or removed."""
    kind = "read-only mount"

    def begin(self, scene):
        folders = [path for path in scene.folder.rglob("*") if path.is_dir() and not path.is_symlink() and not path.name.startswith(("step-", "."))]
        self.target = self.draw.choice([scene.disk.folder, *([scene.folder] if scene.folder.exists() else []), *folders])
        if MOUNTS and mount("--bind", str(self.target), str(self.target)):
            mount("-o", "remount,bind,ro", str(self.target))
            self.took_place = True

    def end(self, scene):
        if self.took_place:
            subprocess.run(["umount", "-l", str(self.target)], check=False)


class Vanish(Disturbance):
    """A file goes while the process runs, and is back afterwards."""
    kind = "vanishing text"

    def files(self, scene):
        return scene.texts

    def begin(self, scene):
        def aside(path):
            return path.with_name(path.name + ".vanished")

        # Not one that another disturbance has put aside.
        files = [path for path in self.files(scene) if path.exists() and not aside(path).exists()]
        if files:
            self.file = self.draw.choice(files)
            self.aside = aside(self.file)
            try:
                self.file.rename(self.aside)
            except OSError:  # on a read-only mount nothing vanishes
                return
            self.took_place = True

    def end(self, scene):
        if self.took_place:
            self.aside.rename(self.file)


class Replaced(Vanish):
    """A file goes and another with the same content comes, as editors save."""
    kind = "replaced text"

    def begin(self, scene):
        super().begin(scene)
        if self.took_place:
            time.sleep(self.draw.choice([0, 0, 0.03]))
            shutil.copyfile(self.aside, self.file)

    def end(self, scene):
        if self.took_place:
            self.aside.unlink()


class VanishModel(Vanish):
    kind = "vanishing model"

    def files(self, scene):
        return scene.models


class VanishTemporary(Disturbance):
    """What is being written, or an unpacked copy in the cache, is removed, as cleaners of temporary files do."""
    kind = "vanishing temporary file"

    def begin(self, scene):
        found = [*scene.folder.rglob(".*.tmp-*"), *scene.disk.folder.glob("cache/seq2seq/*")]
        if found:
            path = self.draw.choice(found)
            if path.is_dir() and self.draw.random() < 0.5:
                path = next(iter(path.iterdir()), path)
            self.took_place = True
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


class Clock(Disturbance):
    """The clock of the wall jumps by minutes to decades, in both directions."""
    kind, may_fail = "clock jump", False

    def begin(self, scene):
        if scene.clock:
            self.next = 0
            self.took_place = True
            self.later(scene)

    def later(self, scene):
        if self.took_place and time.monotonic() > self.next:
            jump = self.draw.choice([-1, 1]) * int(10 ** self.draw.uniform(1.5, 8.9))
            temporary = scene.clock.with_suffix(".new")
            temporary.write_text(f"{jump:+d}\n", encoding="utf-8")
            temporary.replace(scene.clock)
            self.next = time.monotonic() + self.draw.uniform(0.05, 0.5)


class Moment:
    """When a disturbance comes: after some time, or when files have appeared, such as a temporary one."""

    def __init__(self, draw, usual_seconds):
        kind = draw.random()
        self.seconds = self.count = None
        self.delay = draw.choice([0, 0, draw.uniform(0, 0.02)])
        if kind < 0.1:
            self.seconds = 0
        elif kind < 0.25:  # while the first files of a run are made
            self.count, self.delay = draw.randint(1, 3), 0
        elif kind < 0.55:
            self.seconds = draw.uniform(0.05, 0.95) * usual_seconds
        else:
            self.count = int(2 ** draw.uniform(0, 5))
        self.seen = set()

    def is_near(self):
        return self.seconds is None

    def has_come(self, scene, since):
        """With a count: so many names of what the process makes have been seen, temporary ones among them."""
        if self.seconds is not None:
            return since > self.seconds
        for folder in (scene.folder, scene.folder / "checkpoints", scene.folder / "results", scene.disk.folder / "cache/seq2seq"):
            try:
                names = os.listdir(folder)
            except OSError:
                continue
            self.seen |= {f"{folder}/{name}" for name in names}
        if scene.children:  # of a study's runs
            for folder in scene.folder.glob("runs/*/checkpoints"):
                try:
                    self.seen |= {f"{folder}/{name}" for name in os.listdir(folder)}
                except OSError:
                    pass
        if len(self.seen) < self.count:
            return False
        self.seconds = since + self.delay
        return since >= self.seconds


OF_RUN = [Kill, Kill, Kill, Stop, Terminate, FullDisk, FullDisk, ReadOnly, ReadOnly, Vanish, Replaced, VanishTemporary, Clock]
OF_STUDY = [Kill, Kill, KillChild, Stop, Terminate, FullDisk, FullDisk, ReadOnly, ReadOnly, Vanish, VanishTemporary, Clock]
OF_READER = [Kill, Stop, FullDisk, ReadOnly, Vanish, VanishModel, Clock]


def disturb_between(draw, run):
    """What may happen to a run directory that no process uses; returns a word for it, or None."""
    links = [run / name for name in ("best", "last") if (run / name).is_symlink()]
    what = draw.choice(["nothing", "nothing", "links vanish", "links become folders", "older checkpoints vanish"])
    if what == "nothing" or not links:
        return None
    needed = {os.readlink(link).rpartition("/")[2] for link in links}
    if what == "links vanish":
        for link in draw.sample(links, draw.randint(1, len(links))):
            link.unlink()
    elif what == "links become folders":
        for link in links:
            target = link.resolve()
            link.unlink()
            shutil.copytree(target, link)
        if draw.random() < 0.5:
            shutil.rmtree(run / "checkpoints")
            if len(links) > 1 and draw.random() < 0.5:
                shutil.rmtree(run / "last")
    else:
        for step in (run / "checkpoints").glob("step-*"):
            if step.name not in needed:
                shutil.rmtree(step)
    return what
