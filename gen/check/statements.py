"""Statements: how control goes through a function, with the blocks' exits, the errors' ways and FINALLY."""

from clang.cindex import CursorKind as K

import clangapi as api
from conditions import Conditions, Test
from expressions import Expressions
from graph import Graph, Node
from jumps import Jumps, find_labels
from markers import FINALLY, FOR_MARKERS, Frame, Markers


class Builder(Markers, Jumps, Conditions, Expressions):
    def __init__(self, canceled, report):
        self.canceled = canceled
        self.report = report
        self.graph = Graph()
        self.frames = []
        self.scopes = []
        self.labels = {}
        self.gotos, self.label_jumps = [], {}
        self.await_count = 0
        self.noreturn = {}  # functions: whether they never come back
        self.canceled_here = set()  # places of tasks and futures that the function cancels itself
        self.guards = 0  # conditions around this point, inside the innermost loop
        self.spender = "move"
        self.awaiting = None
        self.section = "before"  # "before" ASYNC_BEGIN, "body", "finally", "after" ASYNC_END
        self.end = Node("end")
        self.finally_ = None
        self.is_async = False

    def build(self, body, is_async):
        self.is_async = self.graph.before_begin = is_async
        if is_async and any(True for label in find_labels(body) if label.spelling == FINALLY):
            self.finally_ = Node("nop")
        self.statement(body)
        self.graph.go(self.end)
        if is_async:
            self.check_jumps()
        return self.graph

    def node(self):
        return Node("nop")

    def dropped(self, call):
        self.report("awaitable-dropped", call,
                    f"the awaitable of '{api.callee(call)}' is dropped: it does nothing until it is awaited")

    # ---- statements

    def statement(self, cursor):
        handler = self.STATEMENTS.get(cursor.kind)
        if handler:
            handler(self, cursor)
        elif cursor.kind.is_expression():
            self.spender = "move"
            under = api.bare(cursor)
            if under.kind == K.CALL_EXPR and api.is_awaitable(under.type):
                self.dropped(under)
            self.value(cursor)
        else:
            for kid in api.kids(cursor):
                if kid.kind.is_statement():
                    self.statement(kid)
                elif kid.kind.is_expression():
                    self.value(kid)
                else:
                    self.declaration(kid)

    def compound(self, cursor):
        self.scopes.append(api.statement_key(cursor))
        for kid in api.kids(cursor):
            self.statement(kid)
        self.scopes.pop()

    def declarations(self, cursor):
        for kid in api.kids(cursor):
            self.declaration(kid)

    def if_(self, cursor):
        parts = api.kids(cursor)
        has_else = len(parts) > 2 and parts[-1].kind != K.DECL_STMT
        yes, no, after = self.node(), self.node(), self.node()
        head = parts[0]
        if head.kind == K.DECL_STMT or head.kind == K.VAR_DECL:
            self.statement(head) if head.kind == K.DECL_STMT else self.declaration(head)
            parts = parts[1:]
            has_else = len(parts) > 2
        self.condition(parts[0], yes, no)
        self.guards += 1
        self.graph.start(yes)
        self.statement(parts[1])
        self.graph.go(after)
        self.graph.start(no)
        if has_else:
            self.statement(parts[2])
        self.graph.go(after)
        self.guards -= 1
        self.graph.start(after)

    def loop(self, cursor, body, leave, again):
        self.frames.append(Frame("loop", cursor, leave, again))
        begin, guards = len(self.graph.added), self.guards
        self.guards = 0
        self.statement(body)
        self.guards = guards
        self.frames.pop()
        return [node.place for node in self.graph.added[begin:] if node.op == "assign" and "[*]" in node.place.path]

    def behind(self, after, filled):
        """The text behind a loop. An array that it stores to by index counts as filled, however often it ran."""
        self.graph.start(after)
        for place in filled:
            self.graph.add("fill", place=place)

    def while_(self, cursor):
        *head, body = api.kids(cursor)
        top, inside, after = self.node(), self.node(), self.node()
        self.graph.at(top)
        for part in head[:-1]:
            self.declaration(part)
        self.condition(head[-1], inside, after)
        self.graph.start(inside)
        filled = self.loop(cursor, body, after, top)
        self.graph.go(top)
        self.behind(after, filled)

    def do(self, cursor):
        body, condition = api.kids(cursor)
        top, test, after = self.node(), self.node(), self.node()
        self.graph.at(top)
        self.loop(cursor, body, after, test)
        self.graph.at(test)
        self.condition(condition, top, after)
        self.graph.start(after)

    def for_(self, cursor):
        init, condition, increment, body = api.for_parts(cursor)
        marker = api.bare(init) if init is not None else None
        if marker is not None and marker.kind == K.CALL_EXPR and api.callee(marker) in FOR_MARKERS:
            return self.block(cursor, marker, body)
        self.scopes.append(api.statement_key(cursor))
        if init is not None:
            self.statement(init)
        top, inside, step, after = self.node(), self.node(), self.node(), self.node()
        if init is not None and condition is not None and surely_entered(init, condition):
            self.graph.go(inside)
        self.graph.at(top)
        if condition is not None:
            self.condition(condition, inside, after)
        else:
            self.graph.go(inside)
        self.graph.start(inside)
        filled = self.loop(cursor, body, after, step)
        self.graph.at(step)
        if increment is not None:
            self.value(increment)
        self.graph.go(top)
        self.behind(after, filled)
        self.scopes.pop()
        return None

    def range_for(self, cursor):
        *head, body = api.kids(cursor)
        top, inside, after = self.node(), self.node(), self.node()
        for part in head:
            if part.kind.is_expression():
                self.value(part)
        self.graph.at(top)
        self.graph.current.succ.append((after, None))
        self.graph.at(inside)
        for part in head:
            if part.kind == K.VAR_DECL:
                self.declaration(part)
        self.loop(cursor, body, after, top)
        self.graph.go(top)
        self.graph.start(after)

    def switch(self, cursor):
        *head, body = api.kids(cursor)
        for part in head[:-1]:
            self.statement(part)
        self.value(head[-1])
        key = self.quiet_key(head[-1])
        branch, after = self.graph.current, self.node()
        frame = Frame("switch", cursor, after)
        self.frames.append(frame)
        self.graph.start(self.node())
        self.statement(body)
        self.frames.pop()
        self.graph.go(after)
        numbers = [number for _, number in frame.cases]
        for node, number in frame.cases:
            branch.succ.append((node, case_test(key, number, numbers)))
        if None not in numbers:
            branch.succ.append((after, case_test(key, None, numbers)))
        self.graph.start(after)

    def case(self, cursor):
        parts = api.kids(cursor)
        switch = next((frame for frame in reversed(self.frames) if frame.kind == "switch"), None)
        here = self.node()
        self.graph.at(here)
        if switch:
            number = None
            if cursor.kind == K.CASE_STMT:
                number = api.constant(parts[0]) if len(parts) == 2 else None  # three parts: a range
                number = "?" if number is None else number
            switch.cases.append((here, number))
        self.statement(parts[-1])

    def assembly(self, cursor):
        """Which operands are read, libclang does not tell: all may have been stored to."""
        for kid in api.kids(cursor):
            if kid.kind.is_expression():
                self.graph.add("assign", place=self.place(api.bare(kid)), sources=[], cursor=kid, made=False)
        self.graph.add("forget")

    STATEMENTS = {
        K.ASM_STMT: assembly,
        K.MS_ASM_STMT: assembly,
        K.COMPOUND_STMT: compound,
        K.DECL_STMT: declarations,
        K.IF_STMT: if_,
        K.WHILE_STMT: while_,
        K.DO_STMT: do,
        K.FOR_STMT: for_,
        K.CXX_FOR_RANGE_STMT: range_for,
        K.SWITCH_STMT: switch,
        K.CASE_STMT: case,
        K.DEFAULT_STMT: case,
        K.BREAK_STMT: Jumps.jump,
        K.CONTINUE_STMT: Jumps.jump,
        K.GOTO_STMT: Jumps.goto,
        K.INDIRECT_GOTO_STMT: Jumps.computed_goto,
        K.LABEL_STMT: Jumps.label,
        K.RETURN_STMT: Jumps.return_,
    }


