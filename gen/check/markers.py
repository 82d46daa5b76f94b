"""thrum's macros, as include/thrum/checking.h spells them: where a function is suspended, and the blocks."""

import clangapi as api
from graph import Await, Node

FINALLY = "thrum_checking_finally_"
FOR_MARKERS = {"thrum_checking_body_", "thrum_checking_with_", "thrum_checking_try_", "thrum_checking_for_"}


class Frame:
    """Something that `break` or `continue` leaves, or that an error meets."""

    def __init__(self, kind, cursor, leave=None, again=None):
        self.kind = kind  # "loop", "switch", "with", "try", "for" (ASYNC_FOR), "body"
        self.cursor = cursor
        self.leave = leave  # where `break` goes
        self.again = again  # where `continue` goes
        self.handler = None  # of a "try", while in its first half: where its errors go
        self.takes_all = False  # of a "try": cancellations, too
        self.cases = []  # of a "switch": (node, number) of each case; None is `default`, "?" a number not known
        self.errors = None  # of a block: where an error inside goes, once somebody asked

    @property
    def is_block(self):
        return self.kind in ("with", "try", "for")

    @property
    def has_exit(self):
        return self.kind in ("with", "for")

    @property
    def name(self):
        return "ASYNC_FOR" if self.kind == "for" else self.kind.upper()

    @property
    def article(self):
        return "an" if self.kind == "for" else "a"


