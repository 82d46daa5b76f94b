#!/usr/bin/env python3
"""What asyncio does with the oracle's programs, in virtual time.

    reference.py < PROGRAMS        a JSON list of programs in, a JSON list of traces (lists of lines) out
    reference.py FILE              one program, its trace

Needs Python 3.13 or newer. README.md says what the lines mean.
"""
import asyncio
import heapq
import json
import selectors
import sys


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

    def add(self, task):
        self[task] = None

    def discard(self, task):
        self.pop(task, None)


BLOCKS = {'try', 'except', 'finally', 'timeout', 'group', 'repeat'}


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
        if words[0] == 'task':
            scripts[words[1]] = block()
            at += 1
        else:
            objects.append(words)
    return objects, scripts


class Raised(Exception):
    """An error made by the program itself: `raise NAME`."""


class Return(Exception):
    pass


NAMES = [(asyncio.CancelledError, 'CANCELLED'), (TimeoutError, 'TIMEOUT'), (asyncio.BrokenBarrierError, 'BROKEN'),
         (asyncio.QueueEmpty, 'EMPTY'), (asyncio.QueueFull, 'FULL'), (asyncio.InvalidStateError, 'INVALID'),
         (RuntimeError, 'STATE'), (ValueError, 'VALUE')]


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
        self.things, self.slots, self.groups = {}, {}, {}
        self.tasks, self.trace, self.limit, self.made = [], [], None, 0

    def make_objects(self):
        make = {'lock': asyncio.Lock, 'sem': lambda value: asyncio.Semaphore(int(value)),
                'bsem': lambda value: asyncio.BoundedSemaphore(int(value)), 'event': asyncio.Event,
                'cond': asyncio.Condition, 'barrier': lambda parties: asyncio.Barrier(int(parties)),
                'fifo': lambda size: asyncio.Queue(int(size)), 'lifo': lambda size: asyncio.LifoQueue(int(size)),
                'prio': lambda size: asyncio.PriorityQueue(int(size)), 'future': self.loop.create_future}
        for kind, name, *arguments in self.objects:
            self.things[name] = make[kind](*arguments)

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

    async def block(self, who, body):
        for line, words, inner, clauses in body:
            try:
                value = await self.statement(who, words, inner, clauses)
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

    def start(self, slot, script, group=None):
        self.made += 1
        coroutine = self.task((slot, self.made), script)
        try:
            task = (group or self.loop).create_task(coroutine, name=slot)
        except BaseException:
            coroutine.close()
            raise
        self.slots[slot] = task
        self.tasks.append(task)

    def some(self, names):
        return [self.slots[name] for name in names if name in self.slots]

    async def statement(self, who, w, inner, clauses):
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
