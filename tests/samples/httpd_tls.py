"""The web server over TLS: curl, Python and openssl as clients, and those whom it refuses or who refuse it."""
import os
import re
import socket
import ssl
import subprocess
import tempfile

import support
from support import Folder, Program, counted, equal, main, need

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIZE = 3 * 1024 * 1024 + 1


def make_certificate(folder):
    """As doc/tls.md says: as_written certificate."""
    need('openssl')
    said = subprocess.run([os.path.join(ROOT, 'tests/docs/extract'), os.path.join(ROOT, 'doc/tls.md'), 'certificate'],
                          check=True, capture_output=True, text=True).stdout
    subprocess.run(['sh', '-ec', said], cwd=folder, check=True, capture_output=True)


class Secure(Program):
    def __init__(self, folder, keys, *more):
        super().__init__('--port', '0', '--cert', os.path.join(keys, 'cert.pem'), '--key', os.path.join(keys, 'key.pem'), *more,
                         folder)
        found = self.line(r'^serving .* on (https://127\.0\.0\.1:(\d+)/)$')
        self.url, self.port = found[1], int(found[2])
        self.trust = os.path.join(keys, 'cert.pem')

    def context(self):
        return ssl.create_default_context(cafile=self.trust)


def world(*more):
    keys = tempfile.TemporaryDirectory()
    make_certificate(keys.name)
    folder = Folder()
    folder.write('page.html', b'<p>hello')
    folder.write('large', counted(SIZE)[:SIZE])
    return keys, folder, Secure(folder.path, keys.name, *more)


def test_curl():
    need('curl')
    keys, folder, httpd = world()
    with keys, folder, httpd:
        def curl(*arguments):
            return subprocess.run(['curl', '--silent', '--show-error', '--max-time', '60', *arguments], capture_output=True)
        got = curl('--cacert', httpd.trust, httpd.url + 'page.html')
        equal(got.stdout, b'<p>hello', got.stderr)
        equal(curl('--cacert', httpd.trust, '--http1.1', httpd.url + 'large').stdout, counted(SIZE)[:SIZE], 'large')
        two = curl('--cacert', httpd.trust, '--tls-max', '1.2', '--tlsv1.2', httpd.url + 'page.html', httpd.url + 'page.html')
        equal(two.stdout, b'<p>hello' * 2)
        equal(curl('--cacert', httpd.trust, '-r', '100-199', httpd.url + 'large').stdout, counted(SIZE)[100:200])
        assert curl(httpd.url).returncode == 60  # nobody knows us
        httpd.stop()


def test_python():
    keys, folder, httpd = world()
    with keys, folder, httpd:
        with socket.create_connection(('127.0.0.1', httpd.port), 60) as plain:
            with httpd.context().wrap_socket(plain, server_hostname='localhost') as client:
                equal(client.version(), 'TLSv1.3')
                client.sendall(b'GET /page.html HTTP/1.1\r\nHost: x\r\n\r\nGET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
                got = b''.join(iter(lambda: client.recv(65536), b''))
                head, _, rest = got.partition(b'\r\n\r\n')
                assert head.startswith(b'HTTP/1.1 200 '), head
                assert rest.startswith(b'<p>hello'), rest[:100]
                equal(rest[-SIZE:], counted(SIZE)[:SIZE])
        httpd.stop()


def test_old_versions_are_refused():
    need('openssl')
    keys, folder, httpd = world()
    with keys, folder, httpd:
        for version in ('-tls1', '-tls1_1'):
            said = subprocess.run(['openssl', 's_client', version, '-cipher', 'DEFAULT:@SECLEVEL=0', '-connect',
                                   '127.0.0.1:%d' % httpd.port], input=b'', capture_output=True, timeout=60)
            assert b'alert protocol version' in said.stderr, said.stderr
        httpd.stop()


def test_plain_clients_and_silent_ones():
    keys, folder, httpd = world()
    with keys, folder, httpd:
        silent = socket.create_connection(('127.0.0.1', httpd.port), 60)
        with socket.create_connection(('127.0.0.1', httpd.port), 60) as plain:
            plain.sendall(b'GET / HTTP/1.0\r\n\r\n')
            while plain.recv(100):
                pass
        with socket.create_connection(('127.0.0.1', httpd.port), 60) as plain:
            with httpd.context().wrap_socket(plain, server_hostname='127.0.0.1') as client:
                client.sendall(b'GET /page.html HTTP/1.0\r\n\r\n')
                assert b''.join(iter(lambda: client.recv(65536), b'')).endswith(b'<p>hello')
        silent.close()
        httpd.stop()


def test_what_is_wrong_with_files():
    keys, folder, httpd = world()
    with keys, folder, httpd:
        httpd.stop()
        for arguments, text in ((['--cert', '/nowhere'], 'No such file or directory: /nowhere'),
                                (['--cert', os.path.join(keys.name, 'cert.pem')], 'no private key in the PEM'),
                                (['--key', '/nowhere'], 'makes no sense')):
            said = subprocess.run([support.PROGRAM, '--port', '0', *arguments, folder.path], capture_output=True, text=True)
            assert said.returncode in (1, 2) and re.search(text, said.stderr), said.stderr


main()
