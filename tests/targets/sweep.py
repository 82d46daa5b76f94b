"""Runs the storm of interrupts (storm.c) on a machine under the plugin, and looks at what was reached."""
import os
import re
import subprocess

from scenarios import BARE, ROOT, base

SHIFT = {'riscv32': 9, 'riscv64': 8}  # so that an instruction takes longer than a few counts of the timer


def plugin():
    """The TCG plugin, compiled when it is missing or older than its source."""
    source, made = os.path.join(ROOT, 'tests/targets/plugin.c'), os.path.join(base(), 'targets', 'libplugin.so')
    if not os.path.exists(made) or os.path.getmtime(made) < os.path.getmtime(source):
        os.makedirs(os.path.dirname(made), exist_ok=True)
        part = '%s.%d' % (made, os.getpid())
        subprocess.run(['gcc', '-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-O2', '-fPIC', '-shared', source, '-o',
                        part], check=True)
        os.rename(part, made)
    return made


def symbols(prefix, elf):
    """name: (address, size) of the program's functions."""
    found = {}
    for line in subprocess.run([prefix + 'nm', '-S', elf], check=True, stdout=subprocess.PIPE,
                               text=True).stdout.splitlines():
        words = line.split()
        if len(words) == 4 and words[2] in 'tTwW':
            found[words[3]] = (int(words[0], 16), int(words[1], 16))
        elif len(words) == 3 and words[1] in 'tTwW':
            found[words[2]] = (int(words[0], 16), 0)
    return found


def places(prefix, elf, addresses):
    """Function and file of each address."""
    if not addresses:
        return []
    lines = subprocess.run([prefix + 'addr2line', '-f', '-e', elf] + addresses, check=True, stdout=subprocess.PIPE,
                           text=True).stdout.splitlines()
    return list(zip(addresses, lines[::2], lines[1::2]))


def run_once(name, machine, elf, out, shift, limit):
    known = symbols(machine['prefix'], elf)
    interrupt = known['board_trap' if name.startswith('riscv') else
                      'board_irq3' if name == 'mps2-an505' else 'board_irq8'][0]
    code = [each for each in known.values() if each[1]]
    words = ['out=' + out, 'sweep=%#x-%#x' % (min(code)[0], max(a + b for a, b in code)), 'interrupt=%#x' % interrupt,
             'begin=%#x' % known['storm_begins'][0], 'end=%#x' % known['storm_ends'][0]]
    for skipped in ('board_irq3', 'board_irq8', 'board_trap', 'board_interrupt', 'board_timer',
                    'thrum_signal_post_from_isr'):
        if skipped in known:
            start, size = known[skipped]
            words.append('skip=%#x-%#x' % (start, start + (size or 0x100)))
    ended = subprocess.run([os.path.join(BARE, 'emulate'), name, elf, '--limit', str(limit), '--icount', str(shift),
                            '--skip-idle', '--plugin', ','.join([plugin()] + words)], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return ended.returncode, ended.stdout


def unmasked(name, machine, elf, results):
    """The same without masking anything must fail."""
    status, _ = run_once(name, machine, elf, elf + '.txt', SHIFT.get(name, 6), 4)
    results.check('%s storm: without a mask, wakes get lost' % name, status in (1, 2, 3, 4, 124), ['status %d' % status])


def storm(name, machine, elf, results, limit=300):
    """No wake is lost, and every instruction of the library was interrupted."""
    out = elf + '.txt'
    status, said = run_once(name, machine, elf, out, SHIFT.get(name, 6), limit)
    results.check('%s storm: no wake is lost (%s)' % (name, (said.strip().splitlines() or ['?'])[-1]), status == 0,
                  ['status %d' % status] + said.splitlines())
    if status != 0:
        return
    with open(out) as file:
        report = file.read()
    missed = places(machine['prefix'], elf, re.findall(r'^missed (\w+)', report, re.M))
    library = [each for each in missed if '/lib/core/' in each[2] or '/lib/sync/' in each[2] or '/lib/loop/' in each[2]]
    summary = re.search(r'^swept (\d+) of (\d+), (\d+) masked', report, re.M)
    results.check('%s storm: an interrupt came behind every instruction of the library (%s)' % (name, summary[0]),
                  not library and int(summary[1]) > 500, ['%s %s %s' % each for each in library])
