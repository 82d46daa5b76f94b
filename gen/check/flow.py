"""Data flow over the graph: which locals an await has taken, where addresses of locals go, what became of a caught
cancellation and of each awaitable. Everything is "on some path": states are joined by union.
"""

from clang.cindex import TypeKind

import clangapi as api


class State:
    """What may hold at one point.

    lost    local -> (awaits since its value was stored, parts stored since then)
    points  key of a place -> locals that it may point to
    caught  await -> places that hold its error, while the cancellation was not passed on
    stock   key of a place -> {("made" | "spent", node)}
    values  key of a local -> its value, where that is known
    """

    __slots__ = ("lost", "points", "caught", "stock", "values")

    def __init__(self):
        self.lost, self.points, self.caught, self.stock, self.values = {}, {}, {}, {}, {}

    def copy(self):
        new = State()
        for name in self.__slots__:
            setattr(new, name, dict(getattr(self, name)))
        return new

    def __eq__(self, other):
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def join(self, other):
        for key, (awaits, parts) in other.lost.items():
            mine = self.lost.get(key)
            self.lost[key] = (mine[0] | awaits, mine[1] & parts) if mine else (awaits, parts)
        for key, targets in other.points.items():
            self.points[key] = self.points.get(key, frozenset()) | targets
        for key, places in other.caught.items():
            self.caught[key] = self.caught[key] & places if key in self.caught else places
        for key, marks in other.stock.items():
            self.stock[key] = self.stock.get(key, frozenset()) | marks
        self.values = {key: value for key, value in self.values.items() if other.values.get(key) == value}


def covered(type_, path, parts):
    """Whether `path` inside of something of this type was stored again, when just `parts` of it were."""
    if any(path[: len(part)] == part for part in parts):
        return True
    below = [part[len(path):] for part in parts if part[: len(path)] == path]
    if not below:
        return False
    for step in path:
        type_ = inner_type(type_, step)
        if type_ is None:
            return False
    return filled(type_, below)


def filled(type_, parts):
    """Whether storing `parts` leaves nothing of a value of this type behind. Any element will do for an array."""
    if () in parts or api.is_array(type_):
        return True
    if type_.get_canonical().kind != TypeKind.RECORD:
        return False
    for field in type_.get_canonical().get_fields():
        inner = [part[1:] for part in parts if part[0] == "." + field.spelling]
        if not inner or not filled(field.type, inner):
            return False
    return True


def inner_type(type_, step):
    type_ = type_.get_canonical()
    if step.startswith("["):
        return type_.get_array_element_type() if api.is_array(type_) else None
    if type_.kind != TypeKind.RECORD:
        return None
    return next((field.type for field in type_.get_fields() if "." + field.spelling == step), None)


def inside(path, outer):
    """Whether `path` names a part of what `outer` names, or the same."""
    return path[: len(outer)] == outer and not any(step.startswith("->") for step in path[len(outer):])


def part_of(path):
    """Elements whose index is not constant stand for their array."""
    return path[: path.index("[*]")] if "[*]" in path else path


