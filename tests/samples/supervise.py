#!/usr/bin/python3
"""supervise as its users see it: supervise.py PROGRAM."""
import os
import signal
import sys
import tempfile

from support import Program, equal, main


class Supervised:
    """supervise with a file of these lines, in a folder of its own."""

    def __init__(self, text, *arguments):
        self.folder = tempfile.TemporaryDirectory()
        self.write(text)
        self.program = Program(*arguments, self.path('conf'))

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, text):
        with open(self.path('conf'), 'w') as file:
            file.write(text.replace('FOLDER', self.folder.name))

    def reload(self, text):
        self.write(text)
        self.program.interrupt(signal.SIGHUP)

    def __enter__(self):
        self.program.__enter__()
        return self.program, self

    def __exit__(self, *how):
        self.program.__exit__(*how)
        self.folder.cleanup()


def alive(pid):
    try:
        with open('/proc/%d/stat' % pid) as file:
            return ' Z ' not in file.read()
    except FileNotFoundError:
        return False


def test_policies():
    text = ('# a comment\n\nbad failure exit 3\ngood failure true\nagain always true\nonce never exit 4\n'
            'killed failure kill -9 $$\n')
    with Supervised(text) as (program, _):
        for name in 'bad', 'again', 'killed':  # twice at least
            program.wait_for(lambda: sum(line.startswith(name + ': started') for line in program.lines) >= 2, name)
        program.line(r'^killed: ended by Killed$')
        program.line(r'^good: exited with 0$')
        program.line(r'^once: exited with 4$')
        program.stop(0)
        for name in 'good', 'once':
            equal(sum(line.startswith(name + ': started') for line in program.lines), 1, name)
        for name in 'bad', 'good', 'again', 'once', 'killed':
            equal(program.lines.count(name + ': stopped'), 1, name)


def test_back_off():
    """Each start is later than the one before: 0.1 + 0.2 + 0.4 s before the fourth."""
    with Supervised('bad always date +%s.%N >>FOLDER/times\n') as (program, all):
        program.wait_for(lambda: sum(': started' in line for line in program.lines) >= 4, 'four starts')
        program.wait_for(lambda: sum(': exited' in line for line in program.lines) >= 4, 'four ends')
        program.stop(0)
        with open(all.path('times')) as file:
            times = [float(line) for line in file]
        assert times[1] - times[0] >= 0.09 and times[2] - times[1] >= 0.19 and times[3] - times[2] >= 0.39, times


def test_reload():
    with Supervised('stays always exec sleep 1001\nother always exec sleep 1002\ngone always exec sleep 1003\n') \
            as (program, all):
        pids = {name: int(program.line(r'^%s: started, (\d+)$' % name)[1]) for name in ('stays', 'other', 'gone')}
        all.reload('stays always exec sleep 1001\nother always exec sleep 1004\nnew always exec sleep 1005\n')
        program.line(r'^gone: stopped$')
        program.line(r'^other: another command$')
        program.line(r'^new: started, \d+$')
        program.wait_for(lambda: sum(line.startswith('other: started') for line in program.lines) == 2, 'its new start')
        assert alive(pids['stays']) and not alive(pids['other']) and not alive(pids['gone'])
        all.reload('stays sometimes exec sleep 1001\n')
        program.wait_for(lambda: program.errors, 'no complaint')
        assert ':1: this is no' in program.errors[0], program.errors
        assert alive(pids['stays'])
        program.interrupt(signal.SIGTERM)
        equal(program.end(), 0)
        assert not alive(pids['stays'])


def test_what_does_not_listen_is_killed():
    with Supervised("deaf always trap '' TERM; echo >FOLDER/deaf; while :; do sleep 1000; done\n", '--grace', '0.2') \
            as (program, all):
        os.mkfifo(all.path('deaf'))
        pid = int(program.line(r'^deaf: started, (\d+)$')[1])
        with open(all.path('deaf')) as file:
            file.readline()
        program.stop(0)
        assert not alive(pid)


def test_a_file_that_is_wrong():
    for text in 'web always\n', 'web maybe true\n', 'a always true\na never true\n':
        with Supervised(text) as (program, _):
            equal(program.end(), 1)
            assert ': this is no NAME' in program.errors[0], program.errors
    with Program('/no/such/file') as program:
        equal(program.end(), 1)
        assert 'No such file' in program.errors[0], program.errors
    with Program() as program:
        equal(program.end(), 2)


if __name__ == '__main__':
    sys.exit(main())
