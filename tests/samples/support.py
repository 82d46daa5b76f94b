"""What the tests of samples share: a program that is started and spoken to, HTTP by hand, and the list of tests.

A test file defines functions test_NAME(), and ends with `main()`. It prints a line for each, and "N passed, N failed,
N skipped" at the end."""
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else None
PATIENCE = 60  # seconds for anything that must happen; nothing waits so long unless it is broken


class Skip(Exception):
    pass


def main():
    """Runs the tests of the calling file."""
    passed = failed = skipped = 0
    only = sys.argv[2:]
    for name, test in list(vars(sys.modules['__main__']).items()):
        if not name.startswith('test_') or (only and name not in only):
            continue
        name = os.path.basename(sys.argv[0])[:-3] + '/' + name[5:]
        try:
            test()
        except Skip as reason:
            skipped += 1
            print('SKIP %s: %s' % (name, reason))
        except BaseException:
            failed += 1
            print('%s ... FAILED\n%s' % (name, traceback.format_exc()))
        else:
            passed += 1
            print('%s ... ok' % name)
        sys.stdout.flush()
    print('%d passed, %d failed, %d skipped' % (passed, failed, skipped))
    sys.exit(1 if failed else 0)


def need(tool):
    if not shutil.which(tool):
        raise Skip('%s is not installed' % tool)


def equal(given, expected, what='value'):
    if given != expected:
        raise AssertionError('%s: %.300r, expected %.300r' % (what, given, expected))


def free_port():
    """A port, as text, for a program that cannot say which one the system gave it."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


class Program:
    """A sample that runs. Its lines are collected by a thread, so it never waits for us."""

    def __init__(self, *arguments, descriptors=None, program=None, environment=None):
        def prepare():
            signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored where the tests were started from
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        self.process = subprocess.Popen([program or PROGRAM, *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace',
                                        preexec_fn=prepare, env=dict(os.environ, **(environment or {})))
        self.lines, self.errors, self.ended = [], [], 0
        self.news = threading.Condition()
        for pipe, lines in ((self.process.stdout, self.lines), (self.process.stderr, self.errors)):
            threading.Thread(target=self.collect, args=(pipe, lines), daemon=True).start()

    def collect(self, pipe, lines):
        for line in pipe:
            with self.news:
                lines.append(line.rstrip('\n'))
                self.news.notify_all()
        with self.news:
            self.ended += 1
            self.news.notify_all()

    def wait_for(self, condition, what):
        with self.news:
            if not self.news.wait_for(lambda: condition() or self.ended == 2, PATIENCE) or not condition():
                raise AssertionError('%s: it said %r and %r' % (what, self.lines[-5:], self.errors[-5:]))

    def line(self, pattern):
        """The first line that matches, waited for."""
        def found():
            return next(filter(None, (re.search(pattern, line) for line in self.lines)), None)
        self.wait_for(found, 'no line like %r' % pattern)
        return found()

    def interrupt(self, number=signal.SIGINT):
        self.process.send_signal(number)

    def end(self):
        """Waits for its end and gives its exit code."""
        code = self.process.wait(PATIENCE)
        self.wait_for(lambda: self.ended == 2, 'its output stays open')
        return code

    def stop(self, code=130):
        """Ctrl-C. Whatever a sanitizer has to say would change the exit code."""
        self.interrupt()
        equal(self.end(), code, 'exit code, after %r' % self.errors[-20:])

    def descriptors(self):
        return len(os.listdir('/proc/%d/fd' % self.process.pid))

    def memory(self):
        with open('/proc/%d/status' % self.process.pid) as file:
            return int(re.search(r'VmRSS:\s+(\d+) kB', file.read())[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Httpd(Program):
    def __init__(self, folder, *arguments, program=None, **how):
        super().__init__('--port', '0', *arguments, folder, program=program, **how)
        found = self.line(r'^serving .* on (http://127\.0\.0\.1:(\d+)/)$')
        self.url, self.port = found[1], int(found[2])

    def connect(self):
        return Client(self.port)

    def get(self, target='/', **how):
        with self.connect() as client:
            return client.get(target, **how)

    def settle(self, condition, what):
        """Asks for something over and over until the server's state is as it should be."""
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError('%s does not come true' % what)
            self.get('/')


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __getitem__(self, name):
        return self.headers.get(name.lower())


class Client:
    """HTTP over a socket, byte for byte as it is said here."""

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=PATIENCE)
        self.buffer = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, target='/', method='GET', headers=(), version='1.1', host='Host: x\r\n'):
        self.send(('%s %s HTTP/%s\r\n%s%s\r\n' % (method, target, version, host, ''.join(
            '%s: %s\r\n' % header for header in dict(headers).items()))).encode('latin-1'))

    def get(self, target='/', **how):
        self.ask(target, **how)
        return self.response(head=how.get('method') == 'HEAD')

    def more(self):
        data = self.socket.recv(65536)
        self.buffer += data
        return data

    def response(self, head=False):
        """Reads one; None at end of file."""
        while b'\r\n\r\n' not in self.buffer:
            if not self.more():
                equal(self.buffer, b'', 'what came before the end')
                return None
        text, _, self.buffer = self.buffer.partition(b'\r\n\r\n')
        first, *rest = text.decode('latin-1').split('\r\n')
        status = int(re.match(r'HTTP/1\.1 (\d{3}) [A-Z]', first)[1])
        headers = {}
        for line in rest:
            name, _, value = line.partition(': ')
            assert name.lower() not in headers, 'two headers ' + name
            headers[name.lower()] = value
        length = 0 if head or status == 304 else int(headers['content-length'])
        parts, have = [self.buffer], len(self.buffer)
        while have < length:
            data = self.socket.recv(1 << 20)
            if not data:
                raise AssertionError('the body ends after %d of %d bytes' % (have, length))
            parts.append(data)
            have += len(data)
        data = b''.join(parts)
        body, self.buffer = data[:length], data[length:]
        return Response(status, headers, body)

    def at_end(self):
        """Waits for the end of the connection; nothing more may come. A reset is an end too."""
        try:
            equal(self.buffer + self.more(), b'', 'what comes before the end')
        except ConnectionResetError:
            pass

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        self.socket.close()


def counted(size):
    """Bytes that differ at every place that a mistake might confuse."""
    return bytes((i * 7 + (i >> 8)) & 0xff for i in range(min(size, 65536))) * (size // 65536 + 1) if size else b''


class Folder:
    """A folder with files to serve."""

    def __init__(self, **files):
        self.path = tempfile.mkdtemp(prefix='thrum-samples-')
        for name, data in files.items():
            self.write(name, data)

    def write(self, name, data):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            file.write(data)
        return path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)
