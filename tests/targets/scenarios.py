"""The tests of tests/core and tests/sync as firmware: builds them for a machine, runs them, and tells how they ended.

A machine with room gets all of them in one program, others one program for each file; what does not fit into a
microbit runs as code for its processor elsewhere (cortex-m0). A test that faults or hangs is a failed one, with the
registers; the run goes on behind it. What does not run where stands in left_out.txt.
"""
import fnmatch
import glob
import importlib.machinery
import importlib.util
import io
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BARE = os.path.join(ROOT, 'samples', 'bare')
sys.dont_write_bytecode = True

# Tests are written for hosts, where times are signed; and with details switched off some of their helpers are not used.
FLAGS = ['-Itests/support', '-Itests/targets', '-DTHRUM_TEST_MINI', '-DTHRUM_TEST_TABLE', '-include', 'clock.h',
         '-Wno-sign-conversion', '-Wno-conversion', '-Wno-sign-compare', '-Wno-unused-function']
# What has room is compiled quickly.
QUICK = ['-O0', '-g0']
# What is built in: all that firmware can have; that in a build for debugging; the same with details; each knob at its
# least; a clock of microseconds, of which the library need not know.
WHOLE = ['-DTHRUM_ALLOCATORS=1', '-DTHRUM_REPORTS=1', '-DTHRUM_NAMES=1']
FEATURES = {'': WHOLE, 'debug': [*WHOLE, '-DTHRUM_DEBUG=1'],
            'details': [*WHOLE, '-DTHRUM_DETAILS=1', '-DTHRUM_DEBUG=1'],
            'least': ['-DTHRUM_STRINGS=0', '-DTHRUM_EAGER_DEPTH=1'], 'microseconds': WHOLE}
PROGRAM = {'microseconds': ['-DTHRUM_TICKS_PER_SECOND=1000000']}
FRAME = ['tests/targets/main.c', 'tests/targets/libc.c']
WITH_OTHERS = {'tests/core/frames.c': ['tests/core/plain.c', 'tests/core/long_names.c'],
               'tests/core/cplusplus.c': ['tests/core/plain.c']}
NOT_TESTS = {'tests/core/plain.c', 'tests/core/long_names.c'}
SPLIT = {'microbit', 'avr'}
LINE = re.compile(r'^(\d+) (\S+) \.\.\. (ok|FAILED|SKIPPED: .*)?')


def base():
    return os.environ.get('THRUM_BUILD') or os.path.join(ROOT, 'build')


