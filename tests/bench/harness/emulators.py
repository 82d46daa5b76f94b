"""What only shows when firmware runs: on the machines of samples/bare, under QEMU and simavr."""
import collections
import functools
import os
import subprocess
import sys
import tempfile

from harness.compilers import BARE, ROOT, SOURCES

sys.path.append(os.path.join(ROOT, "tests", "targets"))
from scenarios import load  # noqa: E402
from sweep import plugin, symbols  # noqa: E402

HANDLER = {"microbit": "board_irq8", "mps2-an385": "SysTick_Handler"}


def built(machine, program, folder):
    made = os.path.join(folder, program + ".elf")
    build = load(os.path.join(BARE, "build"))
    if not build.build(machine, {made: [os.path.join(SOURCES, program + ".c")]}):
        raise RuntimeError("%s could not be built for %s" % (program, machine))
    return made


def emulated(machine, program, *options):
    """What a program says, which has to end well."""
    ended = subprocess.run([os.path.join(BARE, "emulate"), machine, program, "--limit", "20", *options],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError("%s on %s ended with %d\n%s" % (program, machine, ended.returncode, ended.stderr))
    return ended.stderr


@functools.lru_cache
def pool(machine):
    """Bytes of the pool that the program with three coroutines takes."""
    with tempfile.TemporaryDirectory(prefix="thrum-pool-") as folder:
        return int(emulated(machine, built(machine, "pool", folder), "--icount", "6", "--skip-idle").split()[-1])


def counted(machine, elf, folder, marks, *options):
    """[(instructions executed before, name of the mark)]"""
    out = os.path.join(folder, "counts.txt")
    words = [plugin(), "out=" + out] + ["at=%#x:%s" % (at, name) for name, at in marks.items()]
    emulated(machine, elf, "--icount", "6", "--skip-idle", "--plugin", ",".join(words), *options)
    with open(out) as file:
        return [(int(count), name) for count, name in (line.split() for line in file)]


def latency(machine):
    """Instructions from the first one of an interrupt's handler to the first one behind the await: of the signal that the
    handler posts, and of an event that is set by it. The processor was asleep."""
    with tempfile.TemporaryDirectory(prefix="thrum-latency-") as folder:
        elf = built(machine, "latency", folder)
        known = symbols("arm-none-eabi-", elf)
        marks = {"handler": known[HANDLER[machine]][0], "signal": known["after_signal"][0], "event": known["after_event"][0]}
        began, figures = None, {"signal": [], "event": []}
        for count, name in counted(machine, elf, folder, marks):
            if name == "handler":
                began = count
            elif name in figures:
                figures[name].append(count - began)
        # Now and then an interrupt of the clock's comes in between.
        return tuple(collections.Counter(each).most_common(1)[0][0] for each in figures.values())


def asleep(machine):
    """By how many instructions a sleep of a minute takes more than one of a second."""
    with tempfile.TemporaryDirectory(prefix="thrum-asleep-") as folder:
        elf = built(machine, "asleep", folder)
        ends = [counted(machine, elf, folder, {}, "--arguments", each)[-1][0] for each in "ab"]
        return ends[1] - ends[0]
