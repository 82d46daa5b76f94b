"""Programs of this folder that run on machines: what they have to do, and how the emulator has to be started for it."""
import os
import re

from scenarios import BARE, load
from sweep import plugin


def emulate(name, elf, *options, limit=30):
    return load(os.path.join(BARE, 'emulate')).captured(name, elf, '--limit', str(limit), *options)


def days(name, elf, results):
    """Fifty days asleep; and two twice, with the same instructions."""
    status, said = emulate(name, elf, '--icount', '0', '--skip-idle', limit=120)
    results.check('%s: fifty days asleep (%s)' % (name, said.strip().split('\n')[-1]), status == 0, said.splitlines())
    counts = []
    for _ in range(2):
        out = elf + '.txt'
        status, said = emulate(name, elf, '--icount', '0', '--skip-idle', '--arguments', '2', '--plugin',
                               '%s,out=%s' % (plugin(), out), limit=60)
        if status != 0:
            break
        with open(out) as file:
            counts.append(file.read())
    results.check('%s: two runs execute the same instructions (%s)' % (name, ''.join(counts[:1]).strip()),
                  len(counts) == 2 and counts[0] == counts[1], counts)


def full(name, elf, results):
    status, said = emulate(name, elf, '--skip-idle')
    counts = set(re.findall(r'full [a-z ]+: \d+', said))
    results.check('%s: the pool is full, and all works again (%s)' % (name, ', '.join(sorted(counts))),
                  status == 0 and len(counts) == 2, ['status %d' % status] + said.splitlines())


def anew(name, elf, results):
    status, said = emulate(name, elf, '--skip-idle', limit=10)
    results.check('%s: a signal is posted anew before its turn' % name, status == 0,
                  ['status %d' % status] + said.splitlines())


def silent(name, elf, results):
    status, said = emulate(name, elf, *([] if name == 'avr' else ['--icount', '0']), '--skip-idle')
    results.check('%s: the clock goes right while nothing is timed' % name, status == 0,
                  ['status %d' % status] + said.splitlines())


def near(name, elf, results):
    status, said = emulate(name, elf, '--icount', '6', limit=10)
    results.check('%s: no alarm is missed that is near' % name, status == 0, said.splitlines())


def broken(name, elf, results):
    """What a fault, a hang and a stray interrupt are told of: else no failure of a test could be trusted."""
    status, said = emulate(name, elf, '--arguments', 'x')
    results.check('%s: the status comes through' % name, status == 42, said.splitlines())
    registers = r'r0  |r1[ =]|R15=|a0 '
    status, said = emulate(name, elf, '--arguments', 'fault')
    results.check('%s: a fault prints registers' % name, status == 99 and re.search(registers, said),
                  ['status %d' % status] + said.splitlines())
    status, said = emulate(name, elf, '--arguments', 'hang', limit=0.5)
    where = name == 'avr' or 'pc is in main (broken.c' in said
    results.check('%s: a hang prints registers' % name, status == 124 and where and re.search(registers, said),
                  ['status %d' % status] + said.splitlines())
    if name != 'avr':
        status, said = emulate(name, elf, '--arguments', 'interrupt')
        results.check('%s: an interrupt that nobody handles' % name, status == 98,
                      ['status %d' % status] + said.splitlines())
