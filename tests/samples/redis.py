"""The Redis client, with a real server of its own in a temporary folder."""
import os
import shutil
import signal
import subprocess

from support import PROGRAM, Folder, Program, equal, free_port, main, need


class Server(Program):
    """redis-server, on a port and on a Unix socket."""

    def __init__(self, folder):
        need('redis-server')
        self.port, self.path = free_port(), os.path.join(folder.path, 'socket')
        super().__init__('--port', self.port, '--bind', '127.0.0.1', '--unixsocket', self.path, '--dir', folder.path,
                         '--save', '', program=shutil.which('redis-server'))
        self.line('Ready to accept connections|ready to accept connections at')

    def ask(self, *words, text=None, code=0):
        done = subprocess.run([PROGRAM, '--port', self.port, *words], input=text, capture_output=True, text=True,
                              timeout=60)
        equal((done.returncode, done.stderr), (code, ''), done.stdout)
        return done.stdout.splitlines()


def with_server(test):
    def run():
        with Folder() as folder, Server(folder) as server:
            test(server)
    return run


@with_server
def test_commands(server):
    equal(server.ask('SET', 'a', 'two words'), ['OK'])
    equal(server.ask('GET', 'a'), ['two words'])
    equal(server.ask('GET', 'nothing'), ['(nil)'])
    equal(server.ask('RPUSH', 'list', 'x', 'y', ''), ['3'])
    equal(server.ask('LRANGE', 'list', '0', '-1'), ['x', 'y', ''])
    equal(server.ask('EVAL', 'return {1, {2, {3}}}', '0'), ['1', '  2', '    3'])
    assert server.ask('INCR', 'list', code=1)[0].startswith('(error) WRONGTYPE ')
    for where in ['--host', 'localhost', '--port', server.port], ['--unix', server.path]:
        equal(subprocess.run([PROGRAM, *where, 'PING'], capture_output=True, timeout=60).stdout, b'PONG\n')
    equal(server.ask('SET', 'large', 'x' * 100000), ['OK'])
    equal(server.ask('GET', 'large'), ['x' * 100000])


@with_server
def test_lines(server):
    count = 3000
    equal(server.ask(text='\n'.join('INCR n\n' for _ in range(count))), [str(i) for i in range(1, count + 1)])
    lines = server.ask(text='SET a 1\nNONSENSE\n\n  GET   a  \nINCR a', code=1)
    equal((lines[0], lines[2:]), ('OK', ['1', '2']))
    assert lines[1].startswith('(error) ERR unknown command'), lines
    equal(server.ask(text=''), [])
    with open(os.devnull) as nothing, open(__file__) as file:
        equal(subprocess.run([PROGRAM, '--port', server.port], stdin=nothing, timeout=60).returncode, 0)
        done = subprocess.run([PROGRAM, '--port', server.port], stdin=file, capture_output=True, text=True, timeout=60)
    equal(done.returncode, 1)
    assert 'it is no pipe and no terminal' in done.stderr, done.stderr


@with_server
def test_a_wait_that_is_given_up(server):
    done = subprocess.run([PROGRAM, '--port', server.port, '--timeout', '0.2', 'BLPOP', 'empty', '0'],
                          capture_output=True, text=True, timeout=60)
    equal((done.returncode, done.stdout), (1, ''))
    assert 'THRUM_ETIMEDOUT' in done.stderr, done.stderr
    with Program('--port', server.port, 'BLPOP', 'empty', '0') as program:
        while server.ask('CLIENT', 'LIST', 'TYPE', 'NORMAL')[0].count('cmd=blpop') == 0 and program.process.poll() is None:
            pass
        program.stop()
        equal(program.errors, [])


@with_server
def test_a_channel(server):
    with Program('--port', server.port, '--subscribe', 'news') as program:
        while server.ask('PUBLISH', 'news', 'first') == ['0']:
            pass
        equal(server.ask('PUBLISH', 'news', 'and second'), ['1'])
        program.line('and second')
        equal(program.lines[-2:], ['first', 'and second'])
        program.stop()
        equal(program.errors, [])


@with_server
def test_a_server_that_goes(server):
    with Program('--port', server.port, 'BLPOP', 'empty', '0') as waiting, \
         Program('--port', server.port, '--subscribe', 'news') as hearing:
        while server.ask('CLIENT', 'LIST') and 'cmd=blpop' not in '\n'.join(server.ask('CLIENT', 'LIST')):
            pass
        while server.ask('PUBLISH', 'news', 'it') == ['0']:
            pass
        server.interrupt(signal.SIGKILL)
        for program in waiting, hearing:
            equal(program.end(), 1)
            assert 'THRUM_ECLOSED' in program.errors[0], program.errors
    done = subprocess.run([PROGRAM, '--port', server.port, 'PING'], capture_output=True, text=True, timeout=60)
    equal(done.returncode, 1)
    assert 'Connection refused' in done.stderr, done.stderr


@with_server
def test_what_is_refused(server):
    for command in 'SUBSCRIBE', 'psubscribe', 'MONITOR':
        done = subprocess.run([PROGRAM, '--port', server.port, command, 'x'], capture_output=True, text=True, timeout=60)
        equal((done.returncode, done.stdout), (1, ''))
        assert 'a command with more than one reply' in done.stderr, done.stderr
    equal(subprocess.run([PROGRAM, '--nonsense'], capture_output=True, timeout=60).returncode, 2)


main()
