"""Names of single files in a text that holds many.

What a source defines for itself (static functions and objects, types, constants) may have a name that another source uses,
too. In one file they would clash, or shadow each other; so such a name gets the name of its source in front. Names of
async functions stay as they are: they stand in error traces.
"""
import os
import re

# Comments, strings and characters are one token each, so that nothing in them is taken for code.
TOKEN = re.compile(r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | \#\s*\w+ | \w+ | -> | \s+ | .""",
                   re.S | re.X)
WORD = re.compile(r"[A-Za-z_]\w*\Z")
BEFORE_NAME = {"(", "=", ";", "[", ","}


def tokens(text):
    return TOKEN.findall(text)


def is_code(token):
    return not token.isspace() and not token.startswith(("/*", "//"))


def words(text):
    """The identifiers that a text uses, but for members of structs that are read."""
    code = [token for token in tokens(text) if is_code(token)]
    return {token for before, token in zip([""] + code, code) if WORD.match(token) and before not in (".", "->")}


def defined(text):
    """The names that a source defines for itself: {name: whether it is a function or an object}; a tag begins with
    "struct "."""
    found = {}
    code = [token for token in tokens(text) if is_code(token)]
    depth = 0
    statement = []  # the words of the declaration at file scope that is being read
    for at, token in enumerate(code):
        following = code[at + 1] if at + 1 < len(code) else ""
        if token.startswith("#"):
            if token.replace(" ", "") == "#define":
                found[following] = False
            statement = []
        elif token in "{([" and token:
            if token == "{" and depth == 0 and statement[-1:] == ["enum"] or statement[-2:-1] == ["enum"]:
                found.update(dict.fromkeys(constants(code, at), False))
            if token == "{" and depth == 0 and statement[-2:-1] in (["struct"], ["union"]):
                found[f"struct {statement[-1]}"] = False
            if depth == 0 and token in "([" and "static" in statement and statement[-1] != "_Atomic":
                if not statement[-1].startswith("ASYNC"):
                    found.setdefault(statement[-1], True)
                statement = ["seen"]  # what follows the braces of a body is none of it
            depth += 1
        elif token in "})]" and token:
            depth -= 1
            if depth == 0 and token == "}" and following not in BEFORE_NAME and not WORD.match(following):
                statement = []
        elif depth == 0 and token in (";", "=", ","):
            if "static" in statement:
                found.setdefault(statement[-1], True)
            if "typedef" in statement and token == ";":
                found[statement[-1]] = False
            if token == ";":
                statement = []
            elif token == "=":
                statement = ["seen"]
        elif depth == 0 and WORD.match(token):
            statement.append(token)
    return found


def constants(code, at):
    """The names in the braces of an enum, the first of which stands at `at`."""
    names, depth = [], 0
    for before, token in zip(code[at:], code[at + 1:]):
        depth += (before in "{(") - (before in "})")
        if depth == 0:
            break
        if depth == 1 and before in ("{", ",") and WORD.match(token):
            names.append(token)
    return names


def renamed(text, names):
    """The text with {old: (new, is an object)}. Members of structs keep their names."""
    out = []
    before, structs, braces = [""] * 2, [], 0
    every = tokens(text)
    code_after = {}
    following = ""
    for at in range(len(every) - 1, -1, -1):
        code_after[at] = following
        if is_code(every[at]):
            following = every[at]
    for at, token in enumerate(every):
        if is_code(token):
            if token == "{":
                braces += 1
                if "struct" in before or "union" in before:
                    structs.append(braces)
            elif token == "}":
                if structs and structs[-1] == braces:
                    structs.pop()
                braces -= 1
            elif token in names and before[-1] not in (".", "->"):
                member = structs and (names[token][1] or code_after[at] in (";", ",", "[", ":", ")")
                                      and before[-1] not in ("[", "struct", "union", "enum"))
                if not member:
                    out.append(names[token][0])
                    before = [before[-1], token]
                    continue
            before = [before[-1], token]
        out.append(token)
    return "".join(out)


def stem(path):
    return re.sub(r"\W", "_", os.path.basename(path).removesuffix(".c"))


def told_apart(texts):
    """{path: text} of one file's parts; sources among them with names that no other part uses."""
    used = {path: words(text) for path, text in texts.items()}
    header_tags = set().union(*(re.findall(r"\b(?:struct|union) (\w+)", text)
                                for path, text in texts.items() if path.endswith(".h")))
    result = dict(texts)
    for path, text in texts.items():
        if not path.endswith(".c"):
            continue
        others = set().union(*(used[other] for other in used if other != path))
        found = defined(text)
        # A tag that a header names, and its typedef, are that header's.
        shared = {name for name in header_tags if f"struct {name}" in found}
        names = {name.removeprefix("struct "): is_object for name, is_object in found.items()}
        names = {name: (f"{stem(path)}_{name}", is_object) for name, is_object in names.items()
                 if name in others and name not in shared and not name.lower().startswith("thrum_")}
        clash = sorted(new for new, _ in names.values() if new in others | used[path])
        if clash:
            raise SystemExit(f"{path}: names that are taken already: " + ", ".join(clash))
        if names:
            result[path] = renamed(text, names)
    return result
