"""What thrum costs on microcontrollers: figures by target, and their gates."""
import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess

from harness import compilers, emulators, report
from harness.compilers import ROOT, SOURCES, Calls, Target

FLASH, SEVEN = "flash bytes of a program with three coroutines", "flash bytes of a program with all seven"
LIBRARY, RAM = "of these, the library", "bytes of RAM of that program, the pool as it is used"
STATIC, TASK = "bytes of RAM that core and loop have for themselves", "bytes of a task with its first frame's header"
NESTED, AWAIT, STACK = "bytes that a nested call adds", "code bytes an await", "stack bytes of loop, scheduler and step"
SIGNAL, EVENT = "instructions from an interrupt to who waits for its signal", "the same by an event that the signal sets"
MASKED, ASLEEP = "instructions masked in what interrupts may call", "instructions while nothing is due"
UNDEFINED = "symbols left undefined"

# A board's start-up code is counted, too, as in what others publish: vectors, copying variables, memcpy() and memset().
PROGRAM = os.path.join(ROOT, "samples", "bare", "producer-consumer.c")
MAY_BE_UNDEFINED = {"memcpy", "memset"}
WIDE_HELPER = re.compile(r"__aeabi_(l|ul|d|f)\w*$|__\w+di[0-9]$")  # 64-bit arithmetic and floating point
MASKS = {"arm-none-eabi-": (r"cpsid", r"msr\s+primask"), "riscv64-unknown-elf-": (r"csrrci?\b", r"csrs\b"),
         "avr-": (r"cli\b", r"out\s+0x3f")}
RINGS = ["thrum_ring_push", "thrum_ring_pop", "thrum_ring_count", "thrum_ring_room", "thrum_ring_refused"]


def measure(name, machines=True, before=None):
    """{figure: value} of a target, without what does not apply. Under "largest" are the largest functions of each
    program, under "path" the way to the deepest stack, under "wide" helpers that it should not need, and under "sources"
    what the programs and interrupts take of the library: of other targets no more is compiled than of the one `before`."""
    target = Target(name)
    found = {}
    one, many = awaits(target, "awaits.c")
    found[AWAIT] = (target.sizes(many)[0] - target.sizes(one)[0]) / 12
    sizes = target.symbols(target.compiled(os.path.join(SOURCES, "sizes.c")))
    found[NESTED] = sizes["size_frame"][1]
    found[TASK] = sizes["size_task"][1] + found[NESTED]
    sources = before["sources"] if before else compilers.library_sources()
    objects = target.library(sources)
    if target.graph:
        found[STACK], found["path"], found["path of one"] = stack(target, objects, one, many)
    images = {FLASH: target.linked(PROGRAM, objects), SEVEN: target.linked(os.path.join(SOURCES, "seven.c"), objects)}
    for figure, image in images.items():
        code, data, _ = target.sizes(image)
        found[figure] = code + data
    of_images = target.symbols_of(images.values())
    known = {figure: of_images[image] for figure, image in images.items()}
    found["largest"] = {figure: sorted(((size, n) for n, (kind, size) in of.items() if kind in "tT" and size), reverse=True)[:12]
                        for figure, of in known.items()}
    of_objects = target.symbols_of([one, many, *objects])
    of_library = {n for each in objects for n, (kind, _) in of_objects[each].items() if kind not in "Uw"}
    size_of = lambda kinds: sum(size for n, (kind, size) in known[FLASH].items() if kind in kinds and n in of_library)  # noqa: E731
    found[LIBRARY], found[STATIC] = size_of("tTrRW"), size_of("bBdD")
    found["names"] = of_library | (before["names"] if before else set())
    found[UNDEFINED] = target.undefined(objects) - found["names"]
    uses = lambda of: any(kind.isupper() and kind != "U" and (n in known[FLASH] or n in known[SEVEN] or for_interrupts(n))  # noqa: E731
                          for n, (kind, _) in of.items())
    found["sources"] = [source for source, each in zip(sources, objects) if uses(of_objects[each])]
    found["wide"] = {n for of in of_objects.values() for n, (kind, _) in of.items() if kind == "U" and WIDE_HELPER.match(n)}
    found["masked"] = masked(target, of_objects)
    found[MASKED] = max(found["masked"].values(), key=lambda count: 1e9 if count is None else count)
    if machines:
        _, data, rest = target.sizes(images[FLASH])
        found[RAM] = data + rest - known[FLASH]["memory"][1] + emulators.pool(target.machine)
        if name in ("cortex-m0", "cortex-m3"):
            found[SIGNAL], found[EVENT] = emulators.latency(target.machine)
        if name == "cortex-m3":  # where the port is tickless and its clock at hand in one load
            found[ASLEEP] = emulators.asleep(target.machine)
    return found