class Markers:
    """The part of the builder that knows what each marker means."""

    # ---- suspension

    def marker(self, call, name):
        macro, *arguments = call.get_arguments()
        if name in ("thrum_checking_await_", "thrum_checking_catch_", "thrum_checking_catch_all_"):
            return self.await_(call, name, api.bare(macro).spelling.strip('"'), arguments)
        if name == "thrum_checking_return_":
            sources = [source for argument in arguments for source in self.value(argument)]
            if sources:
                self.graph.add("result", sources=sources)
            self.leave_function()
        elif name == "thrum_checking_raise_":
            for argument in arguments:
                self.value(argument)
            self.graph.add("leave", await_=Await("ASYNC_RAISE", api.place(call), call, False))
            self.graph.go(self.error_target())
        return []

    def await_(self, call, name, macro, arguments):
        what, *results = arguments
        catches_all = name == "thrum_checking_catch_all_"
        whose = api.bare(what)
        if api.callee(whose) == "thrum_task_wait":
            whose = next(whose.get_arguments())
        place = self.quiet_place(whose)
        own = (place.root, place.path) in self.canceled_here
        await_ = self.suspend(call, macro, what, catches_all)
        places = []
        for result in results:
            place = self.place(result)
            places.append(place)
            self.graph.add("assign", place=place, sources=[], cursor=result, made=False)
        if catches_all and not own:
            self.graph.add("caught", await_=await_, place=places[0])
        return []

    def suspend(self, call, macro, what, catches_all=False):
        """Evaluate what is awaited, then be suspended."""
        await_ = Await(macro, api.place(call), call)
        self.refuse_in_switch(await_)
        self.awaiting, self.spender = await_, "await"
        sources = self.value(what)
        self.awaiting, self.spender = None, "move"
        if sources:
            self.graph.add("hand", sources=sources, await_=await_, callee=None)
        self.park(await_, catches_all)
        return await_

    def park(self, await_, catches_all=False):
        self.await_count += 1
        node = self.graph.add("await", await_=await_)
        if not catches_all:
            node.succ.append((self.error_target(), None))

    def refuse_in_switch(self, await_):
        switch = next((frame for frame in reversed(self.frames) if frame.kind == "switch"), None)
        if switch and self.is_async:
            self.report("await-in-switch", await_.cursor,
                        f"{await_.name} inside a switch: the function cannot go on from here; use if and else",
                        [(switch.cursor, "the switch begins here")])

    # ---- ways out

    def final_target(self):
        return self.finally_ if self.finally_ and self.section == "body" else self.end

    def exit_of(self, frame):
        """The exit of a WITH block or an ASYNC_FOR, which awaits."""
        return Await(f"end of the {frame.name} block", api.place(frame.cursor), frame.cursor)

    def leave_function(self):
        """ASYNC_RETURN: through the exits of all open blocks."""
        frames = self.frames
        for number in range(len(frames) - 1, -1, -1):
            if frames[number].has_exit:
                self.frames = frames[:number]
                self.park(self.exit_of(frames[number]))
        self.frames = frames
        self.graph.go(self.final_target())

    def error_target(self, depth=None):
        """Where an error goes from inside of the outermost `depth` frames."""
        depth = len(self.frames) if depth is None else depth
        for number in range(depth - 1, -1, -1):
            frame = self.frames[number]
            if frame.has_exit:
                if frame.errors is None:
                    frame.errors = Node("settle")
                    exit_ = Node("await", await_=self.exit_of(frame))
                    frame.errors.succ.append((exit_, None))
                    exit_.succ.append((self.error_target(number), None))
                return frame.errors
            if frame.kind == "try" and frame.handler:
                if frame.errors is None:
                    frame.errors = Node("settle")
                    frame.errors.succ.append((frame.handler, None))
                    if not frame.takes_all:
                        frame.errors.succ.append((self.error_target(number), None))
                return frame.errors
        target = Node("settle")
        target.succ.append((self.final_target(), None))
        return target

    # ---- blocks

    def block(self, cursor, marker, body):
        """A `for` that stands for the whole body, a WITH, a TRY or an ASYNC_FOR."""
        name = api.callee(marker)
        if name == "thrum_checking_body_":
            self.section, self.graph.before_begin = "body", False
            self.frames.append(Frame("body", cursor))
            self.statement(body)
            self.frames.pop()
            self.section = "after"
            return
        if name == "thrum_checking_for_":
            self.async_for(cursor, marker, body)
            return
        frame = Frame("with" if name == "thrum_checking_with_" else "try", cursor, leave=self.node())
        if frame.kind == "with":
            self.suspend(marker, "WITH", list(marker.get_arguments())[2])
            self.frames.append(frame)
            self.statement(body)
            self.frames.pop()
            self.graph.at(frame.leave)
            self.park(self.exit_of(frame))
        else:
            self.refuse_in_switch(Await("TRY", api.place(cursor), cursor))
            self.frames.append(frame)
            self.try_(frame, body)
            self.frames.pop()
            self.graph.at(frame.leave)

    def async_for(self, cursor, marker, body):
        """A loop with an exit; each round begins with an await, which gives the item or ends the loop."""
        _, _, iterable, item = marker.get_arguments()
        frame = Frame("for", cursor, leave=self.node(), again=self.node())
        self.suspend(marker, frame.name, iterable)
        self.frames.append(frame)
        self.graph.at(frame.again)
        self.park(Await(frame.name, api.place(marker), marker))
        self.graph.current.succ.append((frame.leave, None))
        self.graph.at(self.node())
        self.graph.add("assign", place=self.place(item), sources=[], cursor=item, made=False)
        guards, self.guards = self.guards, 0
        self.statement(body)
        self.guards = guards
        self.frames.pop()
        self.graph.go(frame.again)
        self.graph.start(frame.leave)
        self.park(self.exit_of(frame))

    def try_(self, frame, body):
        parts = api.kids(body)
        catch = api.kids(parts[2]) if len(parts) > 2 else None
        handler = self.node()
        if catch is None:
            self.report("try-without-catch", frame.cursor, "TRY without a CATCH behind its block: the error is lost")
        frame.handler = handler
        frame.takes_all = catch is not None and api.callee(api.bare(catch[0])) == "thrum_checking_caught_all_"
        self.statement(parts[1])
        self.graph.go(frame.leave)
        frame.handler = None
        self.graph.start(handler)
        if catch:
            call = api.bare(catch[0])
            _, error, _ = call.get_arguments()
            place = self.place(error)
            self.graph.add("assign", place=place, sources=[], cursor=error, made=False)
            if frame.takes_all:
                self.graph.add("caught", await_=Await("CATCH_ALL", api.place(call), call), place=place)
            self.statement(catch[2])
        self.graph.go(frame.leave)

    def enter_finally(self, label):
        if [frame.kind for frame in self.frames] != ["body"]:
            self.report("finally-nested", label, "FINALLY stands inside a loop or block: it belongs at the end of the "
                        "body", [(self.frames[-1].cursor, "this encloses it")] if self.frames else [])
        self.section = "finally"
        self.graph.at(self.finally_)
        self.graph.add("leave", await_=Await("jump to FINALLY", api.place(label), label, False))
