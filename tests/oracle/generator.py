"""Random programs for the oracle, out of the statements and objects that are allowed."""
import random

# What an object is made with, and the statements that need one.
OBJECTS = {
    'lock': ('acquire', 'release', 'locked', 'wait_for_acquire'),
    'event': ('wait', 'set', 'clear'),
    'future': ('await_future', 'resolve', 'fail', 'cancel_future'),
}
PLAIN = ('sleep', 'yield', 'spawn', 'spawn_in', 'cancel', 'uncancel', 'cancelling', 'await', 'wait_for', 'timeout',
         'group', 'repeat', 'try', 'raise', 'return')
ALL = PLAIN + tuple(statement for statements in OBJECTS.values() for statement in statements)
ERRORS = ('E1', 'E2')
DEEPEST = 6


class Generator:
    """`ties`: things also happen in the same instant. `size`: statements in a script, at most. `allowed`: statements."""

    def __init__(self, seed, ties=False, size=6, allowed=ALL, objects=tuple(OBJECTS)):
        self.r = random.Random(f'{seed} {ties} {size}')
        self.ties, self.size = ties, size
        self.kinds = [kind for kind in objects if kind in OBJECTS]
        self.allowed = set(PLAIN) & set(allowed)
        for kind in self.kinds:
            self.allowed |= set(OBJECTS[kind]) & set(allowed)
        self.out, self.made, self.used = [], 0, set()

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

    def one_of(self, kind):
        return self.r.choice(self.objects[kind])

    # ---- the whole

    def program(self):
        r = self.r
        self.objects = {kind: [f'{kind[0]}{i}' for i in range(r.randint(1, 2))] for kind in self.kinds}
        for kind, names in self.objects.items():
            for name in names:
                self.emit(0, kind, name)
        roots = r.randint(2, 5)
        self.leaves = [f'leaf{i}' for i in range(r.randint(1, 3))]
        self.slots = [f't{i}' for i in range(roots)]
        self.root = None
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

    def body(self, depth, count, group, returns=True):
        for _ in range(count):
            self.pause(depth)
            self.one(depth, group, returns)

    # ---- one statement, with what belongs to it

    def one(self, depth, group, returns):
        r = self.r
        kinds = {'acquire': 2, 'wait': 2, 'set': 2, 'clear': 1, 'locked': 1, 'try': 3, 'timeout': 3,
                 'wait_for_acquire': 2, 'raise': 1, 'cancelling': 1, 'uncancel': 0.3, 'repeat': 1, 'release': 0.3,
                 'await_future': 2, 'resolve': 2, 'fail': 0.5, 'cancel_future': 0.7}
        if self.root is not None:
            kinds.update({'spawn': 2, 'group': 2, 'cancel': 4, 'await': 2, 'wait_for': 2})
        elif self.chance(0.2):
            kinds['cancel'] = 2
        if group:
            kinds['spawn_in'] = 8
        elif self.parent and 'spawn_in' in self.allowed:
            kinds['sibling'] = 2
        if returns and depth > 1:
            kinds['return'] = 0.3
        if depth >= DEEPEST:
            for deep in ('acquire', 'try', 'timeout', 'wait_for_acquire', 'repeat', 'group', 'wait'):
                kinds.pop(deep, None)
        kinds = {kind: weight for kind, weight in kinds.items() if kind in self.allowed or kind == 'sibling'}
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
        lock = self.one_of('lock')
        self.emit(depth, 'acquire', lock)
        self.held(depth, lock)

    def a_wait_for_acquire(self, depth, *_):
        lock = self.one_of('lock')
        self.emit(depth, 'wait_for_acquire', self.time(200_000), lock)
        self.held(depth, lock)

    def a_release(self, depth, *_):
        self.caught(depth, 'STATE', 'release', self.one_of('lock'))

    def a_locked(self, depth, *_):
        self.emit(depth, 'locked', self.one_of('lock'))

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
        self.emit(depth, 'cancel', self.r.choice(self.slots))

    def others(self):
        """Only later roots and leaves may be awaited, so that no cycle of awaits arises."""
        return [name for name in self.slots if name[0] == 'x' or int(name[1:]) > self.root] or [f'x{self.made + 1}']

    def a_await(self, depth, *_):
        self.emit(depth, 'await', self.r.choice(self.others()))

    def a_wait_for(self, depth, *_):
        self.emit(depth, 'wait_for', 0 if self.chance(0.05) else self.time(300_000), self.r.choice(self.others()))
