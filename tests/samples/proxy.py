"""The proxy between curl, wrk and Python on one side, nginx and Python on the other; ends that break, and limits."""
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import support
from support import PATIENCE, Program, counted, equal, main, need

SIZE = 6 * 1024 * 1024 + 7


class Proxy(Program):
    def __init__(self, target, *arguments, listen='0'):
        super().__init__(*arguments, listen, target)
        self.port = int(self.line(r'^forwarding to .*, from .*:(\d+)$')[1])

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.port), PATIENCE)

    def turns_away(self):
        try:
            client = self.connect()
        except ConnectionResetError:
            return  # so soon
        with client:
            is_reset(client)

    def settle(self, before):
        """Waits until the descriptors are as they were, of which nobody tells."""
        end = time.monotonic() + PATIENCE
        while self.descriptors() != before:
            assert time.monotonic() < end, 'descriptors stay open: %d, %d' % (before, self.descriptors())
            time.sleep(0.005)


class Target:
    """A server that the test drives: what connects is taken by accept()."""

    def __init__(self, backlog=20, family=socket.AF_INET, host='127.0.0.1'):
        self.socket = socket.socket(family)
        self.socket.bind((host, 0))
        self.socket.listen(backlog)
        self.socket.settimeout(PATIENCE)
        self.port = self.socket.getsockname()[1]
        self.name = '127.0.0.1:%d' % self.port

    def accept(self):
        connection, _ = self.socket.accept()
        connection.settimeout(PATIENCE)
        return connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def read_all(connection):
    return b''.join(iter(lambda: connection.recv(65536), b''))


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
    connection.close()


def is_reset(connection):
    try:
        read_all(connection)
    except ConnectionResetError:
        return
    raise AssertionError('an end of file, and no reset')


def test_half_close():
    with Target() as target, Proxy(target.name) as proxy:
        before = proxy.descriptors()
        with proxy.connect() as client, target.accept() as server:
            client.sendall(b'question')
            client.shutdown(socket.SHUT_WR)
            equal(read_all(server), b'question')  # which ends, and the other way goes on
            for part in (b'one ', b'two ', b'three'):
                server.sendall(part)
                equal(client.recv(len(part), socket.MSG_WAITALL), part)
            server.shutdown(socket.SHUT_WR)
            equal(read_all(client), b'')
        proxy.line(r'^127\.0\.0\.1:\d+: 8 bytes there, 13 back$')
        with proxy.connect() as client, target.accept() as server:  # and the other way round
            server.sendall(b'hello')
            server.shutdown(socket.SHUT_WR)
            equal(read_all(client), b'hello')
            client.sendall(b'bye')
            client.shutdown(socket.SHUT_WR)
            equal(read_all(server), b'bye')
        proxy.line(r'^127\.0\.0\.1:\d+: 3 bytes there, 5 back$')
        proxy.stop()


def both_ways(*arguments):
    """Each end sends its own data and reads the other's, at the same time; the reader of one is slow at first."""
    there, back = counted(SIZE)[:SIZE], counted(SIZE)[1:SIZE]
    with Target() as target, Proxy(target.name, *arguments) as proxy:
        with proxy.connect() as client, target.accept() as server:
            def send(end, data):
                end.sendall(data)
                end.shutdown(socket.SHUT_WR)
            sender = threading.Thread(target=send, args=(client, there))
            sender.start()
            server.sendall(back[:1000])
            equal(client.recv(1000, socket.MSG_WAITALL), back[:1000])  # while nobody reads what goes there
            replier = threading.Thread(target=send, args=(server, back[1000:]))
            replier.start()
            results = []
            reader = threading.Thread(target=lambda: results.append(read_all(client)))
            reader.start()
            got = read_all(server)
            for thread in sender, replier, reader:
                thread.join()
        equal(hashlib.sha256(got).digest(), hashlib.sha256(there).digest(), 'there')
        equal(hashlib.sha256(results[0]).digest(), hashlib.sha256(back[1000:]).digest(), 'back')
        proxy.line(r': %d bytes there, %d back$' % (SIZE, SIZE - 1))
        proxy.stop()
        equal(proxy.errors, [])


