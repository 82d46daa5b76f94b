"""Random async functions for thrum-check, and what it should find in them.

What is right is worked out here in another way than the checker's: no graph, no joining of states. The statements are
run over every set of locals that may be lost at that point, and give, for each way out of them, the sets that may come
of it.
Ways out: "on", "break", "continue", "return", "error".
"""
import random

LOCALS = "abc"
ALL = frozenset(LOCALS)
HEAD = """#include "trap.h"
void get(int *number);
void look(const int *number);
struct scope {
    thrum_scope scope;
};"""
SIMPLE = {"use": 7, "set": 5, "await": 4, "into": 1, "catch": 1, "break": 1.5, "continue": 1, "return": .4, "raise": .4,
          "maybe": 1, "next": 1, "get": .5, "look": .5}
NESTED = {"if": 3, "while": 1, "for": 1, "do": 1, "with": 1, "try": 1}
TEXT = {"use": "use({0});", "set": "{0} = compute(1);", "await": "AWAIT(work(1));", "into": "AWAIT_INTO({0}, work(1));",
        "catch": "AWAIT_CATCH({0}, work(1));", "break": "break;", "continue": "continue;", "return": "ASYNC_RETURN(1);",
        "raise": "ASYNC_RAISE(-1);", "maybe": "use(compute(1) && ({0} = compute(2)));", "next": "{0}++;",
        "get": "get(&{0});", "look": "look(&{0});"}


