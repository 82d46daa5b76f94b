"""Many transfers of libcurl at once, from nginx over HTTP and TLS, and from servers that answer badly or not at all."""
import os
import socket
import subprocess
import time

from support import PROGRAM, PATIENCE, Folder, Program, counted, equal, free_port, main, need

SIZES = {'empty': 0, 'small': 5, 'medium': 100000, 'large': 3000000}


class Nginx:
    """Serves the folder's files, over HTTP on `url` and over TLS on `secure`."""

    def __init__(self, folder):
        need('nginx')
        need('openssl')
        self.ports, path = (free_port(), free_port()), folder.path
        self.url, self.secure = 'http://127.0.0.1:%s/' % self.ports[0], 'https://127.0.0.1:%s/' % self.ports[1]
        self.trust = os.path.join(path, 'cert.pem')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                        '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout',
                        os.path.join(path, 'key.pem'), '-out', self.trust], check=True, capture_output=True)
        folder.write('nginx.conf', (
            'daemon off; master_process off; pid %s/pid; error_log stderr;\nevents { worker_connections 200; }\n'
            'http { access_log off; client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path %s;\n'
            'uwsgi_temp_path %s; scgi_temp_path %s; root %s;\nserver { listen 127.0.0.1:%s;\n'
            'listen 127.0.0.1:%s ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem; } }\n' %
            ((path,) * 7 + self.ports)).encode())
        self.process = subprocess.Popen(['nginx', '-p', path, '-c', 'nginx.conf'], stderr=subprocess.DEVNULL)
        for port in self.ports:
            self.wait_for(int(port))

    def wait_for(self, port):
        while True:
            try:
                socket.create_connection(('127.0.0.1', port), PATIENCE).close()
                return
            except ConnectionRefusedError:
                assert self.process.poll() is None, 'nginx ended'
                time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)


def fetch(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_many_at_once():
    with Folder(**{name: counted(size)[:size] for name, size in SIZES.items()}) as folder, Nginx(folder) as nginx, \
            Folder() as target:
        names = list(SIZES) * 15
        urls = [(nginx.secure if i % 2 else nginx.url) + name for i, name in enumerate(names)]
        code, lines, errors = fetch('--limit', '20', '--ca', nginx.trust, '--save', target.path, *urls)
        equal((code, errors, len(lines)), (0, '', len(urls)), lines)
        for number, name in enumerate(names, 1):
            with open(os.path.join(target.path, str(number)), 'rb') as file:
                equal(file.read(), counted(SIZES[name])[:SIZES[name]], name)
        assert any(line.startswith(nginx.secure + 'small 200, 5 bytes in ') for line in lines), lines


def test_what_goes_wrong():
    with Folder(small=b'hello') as folder, Nginx(folder) as nginx, socket.create_server(('127.0.0.1', 0)) as silent:
        wrong = {nginx.url + 'nothing': ' 404, ', nginx.secure + 'small': ' failed: SSL certificate problem',
                 'http://127.0.0.1:%d/' % silent.getsockname()[1]: ' failed: timed out',
                 'http://127.0.0.1:%s/' % free_port(): ' failed: Failed to connect', 'nonsense://x': ' failed: Protocol '}
        code, lines, errors = fetch('--timeout', '3', *wrong, nginx.url + 'small')
        equal((code, errors, len(lines)), (1, '', len(wrong) + 1), lines)
        for url, text in wrong.items():
            assert any(line.startswith(url + text) for line in lines), (url, lines)
        assert any(line.startswith(nginx.url + 'small 200, 5 bytes') for line in lines), lines
        code, lines, errors = fetch('--save', '/nonexistent', nginx.url + 'small', nginx.url + 'small')
        equal(code, 1)
        assert '/nonexistent/1' in errors, errors
        equal(fetch()[0], 2)


def test_ctrl_c():
    with Folder(small=b'hello') as folder, Nginx(folder) as nginx, socket.create_server(('127.0.0.1', 0)) as silent:
        with Program('http://127.0.0.1:%d/' % silent.getsockname()[1], nginx.url + 'small') as program:
            program.line('5 bytes')
            program.interrupt()
            equal(program.end(), 130)
            equal(program.errors, [])


main()
