"""The firmware samples on machines, each as its user sees it."""
import os
import re
import select
import subprocess
import sys
import termios
import time
import tty

from scenarios import BARE, ROOT, load
from uart import Client, free_port

PATIENCE = 30  # seconds for anything that must happen
VIRTUAL = ('--icount', '5', '--skip-idle')


def captured(name, elf, *options):
    return load(os.path.join(BARE, 'emulate')).captured(name, elf, '--limit', '60', *options)


def virtual(name):
    return VIRTUAL if name != 'avr' else ('--skip-idle',)


def blink(name, elf, results):
    """At the full second red, which has slept since the last one, comes before green."""
    status, said = captured(name, elf, *virtual(name))
    lamps = re.findall('green|red', said)
    wanted = 'green red green red green green red green green'.split()
    results.check('%s blink: both lamps in their rhythms' % name, status == 0 and lamps == wanted, [status] + lamps)


def by_command(results):
    """`samples/run` builds a sample, starts it, and gives its status."""
    ended = subprocess.run([os.path.join(ROOT, 'samples/run'), 'bare/blink'], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=10 * PATIENCE)
    lamps = re.findall('^(?:green|red)$', ended.stdout, re.M)
    results.check('samples/run bare/blink', ended.returncode == 0 and sorted(lamps) == ['green'] * 6 + ['red'] * 3,
                  [ended.returncode] + ended.stdout.splitlines())


def producer_consumer(name, elf, results):
    status, said = captured(name, elf, *virtual(name))
    results.check('%s producer-consumer: the twentieth thing ends it' % name, status == 0, [status, said])


