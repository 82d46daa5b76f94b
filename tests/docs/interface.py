"""What the public headers declare, and what their comments say of it."""
import bisect
import functools
import glob
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INCLUDE = os.path.join(ROOT, "include")
# checking.h stands in for the macros of async.h when the checker reads a program; its macros are those of async.h.
PASSED_OVER = {"checking.h"}

COMMENT = re.compile(r"/\*.*?\*/", re.S)
# A function that is declared, or defined inline: its name, its parameters.
FUNCTION = re.compile(r"^(?:THRUM_API|static inline)\b(?!\s+extern\b)([^;{}()=]*?)\b(thrum_\w+)\s*\(((?:[^()]|\([^()]*\))*)\)"
                      r"[\w\s]*[;{]", re.M)
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)(?:\(([^)]*)\))?", re.M)


class Declared:
    """A name of the interface. `comment` is what stands above or behind it, "" where nothing does."""

    def __init__(self, kind, name, header, line, comment):
        self.kind, self.name, self.header, self.line, self.comment = kind, name, header, line, comment
        self.parameters, self.is_void = [], False

    @property
    def where(self):
        return f"include/thrum/{self.header}:{self.line}: {self.name}"


def parameters_of(text):
    """The names in a parameter list, also those of function pointers."""
    names, depth, part, parts = [], 0, "", []
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += character
    for part in parts + [part]:
        part = part.strip()
        if part and part != "void":
            pointer = re.search(r"\(\*(\w+)\)", part)
            names.append(pointer.group(1) if pointer else re.search(r"(\w+)(?:\[[^]]*\])?$", part).group(1))
    return names


def spoken(comment):
    """The text of a comment, without its stars."""
    return "\n".join(re.sub(r"^\s*\*? ?", "", line) for line in comment[3:-2].lstrip("<").split("\n")).strip()


class Header:
    def __init__(self, path):
        self.name = os.path.basename(path)
        with open(path, encoding="utf-8") as file:
            self.text = file.read()
        # The same length, with nothing in the comments.
        self.code = COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), self.text)
        self.docs = [(match.start(), match.end(), spoken(match.group())) for match in COMMENT.finditer(self.text)
                     if match.group().startswith("/**")]
        self.begins = [start for start, _, _ in self.docs]

    def line(self, place):
        return self.text.count("\n", 0, place) + 1

    def above(self, place):
        """The comment in front of a place, with nothing but directives and attributes between."""
        last = bisect.bisect_left(self.begins, place) - 1
        if last < 0:
            return ""
        start, end, text = self.docs[last]
        between = re.sub(r"^[ \t]*#[ \t]*(?:if|ifndef|ifdef|else|elif|endif)\b.*$", "", self.code[end:place], flags=re.M)
        return "" if between.strip() or text.startswith("@file") or self.text.startswith("/**<", start) else text

    def behind(self, place):
        """The comment /**< that follows on the same line."""
        end = self.code.find("\n", place)
        for start, _, text in self.docs:
            if place <= start <= end and self.text.startswith("/**<", start):
                return text
        return ""


def of_functions(header):
    for match in FUNCTION.finditer(header.code):
        if re.search(r"template <[^\n]*>\s*$", header.code[:match.start()]):
            continue  # what is a macro in C
        found = Declared("function", match.group(2), header.name, header.line(match.start()), header.above(match.start()))
        found.parameters = parameters_of(match.group(3))
        found.is_void = re.sub(r"\b(?:THRUM_\w+|const|static|inline)\b", "", match.group(1)).strip() == "void"
        yield found


def of_macros(header):
    """A macro that stands right behind others, or behind a function, has their comment."""
    last, until = "", -1
    for match in MACRO.finditer(header.code):
        end = match.end()
        while header.code[end - 1:end] != "\n" or header.code[end - 2:end - 1] == "\\":
            end = header.code.find("\n", end) + 1
        comment = header.above(match.start())
        if not comment and until == match.start():
            comment = last
        if not comment:
            before = header.code.rfind("\n\n", 0, match.start())
            first = FUNCTION.search(header.code, max(before, 0), match.start())
            comment = header.above(first.start()) if first else ""
        last, until = comment, end
        yield Declared("macro", match.group(1), header.name, header.line(match.start()), comment)


