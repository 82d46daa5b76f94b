"""The tables of what thrum costs on microcontrollers, and the page of the documentation that has them."""
import json
import os
import re

from harness import compilers, report
from harness.compilers import ROOT, SOURCES
from harness.embedded import (ASLEEP, AWAIT, EVENT, FLASH, LIBRARY, MASKED, NESTED, RAM, SEVEN, SIGNAL, STACK, STATIC, TASK,
                              UNDEFINED)

PAGE = os.path.join(ROOT, "doc", "comparison.md")
ROWS = [
    (FLASH, "flash of the program with three coroutines, B"),
    (LIBRARY, "of these, the library"),
    (SEVEN, "flash of a program with sleep, time limit, group, lock, event, semaphore and queue, B"),
    (RAM, "RAM of the first program, without the C stack, B"),
    (STATIC, "of these, static in core and loop"),
    (TASK, "RAM a task: with timer, wait node, waiters and its first frame's header, B"),
    (NESTED, "RAM a nested call adds to its arguments and locals, B"),
    (AWAIT, "code an await, B"),
    (STACK, "C stack of loop, scheduler and a step, B"),
    (SIGNAL, "instructions from an interrupt to who awaits its signal, from idle"),
    (EVENT, "to who awaits an event that the signal sets"),
    (MASKED, "instructions behind the mask in what interrupts may call, at most"),
    (ASLEEP, "instructions while nothing is due"),
    (UNDEFINED, "left undefined besides the port's functions"),
]
FIXED = {UNDEFINED: ("memcpy, memset", "none"), ASLEEP: ("0", "0")}  # musts and goals that are not in limits.json


def number(value):
    return "{:,}".format(round(value)) if abs(value - round(value)) < 0.05 else "%.1f" % value


def bound(figure, which):
    """What limits.json wants of a figure; where two processors differ, of both."""
    if figure in FIXED:
        return FIXED[figure][which == "aim"]
    found = [report.limits(name).get(figure, {}).get(which, {}).get("value") for name in ("cortex-m0", "cortex-m3")]
    texts = list(dict.fromkeys(number(value) for value in found if value is not None))
    return " / ".join(texts) if texts else ""


def cell(name, figure, found):
    value = found.get(figure)
    if figure == UNDEFINED:
        return ", ".join(sorted(value)) or "none"
    if value is None:
        return "–"
    bounds = report.limits(name).get(figure)
    return number(value) + ("" if not bounds else " **missed**" if value > bounds["gate"]["value"]
                            else " ✓" if value <= bounds["aim"]["value"] else "")


def markdown(head, rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)) + "\n"


def figures(ours):
    """What thrum takes: a line a figure, a column a target."""
    rows = [[title, bound(figure, "gate"), bound(figure, "aim"), *(cell(name, figure, found) for name, found in ours.items())]
            for figure, title in ROWS]
    return markdown(["", "at most", "goal", *(compilers.TARGETS[name]["title"] for name in ours)], rows)


def ratio(ours, other):
    return "%.2f" % (ours / other)


def beside(ours, others):
    """The same program with others, and how many times that thrum takes."""
    with open(os.path.join(SOURCES, "published.json")) as file:
        published = json.load(file)
    small, large = ours["cortex-m0"], ours["cortex-m3"]
    rows = [["**thrum**, this run", number(small[FLASH]), "1", number(large[FLASH]), number(small[RAM]), "1", number(small[LIBRARY]),
             number(small[STATIC]), "%d with a frame" % small[TASK], "%d / %d" % (small[SIGNAL], large[SIGNAL])]]
    hand, hand_large = others["cortex-m0"], others["cortex-m3"]
    rows.append(["a loop by hand, this run", number(hand[FLASH]), ratio(small[FLASH], hand[FLASH]), number(hand_large[FLASH]),
                 number(hand[RAM]), ratio(small[RAM], hand[RAM]), "0", "0", "2 + 4 a timer", "polls"])
    for each in published:
        rows.append([each["name"], number(each["flash"][0]), ratio(small[FLASH], each["flash"][0]), number(each["flash"][1]),
                     number(each["ram"]), ratio(small[RAM], each["ram"]), number(each["library"]), number(each["static"]),
                     each["task"], "%d / %d" % tuple(each["wake"])])
    return markdown(["", "flash M0", "thrum : it", "flash M3", "RAM M0", "thrum : it", "library's flash", "library's RAM",
                     "RAM a task", "interrupt to user code, M0 / M3"], rows)


def by_hand(ours, others):
    """thrum and the loop by hand on every target."""
    rows = [[compilers.TARGETS[name]["title"], number(found[FLASH]), number(others[name][FLASH]),
             ratio(found[FLASH], others[name][FLASH]), number(found[RAM]), number(others[name][RAM]),
             ratio(found[RAM], others[name][RAM]), number(found[AWAIT]), number(others[name][AWAIT]),
             ratio(found[AWAIT], others[name][AWAIT])] for name, found in ours.items()]
    return markdown(["", "flash", "by hand", "ratio", "RAM", "by hand", "ratio", "code an await", "by hand", "ratio"], rows)


def sources():
    with open(os.path.join(SOURCES, "published.json")) as file:
        return "".join("- %s: %s.\n" % (each["name"].partition(":")[0].partition(",")[0], each["source"]) for each in json.load(file))


def page(tables):
    """The page's text with these tables, {name: text}, between its marks; and the text as it is."""
    with open(PAGE, encoding="utf-8") as file:
        was = file.read()
    text = was
    for name, table in tables.items():
        text, count = re.subn(r"(<!-- measured: %s -->\n).*?(<!-- end -->)" % name, lambda m: m[1] + "\n" + table + "\n" + m[2], text,
                              flags=re.S)  # noqa: B023
        if count != 1:
            raise ValueError("%s has no place for the table %s" % (PAGE, name))
    return text, was