def sensor_lines():
    """What sensor.c reports, worked out from its description: 50 samples a second, of which thirty are missing once."""
    lines, smooth, samples, last = [], 0, 0, 0
    for tick in range(1, 10000):
        at = (tick - 1) % 100
        if 120 < tick <= 150:
            continue
        while samples and (tick - last) * 20 > 200:  # the watchdog was faster
            lines.append('silent')
            last += 10
        last = tick
        smooth += 2000 + 10 * (at if at < 50 else 100 - at) - smooth // 8
        samples += 1
        if samples % 50 == 0:
            lines.append('value %d' % (smooth // 8))
        if len([each for each in lines if each != 'silent']) == 5:
            return lines


def sensor(name, elf, results):
    status, said = captured(name, elf, '--serial', 'stdio', *virtual(name))
    results.check('%s sensor: reports each second, and tells of silence' % name,
                  status == 0 and said.split('\r\n')[:-1] == sensor_lines(), [status] + said.splitlines() + ['wanted:'] +
                  sensor_lines())


def shell(name, elf, results):
    """The test of the host's shell, at this machine's terminal; and how that is left."""
    emulator = [os.path.join(BARE, 'emulate'), name, elf, '--serial', 'terminal', '--limit', '120']
    leave = ['--leave', '1c', '130'] if name == 'avr' else ['--leave', '0178', '0']
    for first in ([], leave) if name in ('mps2-an385', 'avr') else ([],):
        ended = subprocess.run([sys.executable, os.path.join(ROOT, 'tests/samples/shell.py')] + first + emulator,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in ended.stdout.splitlines():
            if line.startswith('ok '):
                results.check('%s shell: %s' % (name, line[2:].strip()), True)
        if ended.returncode != 0:
            results.fail('%s shell' % name, ended.stdout.splitlines())


def uart_echo(name, elf, results):
    port = free_port()
    emulator = subprocess.Popen([os.path.join(BARE, 'emulate'), name, elf, '--limit', '60', '--serial', 'tcp:%d' % port],
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client = Client(port, emulator)
        client.socket.settimeout(0.5)
        for attempt in range(60):  # what comes before its UART is on is lost
            client.say('are you there %d\n' % attempt)
            try:
                while client.file.readline() != b'are you there %d\n' % attempt:
                    pass
                break
            except TimeoutError:
                client.file = client.socket.makefile('rb')
        client.socket.settimeout(PATIENCE)
        for i in range(50):
            client.say('line %d\n' % i)
            client.hear('line %d' % i)
        results.check('%s uart-echo: lines come back' % name, True)
    except (AssertionError, OSError) as error:
        results.fail('%s uart-echo' % name, [str(error)])
    finally:
        emulator.terminate()
        emulator.wait()


# ---- Modbus: a client that says what it likes, and mbpoll, which others have written ----

ADDRESS = 17
NOBODY = b''


def checksum(frame):
    value = 0xffff
    for byte in frame:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xa001 if value & 1 else value >> 1
    return value.to_bytes(2, 'little')


def sealed(*parts):
    frame = b''.join(bytes([part]) if isinstance(part, int) else part for part in parts)
    return frame + checksum(frame)


def words(*values):
    return b''.join(value.to_bytes(2, 'big') for value in values)


class Line:
    """The terminal that QEMU has opened for the UART."""

    def __init__(self, path):
        self.path, self.fd = path, os.open(path, os.O_RDWR | os.O_NOCTTY)
        self.raw()

    def raw(self):
        tty.setraw(self.fd, termios.TCSANOW)

    def say(self, frame):
        os.write(self.fd, frame)

    def heard(self, size, patience=PATIENCE):
        """So many bytes, or less when no more come."""
        got, end = b'', time.monotonic() + patience
        while len(got) < size:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                break
            got += os.read(self.fd, size - len(got))
        return got

    def silence(self):
        """Ends a frame. More than the device waits for, since hosts are slow; that is no matter to it."""
        time.sleep(0.05)

    def begun(self):
        """What is said before the device's UART is on, it does not hear."""
        for attempt in range(60):
            frame = sealed(ADDRESS, 6, words(9, attempt))
            self.say(frame)
            while True:
                got = self.heard(len(frame), 0.5)
                if got == frame:
                    self.asked(*echo_of(6, 9, 0))
                    return
                if len(got) < len(frame):
                    break

    def asked(self, frame, answer):
        """Asks, and again where there is no answer, as any client does: on a busy host a frame may come in pieces, or
        together with what was before it."""
        for _ in range(PATIENCE):
            self.say(frame)
            got = self.heard(len(answer), 1)
            if got:
                break
            self.silence()
        if got != answer:
            raise AssertionError('%s was answered by %s, not %s' % (frame.hex(), got.hex(), answer.hex()))


def echo_of(function, *values):
    """A request that is its own answer."""
    frame = sealed(ADDRESS, function, words(*values))
    return frame, frame


def reading(function, first, count, data):
    return sealed(ADDRESS, function, words(first, count)), sealed(ADDRESS, function, len(data), data)


def writing(function, first, count, data):
    return (sealed(ADDRESS, function, words(first, count), len(data), data),
            sealed(ADDRESS, function, words(first, count)))


def refused(why, function, *parts):
    return sealed(ADDRESS, function, *parts), sealed(ADDRESS, function | 0x80, why)


def modbus_functions():
    yield echo_of(5, 2, 0xff00)
    yield echo_of(5, 7, 0xff00)
    yield reading(1, 0, 8, b'\x84')
    yield echo_of(5, 2, 0)
    yield reading(1, 1, 3, b'\0')
    yield reading(2, 0, 8, b'\x8d')
    yield reading(2, 3, 1, b'\x01')
    yield echo_of(6, 15, 0xbeef)
    yield reading(3, 14, 2, words(0, 0xbeef))
    yield reading(3, 0, 16, words(*[0] * 15, 0xbeef))
    yield writing(15, 0, 8, b'\x5a')
    yield reading(1, 0, 8, b'\x5a')
    yield writing(16, 1, 3, words(1, 0xffff, 3))
    yield reading(3, 0, 4, words(0, 1, 0xffff, 3))


def modbus_exceptions():
    for function in (0, 7, 8, 11, 17, 22, 23, 43, 100, 127):
        yield refused(1, function, words(0, 1))
    for function, room in ((1, 8), (2, 8), (3, 16), (4, 2)):
        yield refused(2, function, words(room, 1))
        yield refused(2, function, words(room - 1, 2))
        yield refused(2, function, words(0xffff, 1))
        yield refused(3, function, words(0, 0))
        yield refused(3, function, words(0, 2001 if function < 3 else 126))
        yield refused(3, function, words(0, 1), 0)
    yield refused(2, 5, words(8, 0xff00))
    yield refused(3, 5, words(0, 1))
    yield refused(2, 6, words(16, 1))
    yield refused(2, 15, words(7, 2), 1, 3)
    yield refused(3, 15, words(0, 0), 0)
    yield refused(3, 15, words(0, 8), 2, 0, 0)
    yield refused(3, 15, words(0, 8), 1)
    yield refused(2, 16, words(15, 2), 4, words(1, 2))
    yield refused(3, 16, words(0, 2), 2, words(1))
    yield refused(3, 16, words(0, 124), 246, words(*[0] * 123))
    yield refused(4, 6, words(0, 10001))
    yield refused(4, 16, words(0, 2), 4, words(10001, 7))
    yield reading(3, 0, 2, words(0, 1))  # neither was written


def modbus_noise():
    """What must not be answered. What is asked behind each of them is."""
    good = sealed(ADDRESS, 6, words(3, 0x1234))
    yield 'a wrong checksum', good[:-1] + bytes([good[-1] ^ 1])
    yield 'half a frame', good[:4]
    yield 'another half', good[4:]
    yield 'one byte', b'\x11'
    yield 'noise', bytes((i * 73 + 5) & 0xff for i in range(100))
    yield 'more than a frame can hold', bytes(300)
    yield 'two frames in one', good + good
    yield 'another device\'s', sealed(ADDRESS + 1, 6, words(3, 0x1234))
    yield 'a question to all', sealed(0, 3, words(0, 1))


def modbus_raw(line):
    untouched = reading(3, 3, 1, words(3))
    for request, answer in modbus_functions():
        line.asked(request, answer)
    yield 'each function'
    for request, answer in modbus_exceptions():
        line.asked(request, answer)
    yield 'each exception'
    for what, frame in modbus_noise():
        line.say(frame)
        line.silence()
        line.asked(*untouched)  # what is dropped has changed nothing, and its answer would come before
        yield what + ' is dropped silently'
    line.say(sealed(0, 6, words(5, 77)))
    line.silence()
    line.asked(*reading(3, 5, 1, words(77)))
    yield 'what is said to all is done, and not answered'
    line.say(sealed(0, 16, words(6, 2), 4, words(78, 79)))
    line.silence()
    line.asked(*reading(3, 5, 3, words(77, 78, 79)))
    yield 'several registers, too'


def mbpoll(line, options, values=()):
    command = ['mbpoll', '-m', 'rtu', '-a', str(ADDRESS), '-b', '115200', '-P', 'none', '-o', '5', '-1', '-q', '-0',
               *options, line.path, *map(str, values)]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           timeout=PATIENCE)
    line.raw()
    return ended.returncode, ended.stdout


def modbus_mbpoll(line):
    """Function codes by mbpoll's types: 0 coils (1, 5, 15), 1 inputs (2), 3 input registers (4), 4 registers (3, 6, 16)."""
    def read(kind, first, count, wanted):
        status, said = mbpoll(line, ['-t', kind, '-r', str(first), '-c', str(count)])
        got = [int(each) for each in re.findall(r'^\[\d+\]:\s+(-?\d+)', said, re.M)]
        if status != 0 or (wanted is not None and got != wanted) or len(got) != count:
            raise AssertionError('mbpoll -t %s: %s' % (kind, said))

    def write(kind, first, values, good=True):
        status, said = mbpoll(line, ['-t', kind, '-r', str(first)], values)
        if (status == 0) != good:
            raise AssertionError('mbpoll -t %s: %s' % (kind, said))
    write('0', 1, [1])
    write('0', 4, [1, 0, 1])
    read('0', 0, 8, [0, 1, 0, 1, 1, 0, 1, 0])
    read('1', 0, 8, [1, 0, 1, 1, 0, 0, 0, 1])
    write('4', 0, [513])
    write('4', 8, [7, 8, 9])
    read('4', 7, 4, [79, 7, 8, 9])
    read('4', 0, 1, [513])
    read('3', 0, 2, None)
    write('4', 16, [1], good=False)
    yield 'mbpoll reads and writes'


def modbus(name, elf, results):
    emulator = subprocess.Popen([os.path.join(BARE, 'emulate'), name, elf, '--limit', '120', '--serial', 'pty'],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    done = 'the start'
    try:
        for text in emulator.stdout:
            found = re.search(r'/dev/pts/\d+', text)
            if found:
                break
        line = Line(found[0])
        line.begun()
        for part in (modbus_raw, modbus_mbpoll):
            for done in part(line):
                results.check('%s modbus: %s' % (name, done), True)
        os.close(line.fd)
    except (AssertionError, OSError, TypeError, subprocess.TimeoutExpired) as error:
        results.fail('%s modbus, after: %s' % (name, done), [str(error)])
    finally:
        emulator.terminate()
        emulator.wait()
        emulator.stdout.close()


ALL = {'blink': blink, 'producer-consumer': producer_consumer, 'sensor': sensor, 'shell': shell, 'uart-echo': uart_echo,
       'modbus': modbus}
# Where which of them runs; a thing that a processor decides needs no second machine of its kind.
MACHINES_OF = {'blink': ['microbit', 'avr'], 'producer-consumer': ['microbit', 'riscv32', 'avr'],
               'sensor': ['mps2-an385', 'riscv32', 'microbit', 'avr'],
               'shell': ['mps2-an385', 'riscv32', 'microbit', 'avr'],
               'uart-echo': ['mps2-an505', 'riscv64', 'microbit', 'avr'],
               'modbus': ['mps2-an385', 'riscv32', 'microbit', 'avr']}


def sources(sample):
    alone = 'samples/bare/%s.c' % sample
    folder = os.path.join(ROOT, 'samples/bare', sample)
    if os.path.exists(os.path.join(ROOT, alone)):
        return [alone]
    return sorted('samples/bare/%s/%s' % (sample, each) for each in os.listdir(folder) if each.endswith('.c'))