def macro_bodies():
    """Each macro with what it stands for."""
    for header in headers():
        for match in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+(\w+)((?:\\\n|[^\n])*)", header.code, re.M):
            yield match.group(1), match.group(2)


def of_types(header):
    """Types, and what stands in the braces of structs and enums."""
    for match in re.finditer(r"^typedef struct\n(?:#[^\n]*\n|[ \t]+[\w(\[][^\n;{]*\n)*[ \t]+(\w+)[ \t]*\{", header.code, re.M):
        yield Declared("type", match.group(1), header.name, header.line(match.start()), header.above(match.start()))
    for match in re.finditer(r"^(?:typedef\s+)?(struct|enum)\s+(\w+)?[^;{}()]*\{(.*?)\n?\}\s*(\w*)\s*;", header.code, re.M | re.S):
        name = match.group(4) or match.group(2)
        own = header.above(match.start())
        if name:
            yield Declared("type", name, header.name, header.line(match.start()), own)
        for member in re.finditer(r"(\w+)\s*(?:\[[^]]*\])?\s*(?==|,|;|\n|$)" if match.group(1) == "enum" else
                                  r"(?:\(\*)?(\w+)\)?\s*(?:\[[^]]*\]|\([^)]*\))?\s*[;,]", match.group(3)):
            place = match.start(3) + member.start(1)
            comment = header.behind(place) or header.above(place) or own
            if match.group(1) == "enum":
                if re.match(r"THRUM_\w+$", member.group(1)):
                    yield Declared("enumerator", member.group(1), header.name, header.line(place), comment)
            elif name:
                yield Declared("field", f"{name}.{member.group(1)}", header.name, header.line(place), comment)
    for match in re.finditer(r"^typedef\s+[^;{}]*?\b(thrum_\w+)\s*(?:\([^;{}]*\))?;", header.code, re.M):
        yield Declared("type", match.group(1), header.name, header.line(match.start()), header.above(match.start()))


@functools.lru_cache(maxsize=None)
def headers():
    return [Header(path) for path in sorted(glob.glob(os.path.join(INCLUDE, "thrum", "*.h")))
            if os.path.basename(path) not in PASSED_OVER]


def is_private(name):
    return name.endswith("_") or name.endswith("_H")


@functools.lru_cache(maxsize=None)
def functions():
    """Each public function once; of several declarations the one with a comment."""
    found = {}
    for header in headers():
        for function in of_functions(header):
            if not is_private(function.name) and not (function.name in found and found[function.name].comment):
                found[function.name] = function
    return found


def everything():
    """Every public name, with the best comment that it has: functions, macros, types, enumerators, fields."""
    found = dict(functions())
    for header in headers():
        for one in [*of_macros(header), *of_types(header)]:
            if not is_private(one.name) and not (one.name in found and found[one.name].comment):
                found[one.name] = one
    mentioned = {name: other.comment for other in found.values() if other.kind == "function"
                 for name in re.findall(r"\b(\w+)\([\w&]", other.comment)}
    # A short name is documented with its twin, and the other way round.
    for name, one in found.items():
        twin = found.get("THRUM_" + name) or found.get(name[len("THRUM_"):] if name.startswith("THRUM_") else "")
        if not one.comment and twin:
            one.comment = twin.comment
        # A macro in front of a function is described with it: "thrum_gather(results, a, b) is the same for ...".
        if not one.comment and one.kind == "macro":
            one.comment = mentioned.get(name, "")
    return found


def used_by_tests():
    """Every word in the code of the tests, in that of the documents, which is compiled and run, and in the library for
    tests, which stands on the public headers."""
    words = set()
    for path in glob.glob(os.path.join(ROOT, "tests", "**", "*"), recursive=True) + \
            glob.glob(os.path.join(ROOT, "lib", "testing", "*.c")) + \
            glob.glob(os.path.join(ROOT, "*.md")) + glob.glob(os.path.join(ROOT, "doc", "*.md")):
        if path.endswith((".c", ".h", ".cpp", ".inc", ".md")):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if path.endswith(".md"):
                text = "\n".join(re.findall(r"^```c\n(.*?)^```", text, re.M | re.S))
            words |= set(re.findall(r"\w+", re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)))
    return words