def superloop(name):
    """The same program, and the same await, in a loop by hand."""
    target = Target(name)
    one, many = awaits(target, "superloop_awaits.c")
    image = target.linked(os.path.join(SOURCES, "superloop.c"), [], with_port=False)
    code, data, rest = target.sizes(image)
    known = target.symbols(image)
    return {FLASH: code + data, RAM: data + rest, AWAIT: (target.sizes(many)[0] - target.sizes(one)[0]) / 12,
            TASK: known["blinks"][1] + known["blink_until"][1]}


def awaits(target, source):
    path = os.path.join(SOURCES, source)
    return target.compiled(path, name="one.o"), target.compiled(path, "-DTWELVE_MORE", name="many.o")


def stack(target, objects, *steps):
    """The C stack from the loop's pass down to a step's own frame, with the path, and the same with one await only."""
    limits = report.limits("cortex-m0")[STACK]
    paths = []
    for step in steps:
        graph = Calls([each[:-2] + ".ci" for each in (*objects, step)])
        callers = {caller for caller, line in graph.through if limits["calls"] in line}
        found = [path for path in (graph.deepest(limits["from"], caller) for caller in callers) if path]
        if not found:
            raise ValueError("nothing leads from %s to a step" % limits["from"])
        bytes_, names = max(found)
        paths.append((bytes_ + graph.stack["awaits_step_"], names))
    return paths[-1][0], paths[-1][1], paths[0][0]


def script(path):
    """A script without .py as a module."""
    loader = importlib.machinery.SourceFileLoader(os.path.basename(path), os.path.join(ROOT, path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def for_interrupts(function):
    return function.endswith("_from_isr") or function in RINGS


def masked(target, of_objects):
    """{function: the longest way behind the mask, None: with a loop or a call}, of all that an interrupt may call."""
    disassembler, found = script("tests/bare/masked"), {}
    for each, symbols in of_objects.items():
        for function, (kind, _) in symbols.items():
            if kind == "T" and for_interrupts(function):
                code = disassembler.instructions(target.prefix, each, function)
                found[function] = disassembler.longest([(at, plain(text)) for at, text in code], *MASKS[target.prefix])
    return found


def plain(text):
    """AVR's jumps and calls as the others write them."""
    text = re.sub(r"^br(\w+)\s+\S+\s*; 0x([0-9a-f]+) <", r"b\1 \2 <", text)
    text = re.sub(r"^r?jmp\s+\S+\s*; 0x([0-9a-f]+) <", r"b \1 <", text)
    return re.sub(r"^rcall\b", "call", text)


def check(tally, name, found):
    """Adds a check a figure to the tally."""
    limits, title = report.limits(name), compilers.TARGETS[name]["title"]
    for figure, bounds in limits.items():
        if figure not in found:
            continue
        more = " (%s > step)" % " > ".join(found["path"]) if figure == STACK else ""
        if found[figure] is None:
            tally.check(False, "%s, %s: there is a loop or a call" % (title, figure))
        else:
            tally.bounded("%s, %s%s" % (title, figure, more), found[figure], "", bounds)
        if figure == MASKED:
            print("       " + ", ".join("%s %s" % each for each in sorted(found["masked"].items())))
        if figure in found["largest"]:
            print("       largest: " + ", ".join("%s %d" % (n, size) for size, n in found["largest"][figure]))
    if STACK in found and STACK in limits:
        tally.check(found["path of one"] == found[STACK], "%s, stack with 1 and with 13 awaits: %d and %d B"
                    % (title, found["path of one"], found[STACK]))
    tally.check(found[UNDEFINED] <= MAY_BE_UNDEFINED, "%s, undefined besides the port's functions: %s"
                % (title, ", ".join(sorted(found[UNDEFINED])) or "nothing"))
    if name != "avr":
        tally.check(not found["wide"], "%s, helpers for 64 bits or floating point: %s"
                    % (title, ", ".join(sorted(found["wide"])) or "none"))
    if ASLEEP in found:
        tally.check(found[ASLEEP] == 0, "%s, %s: %d" % (title, ASLEEP, found[ASLEEP]))


def check_cortex_m0(tally):
    """What needs no emulator, on the smallest."""
    if not shutil.which(compilers.ARM + "gcc"):
        tally.skip("Cortex-M0: there is no %sgcc" % compilers.ARM)
        return
    try:
        check(tally, "cortex-m0", measure("cortex-m0", machines=False))
    except subprocess.CalledProcessError as error:
        tally.check(False, "Cortex-M0: %s\n%s" % (" ".join(error.cmd), error.stderr))


def measure_all():
    """({target: figures of thrum}, {target: figures of the loop by hand}); two targets at a time."""
    with compilers.workers() as pool:
        others = {name: pool.submit(superloop, name) for name in compilers.TARGETS}
        ours = {"cortex-m0": measure("cortex-m0")}
        jobs = {name: pool.submit(measure, name, True, ours["cortex-m0"])
                for name in compilers.TARGETS if name not in ours}
        ours.update({name: job.result() for name, job in jobs.items()})
        return ours, {name: job.result() for name, job in others.items()}
