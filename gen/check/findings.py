"""Findings: the rules, their messages, and which of several that say the same is shown."""

import clangapi as api

RULES = {
    "local-across-await": "a C local is used after an await that may have taken its value",
    "address-into-await": "the address of a C local is handed into an await",
    "address-returned": "the address of a C local, or of something in self->, is returned",
    "await-in-switch": "an await, a block or FINALLY inside a switch of yours",
    "jump-leaves-block": "break or continue leaves a block where a loop around it may have been meant",
    "jump-outside-loop": "break or continue outside of any loop, in the body itself",
    "plain-return": "return instead of ASYNC_RETURN",
    "goto": "a goto past a block's exit, into a block, into or out of FINALLY, or out of the body",
    "finally-nested": "FINALLY inside a loop or block",
    "try-without-catch": "TRY without a CATCH",
    "cancellation-swallowed": "a caught cancellation is neither raised again nor taken back",
    "awaitable-dropped": "an awaitable is made and never awaited",
    "awaitable-reused": "an awaitable is awaited a second time",
}


class Finding:
    def __init__(self, rule, where, text, notes=()):
        self.rule = rule
        self.where = where  # (file, line, column)
        self.text = text
        self.notes = list(notes)  # (where, text)

    def lines(self, show):
        file, line, column = self.where
        yield f"{show(file)}:{line}:{column}: warning: {self.text} [thrum-{self.rule}]"
        for (file, line, column), text in self.notes:
            yield f"{show(file)}:{line}:{column}: note: {text}"


class Findings:
    """The findings of one function."""

    def __init__(self):
        self.list = []
        self.seen = {}
        self.makes, self.spends = {}, set()

    def report(self, rule, cursor, text, notes=()):
        """Called by the builder for what can be seen in the text. Notes are (cursor, text)."""
        where = api.place(cursor)
        self.add(Finding(rule, where, text, [(api.place(at), note) for at, note in notes]), (where, text))

    def add(self, finding, same):
        """Of findings that say the `same`, the first in the text is kept."""
        key = (finding.rule, same)
        old = self.seen.get(key)
        if old is None or finding.where < old.where:
            self.seen[key] = finding

    def close(self):
        """All findings of the function, in the order of the text."""
        for node, place in self.makes.values():
            if node not in self.spends and place.variable and not place.path:
                where = api.place(node.cursor)
                self.add(Finding("awaitable-dropped", where, f"the awaitable in '{place.variable.name}' is never "
                                 "awaited, spawned or dropped with thrum_drop()"), where)
        return sorted(self.seen.values(), key=lambda finding: finding.where)

    # ---- called by the data flow

    def lost(self, variable, awaits, cursor):
        where = api.place(cursor)
        await_ = nearest(awaits, where)
        line = f"line {await_.where[1]}" + ("" if await_.where[0] == where[0] else f" of {await_.where[0]}")
        text = (f"local variable '{variable.name}' is used after the {await_.name} on {line}: only what is in self-> "
                f"survives {'an await' if await_.suspends else 'that'}")
        self.add(Finding("local-across-await", where, text, [(await_.where, f"the {await_.name} is here")]),
                 (api.key_of(variable.cursor), await_.where))

    def handed(self, variable, cursor, await_, callee):
        where = api.place(cursor)
        what = f"local variable '{variable.name}'" if variable.name else "a compound literal"
        notes = []
        if await_:
            text = f"the address of {what} is handed into the {await_.name} on line {await_.where[1]}"
            notes.append((await_.where, f"the {await_.name} is here"))
        else:
            text = f"the address of {what} is handed to '{callee}', which goes on after this step"
        if variable.name:
            notes.append((api.place(variable.cursor), f"'{variable.name}' is declared here"))
        self.add(Finding("address-into-await", where, text + ": only what is in self-> survives an await", notes),
                 (variable.name, api.place(variable.cursor), await_.where if await_ else where))

    def returned(self, what, cursor):
        where = api.place(cursor)
        self.add(Finding("address-returned", where, f"the address of {what} is returned: it is gone before the caller "
                         "sees it"), where)

    def swallowed(self, await_):
        text = (f"a cancellation caught by this {await_.name} is lost on some path: raise it again with ASYNC_RAISE, "
                "or take it back with thrum_uncancel()")
        self.add(Finding("cancellation-swallowed", await_.where, text), await_.where)

    def made(self, node, place):
        self.makes[id(node)] = (node, place)

    def spent_at(self, marks):
        self.spends |= {node for kind, node in marks if kind == "made"}

    def reused(self, node, before):
        where = api.place(node.cursor)
        first = min(api.place(other.cursor) for other in before)
        name = node.cursor.spelling or "it"
        text = f"the awaitable in '{name}' was spent on line {first[1]}: it can be awaited, spawned or grouped once"
        self.add(Finding("awaitable-reused", where, text, [(first, "it was spent here")]), where)


def nearest(awaits, where):
    """Of several awaits, the last one above a use; in a loop that has none above, the first one below."""
    above = [await_ for await_ in awaits if await_.where <= where]
    if above:
        return max(above, key=lambda await_: await_.where)
    return min(awaits, key=lambda await_: await_.where)