def case_test(key, number, numbers):
    """The Test of the way into one case; `number` is None for the way that is taken when no case fits."""
    if key is None or "?" in numbers:
        return None
    if number is None:
        return Test(key, lambda value: value not in numbers)
    return Test(key, lambda value: value == number)


def surely_entered(init, condition):
    """Whether a loop runs at least once: `for (i = 0; i < 4; ...)`."""
    if init.kind == K.DECL_STMT:
        variable = api.kids(init)[0]
        start = api.initializer(variable) if variable.kind == K.VAR_DECL else None
        name = api.key_of(variable)
    elif init.kind == K.BINARY_OPERATOR and api.operator(init) == "=":
        left, start = api.kids(init)
        name = api.key_of(left.referenced) if left.kind == K.DECL_REF_EXPR else None
    else:
        return False
    if start is None or name is None or condition.kind != K.BINARY_OPERATOR:
        return False
    left, right = api.kids(condition)
    left = api.bare(left)
    first, bound = api.constant(start), api.constant(right)
    if left.kind != K.DECL_REF_EXPR or api.key_of(left.referenced) != name or first is None or bound is None:
        return False
    operator = api.operator(condition)
    return {"<": first < bound, "<=": first <= bound, ">": first > bound, ">=": first >= bound,
            "!=": first != bound}.get(operator, False)
