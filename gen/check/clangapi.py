"""What the checker needs of libclang and its Python bindings do not give.

libclang 14 (Debian 12) has no call that tells which operator an expression is, or which of its three parts a `for`
leaves out. Both stand in the first words of the statement that a cursor points to. They are read from there, and
calibrate() proves at every start, on a text whose answers are known, that this libclang keeps them there.
"""

import ctypes
import re

from clang import cindex
from clang.cindex import Cursor, CursorKind, SourceLocation, TypeKind, conf

BINARY = ("PtrMemD PtrMemI * / % + - << >> <=> < > <= >= == != & ^ | && || = *= /= %= += -= <<= >>= &= ^= |= ,").split()
UNARY = "post++ post-- ++ -- & * + - ~ !".split()
OPCODE_BIT = 18


class UnknownLibclang(Exception):
    """This libclang keeps its statements in a way that the checker does not know."""


def _words(cursor, type_, count):
    return ctypes.cast(cursor.data[1], ctypes.POINTER(type_))[:count]


def operator(cursor):
    """The operator of a BINARY_OPERATOR, COMPOUND_ASSIGNMENT_OPERATOR or UNARY_OPERATOR: "=", "&&", "post++"."""
    code = _words(cursor, ctypes.c_uint32, 1)[0] >> OPCODE_BIT
    if cursor.kind == CursorKind.UNARY_OPERATOR:
        code &= 31
        return UNARY[code] if code < len(UNARY) else "?"
    code &= 63
    return BINARY[code] if code < len(BINARY) else "?"


def for_parts(cursor):
    """(init, condition, increment, body) of a FOR_STMT; None for what is left out."""
    init, _, condition, increment, body = _words(cursor, ctypes.c_void_p, 6)[1:]
    kids = {kid.data[1]: kid for kid in cursor.get_children()}
    return tuple(kids.get(part) if part else None for part in (init, condition, increment, body))


_SAMPLE = """
int f(void); int a, *p;
void g(void) {
    a = 1; a == 2; a && a; a || a; a, a; a + 1; a < 1; a ^ 1; a += 2;
    &a; *p; ++a; a--; !a; -a;
    for (;;) ; for (f();;) ; for (;f();) ; for (;;f()) ;
    for (f();f();) ; for (;f();f()) ; for (f();;f()) ; for (f();f();f()) ;
}
"""
_SAMPLE_OPERATORS = "= == && || , + < ^ += & * ++ post-- ! -".split()
_SAMPLE_FORS = ["...", "i..", ".c.", "..n", "ic.", ".cn", "i.n", "icn"]


def calibrate():
    """Raise UnknownLibclang unless operator() and for_parts() answer rightly on a known text."""
    unit = cindex.Index.create().parse("sample.c", args=["-w"], unsaved_files=[("sample.c", _SAMPLE)])
    operators, fors = [], []

    def walk(cursor):
        if cursor.kind in OPERATORS:
            operators.append(operator(cursor))
        if cursor.kind == CursorKind.FOR_STMT:
            init, condition, increment, body = for_parts(cursor)
            fors.append(("i" if init else ".") + ("c" if condition else ".") + ("n" if increment else "."))
            if body is None or body.kind != CursorKind.NULL_STMT:
                raise UnknownLibclang()
        for kid in cursor.get_children():
            walk(kid)

    walk(unit.cursor)
    if operators != _SAMPLE_OPERATORS or fors != _SAMPLE_FORS:
        raise UnknownLibclang()


OPERATORS = (CursorKind.BINARY_OPERATOR, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR, CursorKind.UNARY_OPERATOR)


def _register():
    lib = conf.lib
    pointer = ctypes.POINTER(ctypes.c_uint)
    lib.clang_getFileLocation.argtypes = [SourceLocation, ctypes.POINTER(ctypes.c_void_p), pointer, pointer, pointer]
    lib.clang_getFileLocation.restype = None
    lib.clang_Cursor_getVarDeclInitializer.argtypes = [Cursor]
    lib.clang_Cursor_getVarDeclInitializer.restype = Cursor
    lib.clang_Cursor_Evaluate.argtypes = [Cursor]
    lib.clang_Cursor_Evaluate.restype = ctypes.c_void_p
    lib.clang_EvalResult_getKind.argtypes = [ctypes.c_void_p]
    lib.clang_EvalResult_getKind.restype = ctypes.c_int
    lib.clang_EvalResult_getAsLongLong.argtypes = [ctypes.c_void_p]
    lib.clang_EvalResult_getAsLongLong.restype = ctypes.c_longlong
    lib.clang_EvalResult_dispose.argtypes = [ctypes.c_void_p]
    lib.clang_EvalResult_dispose.restype = None
    lib.clang_Location_isInSystemHeader.argtypes = [SourceLocation]
    lib.clang_Location_isInSystemHeader.restype = ctypes.c_int