def test_bulk():
    both_ways()


def test_bulk_through_memory():
    both_ways('--copy')


def test_ends_that_break():
    with Target() as target, Proxy(target.name) as proxy:
        with proxy.connect() as client:
            server = target.accept()
            server.sendall(b'half an ans')
            equal(client.recv(11, socket.MSG_WAITALL), b'half an ans')
            reset(server)
            is_reset(client)
        proxy.line(r': 0 bytes there, 11 back; could not forward: Connection reset by peer')
        client = proxy.connect()
        with target.accept() as server:
            client.sendall(b'half')
            equal(server.recv(4, socket.MSG_WAITALL), b'half')
            reset(client)
            is_reset(server)
        proxy.line(r': 4 bytes there, 0 back; could not forward: Connection reset by peer')
        proxy.stop()
        equal(proxy.errors, [])


def test_a_server_that_is_killed():
    code = ('import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True)\n'
            'c = s.accept()[0]; c.recv(1); c.sendall(b"x" * 100); c.recv(1); c.recv(1)')
    with subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True) as server:
        with Proxy('127.0.0.1:%s' % server.stdout.readline().strip()) as proxy:
            with proxy.connect() as client:
                client.sendall(b'a')
                equal(client.recv(100, socket.MSG_WAITALL), b'x' * 100)
                server.kill()
                server.wait()  # with nothing unread: the system ends its connections in order
                equal(read_all(client), b'')
            proxy.turns_away()  # nobody is there any more
            proxy.line(r'could not connect: Connection refused, ')
            proxy.stop()


def test_what_cannot_be_reached():
    with Target(backlog=0) as target:
        waiting = []
        for _ in range(4):  # its queue is full then, and the system does not answer
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(('127.0.0.1', target.port))
            waiting.append(one)
        with Proxy(target.name, '--connect', '0.3') as proxy:
            proxy.turns_away()
            proxy.line(r': 0 bytes there, 0 back; could not connect: ')
            proxy.stop()
        for one in waiting:
            one.close()
    with Proxy('no.such.host.invalid:80') as proxy:
        proxy.turns_away()
        proxy.line(r'could not connect: the name could not be looked up')
        proxy.stop()


def test_limits():
    with Target() as target, Proxy(target.name, '--connections', '1') as proxy:
        before = proxy.descriptors()
        with proxy.connect() as first, target.accept() as server:
            proxy.turns_away()
            proxy.line(r'could not take one more')
            first.sendall(b'x')
            equal(server.recv(1), b'x')
        proxy.line(r': 1 bytes there, 0 back$')
        proxy.settle(before)
        proxy.stop()
    with Target() as target, Proxy(target.name, '--idle', '0.3') as proxy:
        with proxy.connect() as client, target.accept() as server:
            client.sendall(b'x')
            equal(server.recv(1), b'x')
            is_reset(client)
            is_reset(server)
        proxy.line(r': 1 bytes there, 0 back; could not forward: ')
        proxy.stop()


def test_the_end():
    with Target() as target, Proxy(target.name) as proxy:
        with proxy.connect() as client, target.accept() as server:
            client.sendall(b'x')
            equal(server.recv(1), b'x')
            proxy.interrupt()
            proxy.line(r'^stopping; 1 connections? ')
            try:
                proxy.connect()
                raise AssertionError('it takes another one')
            except ConnectionRefusedError:
                pass
            server.sendall(b'still here')  # it goes on with what it has
            equal(client.recv(10, socket.MSG_WAITALL), b'still here')
        equal(proxy.end(), 130)
    with Target() as target, Proxy(target.name, '--drain', '0.3') as proxy:
        with proxy.connect() as client, target.accept() as server:
            client.sendall(b'x')
            equal(server.recv(1), b'x')
            proxy.interrupt(signal.SIGTERM)
            proxy.line(r'^the time is up for 1 connections?$')
            is_reset(client)
            is_reset(server)
            equal(proxy.end(), 143)
            equal(proxy.errors, [])
    with Target() as target, Proxy(target.name, '--drain', '1000') as proxy:
        with proxy.connect() as client, target.accept() as server:
            client.sendall(b'x')
            equal(server.recv(1), b'x')
            proxy.interrupt()
            proxy.line(r'^stopping; ')
            proxy.interrupt()  # no more patience
            equal(proxy.end(), 130)


