"""The UART of each machine as a stream: uart_talk.c on it, and a client over TCP here. `tests/targets/run uart` runs it."""
import os
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BARE = os.path.join(ROOT, 'samples', 'bare')
LIMIT = 30


def free_port():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


class Client:
    def __init__(self, port, emulator):
        until = time.monotonic() + LIMIT
        while True:
            try:
                self.socket = socket.create_connection(('127.0.0.1', port))
                break
            except OSError:  # it does not listen yet
                if emulator.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.02)
        self.socket.settimeout(LIMIT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile('rb')

    def say(self, text):
        self.socket.sendall(text.encode())

    def hear(self, wanted):
        line = self.file.readline().decode()
        if line != wanted + '\n':
            raise AssertionError('heard %r where %r should be' % (line, wanted))


def ready(client):
    client.hear('ready')


def round_trips(client):
    for i in range(200):
        client.say('round %d\n' % i)
        client.hear('round %d' % i)


def long_line(client):
    client.say('l\n')
    client.hear('0123456789' * 100)


def too_long(client):
    client.say('x' * 40 + '\n')
    client.hear('too long')
    # What came after the ring was full is a line of its own, or was lost with the rest.
    client.say('\nend\n')
    while client.file.readline() != b'end\n':
        pass


def time_limit(client):
    for _ in range(3):
        client.say('t\n')
        client.hear('timed out')
    client.say('t\nhal')
    client.hear('timed out')
    client.say('f of a line\n'.replace('f', 'x', 1))
    client.hear('halx of a line')


def cancelled(client):
    for _ in range(3):
        client.say('c\n')
        client.hear('reading')
        client.say('abcd')
        client.hear('cancelled')
        client.say('ef\n')
        client.hear('abcdef')


def overrun(client):
    client.say('f\n')
    client.hear('go')
    client.say('z' * 100)
    client.hear('full')
    line = client.file.readline().decode()
    if not line.startswith('=') or not 10 <= int(line[1:]) <= 68:
        raise AssertionError('heard %r' % line)
    client.say('after\n')
    client.hear('after')


def write_cancelled(client):
    client.say('w\n')
    line = client.file.readline().decode()
    stars, _, count = line.partition('=')
    if stars != '*' * int(count) or not 32 <= int(count) <= 128:
        raise AssertionError('heard %r' % line)


def end(client):
    client.say('q\n')
    client.hear('bye')


STEPS = [ready, round_trips, long_line, too_long, time_limit, cancelled, overrun, write_cancelled, end]


def talk(name, elf, results):
    """Each step is a test; what follows one that failed is not tried."""
    port = free_port()
    emulator = subprocess.Popen([os.path.join(BARE, 'emulate'), name, elf, '--limit', str(LIMIT), '--serial',
                                 'tcp:%d' % port], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, errors='replace')
    step = None
    try:
        client = Client(port, emulator)
        for step in STEPS:
            step(client)
            results.passed += 1
        if emulator.wait(LIMIT):
            raise AssertionError('it ended with status %d' % emulator.returncode)
    except (AssertionError, OSError, ValueError, subprocess.TimeoutExpired) as error:
        emulator.terminate()
        said = emulator.communicate()[0]
        results.fail('%s uart_talk, %s: %s' % (name, step.__name__ if step else 'the start', error), said.splitlines())
    finally:
        if emulator.poll() is None:
            emulator.kill()
            emulator.wait()