_register()


def place(cursor):
    """(file, line, column) where a person wrote it: of a macro's argument the argument, else the macro's use."""
    location = cursor.location
    file, line, column, offset = ctypes.c_void_p(), ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint()
    conf.lib.clang_getFileLocation(location, ctypes.byref(file), ctypes.byref(line), ctypes.byref(column),
                                   ctypes.byref(offset))
    name = location.file.name if location.file else "?"
    if file.value:
        name = cindex.File(ctypes.cast(file, cindex.c_object_p)).name
    return name, line.value, column.value


def initializer(variable):
    """The initialiser of a VAR_DECL, or None."""
    raw = conf.lib.clang_Cursor_getVarDeclInitializer(variable)
    if not raw.data[1]:
        return None
    for kid in variable.get_children():
        if kid.data[1] == raw.data[1]:
            return kid
    return None


def constant(cursor):
    """The value of an integer constant expression, or None."""
    result = conf.lib.clang_Cursor_Evaluate(cursor)
    if not result:
        return None
    value = None
    if conf.lib.clang_EvalResult_getKind(result) == 1:
        value = conf.lib.clang_EvalResult_getAsLongLong(result)
    conf.lib.clang_EvalResult_dispose(result)
    return value


def kids(cursor):
    return list(cursor.get_children())


def any_below(cursor, test):
    """Whether test(cursor, parent) is true of anything in a tree; quicker than to walk it from Python."""
    found = []

    def visit(kid, parent, _):
        kid._tu = parent._tu = cursor._tu
        if test(kid, parent):
            found.append(True)
            return 0  # CXChildVisit_Break
        return 2  # CXChildVisit_Recurse

    conf.lib.clang_visitChildren(cursor, cindex.callbacks["cursor_visit"](visit), None)
    return bool(found)


def bare(cursor):
    """The expression under parentheses and implicit conversions."""
    while cursor.kind in (CursorKind.PAREN_EXPR, CursorKind.UNEXPOSED_EXPR):
        inner = kids(cursor)
        if len(inner) != 1 or not inner[0].kind.is_expression():
            break
        cursor = inner[0]
    return cursor


def callee(call):
    """Name of the function that a CALL_EXPR calls directly, or ""."""
    return call.spelling or ""


def is_pointer(type_):
    return type_.get_canonical().kind == TypeKind.POINTER


ARRAYS = (TypeKind.CONSTANTARRAY, TypeKind.INCOMPLETEARRAY, TypeKind.VARIABLEARRAY, TypeKind.DEPENDENTSIZEDARRAY)


def is_array(type_):
    return type_.get_canonical().kind in ARRAYS


def is_awaitable(type_):
    return type_.get_canonical().get_declaration().spelling == "thrum_awaitable"


def key_of(declaration):
    """A hashable name of a declaration within its translation unit."""
    return declaration.canonical.data[0]


def statement_key(statement):
    """A hashable name of an expression or statement within its translation unit."""
    return statement.data[1]


def may_carry(type_, depth=4):
    """Whether a value of this type may hold an address."""
    if re.search(r"\bu?intptr_t\b|\bthrum_value\b", type_.spelling):
        return True
    type_ = type_.get_canonical()
    if is_array(type_):
        return may_carry(type_.get_array_element_type(), depth)
    if type_.kind == TypeKind.RECORD:
        return depth > 0 and any(may_carry(field.type, depth - 1) for field in type_.get_fields())
    return type_.kind == TypeKind.POINTER


def is_thread_local(variable):
    return variable.tls_kind != cindex.TLSKind.NONE


def in_system_header(cursor):
    return bool(conf.lib.clang_Location_isInSystemHeader(cursor.location))
