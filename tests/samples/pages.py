#!/usr/bin/python3
"""doc/samples.md, tried as it stands: pages.py FOLDER, where the samples are built.

A page's session runs in a folder of its own, typed into one shell, whose output and that of all that it has started is
one, as on a terminal. Behind `$ command` stand the lines that come before the next command is typed, in whatever order;
`...` in them is anything. Ports are exchanged for free ones."""
import os
import re
import select
import subprocess
import tempfile
import time

from support import PATIENCE, PROGRAM, Skip, equal, free_port, main, need

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORTS = re.compile(r'\b(6379|7777|7778|8080|8443|9000)\b')
DONE = 'this command is done'


def session(name):
    """The commands of a page, each with its lines."""
    text = subprocess.run([os.path.join(ROOT, 'tests/docs/extract'), os.path.join(ROOT, 'doc/samples.md'), name],
                          check=True, capture_output=True, text=True).stdout
    ports = {port: free_port() for port in set(PORTS.findall(text))}
    found = []
    for line in PORTS.sub(lambda port: ports[port[0]], text).splitlines():
        if line.startswith('$ '):
            found.append((line[2:], []))
        else:
            found[-1][1].append(re.compile('.*'.join(re.escape(part) for part in line.split('...'))))
    return found


class Shell:
    def __init__(self, folder):
        os.mkdir(os.path.join(folder, 'samples'))
        with open(os.path.join(folder, 'samples/run'), 'w') as file:
            file.write('#!/bin/sh\nname=$1\nshift\nexec "%s/$name" "$@"\n' % PROGRAM)
        os.chmod(os.path.join(folder, 'samples/run'), 0o755)
        self.process = subprocess.Popen(['bash'], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        self.unread = b''

    def line(self, end):
        while b'\n' not in self.unread:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            more = os.read(self.process.stdout.fileno(), 65536) if ready else b''
            if not more:
                return None
            self.unread += more
        line, _, self.unread = self.unread.partition(b'\n')
        return line.decode()

    def type(self, command, expected):
        background = command.endswith(' &')
        self.process.stdin.write(('%s%s echo %s\n' % (command, '' if background else ';', DONE)).encode())
        self.process.stdin.flush()
        missing, done, end = list(expected), False, time.monotonic() + PATIENCE
        while missing or not done:
            line = self.line(end)
            assert line is not None, '$ %s: nothing like %r came' % (command, [each.pattern for each in missing])
            line = line.rstrip('\r')
            if line == DONE and not done:
                done = True
                continue
            match = next((each for each in missing if each.fullmatch(line)), None)
            assert match, '$ %s: %r, and not one of %r' % (command, line, [each.pattern for each in missing])
            missing.remove(match)

    def end(self):
        self.process.stdin.write(b'kill $(jobs -p) 2>/dev/null; wait\n')
        self.process.stdin.close()
        while os.read(self.process.stdout.fileno(), 65536):
            pass
        self.process.wait(PATIENCE)
        self.process.stdout.close()


def as_written(name, *tools):
    for tool in tools:
        need(tool)
    commands = session(name)
    for command, _ in commands:
        for sample in re.findall(r'\./samples/run (\w+)', command):
            if not os.path.exists(os.path.join(PROGRAM, sample)):
                raise Skip('%s is not built' % sample)
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell(folder)
        try:
            for command, expected in commands:
                shell.type(command, expected)
        finally:
            shell.end()


def test_each_has_a_page():
    with open(os.path.join(ROOT, 'doc/samples.md'), encoding='utf-8') as file:
        pages = re.findall(r'^## (\w+)$', file.read(), re.M)
    firmware = {'sensor', 'shell'}  # samples/bare/README.md
    built = {name for name in os.listdir(PROGRAM) if os.path.isfile(os.path.join(PROGRAM, name))} - firmware
    equal(sorted(built - set(pages)), [], 'without a page')
    equal(len(pages), len(set(pages)), 'pages')


def test_hello():
    as_written('hello')


def test_echo():
    as_written('echo', 'nc')


def test_chat():
    as_written('chat', 'nc')


def test_httpd():
    as_written('httpd', 'curl')


def test_proxy():
    as_written('proxy', 'nc')


def test_fetch():
    as_written('fetch')


def test_tlscat():
    as_written('tlscat', 'openssl')


def test_redis():
    as_written('redis', 'redis-server')


def test_curl():
    as_written('curl')


def test_par():
    as_written('par')


def test_supervise():
    as_written('supervise')


def test_expect():
    as_written('expect')


if __name__ == '__main__':
    main()