class Programs:
    """`text` of many functions; `expected`: {(first line of a function, local): lines where it is used though lost}."""

    def __init__(self, seed, count):
        self.random = random.Random(seed)
        self.lines = HEAD.split("\n")
        self.scopes = 0
        self.expected = {}
        for number in range(count):
            self.function(number)
        self.text = "\n".join(self.lines) + "\n"

    def line(self, depth, text):
        self.lines.append("    " * depth + text)
        return len(self.lines)

    def function(self, number):
        self.start = self.line(0, f"ASYNC(f{number}, ARGS_NONE, LOCALS(struct scope w[8]; thrum_try t; int e;))")
        self.line(0, "{")
        self.line(1, "int a, b, c;")
        self.line(1, "ASYNC_BEGIN;")
        out = self.run(self.write(self.statements(3, False), 1), {frozenset()})
        if self.random.random() < .4:
            self.line(0, "FINALLY:")
            last = [s for s in self.statements(1, False) if s[0] in ("use", "set", "await", "next", "maybe", "look")]
            self.line(1, "use(0);")
            self.run(self.write(last, 1), set().union(*out.values()))
        self.line(1, "ASYNC_END;")
        self.line(0, "}")

    # ---- what to write: (kind, local, condition or None, blocks)

    def statements(self, depth, in_loop):
        weights = {**SIMPLE, **(NESTED if depth else {})}
        if not in_loop:
            weights["break"] = weights["continue"] = 0
        made = []
        for _ in range(self.random.randint(1, 4)):
            kind = self.random.choices(list(weights), list(weights.values()))[0]
            local = self.random.choice(LOCALS)
            blocks = []
            if kind in NESTED:
                inner = in_loop or kind != "if"
                two = kind == "try" or kind == "if" and self.random.random() < .5
                blocks = [self.statements(depth - 1, inner) for _ in range(1 + two)]
            made.append((kind, local, self.random.choice([None, local]), blocks))
        return made

    def write(self, statements, depth):
        """Write them; returns [(kind, local, condition, blocks, line of the use or condition)]."""
        return [self.write_one(depth, *statement) for statement in statements]

    def write_one(self, depth, kind, local, condition, blocks):
        asked = condition or "compute(1)"
        if kind in TEXT:
            return kind, local, None, [], self.line(depth, TEXT[kind].format(local))
        self.scopes += 1
        opening = {"if": f"if ({asked}) {{", "while": f"while ({asked}) {{", "for": "for (;;) {", "do": "do {",
                   "with": f"WITH (self->w[{self.scopes % 8}], thrum_sleep(1)) {{", "try": "TRY (self->t) {"}[kind]
        at = self.line(depth, opening)
        written = [self.write(blocks[0], depth + 1)]
        if len(blocks) > 1:
            self.line(depth, "} else {" if kind == "if" else "} CATCH (self->e, self->t) {")
            written.append(self.write(blocks[1], depth + 1))
        end = self.line(depth, f"}} while ({asked});" if kind == "do" else "}")
        return kind, local, condition if kind in ("if", "while", "do") else None, written, end if kind == "do" else at

    # ---- what is right

    def use(self, local, line, states):
        if local and any(local in lost for lost in states):
            self.expected.setdefault((self.start, local), set()).add(line)

    def run(self, statements, states):
        out = {"on": set()}
        for statement in statements:
            if not states:
                break
            ways = self.run_one(statement, states)
            states = ways.pop("on", set())
            merge(out, ways)
        out["on"] |= states
        return out

    def run_one(self, statement, states):
        kind, local, condition, blocks, line = statement
        stored = {lost - {local} for lost in states}
        if kind in ("use", "look"):
            self.use(local, line, states)
            return {"on": states}
        if kind == "next":
            self.use(local, line, states)
            return {"on": stored}
        if kind in ("set", "get"):
            return {"on": stored}
        if kind == "maybe":
            return {"on": states | stored}
        if kind == "await":
            return {"on": {ALL}, "error": {ALL}}
        if kind in ("into", "catch"):
            return {"on": {ALL - {local}}, "error": {ALL}}
        if kind in ("break", "continue", "return"):
            return {kind: states}
        if kind == "raise":
            return {"error": states}
        return getattr(self, "run_" + ("loop" if kind in ("while", "for", "do") else kind))(statement, states)

    def run_if(self, statement, states):
        _, _, condition, blocks, line = statement
        self.use(condition, line, states)
        out = self.run(blocks[0], states)
        return merge(out, self.run(blocks[1], states) if len(blocks) > 1 else {"on": states})

    def run_loop(self, statement, states):
        kind, _, condition, blocks, line = statement
        out, begin = {"on": set()}, set(states)
        while True:
            if kind == "while":
                self.use(condition, line, begin)
            ways = self.run(blocks[0], begin)
            again = ways.pop("on") | ways.pop("continue", set())
            if kind == "do":
                self.use(condition, line, again)
                out["on"] |= again
            out["on"] |= ways.pop("break", set())
            merge(out, ways)
            if again <= begin:
                break
            begin |= again
        if kind == "while":
            out["on"] |= begin
        return out

    def run_with(self, statement, _):
        ways = self.run(statement[3][0], {ALL})
        out = {"error": {ALL}, "on": set()}
        if ways["on"] or ways.get("break") or ways.get("continue"):
            out["on"] = {ALL}
        if ways.get("return"):
            out["return"] = {ALL}
        return out

    def run_try(self, statement, states):
        blocks = statement[3]
        ways = self.run(blocks[0], states)
        if ways.get("error"):
            merge(ways, self.run(blocks[1], ways["error"]))
        ways["on"] |= ways.pop("break", set()) | ways.pop("continue", set())
        return ways


def merge(out, ways):
    for way, states in ways.items():
        out[way] = out.get(way, set()) | states
    return out


def complaints(programs, found):
    """Where the checker's findings, [(line, local)], are not what they should be."""
    starts = sorted(number for number, line in enumerate(programs.lines, 1) if line.startswith("ASYNC("))
    by_local = {}
    for line, local in found:
        start = max(start for start in starts if start <= line)
        by_local.setdefault((start, local), set()).add(line)
    for key in sorted(set(by_local) | set(programs.expected)):
        got, right = by_local.get(key, set()), programs.expected.get(key, set())
        if got - right:
            yield f"'{key[1]}' is not lost on line {min(got - right)}"
        if right and min(right) not in got:
            yield f"'{key[1]}' is lost on line {min(right)}, and that is not found"
