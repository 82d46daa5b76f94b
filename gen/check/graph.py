"""The control-flow graph of one function: a node an event, in the order in which a program meets them."""

import clangapi as api


class Variable:
    """A C local: only what is declared in the body and lives on the C stack counts."""

    def __init__(self, cursor, name, type_, in_body=False):
        self.cursor = cursor
        self.name = name
        self.type = type_
        self.in_body = in_body  # declared behind ASYNC_BEGIN


class Place:
    """What an lvalue names: `root` and a path of ".f", "[3]", "[*]", "->f".

    `variable` is set when all of it lies inside the storage of that local. `pointer` is the Place of the pointer that
    was followed last, when there is one. A Place without a root is one that is not followed any further.
    """

    def __init__(self, root=None, path=(), variable=None, pointer=None, is_self=False):
        self.root = root
        self.is_self = is_self  # the pointer to the frame
        self.path = path
        self.variable = variable
        self.pointer = pointer

    @property
    def in_frame(self):
        """Whether it lies in the frame of the function, which ends with it."""
        return self.pointer is not None and self.pointer.is_self and not any("->" in step for step in self.path[1:])

    @property
    def key(self):
        """Names the same object at every mention; None when an index is not constant."""
        return (self.root, self.path) if self.root is not None and "[*]" not in self.path else None

    def part(self, step):
        if self.root is None:
            return Place(pointer=self.pointer)
        return Place(self.root, self.path + (step,), self.variable, self.pointer)

    def target(self, step):
        """What this pointer points to."""
        return Place(self.root, self.path + ("->" + step,) if self.root is not None else (), None, self)


class Source:
    """Where a value may have come from: the address of a Place, or a copy of what a Place holds."""

    def __init__(self, kind, place, cursor, carries=None):
        self.kind = kind  # "address" or "copy"
        self.place = place
        self.cursor = cursor
        self.carries = carries if carries is not None else kind == "address" or api.may_carry(cursor.type)


class Await:
    """One point where the function may be suspended."""

    def __init__(self, name, where, cursor, suspends=True):
        self.name = name  # "AWAIT_INTO", "the end of WITH"
        self.where = where  # (file, line, column)
        self.cursor = cursor
        self.suspends = suspends  # False: a jump that loses locals all the same


class Node:
    """One event. `succ` holds (node, test): the edge is taken only if the Test (conditions.py) lets it.

    `before_begin` says that it stands before ASYNC_BEGIN and happens again at every resume.

    op        what it means, and its fields
    nop       nothing
    declare   variable: begins its life without a value that an await has taken
    use       place, cursor: a value is read
    assign    place, sources, cursor, made, number: a value is stored; `made`: it is a fresh awaitable; `number`: the
              value, when that is constant
    forget    anything may have been stored anywhere
    give      sources, constant, cursor: addresses are given to a function that writes through them, or only reads
    await     await_: all locals lose their values
    leave     await_: the body is left for FINALLY or a CATCH: locals that were declared in it lose their values
    hand      sources, await_, callee: these values go into something that is awaited
    fill      place: an array may be taken as stored
    result    sources: these values are what the function gives
    spend     place, cursor, by: an awaitable is awaited ("await"), spent by a call ("spend"), or moved ("move");
              guarded: under a condition inside of the innermost loop
    caught    await_, place: a cancellation may be here, its error in `place`
    settle    the cancellation goes on, or was taken back
    end       the function is over
    """

    def __init__(self, op, **fields):
        self.op = op
        self.number = None
        self.succ = []
        self.__dict__.update(fields)


class Graph:
    def __init__(self):
        self.entry = Node("nop")
        self.current = self.entry
        self.variables = {}
        self.before_begin = False
        self.added = []  # in the order of the text

    def add(self, op, **fields):
        node = Node(op, before_begin=self.before_begin, **fields)
        self.current.succ.append((node, None))
        self.current = node
        self.added.append(node)
        return node

    def go(self, node, test=None):
        """The flow goes to `node`; what follows in the text is not reached from here."""
        self.current.succ.append((node, test))
        self.current = Node("nop")

    def at(self, node):
        """What follows in the text begins at `node`, which is reached from here as well."""
        self.current.succ.append((node, None))
        self.current = node

    def start(self, node):
        self.current = node

    def order(self):
        """All nodes that can be reached, each before its successors where there is no loop."""
        seen, done = {id(self.entry)}, []
        stack = [(self.entry, iter(self.entry.succ))]
        while stack:
            node, edges = stack[-1]
            for after, _ in edges:
                if id(after) not in seen:
                    seen.add(id(after))
                    stack.append((after, iter(after.succ)))
                    break
            else:
                stack.pop()
                done.append(node)
        done.reverse()
        return done
