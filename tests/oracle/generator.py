"""Random programs for the oracle, out of the statements and objects that are allowed."""
import random

from generate_readers import ERRORS, Readers
from kinds import KINDS

# What an object is made with, and the statements that need one.
OBJECTS = {
    'lock': ('acquire', 'release', 'locked', 'wait_for_acquire'),
    'event': ('wait', 'set', 'clear'),
    'future': ('await_future', 'resolve', 'fail', 'cancel_future', 'on_future', 'off_future', 'shield_future'),
    'sem': ('acquire', 'release', 'locked', 'wait_for_acquire'),
    'bsem': ('acquire', 'release', 'locked', 'wait_for_acquire'),
    'cond': ('condition', 'wait', 'notify', 'notify_all', 'acquire', 'release', 'locked'),
    'barrier': ('meet', 'wait', 'abort', 'reset'),
    'fifo': ('put', 'get', 'put_nowait', 'get_nowait', 'task_done', 'join_queue', 'shutdown', 'size', 'wait_for_get'),
    'lifo': ('put', 'get', 'put_nowait', 'get_nowait', 'task_done', 'join_queue', 'shutdown', 'size', 'wait_for_get'),
    'var': ('setvar', 'getvar', 'scoped'),
    'counter': ('add', 'value', 'wait_until'),
    'reader': ('feed', 'feed_eof', 'fail_reader', 'at_eof', 'buffered', 'reader_error', 'read', 'read_exactly', 'read_line',
               'read_until', 'wait_for_read', 'lines'),
    'prio': ('put', 'get', 'put_nowait', 'get_nowait', 'task_done', 'join_queue', 'shutdown', 'size', 'wait_for_get'),
}
NUMBERS = {'sem': (0, 2), 'bsem': (1, 2), 'barrier': (2, 3), 'fifo': (0, 2), 'lifo': (0, 2), 'prio': (0, 2), 'reader': (2, 9)}
LOCKS, QUEUES = ('lock', 'sem', 'bsem'), ('fifo', 'lifo', 'prio')
PLAIN = ('sleep', 'yield', 'spawn', 'spawn_in', 'cancel', 'uncancel', 'cancelling', 'await', 'wait_for', 'timeout',
         'group', 'repeat', 'try', 'raise', 'return', 'call', 'spawn_eager', 'soon', 'later', 'drop_handle', 'on_done',
         'off_done', 'shield', 'gather', 'wait_tasks', 'as_completed', 'task_of', 'limit', 'reschedule', 'expired', 'for')
ALL = PLAIN + tuple(statement for statements in OBJECTS.values() for statement in statements)
DEEPEST = 6