def load(path):
    """A script without .py as a module."""
    loader = importlib.machinery.SourceFileLoader(os.path.basename(path), path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def left_out():
    found = []
    with open(os.path.join(HERE, 'left_out.txt')) as file:
        for line in file:
            words = line.partition('#')[0].split()
            if words:
                found.append((words[0], words[1]))
    return found


class Target:
    """A machine with a configuration: `mps2-an385`, or `riscv64+details`."""

    def __init__(self, name):
        self.name = name
        self.machine, _, self.extra = name.partition('+')
        self.flags = FEATURES[self.extra]
        self.kinds = {self.machine, '*', self.extra} | (set() if self.extra == 'details' else {'small'})

    def leaves_out(self, what):
        return any(kind in self.kinds and fnmatch.fnmatch(what, pattern) for kind, pattern in left_out())

    def lacks(self, path):
        """Whether a file is left out, or a test of it."""
        suite = os.path.basename(path)[:-2]
        return self.leaves_out(path[len('tests/'):]) or any(
            where == self.machine and pattern.startswith(suite + '/') for where, pattern in left_out())

    def leaves_out_test(self, line):
        """Whether a line of a table of tests is about one that is left out."""
        found = re.search(r'test_case_(\w+)', line)
        return found and any(kind in self.kinds and not pattern.endswith('.c') and
                             fnmatch.fnmatch(found[1], pattern.replace('/', '_')) for kind, pattern in left_out())

    def folder(self):
        return os.path.join(base(), 'targets', self.name)

    def programs(self, pattern=''):
        """Table of the programs to build: path, sources. Writes the tables of tests that they contain."""
        files = sorted(glob.glob('tests/core/*.c') + glob.glob('tests/sync/*.c'))
        files = [each for each in files if each not in NOT_TESTS and not self.leaves_out(each[len('tests/'):])
                 and pattern in each]
        # The same tests for two kinds of queues have the same names.
        if self.machine == 'cortex-m0':
            files = [each for each in files if Target('microbit').lacks(each)]
        groups = {'all': [each for each in files if not each.endswith('_inline.c')],
                  'inline': [each for each in files if each.endswith('_inline.c')]}
        if self.machine in SPLIT:
            groups = {each[len('tests/'):-2].replace('/', '-'): [each] for each in files}
        made = {}
        os.makedirs(self.folder(), exist_ok=True)
        for name, sources in groups.items():
            if not sources:
                continue
            table = os.path.join(self.folder(), name + '_table.c')
            text = subprocess.run(['tests/support/table'] + sources, check=True, stdout=subprocess.PIPE).stdout
            text = b''.join(line for line in text.splitlines(True) if not self.leaves_out_test(line.decode()))
            if not os.path.exists(table) or open(table, 'rb').read() != text:
                with open(table, 'wb') as file:
                    file.write(text)
            more = sorted({other for each in sources for other in WITH_OTHERS.get(each, [])})
            made[os.path.join(self.folder(), name + '.elf')] = FRAME + [table] + sources + more
        return made

    def build(self, programs, out):
        flags = FLAGS + QUICK + PROGRAM.get(self.extra, [])
        return load(os.path.join(BARE, 'build')).build(self.machine, programs, self.flags, flags, libc=True, port=[],
                                                       out=out)


class Results:
    def __init__(self, out):
        self.out, self.passed, self.failed, self.left_out = out, 0, 0, 0

    def check(self, what, good, lines=()):
        if good:
            self.passed += 1
            self.out.write('ok      %s\n' % what)
        else:
            self.fail(what, lines)

    def add(self, other):
        self.out.write(other.out.getvalue())
        self.passed += other.passed
        self.failed += other.failed
        self.left_out += other.left_out

    def fail(self, what, lines=()):
        self.failed += 1
        self.out.write('FAILED  %s\n' % what)
        for line in list(lines)[-60:]:
            self.out.write('    %s\n' % line)


def run_program(target, elf, clocks, results, limit):
    """One program, from its first test to its last, with each clock, whatever becomes of single tests."""
    emulate = load(os.path.join(BARE, 'emulate'))
    start, clocks = 0, list(clocks)
    while clocks:
        then = ' then=%#x' % clocks[1] if len(clocks) > 1 else ''
        status, said = emulate.captured(target.machine, elf, '--limit', str(limit), '--skip-idle', '--arguments',
                                        'from=%d clock=%#x%s' % (start, clocks[0], then))
        number, name, open_test, text = None, None, False, []
        for line in said.splitlines():
            where = '%s clock=%#x' % (target.name, clocks[0] if clocks else 0)
            found = LINE.match(line)
            if found:
                number, name, how = int(found[1]), found[2], found[3] or ''
                text, open_test = [], not how
                if how == 'ok':
                    results.passed += 1
                elif how.startswith('SKIPPED'):
                    if target.leaves_out(name):
                        results.left_out += 1
                    else:
                        results.fail('%s %s was skipped (%s) and is not in left_out.txt' % (where, name, how))
                elif how == 'FAILED':
                    open_test = False
                    results.fail('%s %s' % (where, name))
            elif re.match(r'\d+ passed, \d+ failed, \d+ skipped', line) and clocks:
                clocks.pop(0)
                number, start = None, 0
            else:
                text.append(line)
                if number is not None and not open_test:
                    results.out.write('    %s\n' % line)
        if not clocks:
            return
        if number is None:
            results.fail('%s %s: no test began, status %d' % (where, os.path.basename(elf), status), text)
            return
        # Faulted, hung or ended by itself.
        results.fail('%s %s: ended with status %d%s' % (where, name, status, {
            99: ', it faulted', 124: ', it hung'}.get(status, '')), text)
        start = number + 1


def run(name, clocks, results, pattern='', limit=60):
    """Everything on one target."""
    target = Target(name)
    programs = target.programs(pattern)
    said = io.StringIO()
    if not target.build(programs, said):
        results.fail('%s: the build' % name, said.getvalue().splitlines())
        return
    for elf in programs:
        run_program(target, elf, clocks, results, limit)