def test_addresses():
    for arguments, text in ((['0'], 'usage: proxy'), (['0', '80'], "the target '80' makes no sense"),
                            (['--idle', 'x', '0', 'a:80'], "--idle 'x' makes no sense"), (['--what'], 'usage: proxy')):
        said = subprocess.run([support.PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE)
        equal(said.returncode, 2)
        assert text in said.stderr, said.stderr
    if not socket.has_ipv6 or not os.path.exists('/proc/net/if_inet6') or not open('/proc/net/if_inet6').read():
        return
    with Target(family=socket.AF_INET6, host='::1') as target, \
            Proxy('[::1]:%d' % target.port, listen='[::1]:0') as proxy:
        with socket.create_connection(('::1', proxy.port), PATIENCE) as client, target.accept() as server:
            client.sendall(b'six')
            client.close()
            equal(read_all(server), b'six')
        proxy.stop()


class Nginx:
    def __init__(self):
        need('nginx')
        self.folder = tempfile.TemporaryDirectory(prefix='thrum-nginx-')
        with socket.create_server(('127.0.0.1', 0)) as free:
            self.port = free.getsockname()[1]
        path = self.folder.name
        for name, size in (('small', 1024), ('large', SIZE)):
            with open(os.path.join(path, name), 'wb') as file:
                file.write(counted(size)[:size])
        with open(os.path.join(path, 'nginx.conf'), 'w') as file:
            file.write('daemon off; master_process off; pid %s/pid; error_log stderr;\n'
                       'events { worker_connections 200; }\n'
                       'http { access_log off; sendfile on; keepalive_requests 1000000;\n'
                       'client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path %s; uwsgi_temp_path %s;\n'
                       'scgi_temp_path %s;\n'
                       'server { listen 127.0.0.1:%d; root %s; } }\n' % ((path,) * 6 + (self.port, path)))
        self.process = subprocess.Popen(['nginx', '-p', path, '-c', 'nginx.conf'], stderr=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), PATIENCE).close()
                break
            except ConnectionRefusedError:
                assert self.process.poll() is None, 'nginx ended'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.folder.cleanup()


def test_nginx_and_curl():
    need('curl')
    with Nginx() as nginx, Proxy('127.0.0.1:%d' % nginx.port) as proxy:
        before = proxy.descriptors()
        url = 'http://127.0.0.1:%d/' % proxy.port
        got = subprocess.run(['curl', '--silent', '--show-error', '--max-time', str(PATIENCE), url + 'large', url + 'small'],
                             capture_output=True)
        equal(got.stdout, counted(SIZE)[:SIZE] + counted(1024)[:1024], got.stderr)
        proxy.settle(before)
        proxy.stop()


def test_nginx_and_wrk():
    need('wrk')
    with Nginx() as nginx, Proxy('127.0.0.1:%d' % nginx.port, '--quiet') as proxy:
        before = proxy.descriptors()
        said = subprocess.run(['wrk', '-t1', '-c50', '-d1s', 'http://127.0.0.1:%d/small' % proxy.port],
                              capture_output=True, text=True, timeout=PATIENCE)
        assert 'Socket errors' not in said.stdout and 'Non-2xx' not in said.stdout, said.stdout
        assert int(re.search(r'(\d+) requests in', said.stdout)[1]) > 100, said.stdout
        proxy.settle(before)
        proxy.stop()


main()
