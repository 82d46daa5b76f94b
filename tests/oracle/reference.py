#!/usr/bin/env python3
"""What asyncio does with the oracle's programs, in virtual time.

    reference.py < PROGRAMS        a JSON list of programs in, a JSON list of traces (lists of lines) out
    reference.py FILE              one program, its trace

Needs Python 3.13 or newer. README.md says what the lines mean.
"""
import asyncio
import contextlib
import contextvars
import heapq
import json
import selectors
import sys

from fed_reader import Busy, FedReader, bytes_of, text


class Deadlock(BaseException):
    """Nothing is ready and nothing ever will be."""


class JumpingSelector(selectors.SelectSelector):
    """A selector that never sleeps: with nothing ready it moves the loop's clock to the next timer."""

    now_us = 0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise Deadlock
            self.now_us += round(timeout * 1e6)
        return ready


class OrderedTimer(asyncio.TimerHandle):
    """Timers due together fire in the order they were set: CPython's heap leaves that open, and floats add to it."""

    made = 0

    def __init__(self, *args):
        super().__init__(*args)
        OrderedTimer.made += 1
        self.key = round(self._when * 1e6), OrderedTimer.made

    def __lt__(self, other):
        return self.key < other.key


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self.selector = JumpingSelector()
        super().__init__(self.selector)
        self._clock_resolution = 1e-7
        self.set_exception_handler(lambda loop, context: None)

    def time(self):
        return self.selector.now_us / 1e6

    def now_us(self):
        return self.selector.now_us

    def call_at(self, when, callback, *args, context=None):
        timer = OrderedTimer(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer


class Ordered(dict):
    """A set that keeps the order: a group cancels its children in that of a set, which is up to chance."""

    def __init__(self, some=()):
        super().__init__((each, None) for each in some)

    def add(self, task):
        self[task] = None

    def discard(self, task):
        self.pop(task, None)

    remove = discard


class Completions(asyncio.tasks._AsCompletedIterator):
    """as_completed() that gives those which are done already in the order of the arguments, not in that of a set."""

    def __init__(self, tasks, timeout):
        super().__init__((), None)
        self._todo, self._todo_left = Ordered(tasks), len(tasks)
        for task in tasks:
            task.add_done_callback(self._handle_completion)
        if tasks and timeout is not None:
            self._timeout_handle = asyncio.get_running_loop().call_later(timeout, self._handle_timeout)


BLOCKS = {'try', 'except', 'finally', 'timeout', 'group', 'repeat', 'limit', 'scoped', 'for', 'lines'}


def parse(text):
    """Objects, and scripts by name. A statement is (line, words, body, clauses); a clause is (words, body)."""
    lines = [(n, line.split('#')[0].split()) for n, line in enumerate(text.splitlines(), 1)]
    lines = [(n, words) for n, words in lines if words]
    objects, scripts = [], {}
    at = 0

    def block():
        nonlocal at
        found = []
        while lines[at][1][0] not in ('end', 'except', 'finally'):
            n, words = lines[at]
            at += 1
            body, clauses = [], []
            if words[0] in BLOCKS:
                body = block()
                while lines[at][1][0] != 'end':
                    head = lines[at][1]
                    at += 1
                    clauses.append((head, block()))
                at += 1
            found.append((n, words, body, clauses))
        return found

    while at < len(lines):
        words = lines[at][1]
        at += 1
        if words[0] in ('task', 'callback', 'generator'):
            scripts[words[1]] = block()
            at += 1
        else:
            objects.append(words)
    return objects, scripts


class Raised(Exception):
    """An error made by the program itself: `raise NAME`."""


class Return(Exception):
    """Control leaves a block; no error."""


class Break(Return):
    pass


class Counter:
    number = 0


NAMES = [(asyncio.CancelledError, 'CANCELLED'), (GeneratorExit, 'LEFT'), (TimeoutError, 'TIMEOUT'), (asyncio.BrokenBarrierError, 'BROKEN'),
         (asyncio.QueueEmpty, 'EMPTY'), (asyncio.QueueFull, 'FULL'), (asyncio.InvalidStateError, 'INVALID'),
         (asyncio.IncompleteReadError, 'INCOMPLETE'),
         (asyncio.LimitOverrunError, 'LIMIT'), (Busy, 'BUSY'), (RuntimeError, 'STATE'), (ValueError, 'VALUE')]


def name_of(error):
    if isinstance(error, BaseExceptionGroup):
        return 'GROUP[' + ','.join(sorted(name_of(inner) for inner in error.exceptions)) + ']'
    if isinstance(error, Raised):
        return error.args[0]
    if isinstance(error, getattr(asyncio, 'QueueShutDown', ())):
        return 'SHUTDOWN'
    return next((name for kind, name in NAMES if isinstance(error, kind)), type(error).__name__)


class Machine:
    def __init__(self, text, loop):
        self.objects, self.scripts = parse(text)
        self.loop = loop
        self.things, self.slots, self.groups, self.handles, self.calls, self.limits = {}, {}, {}, {}, {}, {}
        self.tasks, self.trace, self.limit, self.made = [], [], None, 0

    def make_objects(self):
        make = {'lock': asyncio.Lock, 'sem': lambda value: asyncio.Semaphore(int(value)),
                'bsem': lambda value: asyncio.BoundedSemaphore(int(value)), 'event': asyncio.Event,
                'cond': asyncio.Condition, 'barrier': lambda parties: asyncio.Barrier(int(parties)),
                'fifo': lambda size: asyncio.Queue(int(size)), 'lifo': lambda size: asyncio.LifoQueue(int(size)),
                'prio': lambda size: asyncio.PriorityQueue(int(size)), 'future': self.loop.create_future,
                'counter': Counter, 'reader': lambda limit: FedReader(int(limit), self.loop)}
        for kind, name, *arguments in self.objects:
            self.things[name] = contextvars.ContextVar(name, default=0) if kind == 'var' else make[kind](*arguments)

    def note(self, who, line, what):
        if self.limit is None or who[1] <= self.limit:
            self.trace.append(f'{self.loop.now_us()} {who[0]} {line} {what}')

    async def task(self, who, script):
        try:
            await self.block(who, self.scripts[script])
            result = None
        except Return as value:
            result = value.args[0]
        except BaseException as error:
            self.note(who, 'end', '!' + name_of(error))
            raise
        self.note(who, 'end', 'ok' if result is None else f'ok {result}')
        return result

    async def one(self, who, line, words):
        """A task that is one statement."""
        try:
            result = await self.statement(who, line, words, [], [])
        except BaseException as error:
            self.note(who, 'end', '!' + name_of(error))
            raise
        self.note(who, 'end', 'ok' if result is None else f'ok {result}')
        return result

    async def block(self, who, body):
        for line, words, inner, clauses in body:
            try:
                value = await self.statement(who, line, words, inner, clauses)
            except Return:
                raise
            except BaseException as error:
                self.note(who, line, '!' + name_of(error))
                raise
            self.note(who, line, 'ok' if value is None else f'ok {value}')

    async def clauses(self, who, body, clauses):
        try:
            try:
                await self.block(who, body)
            except Return:
                raise
            except BaseException as error:
                for words, inner in clauses:
                    if words[0] == 'except' and words[1] in ('any', name_of(error)):
                        await self.block(who, inner)
                        break
                else:
                    raise
        finally:
            for words, inner in clauses:
                if words[0] == 'finally':
                    await self.block(who, inner)

    # ---- a generator: its statements, an item for each `yield_value`

    async def items(self, who, body):
        for line, words, inner, clauses in body:
            value = None
            try:
                if words[0] == 'yield_value':
                    yield int(words[1])
                elif words[0] in ('try', 'repeat'):
                    nested = self.items_tried(who, inner, clauses) if words[0] == 'try' else \
                        self.items_repeated(who, int(words[1]), inner)
                    async with contextlib.aclosing(nested):
                        async for item in nested:
                            yield item
                else:
                    value = await self.statement(who, line, words, inner, clauses)
            except BaseException as error:
                self.note(who, line, '!' + name_of(error))
                raise
            self.note(who, line, 'ok' if value is None else f'ok {value}')

    async def items_repeated(self, who, count, body):
        for _ in range(count):
            async with contextlib.aclosing(self.items(who, body)) as nested:
                async for item in nested:
                    yield item

    async def items_tried(self, who, body, clauses):
        try:
            try:
                async with contextlib.aclosing(self.items(who, body)) as nested:
                    async for item in nested:
                        yield item
            except BaseException as error:
                for words, inner in clauses:
                    if words[0] == 'except' and words[1] in ('any', name_of(error)):
                        async with contextlib.aclosing(self.items(who, inner)) as nested:
                            async for item in nested:
                                yield item
                        break
                else:
                    raise
        finally:
            for words, inner in clauses:
                if words[0] == 'finally':
                    await self.block(who, inner)

    # ---- calls that the loop makes

    def call(self, name, script):
        """A function that runs a script of statements that do not wait."""
        self.made += 1
        who = name, self.made

        def made(*_):
            for line, words, inner, clauses in self.scripts[script]:
                step = self.statement(who, line, words, inner, clauses)
                try:
                    step.send(None)
                except StopIteration as end:
                    self.note(who, line, 'ok' if end.value is None else f'ok {end.value}')
                except BaseException as error:
                    self.note(who, line, '!' + name_of(error))
                    raise
        self.calls[name] = made
        return made

    def start(self, slot, script, group=None, eager=False):
        self.made += 1
        coroutine = self.task((slot, self.made), script)
        try:
            if eager:
                task = asyncio.Task(coroutine, loop=self.loop, name=slot, eager_start=True)
            else:
                task = (group or self.loop).create_task(coroutine, name=slot)
        except BaseException:
            coroutine.close()
            raise
        self.slots[slot] = task
        self.tasks.append(task)

    def some(self, names):
        return [self.slots[name] for name in names if name in self.slots]

    async def line_of(self, reader):
        try:
            return await reader.readline()
        except ValueError as error:  # that is what readline() makes of it
            raise asyncio.LimitOverrunError(str(error), 0) from None

    async def reading(self, who, line, w):
        """Where an error says how much, that is a line of the trace, too."""
        reader = self.things[w[2 if w[0] == 'wait_for_read' else 1]]
        try:
            match w[0]:
                case 'read': some = await reader.enter().read(int(w[2]))
                case 'read_exactly': some = await reader.enter().readexactly(int(w[2]))
                case 'read_line': some = await self.line_of(reader.enter())
                case 'read_until': some = await reader.enter().readuntil(tuple(map(bytes_of, w[2:])))
                case _: some = await asyncio.wait_for(reader.enter().read(int(w[3])), int(w[1]) / 1e6)
        except asyncio.IncompleteReadError as error:
            self.note(who, line, f'ok {text(error.partial)}')
            raise
        except asyncio.LimitOverrunError as error:
            if w[0] == 'read_until':
                self.note(who, line, f'ok {error.consumed}')
            raise
        return text(some)

    async def statement(self, who, line, w, inner, clauses):
        op = w[0]
        thing = self.things.get(w[1]) if len(w) > 1 else None
        match op:
            case 'sleep': await asyncio.sleep(int(w[1]) / 1e6)
            case 'yield': await asyncio.sleep(0)
            case 'acquire': await thing.acquire()
            case 'release': thing.release()
            case 'locked': return int(thing.locked())
            case 'wait':
                got = await thing.wait()
                return None if isinstance(thing, (asyncio.Event, asyncio.Condition)) else got
            case 'set': thing.set()
            case 'clear': thing.clear()
            case 'notify': thing.notify(int(w[2]))
            case 'notify_all': thing.notify_all()
            case 'abort': await thing.abort()
            case 'reset': await thing.reset()
            case 'put': await thing.put(int(w[2]))
            case 'put_nowait': thing.put_nowait(int(w[2]))
            case 'get': return await thing.get()
            case 'get_nowait': return thing.get_nowait()
            case 'task_done': thing.task_done()
            case 'join_queue': await thing.join()
            case 'shutdown': thing.shutdown(immediate=w[2] == '1')
            case 'size': return thing.qsize()
            case 'await_future': return await thing
            case 'shield_future': return await asyncio.shield(thing)
            case 'resolve': thing.set_result(int(w[2]))
            case 'fail': thing.set_exception(Raised(w[2]))
            case 'cancel_future': return int(thing.cancel())
            case 'spawn': self.start(w[1], w[2])
            case 'spawn_in':
                if w[1] not in self.groups:
                    raise RuntimeError
                self.start(w[2], w[3], self.groups[w[1]])
            case 'cancel': return int(self.slots[w[1]].cancel()) if w[1] in self.slots else None
            case 'uncancel': return asyncio.current_task().uncancel()
            case 'cancelling': return asyncio.current_task().cancelling()
            case 'await': return await self.slots[w[1]] if w[1] in self.slots else None
            case 'shield': return await asyncio.shield(self.slots[w[1]]) if w[1] in self.slots else None
            case 'wait_for':
                return await asyncio.wait_for(self.slots[w[2]], int(w[1]) / 1e6) if w[2] in self.slots else None
            case 'wait_for_get': return await asyncio.wait_for(self.things[w[2]].get(), int(w[1]) / 1e6)
            case 'wait_for_acquire': await asyncio.wait_for(self.things[w[2]].acquire(), int(w[1]) / 1e6)
            case 'gather':
                got = await asyncio.gather(*self.some(w[2:]), return_exceptions=w[1] == '1')
                return ','.join('!' + name_of(x) if isinstance(x, BaseException) else str(x) for x in got)
            case 'wait_tasks':
                some = self.some(w[3:])
                if not some:
                    return None
                until = {'first': asyncio.FIRST_COMPLETED, 'error': asyncio.FIRST_EXCEPTION,
                         'all': asyncio.ALL_COMPLETED}[w[1]]
                limit = None if w[2] == '-' else int(w[2]) / 1e6
                done, _ = await asyncio.wait(some, timeout=limit, return_when=until)
                return ','.join(sorted(task.get_name() for task in done)) or 'none'
            case 'call':
                try:
                    await self.block(who, self.scripts[w[1]])
                except Return as value:
                    return value.args[0]
            case 'wait_until':
                return int(await thing.wait_for(lambda: self.things[w[2]].number >= int(w[3])))
            case 'task_of':
                self.made += 1
                task = self.loop.create_task(self.one((w[1], self.made), line, w[2:]), name=w[1])
                self.slots[w[1]] = task
                self.tasks.append(task)
            case 'spawn_eager': self.start(w[1], w[2], eager=True)
            case 'soon': self.handles[w[1]] = self.loop.call_soon(self.call(w[1], w[2]))
            case 'later': self.handles[w[2]] = self.loop.call_later(int(w[1]) / 1e6, self.call(w[2], w[3]))
            case 'drop_handle':
                if w[1] in self.handles:
                    self.handles[w[1]].cancel()
            case 'on_done':
                if w[1] in self.slots:
                    self.slots[w[1]].add_done_callback(self.call(w[2], w[3]))
            case 'off_done':
                if w[1] in self.slots and w[2] in self.calls:
                    return self.slots[w[1]].remove_done_callback(self.calls[w[2]])
            case 'on_future': thing.add_done_callback(self.call(w[2], w[3]))
            case 'off_future':
                if w[2] in self.calls:
                    return thing.remove_done_callback(self.calls[w[2]])
            case 'reschedule':
                if w[1] in self.limits:
                    self.limits[w[1]].reschedule(None if w[2] == '-' else self.loop.time() + int(w[2]) / 1e6)
            case 'expired':
                if w[1] in self.limits:
                    return int(self.limits[w[1]].expired())
            case 'limit':
                async with asyncio.timeout(int(w[2]) / 1e6) as limit:
                    self.limits[w[1]] = limit
                    await self.block(who, inner)
            case 'setvar': thing.set(int(w[2]))
            case 'getvar': return thing.get()
            case 'scoped':
                token = thing.set(int(w[2]))
                try:
                    await self.block(who, inner)
                finally:
                    thing.reset(token)
            case 'add': thing.number += int(w[2])
            case 'value': return thing.number
            case 'feed':
                if thing._eof:
                    raise RuntimeError  # an assertion there
                thing.feed_data(bytes_of(w[2]))
            case 'feed_eof': thing.feed_eof()
            case 'fail_reader': thing.set_exception(Raised(w[2]))
            case 'at_eof': return int(thing.at_eof())
            case 'buffered': return thing.buffered()
            case 'reader_error': return name_of(thing.exception()) if thing.exception() else None
            case 'read' | 'read_exactly' | 'read_line' | 'read_until' | 'wait_for_read':
                return await self.reading(who, line, w)
            case 'lines':
                with contextlib.suppress(Break):
                    for _ in range(int(w[2])):
                        if not (some := await self.line_of(thing.enter())):
                            break
                        self.note(who, line, f'ok {text(some)}')
                        await self.block(who, inner)
            case 'break': raise Break
            case 'for':
                with contextlib.suppress(Break):
                    async with contextlib.aclosing(self.items(who, self.scripts[w[1]])) as items:
                        async for item in items:
                            self.note(who, line, f'ok {item}')
                            await self.block(who, inner)
            case 'as_completed':
                some = dict.fromkeys(self.some(w[2:]))
                completions = Completions(some, None if w[1] == '-' else int(w[1]) / 1e6)
                try:
                    async for task in completions:
                        self.note(who, line, f'ok {task.get_name()}')
                finally:
                    # An iteration that is abandoned leaves its timer to itself there, which shows where nothing else
                    # is left to do.
                    if completions._timeout_handle:
                        completions._timeout_handle.cancel()
            case 'timeout':
                async with asyncio.timeout(int(w[1]) / 1e6):
                    await self.block(who, inner)
            case 'group':
                async with asyncio.TaskGroup() as group:
                    group._tasks = Ordered()
                    self.groups[w[1]] = group
                    await self.block(who, inner)
            case 'try': await self.clauses(who, inner, clauses)
            case 'repeat':
                for _ in range(int(w[1])):
                    await self.block(who, inner)
            case 'return': raise Return(int(w[1]))
            case 'raise': raise Raised(w[1])
            case _: raise SystemExit(f'unknown statement: {op}')


def run(text):
    """The trace of a program. What the main task leaves is cancelled as asyncio.run() does, the oldest first; what is
    started from then on leaves no trace."""
    loop = VirtualLoop()
    machine = Machine(text, loop)

    async def all_of():
        machine.make_objects()
        try:
            await machine.task(('main', 0), 'main')
        except (Exception, asyncio.CancelledError):
            pass

    try:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(all_of())
        left = [task for task in machine.tasks if not task.done()]
        machine.limit = machine.made
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        for _ in range(8):  # calls that are queued
            loop.run_until_complete(asyncio.sleep(0))
    except Deadlock:
        machine.trace.append(f'{loop.now_us()} - - DEADLOCK')
    machine.limit = -1
    return machine.trace


def main():
    if sys.version_info < (3, 13):
        sys.exit('needs Python 3.13 or newer')
    sys.unraisablehook = lambda *_: None  # what a deadlock leaves behind is not of interest
    if len(sys.argv) > 1:
        with open(sys.argv[1]) as file:
            print('\n'.join(run(file.read())))
    else:
        json.dump([run(text) for text in json.load(sys.stdin)], sys.stdout)


if __name__ == '__main__':
    main()
