"""Jumps: break, continue, goto and return, and those of them that lose a block's exit or FINALLY."""

from clang.cindex import CursorKind as K

import clangapi as api
from markers import FINALLY


class Jump:
    """A goto or a label, with where it stands."""

    def __init__(self, cursor, name, builder):
        self.cursor = cursor
        self.name = name
        self.frames = tuple(builder.frames)
        self.scopes = tuple(builder.scopes)
        self.awaits = builder.await_count
        self.section = builder.section


class Jumps:
    """The part of the builder that knows jumps."""

    def jump(self, cursor):
        """break and continue."""
        is_break = cursor.kind == K.BREAK_STMT
        word = "break" if is_break else "continue"
        kinds = ("loop", "with", "try", "for", "body") + (("switch",) if is_break else ())
        at = next((i for i in range(len(self.frames) - 1, -1, -1) if self.frames[i].kind in kinds), None)
        if at is None:
            return
        frame = self.frames[at]
        if frame.kind == "body":
            self.report("jump-outside-loop", cursor,
                        f"'{word}' outside of any loop: use ASYNC_RETURN to leave the function")
            self.leave_function()
            return
        leaves_block = frame.kind in ("with", "try")
        if leaves_block:
            meant = ("loop", "for", "switch") if is_break else ("loop", "for")
            outer = next((f for f in reversed(self.frames[:at]) if f.kind in meant), None)
            if outer:
                what = "switch" if outer.kind == "switch" else "loop"
                self.report("jump-leaves-block", cursor, f"'{word}' leaves the {frame.name} block that it "
                            f"stands in, not the {what} around it",
                            [(frame.cursor, "the block begins here"), (outer.cursor, f"the {what} begins here")])
        self.graph.go(frame.leave if is_break or leaves_block else frame.again)

    def goto(self, cursor):
        target = api.kids(cursor)
        name = target[0].spelling if target else ""
        self.gotos.append(Jump(cursor, name, self))
        self.graph.go(self.labels.setdefault(name, self.node()))

    def computed_goto(self, cursor):
        for kid in api.kids(cursor):
            if kid.kind.is_expression():
                self.value(kid)
        if self.is_async:
            self.report("goto", cursor, "a computed goto in an async function may jump past an exit or an await")
        self.graph.start(self.node())

    def label(self, cursor):
        name = cursor.spelling
        if name == FINALLY and self.is_async:
            self.enter_finally(cursor)
        else:
            self.label_jumps[name] = Jump(cursor, name, self)
            self.graph.at(self.labels.setdefault(name, self.node()))
        for kid in api.kids(cursor):
            self.statement(kid)

    def return_(self, cursor):
        for kid in api.kids(cursor):
            self.spender = "move"
            self.value(kid)
        if self.is_async:
            self.report("plain-return", cursor,
                        "'return' in an async function skips FINALLY and the blocks' exits: use ASYNC_RETURN")
        self.graph.go(self.end)

    def check_jumps(self):
        """Gotos against their labels, once all are known."""
        for goto in self.gotos:
            label = self.label_jumps.get(goto.name)
            if label is None:
                continue
            there = (label.cursor, f"label '{goto.name}' is here")
            out = [frame for frame in goto.frames if frame.is_block and frame not in label.frames]
            into = [frame for frame in label.frames if frame.is_block and frame not in goto.frames]
            if into:
                self.report("goto", goto.cursor, f"'goto {goto.name}' jumps into {into[0].article} {into[0].name} "
                            "block, which has not been entered", [there, (into[0].cursor, "the block begins here")])
            elif out:
                self.report("goto", goto.cursor, f"'goto {goto.name}' leaves {out[-1].article} {out[-1].name} "
                            "block, whose exit comes late: when what is around it ends",
                            [there, (out[-1].cursor, "the block begins here")])
            elif label.section != goto.section:
                where = {"finally": "into FINALLY", "body": "back before FINALLY", "before": "before ASYNC_BEGIN",
                         "after": "behind ASYNC_END"}[label.section]
                if goto.section == "before":
                    where = "past ASYNC_BEGIN"
                self.report("goto", goto.cursor, f"'goto {goto.name}' jumps {where}: use ASYNC_RETURN or ASYNC_RAISE "
                            "to leave the body", [there])
            elif label.awaits != goto.awaits and not set(label.scopes) <= set(goto.scopes):
                self.report("goto", goto.cursor, f"'goto {goto.name}' jumps over an await into a scope", [there])


def find_labels(cursor):
    for kid in cursor.get_children():
        if kid.kind == K.LABEL_STMT:
            yield kid
        if kid.kind.is_statement():
            yield from find_labels(kid)
