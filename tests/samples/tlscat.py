"""The sample that connects over TLS: openssl s_server, nginx and Python as servers; files, pipes and a terminal as its
standard streams."""
import hashlib
import os
import pty
import re
import select
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import support
from support import PATIENCE, counted, equal, main, need

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIZE = 3 * 1024 * 1024 + 1


class Keys(tempfile.TemporaryDirectory):
    """A certificate, as doc/tls.md makes it."""

    def __init__(self):
        super().__init__(prefix='thrum-tlscat-')
        need('openssl')
        said = subprocess.run([os.path.join(ROOT, 'tests/docs/extract'), os.path.join(ROOT, 'doc/tls.md'), 'certificate'],
                              check=True, capture_output=True, text=True).stdout
        subprocess.run(['sh', '-ec', said], cwd=self.name, check=True, capture_output=True)
        self.certificate, self.key = os.path.join(self.name, 'cert.pem'), os.path.join(self.name, 'key.pem')


class OpenSSL:
    """openssl s_server, on a port that it chooses."""

    def __init__(self, keys, *arguments):
        self.process = subprocess.Popen(['openssl', 's_server', '-accept', '127.0.0.1:0', '-cert', keys.certificate, '-key',
                                         keys.key, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        for line in self.process.stdout:
            found = re.match(rb'ACCEPT .*:(\d+)', line)
            if found:
                self.port = int(found[1])
                break
        # It must not wait for somebody to read what it says.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stdin.close()


class Server:
    """One connection, which `serve` gets, over TLS."""

    def __init__(self, keys, serve, trust=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(keys.certificate, keys.key)
        if trust:
            self.context.load_verify_locations(trust)
            self.context.verify_mode = ssl.CERT_REQUIRED
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.result = None
        self.thread = threading.Thread(target=self.run, args=(serve,))
        self.thread.start()

    def run(self, serve):
        connection, _ = self.socket.accept()
        connection.settimeout(PATIENCE)
        try:
            with self.context.wrap_socket(connection, server_side=True) as secure:
                self.result = serve(secure)
        except (OSError, ssl.SSLError) as error:
            self.result = error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.thread.join(PATIENCE)
        self.socket.close()


def read_all(secure):
    return b''.join(iter(lambda: secure.recv(65536), b''))


def end(secure):
    """Says that nothing more comes, and waits until the client has seen it."""
    secure.unwrap().close()


def tlscat(port, *arguments, said=b'', code=0, host='localhost', **streams):
    if not streams:
        streams = {'input': said}
    done = subprocess.run([support.PROGRAM, *arguments, host, str(port)], stderr=subprocess.PIPE, timeout=PATIENCE,
                          **dict({'stdout': subprocess.PIPE}, **streams))
    equal(done.returncode, code, done.stderr)
    return done.stdout, done.stderr.decode()


def test_openssl():
    keys = Keys()
    trust = '--ca', keys.certificate
    with keys:
        with OpenSSL(keys, '-rev', '-alpn', 'http/1.1') as server:
            equal(tlscat(server.port, *trust, said=b'hello\nworld\n'), (b'olleh\ndlrow\n', ''))
            shown, said = tlscat(server.port, *trust, '--info', '--alpn', 'h2,http/1.1', said=b'x\n')
            equal(shown, b'x\n')
            for text in ('connected   127.0.0.1:%d' % server.port, 'protocol    TLSv1.3, TLS_AES_256_GCM_SHA384, 256 bits',
                         'ALPN        http/1.1', 'name        DNS:localhost', 'verified    yes'):
                assert text in said, said
            pem = ssl.PEM_cert_to_DER_cert(open(keys.certificate).read())
            assert re.sub('[:]', '', hashlib.sha256(pem).hexdigest()) in said.lower().replace(':', ''), said
            # Who is not trusted, or is somebody else.
            assert 'CERTIFICATE' in tlscat(server.port, code=1)[1]
            assert 'CERTIFICATE' in tlscat(server.port, *trust, '--servername', 'example.org', code=1)[1]
            assert 'verified    no' in tlscat(server.port, '--insecure', '--info', said=b'x\n')[1]
            equal(tlscat(server.port, *trust, '--servername', 'localhost', said=b'x\n', host='127.0.0.1')[0], b'x\n')
        with OpenSSL(keys, '-rev', '-tls1_2') as server:
            shown, said = tlscat(server.port, *trust, '--info', said=b'ab\n')
            equal(shown, b'ba\n')
            assert 'TLSv1.2' in said and 'ALPN        -' in said, said
        with OpenSSL(keys, '-rev', '-tls1_1', '-cipher', 'DEFAULT:@SECLEVEL=0') as server:
            assert 'TLS' in tlscat(server.port, *trust, code=1)[1]
        with OpenSSL(keys, '-www') as server:
            shown, _ = tlscat(server.port, *trust, '--hold', said=b'GET / HTTP/1.0\r\n\r\n')
            assert b'200 ok' in shown and shown.rstrip().endswith(b'</HTML>'), shown


def test_client_certificates():
    keys = Keys()
    trust = '--ca', keys.certificate

    def serve(secure):
        subject = secure.getpeercert()['subject']
        secure.sendall(b'welcome')
        end(secure)
        return subject
    with keys:
        with Server(keys, serve, keys.certificate) as server:
            equal(tlscat(server.port, *trust, '--cert', keys.certificate, '--key', keys.key)[0], b'welcome')
        equal(server.result, ((('commonName', 'localhost'),),))
        with Server(keys, serve, keys.certificate) as server:
            tlscat(server.port, *trust, code=1)
        assert isinstance(server.result, ssl.SSLError), server.result
        assert 'no private key' in tlscat(server.port, '--cert', keys.certificate, code=1)[1]
        assert '/nowhere' in tlscat(server.port, '--ca', '/nowhere', code=1)[1]


def test_half_close():
    def serve(secure):
        got = read_all(secure)  # up to the end of the input
        secure.sendall(counted(SIZE)[:SIZE])
        end(secure)
        return hashlib.sha256(got).digest()
    keys = Keys()
    data = counted(SIZE)[1:SIZE]
    with keys:
        with Server(keys, serve) as server:
            equal(tlscat(server.port, '--ca', keys.certificate, said=data)[0], counted(SIZE)[:SIZE])
        equal(server.result, hashlib.sha256(data).digest())
        # The same with files in place of pipes.
        there, back = os.path.join(keys.name, 'there'), os.path.join(keys.name, 'back')
        with open(there, 'wb') as file:
            file.write(data)
        with Server(keys, serve) as server, open(there, 'rb') as source, open(back, 'wb') as target:
            tlscat(server.port, '--ca', keys.certificate, stdin=source, stdout=target)
        equal(server.result, hashlib.sha256(data).digest())
        with open(back, 'rb') as file:
            equal(file.read(), counted(SIZE)[:SIZE])
        with Server(keys, serve) as server:
            equal(tlscat(server.port, '--ca', keys.certificate, stdin=subprocess.DEVNULL)[0], counted(SIZE)[:SIZE])


def test_hold():
    """The server does not hear of the end of the input: it has to know by itself."""
    def serve(secure):
        equal(secure.recv(100), b'question')
        secure.settimeout(0.3)
        try:
            return secure.recv(100)
        except TimeoutError:
            secure.settimeout(PATIENCE)
            secure.sendall(b'answer')
            end(secure)
    keys = Keys()
    with keys:
        with Server(keys, serve) as server:
            equal(tlscat(server.port, '--ca', keys.certificate, '--hold', said=b'question')[0], b'answer')
        equal(server.result, None)


def test_the_server_has_the_last_word():
    def serve(secure):
        secure.sendall(b'that is all')
        end(secure)
    keys = Keys()
    with keys, Server(keys, serve) as server:
        read, write = os.pipe()  # nobody ever writes there
        equal(tlscat(server.port, '--ca', keys.certificate, stdin=read)[0], b'that is all')
        os.close(read)
        os.close(write)


def test_a_connection_that_breaks_off():
    def serve(secure):
        secure.sendall(b'half an ans')
        secure.shutdown(socket.SHUT_RDWR)  # without a word of TLS's
    keys = Keys()
    with keys, Server(keys, serve) as server:
        read, write = os.pipe()
        shown, said = tlscat(server.port, '--ca', keys.certificate, stdin=read, code=1)
        equal(shown, b'half an ans')
        assert 'TRUNCATED' in said, said
        os.close(read)
        os.close(write)
    with socket.create_server(('127.0.0.1', 0)) as silent:
        assert 'TIMEDOUT' in tlscat(silent.getsockname()[1], '--timeout', '0.2', code=1)[1]
        port = silent.getsockname()[1]
    assert 'ECONNREFUSED' in tlscat(port, code=1)[1]
    for arguments in ([], ['host'], ['--what', 'host', '1'], ['--timeout', '0', 'host', '1']):
        equal(subprocess.run([support.PROGRAM, *arguments], capture_output=True, timeout=PATIENCE).returncode, 2)


def test_terminal():
    """Typed at a terminal, shown there, and the terminal is left as it was."""
    def serve(secure):
        line = secure.recv(100)
        secure.sendall(line.upper())
        return line, read_all(secure)
    keys = Keys()
    with keys, Server(keys, serve) as server:
        pid, terminal = pty.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execv(support.PROGRAM, [support.PROGRAM, '--ca', keys.certificate, '--info', 'localhost', str(server.port)])
        seen = b''

        def until(text):
            nonlocal seen
            limit = time.monotonic() + PATIENCE
            while text not in seen:
                assert select.select([terminal], [], [], max(0, limit - time.monotonic()))[0], seen
                seen += os.read(terminal, 1000)
        until(b'verified    yes')
        os.write(terminal, b'typed\n')
        until(b'TYPED')
        os.write(terminal, b'\x03')  # Ctrl-C
        equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 130)
        os.close(terminal)
    equal(server.result[0], b'typed\n')


def test_nginx():
    need('nginx')
    keys = Keys()
    with keys:
        with socket.create_server(('127.0.0.1', 0)) as free:
            port = free.getsockname()[1]
        path = keys.name
        with open(os.path.join(path, 'page'), 'wb') as file:
            file.write(counted(100000)[:100000])
        with open(os.path.join(path, 'nginx.conf'), 'w') as file:
            file.write('daemon off; master_process off; pid %s/pid; error_log stderr;\nevents { worker_connections 50; }\n'
                       'http { access_log off; client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path %s;\n'
                       'uwsgi_temp_path %s; scgi_temp_path %s;\nserver { listen 127.0.0.1:%d ssl; root %s;\n'
                       'ssl_certificate %s; ssl_certificate_key %s; } }\n'
                       % ((path,) * 6 + (port, path, keys.certificate, keys.key)))
        nginx = subprocess.Popen(['nginx', '-p', path, '-c', 'nginx.conf'], stderr=subprocess.DEVNULL)
        try:
            while True:
                try:
                    socket.create_connection(('127.0.0.1', port), PATIENCE).close()
                    break
                except ConnectionRefusedError:
                    assert nginx.poll() is None, 'nginx ended'
            shown, said = tlscat(port, '--ca', keys.certificate, '--info', '--alpn', 'http/1.1', '--hold',
                                 said=b'GET /page HTTP/1.0\r\n\r\n')
            assert shown.startswith(b'HTTP/1.1 200 OK\r\n') and shown.endswith(b'\r\n\r\n' + counted(100000)[:100000])
            assert 'ALPN        http/1.1' in said, said
        finally:
            nginx.terminate()
            nginx.wait(PATIENCE)


main()
