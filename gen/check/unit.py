"""One translation unit: parse it, and check each function that somebody wrote in it."""

import functools
import os
import re

from clang import cindex
from clang.cindex import CursorKind as K
from clang.cindex import Diagnostic

import clangapi as api
from findings import Findings
from flow import Flow
from statements import Builder

IGNORE = re.compile(r"thrum-check:\s*(ignore|ignore-file)\b(?!-)((?:\s+thrum-[a-z-]+)*)")
MOST_ERRORS = 5
CONTAINERS = (K.NAMESPACE, K.LINKAGE_SPEC, K.UNEXPOSED_DECL, K.CLASS_DECL, K.STRUCT_DECL)
HANDED_ON = (K.CALL_EXPR, K.RETURN_STMT)
NAMED = (K.VAR_DECL, K.DECL_REF_EXPR, K.MEMBER_REF_EXPR, K.ARRAY_SUBSCRIPT_EXPR)
FUNCTIONS = (K.FUNCTION_DECL, K.CXX_METHOD, K.CONSTRUCTOR, K.DESTRUCTOR)


class ParseError(Exception):
    """The text does not compile; holds the compiler's messages."""


def check(file, arguments, directory):
    """All findings in one source file; ParseError when it does not compile."""
    unit = parse(file, arguments, directory)
    canceled = canceled_value(unit.cursor)
    if canceled is None:
        return []  # a file that does without thrum
    found = []
    for function in functions(unit.cursor):
        body = api.kids(function)[-1]
        in_async = is_async(body)
        if not in_async and not api.any_below(body, keeps_awaitable):
            continue
        findings = Findings()
        graph = Builder(canceled, findings.report).build(body, in_async)
        Flow(graph, findings, canceled).run()
        found += findings.close()
    return [finding for finding in found if not ignored(finding)]


def parse(file, arguments, directory):
    path = os.path.join(directory, file)
    try:
        unit = cindex.Index.create().parse(path, args=[*arguments, "-working-directory=" + directory])
    except cindex.TranslationUnitLoadError:
        raise ParseError(f"{path}: error: cannot be read or parsed") from None
    errors = []
    for message in unit.diagnostics:
        if message.severity >= Diagnostic.Error:
            at = message.location
            errors.append(f"{at.file or path}:{at.line}:{at.column}: error: {message.spelling}")
    if len(errors) > MOST_ERRORS:
        errors[MOST_ERRORS:] = [f"{path}: {len(errors) - MOST_ERRORS} more errors"]
    if errors:
        raise ParseError("\n".join(errors))
    return unit


def functions(cursor):
    """The function definitions of a file and of what it includes, but for those of the system and of thrum itself."""
    for kid in cursor.get_children():
        if kid.kind in CONTAINERS:
            yield from functions(kid)
        elif kid.kind in FUNCTIONS and kid.is_definition():
            if not api.in_system_header(kid) and not is_own(kid.location.file.name):
                yield kid


@functools.lru_cache(maxsize=None)
def is_own(file):
    """Whether this is one of thrum's public headers, whose few inline functions await nothing."""
    folder = os.path.dirname(file)
    return os.path.basename(folder) == "thrum" and os.path.exists(os.path.join(folder, "checking.h"))


def is_async(body):
    for kid in body.get_children():
        if kid.kind == K.FOR_STMT:
            start = api.for_parts(kid)[0]
            if start is not None and api.bare(start).spelling == "thrum_checking_body_":
                return True
    return False


def keeps_awaitable(cursor, parent):
    """Whether this is an awaitable that is not just made and handed on, so that a plain function is worth a look."""
    if cursor.kind == K.CALL_EXPR:
        return parent.kind not in HANDED_ON and cursor.type.spelling.endswith("thrum_awaitable")
    return cursor.kind in NAMED and cursor.type.spelling.endswith("thrum_awaitable")


def canceled_value(cursor):
    """What THRUM_ECANCELED is in the headers that the file uses; None without them."""
    for kid in cursor.get_children():
        if kid.kind == K.ENUM_DECL:
            if kid.spelling != "thrum_error_code":
                continue
            for constant in kid.get_children():
                if constant.spelling == "THRUM_ECANCELED":
                    return constant.enum_value
        elif kid.kind in CONTAINERS[:3]:
            value = canceled_value(kid)
            if value is not None:
                return value
    return None


def ignored(finding):
    """Whether a comment on the line of a finding, or one for the whole file, says that it is meant so."""
    file, line, _ = finding.where
    return any(scope in (line, "file") and (not rules or "thrum-" + finding.rule in rules)
               for scope, rules in ignores(file))


@functools.lru_cache(maxsize=64)
def ignores(file):
    """What the comments in a file silence: (line or "file", rules or nothing for all)."""
    said = []
    try:
        with open(file, encoding="utf-8", errors="replace") as text:
            for number, line in enumerate(text, 1):
                match = IGNORE.search(line)
                if match:
                    said.append(("file" if match.group(1) == "ignore-file" else number, match.group(2).split()))
    except OSError:
        pass
    return said
