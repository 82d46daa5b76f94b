"""Conditions: which way control goes, and what each way says about the value that was asked for."""

from clang.cindex import CursorKind as K
from clang.cindex import TypeKind

import clangapi as api
from graph import Place

COMPARE = {"==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, ">": lambda a, b: a > b,
           "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b}
TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


class Test:
    """What an edge says: it is taken when the place named by `key` holds a value for which `holds` is true.

    One that is not `exact` only says so of cancellations; without a key, of every cancellation there is.
    """

    def __init__(self, key, holds, exact=True):
        self.key = key
        self.holds = holds
        self.exact = exact


class Conditions:
    """The part of the builder that knows conditions."""

    def condition(self, cursor, yes, no):
        """Evaluate a condition and go to `yes` or to `no`. Conditions that are constant go one way only."""
        under = cursor
        while under.kind in (K.PAREN_EXPR, K.UNEXPOSED_EXPR) and len(api.kids(under)) == 1:
            under = api.kids(under)[0]
        kind = under.kind
        operator = api.operator(under) if kind in api.OPERATORS else ""
        if operator == "!":
            return self.condition(api.kids(under)[0], no, yes)
        if kind == K.BINARY_OPERATOR and operator in ("&&", "||"):
            left, right = api.kids(under)
            between = self.node()
            self.condition(left, between if operator == "&&" else yes, no if operator == "&&" else between)
            self.graph.start(between)
            return self.condition(right, yes, no)
        if kind == K.CALL_EXPR and api.callee(under) == "__builtin_expect":
            return self.condition(list(under.get_arguments())[0], yes, no)
        self.value(under)
        known = api.constant(under) if kind != K.DECL_REF_EXPR else None
        branch = self.graph.current
        if known is None or known:
            branch.succ.append((yes, self.test(under, True)))
        if known is None or not known:
            branch.succ.append((no, self.test(under, False)))
        self.graph.start(self.node())
        return None

    def test(self, cursor, taken):
        """The Test of the edge that is taken when the condition is `taken`, or None."""
        kind = cursor.kind
        operator = api.operator(cursor) if kind in api.OPERATORS else ""
        if kind == K.BINARY_OPERATOR and operator in COMPARE:
            return self.comparison(*api.kids(cursor), operator, taken)
        if kind == K.CALL_EXPR:
            for argument in cursor.get_arguments():
                key = self.quiet_key(argument)
                if key is not None:  # thrum_is_...(error): taken to ask whether it is a cancellation
                    return Test(key, lambda value: taken, False)
            return Test(None, lambda value: taken, False) if api.callee(cursor).endswith("cancelling") else None
        key = self.quiet_key(cursor)
        return Test(key, lambda value: bool(value) == taken) if key is not None else None

    def comparison(self, left, right, operator, taken):
        if api.bare(left).kind == K.CALL_EXPR and api.constant(right) == 0 and operator in ("==", "!=", ">"):
            return self.test(api.bare(left), taken != (operator == "=="))  # thrum_task_cancelling(task) > 0
        number, key = known_value(right), self.quiet_key(left)
        if number is None or key is None:
            number, key = known_value(left), self.quiet_key(right)
            operator = TURNED.get(operator, operator)
        if number is None or key is None:
            return None
        return Test(key, lambda value: COMPARE[operator](value, number) == taken)

    def quiet_key(self, cursor):
        """The key of a simple lvalue, found without leaving events in the graph."""
        under = api.bare(cursor)
        return self.quiet_place(under).key if under.kind in (K.DECL_REF_EXPR, K.MEMBER_REF_EXPR) else None

    def quiet_place(self, cursor):
        """The Place of an lvalue, or of what `&` is taken of; the same without leaving events in the graph."""
        under = api.bare(cursor)
        if under.kind == K.UNARY_OPERATOR and api.operator(under) == "&":
            under = api.bare(api.kids(under)[0])
        if under.kind not in (K.DECL_REF_EXPR, K.MEMBER_REF_EXPR, K.ARRAY_SUBSCRIPT_EXPR):
            return Place()
        saved, self.graph.current = self.graph.current, self.node()
        place = self.place(under)
        self.graph.current = saved
        return place


def known_value(cursor):
    """The value of a constant expression, or of a const variable that was initialised with one; else None."""
    value, under = api.constant(cursor), api.bare(cursor)
    if value is None and under.kind == K.DECL_REF_EXPR and under.type.is_const_qualified():
        variable = under.referenced
        start = api.initializer(variable) if variable is not None and variable.kind == K.VAR_DECL else None
        value = api.constant(start) if start is not None else None
    return value


def stored_value(type_, value):
    """What a variable of this type holds after an expression was stored to it, when that is constant; else None."""
    number = api.constant(value)
    type_ = type_.get_canonical()
    if number is None or type_.is_volatile_qualified():
        return None
    if type_.kind == TypeKind.BOOL:
        return int(bool(number))
    return number if type_.kind in INTEGERS and 0 <= number < 128 else None


INTEGERS = (TypeKind.CHAR_S, TypeKind.CHAR_U, TypeKind.SCHAR, TypeKind.UCHAR, TypeKind.SHORT, TypeKind.USHORT,
            TypeKind.INT, TypeKind.UINT, TypeKind.LONG, TypeKind.ULONG, TypeKind.LONGLONG, TypeKind.ULONGLONG,
            TypeKind.ENUM)
