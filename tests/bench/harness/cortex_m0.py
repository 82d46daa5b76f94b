"""What thrum costs on a Cortex-M0, from compiler and linker: code, stack, sizes, and what is left undefined."""
import glob
import os
import re
import shutil
import subprocess
import tempfile

from harness import report
from harness.machine import HERE, ROOT

COMPILER = "arm-none-eabi-gcc"
FLAGS = ["-mcpu=cortex-m0", "-mthumb", "-Os", "-std=c11", "-ffreestanding", "-ffunction-sections", "-fdata-sections", "-DTHRUM_BUILDING",
         "-I" + os.path.join(ROOT, "include"), "-I" + os.path.join(ROOT, "lib")]
MAY_BE_UNDEFINED = {"memcpy", "memset"}
WIDE_HELPER = re.compile(r"__aeabi_(l|ul|d|f)\w*$|__\w+di[0-9]$")  # 64-bit arithmetic and floating point


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def compiled(source, result, *more):
    run(COMPILER, *FLAGS, *more, "-c", source, "-o", result, cwd=os.path.dirname(result))
    return result


def code_size(path):
    """Bytes of code and constants, but for what says where exceptions go."""
    return int(run("arm-none-eabi-size", path).splitlines()[1].split()[0])


def library_sources():
    """All of core and sync, and what of the loop is for microcontrollers."""
    found = sorted(glob.glob(os.path.join(ROOT, "lib", "core", "*.c")) + glob.glob(os.path.join(ROOT, "lib", "sync", "*.c")))
    with open(os.path.join(ROOT, "tests", "stages", "freestanding.txt")) as file:
        named = [line.partition("#")[0].strip() for line in file]
    return found + [os.path.join(ROOT, name) for name in named if name]


def symbols(path):
    """{name: (kind, size)}"""
    found = {}
    for line in run("arm-none-eabi-nm", "-S", path).splitlines():
        words = line.split()
        size = int(words[1], 16) if len(words) == 4 else 0
        found[words[-1]] = (words[-2], size)
    return found


def source_line(place):
    """The text at file:line:column."""
    path, line, _ = place.rsplit(":", 2)
    with open(path) as file:
        return file.read().splitlines()[int(line) - 1]


class Calls:
    """Who calls whom and with how much stack, out of gcc's call graphs."""

    def __init__(self, files):
        self.stack, self.calls = {}, {}
        self.through = []  # (who calls through a pointer, the line of source that does)
        for path in files:
            with open(path) as file:
                text = file.read()
            for name, label in re.findall(r'^node: \{ title: "([^"]+)" label: "([^"]*)"', text, re.M):
                bytes_ = re.search(r"(\d+) bytes", label)
                if bytes_:
                    self.stack[self.short(name)] = int(bytes_.group(1))
            for caller, callee, place in re.findall(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)" label: "([^"]+)"', text, re.M):
                self.calls.setdefault(self.short(caller), set()).add(self.short(callee))
                if callee == "__indirect_call":
                    self.through.append((self.short(caller), source_line(place)))

    @staticmethod
    def short(name):
        return name.rsplit(":", 1)[-1]

    def deepest(self, start, goal, seen=()):
        """The path from start to goal that takes most stack: (bytes, [names]); None when there is none."""
        own = self.stack.get(start, 0)
        if start == goal:
            return own, [start]
        best = None
        for callee in self.calls.get(start, ()):
            if callee not in seen and callee != start:
                rest = self.deepest(callee, goal, (*seen, start))
                if rest and (best is None or own + rest[0] > best[0]):
                    best = own + rest[0], [start, *rest[1]]
        return best


def check(tally):
    """Adds one check a figure to the tally of `counts`."""
    if not shutil.which(COMPILER):
        tally.skip("Cortex-M0: there is no " + COMPILER)
        return
    try:
        measure(tally, report.limits("cortex-m0"))
    except subprocess.CalledProcessError as error:
        tally.check(False, "Cortex-M0: %s\n%s" % (" ".join(error.cmd), error.stderr))


def measure(tally, limits):
    source = os.path.join(HERE, "embedded", "awaits.c")
    with tempfile.TemporaryDirectory(prefix="thrum-m0-") as folder:
        place = lambda name: os.path.join(folder, name)  # noqa: E731
        graph = ["-fcallgraph-info=su"]
        one = compiled(source, place("one.o"), *graph)
        many = compiled(source, place("many.o"), "-DTWELVE_MORE", *graph)
        name = "code bytes an await"
        tally.bounded("Cortex-M0, " + name, (code_size(many) - code_size(one)) / 12, "B", limits[name])

        sizes = symbols(compiled(os.path.join(HERE, "embedded", "sizes.c"), place("sizes.o")))
        task, frame = sizes["size_task"][1], sizes["size_frame"][1]
        name = "bytes of a task with its first frame's header"
        tally.bounded("Cortex-M0, " + name, task + frame, "B", limits[name])
        name = "bytes that a nested call adds"
        tally.bounded("Cortex-M0, " + name, frame, "B", limits[name])

        objects = [compiled(s, place(s[len(ROOT) + 1:].replace("/", "-")[:-2] + ".o"), *graph) for s in library_sources()]
        if not objects:
            tally.check(False, "Cortex-M0: the library has no sources")
            return
        stack(tally, limits, folder, objects, ("one", "many"))
        linked = place("all.o")
        run(COMPILER, *FLAGS, "-nostdlib", "-r", *objects, "-lgcc", "-o", linked)
        undefined = {n for n, (kind, _) in symbols(linked).items() if kind in "Uw"} - MAY_BE_UNDEFINED
        ports = {n for n in undefined if n.startswith("thrum_port_")}
        tally.check(undefined <= ports, "Cortex-M0, undefined besides memcpy, memset and the port's functions: "
                    + (", ".join(sorted(undefined - ports)) or "nothing"))
        wide = {n for o in (one, many, *objects) for n, (kind, _) in symbols(o).items() if kind == "U" and WIDE_HELPER.match(n)}
        tally.check(not wide, "Cortex-M0, helpers for 64 bits or floating point: " + (", ".join(sorted(wide)) or "none"))


def stack(tally, limits, folder, objects, steps):
    """The C stack from the core's pass down to a step's own frame, with one await and with thirteen."""
    name = "stack bytes of loop, scheduler and step"
    bounds = limits[name]
    figures = []
    for step in steps:
        graph = Calls([o[:-2] + ".ci" for o in objects] + [os.path.join(folder, step + ".ci")])
        callers = {caller for caller, line in graph.through if bounds["calls"] in line}
        paths = [path for path in (graph.deepest(bounds["from"], caller) for caller in callers) if path]
        if not paths:
            tally.check(False, "Cortex-M0, %s: nothing leads from %s to a step" % (name, bounds["from"]))
            return
        bytes_, names = max(paths)
        figures.append((bytes_ + graph.stack["awaits_step_"], names))
    tally.bounded("Cortex-M0, %s (%s > step)" % (name, " > ".join(figures[1][1])), figures[1][0], "B", bounds)
    tally.check(figures[0][0] == figures[1][0], "Cortex-M0, stack with 1 and with 13 awaits: %d and %d B"
                % (figures[0][0], figures[1][0]))
