"""thrum for gdb: every task of a process or of a core dump.

    (gdb) source /usr/share/thrum/gdb/thrum-gdb.py
    (gdb) thrum ps          a table: a line a task, of every thread that has a loop
    (gdb) thrum pstree      the same as a tree, tasks over what they wait for

For how long a task has waited is known of loops in debug mode; in a core dump it is counted up to the loop's last pass.
Reads memory only, so the process need not be in a state to run anything. Needs the library's debug information (its
types) and, for the threads of a core dump, that of the C library's threads, which distributions have installed.
"""
import time

import gdb

NANOSECONDS = 1000000000


class Missing(Exception):
    """What this script cannot do without, in words."""


def lookup_type(name):
    try:
        return gdb.lookup_type(name)
    except gdb.error:
        raise Missing('there is no type "%s": thrum was built without debug information (-g), or is not loaded' % name)


def constant(name):
    symbol = gdb.lookup_static_symbol(name) or gdb.lookup_global_symbol(name)
    if symbol is None:
        raise Missing('there is no constant "%s": thrum was built without debug information (-g)' % name)
    return int(symbol.value())


def text(value):
    try:
        return value.string() if int(value) else None
    except (gdb.error, UnicodeDecodeError):
        return '?'


def function_name(pointer):
    """The symbol of a function, or None."""
    block = gdb.block_for_pc(int(pointer)) if int(pointer) else None
    if block is not None and block.function is not None:
        return block.function.name
    return None


def has(value, field):
    return any(f.name == field for f in value.type.fields())


class Thread:
    """One thread that has a loop, or tasks."""

    def __init__(self, thread, state):
        self.number = thread.num
        self.state = state
        self.now = self.clock()

    def clock(self):
        """The loop's time: of its last pass in a core dump; of a process that runs here, now."""
        now = int(self.state['now'])
        connection = gdb.selected_inferior().connection
        loop = self.state['loop']
        if connection is None or connection.type != 'native' or not int(loop):
            return now
        backend = str(loop.cast(lookup_type('thrum_loop').pointer())['backend'])
        known = 'libev' in backend or 'guest' in backend  # others have clocks that nobody knows here
        return max(now, time.clock_gettime_ns(time.CLOCK_MONOTONIC)) if known else now

    def blocks(self):
        """The addresses of tasks in the pool."""
        pool = self.state['pool']
        kind, mark = constant('POOL_TASK'), 1
        word = lookup_type('uintptr_t')
        address = int(pool['end'])
        child = (lookup_type('thrum_child').sizeof + 15) // 16 * 16

        def used(at):
            return int(gdb.Value(at + word.sizeof).cast(word.pointer()).dereference()) != mark

        for _ in range(int(pool['tasks'])):
            if used(address):
                yield address
            address += child
        slab = pool['slabs']
        while int(slab):
            if int(slab['kind']) == kind:
                for i in range(int(slab['fresh'])):
                    at = int(slab['blocks']) + i * int(slab['size'])
                    if bool(slab['single']) or used(at):
                        yield at
            slab = slab['next']


class Task:
    def __init__(self, thread, value):
        self.thread = thread
        self.value = value
        self.address = int(value.address)
        self.state = int(value['waiter']['node']['state'])
        self.frames = list(self.read_frames())
        self.current = int(thread.state['current']) == self.address
        self.waits = self.state in (constant('NODE_PARKED'), constant('NODE_TIMED')) and int(value['operations']) != 0
        self.awaited_by = []

    def read_frames(self):
        coro = self.value['leaf']
        function = lookup_type('thrum_function').pointer()
        while int(coro):
            operations = coro['head']['operations']
            name = text(operations['name']) or '?'
            if int(operations['start']):
                yield name, None, 0
            else:
                line = int(coro['resume']) >> 16 & 0x3fff
                yield name, text(operations.cast(function)['file']), line
            coro = coro['caller']

    def extension(self):
        pointer = self.value['extension']
        if not int(pointer):
            return None
        try:
            return pointer.cast(lookup_type('struct thrum_task_extension').pointer()).dereference()
        except (gdb.error, Missing):
            return None

    def name(self):
        extension = self.extension()
        given = text(extension['name']) if extension is not None else None
        return given or (self.frames[-1][0] if self.frames else '?')

    def status(self):
        if not self.waits:
            if self.current:
                return 'runs'
            return 'ready' if int(self.value['leaf']['resume']) else 'has not begun'
        said = 'waits in %s' % (text(self.value['operations']['name']) or '?')
        extension = self.extension()
        since = int(extension['since']) if extension is not None and has(extension, 'since') else 0
        if since:
            said += ' for %.3f s' % ((self.thread.now - since) / NANOSECONDS)
        if self.state == constant('NODE_TIMED'):
            said += ', %.3f s to go' % ((int(self.value['waiter']['as']['when']) - self.thread.now) / NANOSECONDS)
        return said

    def awaits(self):
        """('task' or 'future', address) of all that it waits for, as the operation's verb `awaits` tells."""
        if self.waits:
            operations = self.value['operations']
            verb = function_name(operations['awaits']) or ''
            target = self.value['object']
            if verb == 'combinator_awaits':
                yield from members(target.cast(lookup_type('combinator').pointer())['set'])
            elif verb == 'children_awaits':
                yield from children(target)
            elif verb and text(operations['name']) in ('task', 'future'):
                yield text(operations['name']), int(target)
        scope = self.value['scopes']
        while int(scope):
            if function_name(scope['exit']) == 'group_exit':
                yield from children(scope)
            scope = scope['outer']


