"""Compilers for microcontrollers: objects, linked programs, and what stands in them."""
import concurrent.futures
import glob
import os
import re
import subprocess
import tempfile

from harness.machine import CORES, HERE, ROOT

FLAGS = ["-std=c11", "-ffreestanding", "-ffunction-sections", "-fdata-sections", "-DTHRUM_BUILDING"]
FOLDERS = ["-I" + os.path.join(ROOT, each) for each in ("include", "lib", "samples/bare/board")]
SOURCES = os.path.join(HERE, "firmware")
BARE = os.path.join(ROOT, "samples", "bare")
ARM, RISC = "arm-none-eabi-", "riscv64-unknown-elf-"
MEMORY = {"flash_origin": 0, "flash_length": 0x40000, "ram_origin": 0x20000000, "ram_length": 0x4000}

# Name of a target: its column's title, the tools' prefix, the compiler where it is not PREFIXgcc, the processor, the port's
# file, the start-up code's, and the machine of samples/bare that executes its code.
TARGETS = {
    "cortex-m0": {"title": "Cortex-M0", "prefix": ARM, "flags": ["-Os", "-mcpu=cortex-m0", "-mthumb"],
                  "port": "cortex_m", "start": "cortex_m", "graph": True, "machine": "microbit"},
    "cortex-m3": {"title": "Cortex-M3", "prefix": ARM, "flags": ["-Os", "-mcpu=cortex-m3", "-mthumb"],
                  "port": "cortex_m", "start": "cortex_m", "graph": True, "machine": "mps2-an385"},
    "rv32imac": {"title": "rv32imac", "prefix": RISC, "flags": ["-Os", "-march=rv32imac_zicsr", "-mabi=ilp32", "-mcmodel=medany"],
                 "port": "riscv_clint", "start": "rv32", "graph": True, "machine": "riscv32"},
    "avr": {"title": "AVR", "prefix": "avr-", "flags": ["-Os", "-mmcu=atmega1284p", "-DF_CPU=16000000UL"],
            "port": "avr", "start": None, "graph": False, "machine": "avr"},
    # Without -meabi gnu it would call __aeabi_memcpy and such, which a C library has, but not libgcc.
    "clang-cortex-m0": {"title": "Cortex-M0, clang", "prefix": ARM, "compiler": ["clang", "--target=arm-none-eabi", "-meabi", "gnu"],
                        "flags": ["-Oz", "-mcpu=cortex-m0", "-mthumb"], "port": "cortex_m", "start": "cortex_m", "graph": False,
                        "machine": "microbit"},
}
PORT_FLAGS = {"cortex_m": ["-DTHRUM_PORT_HZ=16000000"], "avr": [],
              "riscv_clint": ["-DTHRUM_PORT_HZ=10000000", "-DTHRUM_PORT_CLINT=0x02000000ul"]}


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def library_sources():
    """All of core and sync, and what of the loop is for microcontrollers."""
    found = sorted(glob.glob(os.path.join(ROOT, "lib", "core", "*.c")) + glob.glob(os.path.join(ROOT, "lib", "sync", "*.c")))
    with open(os.path.join(ROOT, "tests", "stages", "freestanding.txt")) as file:
        named = [line.partition("#")[0].strip() for line in file]
    return found + [os.path.join(ROOT, name) for name in named if name]


def workers():
    return concurrent.futures.ThreadPoolExecutor(len(CORES))


class Target:
    """A compiler for one processor, with a folder of its own for what it makes."""

    def __init__(self, name):
        self.name = name
        for key, value in TARGETS[name].items():
            setattr(self, key, value)
        self.compiler = TARGETS[name].get("compiler", [self.prefix + "gcc"])
        self.keeper = tempfile.TemporaryDirectory(prefix="thrum-%s-" % name)
        self.folder = self.keeper.name

    def compiled(self, source, *more, name=None):
        """The object file of a source."""
        path = os.path.relpath(source, ROOT).replace("/", "-")
        result = os.path.join(self.folder, name or path[:-2] + ".o")
        graph = ["-fcallgraph-info=su"] if self.graph else []
        run(*self.compiler, *self.flags, *FLAGS, *FOLDERS, *graph, *more, "-c", source, "-o", result, cwd=self.folder)
        return result

    def library(self, sources):
        """The objects of these sources of the library."""
        with workers() as pool:
            return list(pool.map(self.compiled, sources))

    def linked(self, program, objects, with_port=True):
        """A whole program with what it needs of the objects, and the least of start-up code."""
        sources = [program]
        if with_port:
            sources.append(os.path.join(ROOT, "lib", "loop", "bare", "port_%s.c" % self.port))
        if self.start:
            sources.append(os.path.join(SOURCES, "start_%s.c" % self.start))
        own = [self.compiled(source, *PORT_FLAGS[self.port]) for source in sources]
        made = os.path.join(self.folder, os.path.basename(program)[:-2] + ".elf")
        script = []
        if self.start:
            script = ["-nostartfiles", "-nostdlib", "-T", os.path.join(BARE, "board", "link.ld")]
            script += ["-Wl,--defsym=__%s=%#x" % each for each in MEMORY.items()]
        run(*self.link(), *script, "-Wl,--gc-sections", *own, *objects, "-lgcc", "-o", made)
        return made

    def link(self):
        # The C library's folders know no instruction set with Zicsr.
        return [self.prefix + "gcc"] + [each.replace("_zicsr", "") for each in self.flags if each != "-Oz"]

    def sizes(self, path):
        """(code and constants, variables with a value, variables without)"""
        return tuple(int(word) for word in run(self.prefix + "size", path).splitlines()[1].split()[:3])

    def symbols(self, path):
        """{name: (kind, size)}"""
        return self.symbols_of([path])[path]

    def symbols_of(self, paths):
        """{path: {name: (kind, size)}}, by one start of nm: that takes longer than reading a file."""
        found = {path: {} for path in paths}
        for line in run(self.prefix + "nm", "-A", "-S", *paths).splitlines():
            path, _, rest = line.partition(":")
            words = rest.split()
            size = int(words[1], 16) if len(words) == 4 else 0
            found[path][words[-1]] = (words[-2], size)
        return found

    def undefined(self, objects):
        """What is left undefined by all of them, linked with the compiler's own library."""
        made = os.path.join(self.folder, "all.o")
        run(*self.link(), "-nostdlib", "-r", *objects, "-lgcc", "-o", made)
        # __data_ and __bss_: of AVR's linker script.
        return {name for name, (kind, _) in self.symbols(made).items()
                if kind in "Uw" and not re.match(r"thrum_port_|__(data|bss)_", name)}


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


def source_line(place):
    """The text at file:line:column."""
    path, line, _ = place.rsplit(":", 2)
    with open(path) as file:
        return file.read().splitlines()[int(line) - 1]
