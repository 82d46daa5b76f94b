"""Many sources and headers as one text: each header once, in front of all that need it."""
import heapq
import os
import re
import sys

from . import names
from .sources import ROOT, ports, read

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CONDITION = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b\s*(.*)$")

# Sources with a weak function that a port may bring itself.
WEAK = {"lib/loop/bare/panic.c": "thrum_port_panic"}
# What ports in thrum.c may include besides thrum's own headers.
HARMLESS = {"board.h", "avr/interrupt.h", "avr/io.h", "avr/sleep.h", "errno.h", "poll.h", "signal.h", "stdbool.h", "stddef.h",
            "stdint.h", "stdio.h", "stdlib.h", "string.h", "sys/select.h", "time.h", "unistd.h"}


class Text:
    """A source or a header: its lines, and what it includes where conditions on THRUM_HOSTED hold."""

    def __init__(self, path, hosted):
        self.path = path
        self.headers = []  # own ones that have to stand before it
        self.later = []  # and own ones that only have to be there: it includes them behind its declarations
        self.within = {}  # and those that stand in its own text, under a condition that the compiler decides: by line
        self.system = []  # the system's, outside of every condition
        self.port = port_macro(path)
        self.early = []  # of a port: what it has to say before any header of the system
        self.lines = []
        text = read(path)
        guard = re.search(r"^#ifndef (THRUM_(?:\w+_)?H)$", text, re.M)
        open_conditions = []  # True, False, or None for what is not known here
        for line in text.splitlines():
            condition = CONDITION.match(line)
            include = INCLUDE.match(line)
            if condition:
                self.follow(open_conditions, condition, hosted, guard)
            if self.port and re.match(r"#define _\w+_SOURCE\b", line):
                self.early.append(line)
            elif not include:
                self.lines.append(line)
            elif own(path, include[2]):
                if None in open_conditions:
                    self.within[len(self.lines)] = own(path, include[2])
                    self.lines.append(line)
                elif False not in open_conditions:
                    (self.later if "THRUM_BEGIN_DECLS" in self.lines else self.headers).append(own(path, include[2]))
            elif all(open_conditions) and not self.port:
                self.system.append(include[2])
            else:
                self.lines.append(line)

    @staticmethod
    def follow(open_conditions, condition, hosted, guard):
        word, what = condition.groups()
        if word == "endif":
            open_conditions.pop()
        elif word in ("else", "elif"):
            known = open_conditions[-1]
            open_conditions[-1] = None if known is None or word == "elif" else not known
        else:
            holds = {"THRUM_HOSTED": hosted, "!THRUM_HOSTED": not hosted}.get(what)
            if word == "ifndef" and guard and what == guard[1]:
                holds = True
            if what.startswith("THRUM_HOSTED &&") and not hosted or what.startswith("!THRUM_HOSTED &&") and hosted:
                holds = False
            open_conditions.append(holds)


def stands_apart(path):
    """Whether a port stands on another system's headers: it has a file of its own, since their names may be any."""
    included = [match[2] for match in map(INCLUDE.match, read(path).splitlines()) if match]
    return not all(name.startswith("thrum/") or name in HARMLESS for name in included)


def port_macro(path):
    """The macro that chooses a port (lib/loop/bare/port_NAME.c); None for what is no port."""
    name = re.fullmatch(r"lib/loop/bare/port_(\w+)\.c", path)
    return name and f"THRUM_PORT_{name[1].upper()}"


def own(path, name):
    """The file of this tree that an include means, or None."""
    if name == "thrum.h" or name.startswith("thrum/"):
        return f"include/{name}"
    for candidate in (os.path.normpath(os.path.join(os.path.dirname(path), name)), f"lib/{name}"):
        if os.path.exists(os.path.join(ROOT, candidate)):
            return candidate
    return None


class Tree:
    """All that roots include."""

    def __init__(self, hosted, roots):
        self.hosted, self.roots, self.texts = hosted, roots, {}
        # What somebody includes whatever the compiler decides; all other headers stand within those that include them.
        self.always, queue = set(), list(roots)
        while queue:
            text = self.get(queue.pop())
            for header in text.headers + text.later:
                if header not in self.always:
                    self.always.add(header)
                    queue.append(header)
            queue += text.within.values()

    def get(self, path):
        if path not in self.texts:
            self.texts[path] = Text(path, self.hosted)
        return self.texts[path]

    def before(self, path):
        """The headers that have to stand before this one."""
        text = self.get(path)
        found = set(text.headers)
        for inner in text.within.values():
            found |= {inner} if inner in self.always else self.before(inner)
        return found - {path}

    def order(self):
        """The headers, each behind those that it includes itself; of two that may stand either way the first by name
        comes first."""
        wanted = {header: self.before(header) for header in self.always}
        users = {header: [user for user, uses in wanted.items() if header in uses] for header in wanted}
        free = sorted(header for header, uses in wanted.items() if not uses)
        order = []
        while free:
            header = heapq.heappop(free)
            order.append(header)
            for user in users[header]:
                wanted[user].discard(header)
                if not wanted[user]:
                    heapq.heappush(free, user)
        if len(order) != len(wanted):
            sys.exit("headers include each other: " + ", ".join(sorted(set(wanted) - set(order))))
        return order


def section(tree, text):
    """A file with a line that names it. A header that only the compiler's conditions ask for stands within it."""
    lines = []
    for number, line in enumerate(text.lines):
        inner = text.within.get(number)
        if not inner:
            lines.append(line)
        elif inner not in tree.always:
            lines.append(section(tree, tree.get(inner)).rstrip("\n"))
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(lines).strip("\n"))
    if text.path in WEAK:  # in one file a port's function does not replace a weak one
        others = [port_macro(path) for path in ports() if re.search(rf"^[^\s].*\b{WEAK[text.path]}\(", read(path), re.M)]
        if others:
            condition = " && ".join(f"!defined({macro})" for macro in others)
            body = f"#if {condition}\n\n{body}\n\n#endif"
    if text.port:
        body = f"#if defined({text.port})\n\n{body}\n\n#endif"
    name = text.path.removeprefix("include/")
    return f"/* ==== {name} {'=' * (108 - len(name))} */\n\n{body}\n\n"


def sections(tree, paths):
    """The files one after the other, the system's headers that they include in front."""
    texts = [tree.get(path) for path in paths]
    parts = names.told_apart({text.path: section(tree, text) for text in texts})
    system = sorted({name for text in texts for name in text.system})
    return "".join(f"#include <{name}>\n" for name in system) + "\n" + "".join(parts.values())