class Flow:
    def __init__(self, graph, findings, canceled):
        self.graph = graph
        self.canceled = canceled  # THRUM_ECANCELED
        self.variables = graph.variables
        self.findings = findings  # told what is found; see findings.py
        self.nodes = graph.order()
        self.steady = self.find_steady()
        # Locals whose address was kept: a store to them may go unseen.
        self.escaped = {source.place.root for node in self.nodes if node.op in ("assign", "hand")
                        for source in node.sources if source.kind == "address"}

    def find_steady(self):
        """Locals that each resume stores to again, before ASYNC_BEGIN, and that nothing else stores to."""
        again, once = set(), set()
        for node in self.nodes:
            if node.op == "assign":
                places = [node.place]
            elif node.op == "give" and not node.constant:
                places = [source.place for source in node.sources if source.kind == "address"]
            else:
                continue
            (again if node.before_begin else once).update(place.root for place in places if place.variable)
        return again - once

    def run(self):
        states = {id(self.graph.entry): State()}
        number = {id(node): i for i, node in enumerate(self.nodes)}
        work = {0}
        while work:
            node = self.nodes[min(work)]
            work.discard(number[id(node)])
            state = states[id(node)].copy()
            self.step(node, state, False)
            for after, test in node.succ:
                out = self.through(state, test)
                if out is None:
                    continue
                old = states.get(id(after))
                if old is None:
                    states[id(after)] = out.copy()
                else:
                    new = old.copy()
                    new.join(out)
                    if new == old:
                        continue
                    states[id(after)] = new
                work.add(number[id(after)])
        for node in self.nodes:
            if id(node) in states:
                self.step(node, states[id(node)].copy(), True)

    def through(self, state, test):
        """The state on an edge, without the cancellations that cannot take it; None when nothing can."""
        if test is None:
            return state
        if test.exact and test.key in state.values and not test.holds(state.values[test.key]):
            return None
        if not state.caught or test.holds(self.canceled):
            return state
        out = state.copy()
        out.caught = {await_: places for await_, places in state.caught.items()
                      if test.key is not None and test.key not in places}
        return out

    def step(self, node, state, tell):
        handler = getattr(self, "on_" + node.op, None)
        if handler:
            handler(node, state, tell)

    # ---- locals

    def on_declare(self, node, state, tell):
        state.lost.pop(node.variable, None)
        self.forget(node.variable, state)
        for key in [key for key in state.points if key[0] == node.variable]:
            del state.points[key]

    def on_await(self, node, state, tell):
        for key in self.variables:
            if key not in self.steady and not isinstance(key, tuple):
                awaits, _ = state.lost.get(key, (frozenset(), None))
                # What was lost before stays lost for the older reason, too: the message names the nearest.
                state.lost[key] = (awaits | {node.await_}, frozenset())
                self.forget(key, state)

    def on_leave(self, node, state, tell):
        for key, variable in self.variables.items():
            if variable.in_body:
                awaits, _ = state.lost.get(key, (frozenset(), None))
                state.lost[key] = (awaits | {node.await_}, frozenset())
                self.forget(key, state)

    def on_forget(self, node, state, tell):
        state.values.clear()

    @staticmethod
    def forget(root, state):
        for key in [key for key in state.values if key[0] == root]:
            del state.values[key]

    def on_use(self, node, state, tell):
        place = node.place
        if tell:
            self.check(place, node.cursor, state)
            for target in self.pointed(place.pointer, state):
                self.check_variable(target, ("[*]",), node.cursor, state)

    def check(self, place, cursor, state):
        if place.variable:
            self.check_variable(place.root, place.path, cursor, state)

    def check_variable(self, key, path, cursor, state):
        if key not in state.lost:
            return
        awaits, parts = state.lost[key]
        variable = self.variables[key]
        if not parts or not covered(variable.type, part_of(path), parts):
            self.findings.lost(variable, awaits, cursor)

    def pointed(self, pointer, state):
        return state.points.get(pointer.key, ()) if pointer is not None and pointer.key else ()

    def on_assign(self, node, state, tell):
        place = node.place
        self.store(place, state)
        key = place.key
        if key is None:
            return
        targets = self.targets(node.sources, state)
        if "->" not in "".join(place.path):
            for old in [old for old in state.points if old[0] == key[0] and old[1][: len(key[1])] == key[1]]:
                del state.points[old]
        state.points.pop(key, None)
        if targets:
            state.points[key] = frozenset(targets)
        if node.number is not None and place.variable and place.root not in self.escaped:
            state.values[key] = node.number
        copied = {source.place.key for source in node.sources if source.kind == "copy" and source.place.key}
        for await_, places in list(state.caught.items()):
            state.caught[await_] = places | {key} if places & copied else places - {key}
        state.stock = {old: marks for old, marks in state.stock.items()
                       if not (old[0] == key[0] and old[1][: len(key[1])] == key[1])}
        if node.made:
            state.stock[key] = frozenset({("made", node)})
            if tell:
                self.findings.made(node, place)

    def on_fill(self, node, state, tell):
        self.store(node.place, state)

    def store(self, place, state):
        if place.variable:
            self.store_variable(place.root, part_of(place.path), state)
        else:
            for target in self.pointed(place.pointer, state):
                self.store_variable(target, (), state)

    def store_variable(self, key, path, state):
        self.forget(key, state)
        if key in state.lost:
            if path:
                awaits, parts = state.lost[key]
                state.lost[key] = (awaits, parts | {path})
            else:
                del state.lost[key]

    # ---- addresses

    def targets(self, sources, state):
        """The locals whose addresses these values may carry."""
        found = set()
        for source in sources:
            is_address = source.kind == "address"
            if is_address and source.place.variable:
                found.add(source.place.root)
            if source.carries and source.place.key:
                root, path = source.place.key
                for (other, under), targets in state.points.items():
                    if other == root and (inside(under, path) or not is_address and inside(path, under)):
                        found |= targets
        return found

    def on_give(self, node, state, tell):
        for source in node.sources:
            if source.kind == "address" and source.place.variable:
                given = [(source.place.root, source.place.path)]
            elif source.kind == "copy":
                given = [(target, ()) for target in self.pointed(source.place, state)]
            else:
                given = []
            for key, path in given:
                if node.constant:
                    if tell:
                        self.check_variable(key, path, source.cursor, state)
                else:
                    self.store_variable(key, part_of(path), state)
            if source.kind == "address" and source.place.key:
                root, path = source.place.key
                for key in list(state.stock):
                    if key[0] == root and key[1][: len(path)] == path:
                        if tell:
                            self.findings.spent_at(state.stock[key])
                        del state.stock[key]

    def on_hand(self, node, state, tell):
        if not tell:
            return
        for source in node.sources:
            for target in self.targets([source], state):
                self.findings.handed(self.variables[target], source.cursor, node.await_, node.callee)

    def on_result(self, node, state, tell):
        if not tell:
            return
        for source in node.sources:
            if source.kind == "address" and source.place.in_frame:
                self.findings.returned("a part of self->", source.cursor)
            for target in self.targets([source], state):
                name = self.variables[target].name
                self.findings.returned(f"local variable '{name}'" if name else "a compound literal", source.cursor)

    # ---- cancellations

    def on_caught(self, node, state, tell):
        if tell and node.await_ in state.caught:
            self.findings.swallowed(node.await_)
        state.caught[node.await_] = frozenset({node.place.key} if node.place.key else ())

    def on_settle(self, node, state, tell):
        state.caught.clear()

    def on_end(self, node, state, tell):
        if tell:
            for await_ in state.caught:
                self.findings.swallowed(await_)

    # ---- awaitables

    def on_spend(self, node, state, tell):
        key = node.place.key
        if key is None:
            return
        marks = state.stock.get(key, frozenset())
        if tell:
            self.findings.spent_at(marks)
            # The same place again, in a loop and under a condition: that condition may well say "once".
            before = [mark for kind, mark in marks if kind == "spent" and not (mark is node and node.guarded)]
            if before and node.by != "move":
                self.findings.reused(node, before)
        if node.by == "move":
            state.stock.pop(key, None)
        else:
            state.stock[key] = frozenset({("spent", node)})