def children(group):
    group = group.cast(lookup_type('thrum_group').pointer())
    first = child = group['children']
    while int(child):
        yield 'task', int(child)
        child = child['next']
        if int(child) == int(first):
            break


def members(member_set):
    for i in range(int(member_set['count'])):
        member = member_set['members'][i]
        if int(member['handle']['waiter']['node']['state']) == constant('NODE_PARKED') and int(member['object']):
            yield 'future' if int(member['kind']) == constant('MEMBER_FUTURE') else 'task', int(member['object'])


def state_of_thread():
    try:
        return gdb.parse_and_eval('thrum_state_')
    except gdb.error as error:
        raise Missing('cannot read "thrum_state_" (%s): it takes the debug information of thrum (-g), and libthread_db '
                      'for a thread\'s own memory' % error)


def read():
    """All tasks of all threads, by address."""
    tasks = {}
    inferior = gdb.selected_inferior()
    if not inferior.threads():
        raise Missing('there is no process and no core dump')
    task_type = lookup_type('thrum_task')
    selected = gdb.selected_thread()
    problem = None
    try:
        for thread in sorted(inferior.threads(), key=lambda thread: thread.num):
            thread.switch()
            try:
                one = Thread(thread, state_of_thread())
                for address in one.blocks():
                    task = Task(one, gdb.Value(address).cast(task_type.pointer()).dereference())
                    if task.frames:
                        tasks[address] = task
            except Missing as missing:
                problem = missing
    finally:
        if selected is not None:
            selected.switch()
    if problem is not None and not tasks:
        raise problem
    return tasks


def edges(tasks):
    """(task, kind, address) of every wait, each once."""
    for task in tasks.values():
        for kind, address in dict.fromkeys(task.awaits()):
            yield task, kind, address


def stack(task):
    return ' <- '.join('%s %s:%d' % frame if frame[1] and frame[2] else frame[0] for frame in task.frames)


def print_table(tasks):
    rows = [('thread', 'task', 'name', 'state', 'innermost function <- its caller', 'awaited by')]
    for waiter, kind, address in edges(tasks):
        if kind == 'task' and address in tasks:
            tasks[address].awaited_by.append(waiter.name())
    for task in tasks.values():
        rows.append((str(task.thread.number), '%#x' % task.address, task.name(), task.status(), stack(task),
                     ', '.join(task.awaited_by)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print('  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def tree(tasks):
    """Roots, and for each task what hangs under it: (kind, address, whether it is only named there)."""
    above, under = {}, {address: [] for address in tasks}
    for waiter, kind, address in edges(tasks):
        over = waiter.address
        while over is not None and over != address:
            over = above.get(over)
        again = address in above or over is not None
        if not again:
            above[address] = waiter.address
        under[waiter.address].append((kind, address, again))
    return [address for address in tasks if address not in above], under


def print_node(tasks, under, kind, address, again, level):
    indent = '    ' * level
    if kind == 'future' or address not in tasks:
        print('%s* %s(id=%#x)%s' % (indent, kind.capitalize(), address, ', as elsewhere' if again else ''))
        return
    task = tasks[address]
    print("%s* Task(name='%s', id=%#x), %s%s" % (indent, task.name(), address, task.status(),
                                                  ', as elsewhere' if again else ''))
    if again:
        return
    print('%s  + Call stack:' % indent)
    for function, file, line in task.frames:
        where = "File '%s', %s" % (file, 'line %d, ' % line if line else '') if file else ''
        print('%s  |   %sin async %s()' % (indent, where, function))
    if under[address]:
        print('%s  + Waits for:' % indent)


def print_tree(tasks):
    roots, under = tree(tasks)
    left = [('task', address, False, 0) for address in reversed(roots)]
    while left:
        kind, address, again, level = left.pop()
        print_node(tasks, under, kind, address, again, level)
        if not again:
            left += [(k, a, g, level + 1) for k, a, g in reversed(under.get(address, []))]


class Thrum(gdb.Command):
    """Look into a program that uses thrum: thrum ps, thrum pstree."""

    def __init__(self):
        super().__init__('thrum', gdb.COMMAND_STATUS, gdb.COMPLETE_NONE, True)


class Report(gdb.Command):
    def __init__(self, name, show, doc):
        self.__doc__ = doc
        self.show = show
        super().__init__('thrum ' + name, gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        try:
            tasks = read()
            if tasks:
                self.show(tasks)
            else:
                print('no tasks')
        except Missing as missing:
            raise gdb.GdbError('thrum: %s' % missing)


Thrum()
Report('ps', print_table, 'Every task as a table: its name, where it is, what it waits in, who waits for it.')
Report('pstree', print_tree, 'Every task as a tree: tasks over what they wait for.')