class Generator(Readers):
    """`ties`: things also happen in the same instant. `size`: statements in a script, at most. `favour`: one of KINDS, of
    which there are more than otherwise. `allowed`: statements."""

    def __init__(self, seed, ties=False, size=6, favour=None, allowed=ALL, objects=tuple(OBJECTS)):
        self.r = random.Random(f'{seed} {ties} {size}' + (f' {favour}' if favour else ''))
        self.favoured, self.needed, _ = KINDS[favour] if favour else ((), (), None)
        self.ties, self.size = ties, size
        self.kinds = [kind for kind in objects if kind in OBJECTS]
        self.possible = set(allowed)
        self.allowed = set(PLAIN) & set(allowed)
        for kind in self.kinds:
            self.allowed |= set(OBJECTS[kind]) & set(allowed)
        self.out, self.made, self.used = [], 0, set()
        self.calls, self.limits, self.looping, self.calling = 0, [], False, False

    # ---- pieces

    def emit(self, depth, *words):
        self.out.append('  ' * depth + ' '.join(map(str, words)))

    def chance(self, p):
        return self.r.random() < p

    def time(self, top=400_000):
        """Without ties no two delays are alike, so that instants do not meet by chance."""
        if self.ties and self.chance(0.5):
            return 10_000 * self.r.randint(1, 6)
        while True:
            t = self.r.randrange(1_000, top)
            if t not in self.used:
                self.used.add(t)
                return t

    def pause(self, depth):
        if not self.ties or self.chance(0.5):
            self.emit(depth, 'sleep', self.time())
        elif self.chance(0.4):
            self.emit(depth, 'yield')

    def one_of(self, *kinds):
        return self.r.choice([name for kind in kinds for name in self.objects.get(kind, ())])

    def has(self, *kinds):
        return any(kind in self.objects for kind in kinds)

    # ---- the whole

    def program(self):
        r = self.r
        # Few kinds in a program, so that tasks meet at the same things.
        kinds = r.sample(self.kinds, min(len(self.kinds), r.randint(2, 4)))
        kinds += [kind for kind in self.needed if kind not in kinds]
        if 'cond' in kinds and 'counter' in self.kinds and 'counter' not in kinds and self.chance(0.9):
            kinds.append('counter')
        self.allowed -= {statement for statements in OBJECTS.values() for statement in statements}
        for kind in kinds:
            self.allowed |= set(OBJECTS[kind]) & self.possible
        self.objects = {kind: [f'{kind}{i}' for i in range(r.randint(1, 2))] for kind in kinds}
        for kind, names in self.objects.items():
            for name in names:
                self.emit(0, kind, name, *([r.randint(*NUMBERS[kind])] if kind in NUMBERS else []))
        roots = r.randint(2, 5)
        self.leaves = [f'leaf{i}' for i in range(r.randint(1, 3))]
        self.slots = [f't{i}' for i in range(roots)]
        self.root, self.parent = None, False
        self.callbacks = [f'call{i}' for i in range(r.randint(1, 3))]
        for callback in self.callbacks:
            self.callback(callback)
        self.generators = [f'each{i}' for i in range(r.randint(1, 2))]
        for generator in self.generators:
            self.emit(0, 'generator', generator)
            self.items(1, r.randint(1, 4))
            self.emit(0, 'end')
        self.inner = [f'inner{i}' for i in range(r.randint(1, 2))]
        for inner in self.inner:
            self.calling = True
            self.script(inner)
            self.calling = False
        for leaf in self.leaves:
            self.parent = leaf == 'leaf0' and len(self.leaves) > 1
            self.script(leaf)
        self.parent = False
        for i in range(roots):
            self.root = i
            self.script(f'root{i}')
        self.emit(0, 'task', 'main')
        for i in range(roots):
            if self.ties and self.chance(0.2):
                self.emit(1, 'yield')
            self.emit(1, 'spawn', f't{i}', f'root{i}')
        self.end(roots)
        self.emit(0, 'end')
        return '\n'.join(self.out) + '\n'

    def end(self, roots):
        """How the main task waits for the others: mostly long enough; or not, and they are cancelled; or for ever."""
        how = self.r.random()
        if how < 0.6:
            self.emit(1, 'sleep', 4_000_000)
        elif how < 0.8:
            self.emit(1, 'sleep', self.time(600_000))
        else:
            for i in range(roots):
                self.emit(1, 'try')
                self.emit(2, 'await', f't{i}')
                self.emit(1, 'except', 'any')
                self.emit(1, 'end')

    def script(self, name):
        self.emit(0, 'task', name)
        self.body(1, self.r.randint(2, self.size), None)
        if self.chance(0.3):
            self.emit(1, 'return', self.r.randrange(100))
        self.emit(0, 'end')

    def callback(self, name):
        """What the loop calls: statements that do not wait, and need no task."""
        self.emit(0, 'callback', name)
        some = [('cancel', self.r.choice(self.slots))]
        if self.has('event'):
            some += [('set', self.one_of('event')), ('clear', self.one_of('event'))]
        if self.has('future'):
            some += [('resolve', self.one_of('future'), self.r.randrange(100)), ('cancel_future', self.one_of('future'))]
        if self.has(*QUEUES):
            some += [('put_nowait', self.one_of(*QUEUES), self.r.randrange(100))]
        if self.has('var'):
            some += [('setvar', self.one_of('var'), self.r.randrange(9)), ('getvar', self.one_of('var'))] * 2
        if self.has('counter'):
            some += [('add', self.one_of('counter'), 1)]
        if self.has('reader'):
            some += [('feed', self.one_of('reader'), self.text())] * 2 + [('feed_eof', self.one_of('reader')),
                                                                          ('at_eof', self.one_of('reader'))]
        if self.has('sem'):
            some += [('release', self.one_of('sem'))]
        for _ in range(self.r.randint(1, 2)):
            self.emit(1, *self.r.choice(some))
        if self.ties and name != self.callbacks[-1] and self.chance(0.3):
            self.emit(1, 'soon', self.handle(), self.callbacks[-1])
        self.emit(0, 'end')

    def items(self, depth, count):
        """The statements of a generator."""
        for _ in range(count):
            how = self.r.random()
            if how < 0.5:
                self.emit(depth, 'yield_value', self.r.randrange(100))
            elif how < 0.65:
                self.pause(depth)
            elif how < 0.75 and depth < 2:  # more, and a task is stopped after THRUM_AWAIT_BUDGET awaits in a row
                self.emit(depth, 'repeat', 2)
                self.items(depth + 1, 1)
                self.emit(depth, 'end')
            elif how < 0.95 and depth < 4:
                self.emit(depth, 'try')
                self.items(depth + 1, self.r.randint(1, 2))
                if self.chance(0.5):
                    self.emit(depth, 'except', self.r.choice(['CANCELLED', *ERRORS]))
                    self.items(depth + 1, self.r.randint(0, 1))
                if self.chance(0.6):
                    self.emit(depth, 'finally')
                    self.pause(depth + 1)
                self.emit(depth, 'end')
            elif self.chance(0.3):
                self.emit(depth, 'raise', self.r.choice(ERRORS))
            elif self.has('event'):
                self.emit(depth, 'wait', self.one_of('event'))

    def body(self, depth, count, group, returns=True):
        for _ in range(count):
            self.pause(depth)
            self.one(depth, group, returns)

    # ---- one statement, with what belongs to it

    def one(self, depth, group, returns):
        r = self.r
        kinds = {'acquire': 2, 'wait': 2, 'set': 2, 'clear': 1, 'locked': 1, 'try': 3, 'timeout': 3,
                 'wait_for_acquire': 2, 'raise': 1, 'cancelling': 1, 'uncancel': 0.3, 'repeat': 1, 'release': 0.3,
                 'await_future': 2, 'resolve': 2, 'fail': 0.5, 'cancel_future': 0.7, 'condition': 5, 'meet': 3,
                 'abort': 0.3, 'reset': 0.5, 'put': 4, 'get': 4, 'put_nowait': 1, 'get_nowait': 1, 'task_done': 1,
                 'join_queue': 1, 'shutdown': 0.4, 'size': 0.5, 'wait_for_get': 2}
        if not self.calling:
            kinds['call'] = 2
        kinds.update({'soon': 1, 'later': 1, 'drop_handle': 0.7, 'on_done': 1.5, 'off_done': 0.7, 'limit': 2, 'reschedule': 1.5,
                      'expired': 0.5, 'for': 2, 'setvar': 3, 'getvar': 3, 'scoped': 2, 'add': 2, 'value': 1, 'on_future': 1.5,
                      'off_future': 1, 'shield_future': 1})
        kinds.update({'feed': 8, 'feed_eof': 0.7, 'fail_reader': 0.5, 'at_eof': 1, 'buffered': 1, 'reader_error': 0.5, 'read': 3,
                      'read_exactly': 3, 'read_line': 3, 'read_until': 3, 'wait_for_read': 1.5, 'lines': 1.5})
        if self.has('cond'):
            kinds['wait_until'] = 8
        if self.looping and returns:
            kinds['break'] = 3
        if not self.has('event'):
            kinds.pop('wait')
        if not self.has(*LOCKS):
            for kind in ('acquire', 'wait_for_acquire'):
                kinds.pop(kind)
        if self.root is not None:
            kinds.update({'shield': 2, 'gather': 3, 'wait_tasks': 2, 'as_completed': 2, 'task_of': 2, 'spawn': 2, 'spawn_eager': 2, 'group': 2, 'cancel': 4, 'await': 2, 'wait_for': 2})
        elif self.chance(0.2):
            kinds['cancel'] = 2
        if group:
            kinds['spawn_in'] = 8
        elif self.parent and 'spawn_in' in self.allowed:
            kinds['sibling'] = 2
        if returns and depth > 1:
            kinds['return'] = 0.3
        if depth >= DEEPEST:
            for deep in ('acquire', 'try', 'timeout', 'wait_for_acquire', 'repeat', 'group', 'wait', 'condition', 'limit', 'scoped',
                         'for', 'wait_until', 'lines', 'read', 'read_exactly', 'read_line', 'read_until'):
                kinds.pop(deep, None)
        kinds = {kind: weight for kind, weight in kinds.items() if kind in self.allowed or kind in ('sibling', 'break')}
        kinds = {kind: weight * (3 if kind in self.favoured else 1) for kind, weight in kinds.items()}
        kind = r.choices(list(kinds), list(kinds.values()))[0]
        getattr(self, 'a_' + kind)(depth, group, returns)

    def bounded(self, depth, *words):
        """A wait that may last for ever: mostly under a timeout that is caught, so that programs go on."""
        if depth + 3 > DEEPEST or self.chance(0.3) or 'timeout' not in self.allowed:
            self.emit(depth, *words)
            return
        self.emit(depth, 'try')
        self.emit(depth + 1, 'timeout', self.time(150_000))
        self.emit(depth + 2, *words)
        self.emit(depth + 1, 'end')
        self.emit(depth, 'except', self.r.choice(['TIMEOUT', 'TIMEOUT', 'any']))
        self.emit(depth, 'end')

    def held(self, depth, lock):
        self.emit(depth, 'try')
        self.body(depth + 1, self.r.randint(0, 2), None, False)
        if not self.ties or self.chance(0.7):
            self.emit(depth + 1, 'sleep', self.time(50_000))
        self.emit(depth, 'finally')
        if self.chance(0.1):
            self.emit(depth + 1, 'yield')
        self.emit(depth + 1, 'release', lock)
        self.emit(depth, 'end')

    def caught(self, depth, name, *words):
        self.emit(depth, 'try')
        self.emit(depth + 1, *words)
        self.emit(depth, 'except', name)
        self.emit(depth, 'end')

    def a_acquire(self, depth, *_):
        lock = self.one_of(*LOCKS)
        self.emit(depth, 'acquire', lock)
        self.held(depth, lock)

    def a_wait_for_acquire(self, depth, *_):
        lock = self.one_of(*LOCKS)
        self.emit(depth, 'wait_for_acquire', self.time(200_000), lock)
        self.held(depth, lock)

    def a_release(self, depth, *_):
        self.caught(depth, 'any', 'release', self.one_of(*LOCKS, 'cond'))

    def a_locked(self, depth, *_):
        self.emit(depth, 'locked', self.one_of(*LOCKS, 'cond'))

    def a_condition(self, depth, *_):
        """With the lock mostly held: a wait, or a notification."""
        name = self.one_of('cond')
        how = self.r.random()
        if how < 0.1:
            self.caught(depth, 'STATE', *self.r.choice([('wait', name), ('notify', name, 1), ('notify_all', name)]))
            return
        self.emit(depth, 'acquire', name)
        self.emit(depth, 'try')
        if how < 0.55:
            self.bounded(depth + 1, 'wait', name)
        elif how < 0.85:
            self.emit(depth + 1, 'notify', name, self.r.randint(0, 3))
        else:
            self.emit(depth + 1, 'notify_all', name)
        if self.chance(0.4):
            self.pause(depth + 1)
        if self.chance(0.2):
            self.body(depth + 1, 1, None, False)
        self.emit(depth, 'finally')
        self.emit(depth + 1, 'release', name)
        self.emit(depth, 'end')

    def a_shield(self, depth, *_):
        self.emit(depth, *self.words_of('shield'))

    def a_gather(self, depth, *_):
        self.emit(depth, *self.words_of('gather'))

    def a_wait_tasks(self, depth, *_):
        self.emit(depth, *self.words_of('wait_tasks'))

    def a_as_completed(self, depth, *_):
        words = list(dict.fromkeys(self.r.choices(self.others(), k=self.r.randint(0, 4))))
        words = 'as_completed', self.r.choice(['-', self.time(300_000), self.time(300_000)]), *words
        if self.chance(0.5):
            self.emit(depth, *words)
        else:
            self.caught(depth, 'TIMEOUT', *words)

    def words_of(self, op, leaves=False):
        r, others = self.r, self.others()
        if leaves:
            others = [name for name in self.slots if name[0] == 'x'] or ['x1']
        if op == 'shield':
            return op, r.choice(others)
        if op == 'gather':
            return op, r.randint(0, 1), *r.choices(others, k=r.randint(0, 3))
        return op, r.choice(['first', 'error', 'all']), r.choice(['-', self.time(300_000)]), *r.choices(others, k=r.randint(1, 3))

    def a_task_of(self, depth, *_):
        """A task that is a gather, a wait, a shield or a read, to be cancelled by others."""
        about_it = 'task_of' in self.favoured and self.chance(0.7)
        if about_it:
            for _ in range(self.r.randint(1, 3)):
                self.a_spawn(depth)
        words = self.words_of(self.r.choice(['shield', 'gather', 'gather', 'wait_tasks']), True)
        if self.has('reader') and self.chance(0.5):
            words = self.r.choice([('read_line', self.one_of('reader')), ('read', self.one_of('reader'), 3),
                                   ('read_exactly', self.one_of('reader'), self.r.randint(1, 9))])
        self.made += 1
        self.slots.append(f'y{self.made}')
        self.emit(depth, 'task_of', self.slots[-1], *words)
        if about_it:
            mine = self.slots[-1]
            if not self.ties or self.chance(0.7):
                self.emit(depth, 'sleep', self.time(60_000))
            else:
                self.pause(depth)
            self.emit(depth, 'cancel', mine)
            if self.chance(0.5):
                self.caught(depth, 'any', 'await', mine)

    def a_shield_future(self, depth, *_):
        self.bounded(depth, 'shield_future', self.one_of('future'))

    def a_call(self, depth, *_):
        self.emit(depth, 'call', self.r.choice(self.inner))

    def handle(self):
        return f'h{self.r.randint(1, 3)}'

    def a_soon(self, depth, *_):
        self.emit(depth, 'soon', self.handle(), self.r.choice(self.callbacks))

    def a_later(self, depth, *_):
        self.emit(depth, 'later', self.time(), self.handle(), self.r.choice(self.callbacks))

    def a_drop_handle(self, depth, *_):
        self.emit(depth, 'drop_handle', self.handle())

    def a_on_done(self, depth, *_):
        self.calls += 1
        self.emit(depth, 'on_done', self.r.choice(self.slots), f'd{self.calls}', self.r.choice(self.callbacks))

    def a_off_done(self, depth, *_):
        self.emit(depth, 'off_done', self.r.choice(self.slots), f'd{self.r.randint(1, self.calls + 1)}')

    def a_on_future(self, depth, *_):
        self.calls += 1
        self.emit(depth, 'on_future', self.one_of('future'), f'd{self.calls}', self.r.choice(self.callbacks))

    def a_off_future(self, depth, *_):
        self.emit(depth, 'off_future', self.one_of('future'), f'd{self.r.randint(1, self.calls + 1)}')

    def a_limit(self, depth, group, returns):
        self.limits.append(f'm{len(self.limits)}')
        self.emit(depth, 'limit', self.limits[-1], self.time(300_000))
        self.body(depth + 1, self.r.randint(1, 3), None, returns)
        self.emit(depth, 'end')

    def a_reschedule(self, depth, *_):
        name = self.r.choice(self.limits or ['m0'])
        when = self.r.choice(['-', 0, self.time(200_000), self.time(200_000)])
        self.caught(depth, 'STATE', 'reschedule', name, when)

    def a_expired(self, depth, *_):
        self.emit(depth, 'expired', self.r.choice(self.limits or ['m0']))

    def a_for(self, depth, group, returns):
        before, self.looping = self.looping, True
        self.emit(depth, 'for', self.r.choice(self.generators))
        self.body(depth + 1, self.r.randint(0, 2), None, returns)
        self.emit(depth, 'end')
        self.looping = before

    def a_break(self, depth, *_):
        self.emit(depth, 'break')

    def a_spawn_eager(self, depth, *_):
        self.emit(depth, 'spawn_eager', self.new_slot(), self.r.choice(self.leaves))

    def a_setvar(self, depth, *_):
        self.emit(depth, 'setvar', self.one_of('var'), self.r.randrange(100))

    def a_getvar(self, depth, *_):
        self.emit(depth, 'getvar', self.one_of('var'))

    def a_scoped(self, depth, group, returns):
        self.emit(depth, 'scoped', self.one_of('var'), self.r.randrange(100))
        self.body(depth + 1, self.r.randint(1, 2), None, returns)
        self.emit(depth, 'end')

    def a_add(self, depth, *_):
        self.emit(depth, 'add', self.one_of('counter'), self.r.randint(0, 2))

    def a_value(self, depth, *_):
        self.emit(depth, 'value', self.one_of('counter'))

    def a_wait_until(self, depth, *_):
        name = self.one_of('cond')
        self.emit(depth, 'acquire', name)
        self.emit(depth, 'try')
        self.bounded(depth + 1, 'wait_until', name, self.one_of('counter'), self.r.randint(0, 4))
        self.emit(depth, 'finally')
        self.emit(depth + 1, 'release', name)
        self.emit(depth, 'end')

    def a_meet(self, depth, *_):
        self.bounded(depth, 'wait', self.one_of('barrier'))

    def a_abort(self, depth, *_):
        self.emit(depth, 'abort', self.one_of('barrier'))

    def a_reset(self, depth, *_):
        self.emit(depth, 'reset', self.one_of('barrier'))

    def a_put(self, depth, *_):
        self.bounded(depth, 'put', self.one_of(*QUEUES), self.r.randrange(100))

    def a_get(self, depth, *_):
        self.bounded(depth, 'get', self.one_of(*QUEUES))

    def a_wait_for_get(self, depth, *_):
        self.caught(depth, self.r.choice(['TIMEOUT', 'any']), 'wait_for_get', self.time(200_000), self.one_of(*QUEUES))

    def a_put_nowait(self, depth, *_):
        self.caught(depth, self.r.choice(['FULL', 'any']), 'put_nowait', self.one_of(*QUEUES), self.r.randrange(100))

    def a_get_nowait(self, depth, *_):
        self.caught(depth, self.r.choice(['EMPTY', 'any']), 'get_nowait', self.one_of(*QUEUES))

    def a_task_done(self, depth, *_):
        self.caught(depth, 'VALUE', 'task_done', self.one_of(*QUEUES))

    def a_join_queue(self, depth, *_):
        self.bounded(depth, 'join_queue', self.one_of(*QUEUES))

    def a_shutdown(self, depth, *_):
        self.emit(depth, 'shutdown', self.one_of(*QUEUES), self.r.randint(0, 1))

    def a_size(self, depth, *_):
        self.emit(depth, 'size', self.one_of(*QUEUES))

    def a_wait(self, depth, *_):
        self.bounded(depth, 'wait', self.one_of('event'))

    def a_set(self, depth, *_):
        self.emit(depth, 'set', self.one_of('event'))

    def a_clear(self, depth, *_):
        self.emit(depth, 'clear', self.one_of('event'))

    def a_await_future(self, depth, *_):
        self.bounded(depth, 'await_future', self.one_of('future'))

    def a_resolve(self, depth, *_):
        self.caught(depth, 'INVALID', 'resolve', self.one_of('future'), self.r.randrange(100))

    def a_fail(self, depth, *_):
        self.caught(depth, 'INVALID', 'fail', self.one_of('future'), self.r.choice(ERRORS))

    def a_cancel_future(self, depth, *_):
        self.emit(depth, 'cancel_future', self.one_of('future'))

    def a_cancelling(self, depth, *_):
        self.emit(depth, 'cancelling')

    def a_uncancel(self, depth, *_):
        self.emit(depth, 'uncancel')

    def a_raise(self, depth, *_):
        if self.chance(0.5):
            self.emit(depth, 'raise', self.r.choice(ERRORS))

    def a_return(self, depth, *_):
        self.emit(depth, 'return', self.r.randrange(100))

    def a_repeat(self, depth, group, returns):
        self.emit(depth, 'repeat', self.r.randint(2, 3))
        self.body(depth + 1, self.r.randint(1, 2), None, returns)
        self.emit(depth, 'end')

    def a_try(self, depth, group, returns):
        self.emit(depth, 'try')
        self.body(depth + 1, self.r.randint(1, 2), None, returns)
        if self.chance(0.8):
            self.emit(depth, 'except', self.r.choice(['any', 'any', 'CANCELLED', 'TIMEOUT', *ERRORS]))
            self.body(depth + 1, self.r.randint(0, 1), None, returns)
            if self.chance(0.4) and 'uncancel' in self.allowed:
                self.emit(depth + 1, 'uncancel')
        if self.chance(0.5):
            self.emit(depth, 'finally')
            if self.ties and self.chance(0.4):
                self.emit(depth + 1, 'yield')
            else:
                self.emit(depth + 1, 'sleep', self.time(30_000))
            if self.chance(0.2):
                self.body(depth + 1, 1, None, False)
        self.emit(depth, 'end')

    def a_timeout(self, depth, group, returns):
        self.emit(depth, 'timeout', 0 if self.chance(0.03) else self.time(300_000))
        self.body(depth + 1, self.r.randint(1, 2), None, returns)
        self.emit(depth, 'end')

    def new_slot(self):
        if self.made and self.chance(0.15):
            return f'x{self.r.randint(1, self.made)}'
        self.made += 1
        self.slots.append(f'x{self.made}')
        return f'x{self.made}'

    def a_spawn(self, depth, *_):
        self.emit(depth, 'spawn', self.new_slot(), self.r.choice(self.leaves))

    def a_group(self, depth, *_):
        self.made += 1
        group = f'g{self.made}'
        self.emit(depth, 'group', group)
        self.body(depth + 1, self.r.randint(1, 3), group, False)
        self.emit(depth, 'end')

    def a_spawn_in(self, depth, group, _):
        self.emit(depth, 'spawn_in', group, self.new_slot(), self.r.choice(self.leaves))

    def a_sibling(self, depth, *_):
        """A child starts another one, in a group that may be open, over, or none at all."""
        self.made += 1
        words = 'spawn_in', f'g{self.r.randint(1, 5)}', f'x{self.made}', self.r.choice(self.leaves[1:])
        if self.chance(0.5):
            self.emit(depth, *words)
        else:
            self.caught(depth, 'STATE', *words)

    def a_cancel(self, depth, *_):
        slots = self.slots
        if 'task_of' in self.favoured and self.chance(0.8):
            slots = [name for name in slots if name[0] == 'y'] or slots
        self.emit(depth, 'cancel', self.r.choice(slots))

    def others(self):
        """Only later roots and leaves may be awaited, so that no cycle of awaits arises."""
        return [name for name in self.slots if name[0] in 'xy' or int(name[1:]) > self.root] or [f'x{self.made + 1}']

    def a_await(self, depth, *_):
        self.emit(depth, 'await', self.r.choice(self.others()))

    def a_wait_for(self, depth, *_):
        self.emit(depth, 'wait_for', 0 if self.chance(0.05) else self.time(300_000), self.r.choice(self.others()))
