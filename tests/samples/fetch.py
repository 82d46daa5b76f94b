"""Many URLs at once, from a server that answers well, badly, or not at all."""
import http.server
import os
import pty
import socket
import subprocess
import threading

from support import PROGRAM, Folder, Program, counted, equal, main


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    lock, now, most = threading.Lock(), 0, 0
    held = None

    def do_GET(self):
        with self.lock:
            Handler.now += 1
            Handler.most = max(Handler.most, Handler.now)
        if Handler.held:
            Handler.held.wait(5)  # until as many as may be are here; broken is no harm
        with self.lock:
            Handler.now -= 1
        name = self.path.strip('/')
        if name == 'silent':
            self.server.silence.wait(60)
        elif name == 'short':
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello')
        elif name == 'nonsense':
            self.wfile.write(b'what?\r\n\r\n')
        elif name == 'chunked':
            self.wfile.write(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n')
        elif name == 'endless':
            self.wfile.write(b'HTTP/1.1 200 OK\r\n\r\nto the end')
        elif name.isdigit():
            self.send_response(200)
            self.send_header('Content-Length', name)
            self.end_headers()
            self.wfile.write(counted(int(name))[:int(name)])
        else:
            self.send_error(404)
        self.close_connection = True

    def log_message(self, *_):
        pass


class Site:
    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.silence = threading.Event()
        self.url = 'http://127.0.0.1:%d/' % self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        Handler.held = None
        self.server.silence.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def fetch(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_bodies():
    with Site() as site, Folder() as folder:
        names = ['0', '5', '100000', 'chunked', 'endless', '3000000']
        code, out, err = fetch('--save', folder.path, *(site.url + name for name in names))
        equal((code, err), (0, ''), out)
        equal(len(out.splitlines()), len(names))
        for number, name in enumerate(names, 1):
            with open(os.path.join(folder.path, str(number)), 'rb') as file:
                size = int(name) if name.isdigit() else 0
                equal(file.read(), {'chunked': b'helloyou', 'endless': b'to the end'}.get(name, counted(size)[:size]))
        assert site.url + '5 200, 5 bytes in ' in out, out


def test_what_goes_wrong():
    with Site() as site:
        closed = socket.create_server(('127.0.0.1', 0))
        port = closed.getsockname()[1]
        closed.close()
        wrong = {site.url + 'nothing': ' 404, ', site.url + 'silent': ' failed: timed out',
                 site.url + 'short': ' failed: Protocol error, ', site.url + 'nonsense': ' failed: Protocol error, ',
                 'http://127.0.0.1:%d/' % port: ' failed: ', 'ftp://x/': 'this is no http:// URL', 'nonsense': 'no http://'}
        code, out, err = fetch('--timeout', '0.5', *wrong, site.url + '5')
        equal((code, err), (1, ''), out)
        lines = out.splitlines()
        equal(len(lines), len(wrong) + 1)
        for url, text in wrong.items():
            assert any(line.startswith(url) and text in line for line in lines), (url, out)
        assert site.url + '5 200, 5 bytes' in out, out
        equal(fetch('--limit', '0', 'http://x/')[0], 2)
        code, out, err = fetch('--save', '/nonexistent', site.url + '5', site.url + '6')
        equal(code, 1)
        assert '/nonexistent/1' in err, err


def test_the_limit_is_reached_and_kept():
    with Site() as site:
        Handler.most, Handler.held = 0, threading.Barrier(4)
        code, out, _ = fetch('--limit', '4', *[site.url + '10'] * 40)
        equal((code, len(out.splitlines())), (0, 40), out)
        equal(Handler.most, 4)


def test_ctrl_c():
    with Site() as site:
        with Program(site.url + 'silent', site.url + '5', program=PROGRAM) as program:
            program.line('5 bytes')
            program.interrupt()
            equal(program.end(), 130)
            equal(program.errors, [])


def test_progress_on_a_terminal():
    with Site() as site:
        ours, theirs = pty.openpty()
        process = subprocess.Popen([PROGRAM, site.url + '5', site.url + '6'], stderr=theirs, stdout=subprocess.PIPE)
        out = process.communicate(timeout=60)[0]
        os.close(theirs)
        shown = b''
        while True:
            try:
                data = os.read(ours, 4096)
            except OSError:
                break
            if not data:
                break
            shown += data
        os.close(ours)
        equal((process.returncode, len(out.splitlines())), (0, 2))
        assert b'0 of 2, 0.0 MB' in shown and shown.endswith(b'\r\x1b[K'), shown


main()
