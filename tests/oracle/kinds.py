"""What programs are about: one kind of statement can be favoured, and it is told in how many programs it was reached."""
import re

# The statements, the objects that they need, and what a trace shows where they were reached, when that is more than a line
# of one of them.
KINDS = {
    'callbacks': (('soon', 'later', 'drop_handle'), (), None),
    'done_callbacks': (('on_done', 'off_done', 'on_future', 'off_future'), ('future',), None),
    'limits': (('reschedule', 'limit', 'expired'), (), None),
    'inner': (('call',), (), None),
    'handles': (('task_of', 'cancel'), (), r'^\d+ y\d+ end !CANCELLED'),
    'as_completed': (('as_completed',), (), None),
    'wait_until': (('wait_until', 'add', 'condition'), ('cond', 'counter'), None),
    'generators': (('for', 'break'), (), r'!LEFT$'),
    'eager': (('spawn_eager',), (), None),
    'contexts': (('setvar', 'getvar', 'scoped'), ('var',), None),
    'readers': (('feed', 'feed_eof', 'fail_reader', 'at_eof', 'buffered', 'reader_error', 'read', 'read_exactly', 'read_line',
                 'read_until', 'wait_for_read', 'lines'), ('reader',), None),
}
# Of these the first statement alone counts.
FIRST = ('wait_until', 'limits')


def reached(kind, program, trace):
    """Whether the program came to what it is about."""
    statements, _, mark = KINDS[kind]
    if mark:
        return any(re.search(mark, line) for line in trace)
    wanted = statements[:1] if kind in FIRST else statements
    lines = program.splitlines()
    numbers = {line.split()[2] for line in trace}
    return any(lines[int(n) - 1].split()[0] in wanted for n in numbers if n.isdigit())
