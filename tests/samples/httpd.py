"""The web server, asked by curl, by a client of asyncio, and by hand."""
import asyncio
import email.utils
import os
import re
import subprocess

from support import Folder, Httpd, counted, equal, main, need

SIZES = (0, 1, 255, 16384, 16385, 65536, 3 * 1024 * 1024 + 1)
LONG_AGO = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT


def site():
    folder = Folder()
    for size in SIZES:
        folder.write('%d.bin' % size, counted(size)[:size])
    folder.write('page.html', b'<p>hello')
    folder.write('notes', b'plain words')
    folder.write('with index/index.html', b'<p>index')
    folder.write('plain/b.txt', b'b')
    folder.write('plain/a <&">%.txt', b'a')
    folder.write('plain/.secret', b'secret')
    os.mkdir(os.path.join(folder.path, 'plain', 'below'))
    os.utime(os.path.join(folder.path, 'page.html'), (LONG_AGO, LONG_AGO))
    return folder


def curl(*arguments):
    need('curl')
    return subprocess.run(['curl', '--silent', '--show-error', '--max-time', '60', *arguments], check=True,
                          capture_output=True).stdout


def test_files_come_whole():
    with site() as folder, Httpd(folder.path) as httpd:
        for size in SIZES:
            equal(curl(httpd.url + '%d.bin' % size), counted(size)[:size], '%d.bin' % size)
        httpd.stop()


def test_types():
    with site() as folder, Httpd(folder.path) as httpd:
        with httpd.connect() as client:
            for target, kind in (('/page.html', 'text/html; charset=utf-8'), ('/1.bin', 'application/octet-stream'),
                                 ('/notes', 'text/plain; charset=utf-8'), ('/plain/b.txt', 'text/plain; charset=utf-8'),
                                 ('/with%20index/', 'text/html; charset=utf-8'), ('/plain/', 'text/html; charset=utf-8')):
                response = client.get(target)
                equal((response.status, response['content-type']), (200, kind), target)
        httpd.stop()


def test_dates_and_not_modified():
    with site() as folder, Httpd(folder.path) as httpd:
        with httpd.connect() as client:
            response = client.get('/page.html')
            now = email.utils.parsedate_to_datetime(response['date']).timestamp()
            assert abs(now - os.stat('/proc/self/stat').st_mtime) < 100
            same = 'Sun, 06 Nov 1994 08:49:37 GMT'
            equal(response['last-modified'], same)
            for since, status in ((same, 304), ('Sunday, 06-Nov-94 08:49:37 GMT', 304), ('Sun Nov  6 08:49:37 1994', 304),
                                  ('Sun, 06 Nov 1994 08:49:36 GMT', 200), ('Mon, 07 Nov 1994 08:49:37 GMT', 304),
                                  ('yesterday', 200), ('x' * 500, 200)):
                response = client.get('/page.html', headers={'If-Modified-Since': since})
                equal((response.status, response['last-modified']), (status, same), since)
            response = client.get('/page.html', headers={'If-Modified-Since': same, 'If-None-Match': '"x"'})
            equal(response.status, 200)
        path = os.path.join(folder.path, 'page.html')
        equal(curl('-z', path, '-w', '%{http_code}', httpd.url + 'page.html'), b'304')
        httpd.stop()


def test_head():
    with site() as folder, Httpd(folder.path) as httpd:
        with httpd.connect() as client:
            for target in ('/65536.bin', '/plain/', '/page.html', '/nothing', '/plain'):
                head, get = client.get(target, method='HEAD'), client.get(target)
                equal(head.status, get.status, target)
                equal(head['content-length'], str(len(get.body)), target)
        assert b'Content-Length: 65536\r\n' in curl('--head', httpd.url + '65536.bin')
        httpd.stop()


def test_ranges():
    whole, size = counted(65536), 65536
    with site() as folder, Httpd(folder.path) as httpd:
        for given, first, last in (('0-0', 0, 0), ('0-499', 0, 499), ('500-', 500, size - 1), ('-1', size - 1, size - 1),
                                   ('-500', size - 500, size - 1), ('65535-99999999999999999999', size - 1, size - 1),
                                   ('-99999', 0, size - 1), ('0-', 0, size - 1), ('007-008', 7, 8)):
            out = curl('--include', '-H', 'Range: bytes=' + given, httpd.url + '65536.bin')
            head, _, body = out.partition(b'\r\n\r\n')
            assert head.startswith(b'HTTP/1.1 206 '), given
            assert b'\r\nContent-Range: bytes %d-%d/%d\r\n' % (first, last, size) in head + b'\r\n', (given, head)
            equal(body, whole[first:last + 1], given)
        equal(curl('-r', '16384-', httpd.url + '3145729.bin'), counted(3145729)[16384:3145729])
        with httpd.connect() as client:
            for given in ('65536-', '99999999999999999999-', '-0'):
                response = client.get('/65536.bin', headers={'Range': 'bytes=' + given})
                equal((response.status, response['content-range']), (416, 'bytes */65536'), given)
            equal(client.get('/0.bin', headers={'Range': 'bytes=-5'}).status, 416)
            for given in ('bytes=5-3', 'bytes=', 'bytes=-', 'bytes=a-b', 'bytes=1-2,4-5', 'lines=1-2', 'bytes=1-2x',
                          'bytes=' + '1' * 200 + '-'):
                response = client.get('/65536.bin', headers={'Range': given})
                equal((response.status, len(response.body)), (200, size), given)
            equal(client.get('/65536.bin', method='HEAD', headers={'Range': 'bytes=0-1'}).status, 200)
            date = 'Sun, 06 Nov 1994 08:49:37 GMT'
            for if_range, status in ((date, 206), ('Sun, 06 Nov 1994 08:49:38 GMT', 200), ('"tag"', 200)):
                response = client.get('/page.html', headers={'Range': 'bytes=0-1', 'If-Range': if_range})
                equal(response.status, status, if_range)
        httpd.stop()


def test_folders():
    with site() as folder, Httpd(folder.path) as httpd:
        with httpd.connect() as client:
            equal(client.get('/with%20index/').body, b'<p>index')
            response = client.get('/with%20index?query')
            equal((response.status, response['location']), (301, '/with%20index/'))
            equal(client.get('//plain')['location'], '/plain/')
            page = client.get('/plain/').body.decode()
            equal(re.findall(r'href="([^"]*)"', page), ['../', './a%20%3C%26%22%3E%25.txt', './b.txt', './below/'])
            assert 'a &lt;&amp;&quot;&gt;%.txt' in page and 'secret' not in page
            equal(client.get('/plain/a%20%3C%26%22%3E%25.txt').body, b'a')
            equal(client.get('/plain/.secret').status, 404)
            equal(client.get('/page.html/').status, 404)
            equal(client.get('/plain/./below//').status, 200)
            equal(client.get('http://elsewhere/notes?x#y').body, b'plain words')
            equal(client.get('http://elsewhere').status, 200)
        equal(httpd.get('/plain/below/../b.txt').status, 400)
        httpd.stop()


def leave(httpd):
    for target in ('/../outside', '/..', '/plain/../../outside', '/%2e%2e/outside', '/%2E%2e%2foutside', '/plain/..%2f..',
                   '/notes%00.html', '/%00', '/%', '/%2', '/%zz'):
        equal(httpd.get(target).status, 400, target)
    for target in ('/file', '/up/outside', '/absolute', '/up', '/proc/self/environ', '/twice/outside'):
        response = httpd.get(target)
        assert response.status in (403, 404), (target, response.status)
        assert b'outside' not in response.body, target


def outside():
    """A folder in a folder, with links from the inner one to what lies beside it."""
    folder = Folder(outside=b'outside')
    folder.write('in/notes', b'notes')
    folder.write('in/plain/a', b'a')
    inside = os.path.join(folder.path, 'in')
    for name, to in (('file', '../outside'), ('up', '..'), ('absolute', os.path.join(folder.path, 'outside')),
                     ('proc', '/proc'), ('twice', 'plain/..//../'), ('good', 'plain/a')):
        os.symlink(to, os.path.join(inside, name))
    os.mkfifo(os.path.join(inside, 'fifo'))
    return folder, inside


def test_nothing_outside_is_served():
    folder, inside = outside()
    with folder, Httpd(inside) as httpd:
        leave(httpd)
        equal(httpd.get('/good').body, b'a')  # a link that stays inside
        equal(httpd.get('/fifo').status, 403)
        httpd.stop()


def test_nothing_outside_is_served_portably():
    folder, inside = outside()
    with folder, Httpd(inside, '--portable') as httpd:
        leave(httpd)
        equal(httpd.get('/plain/a').body, b'a')
        equal(httpd.get('/good').status, 403)  # without openat2() no link is followed
        equal(httpd.get('/fifo').status, 403)
        equal(httpd.get('/plain/').status, 200)
        equal(httpd.get('/' + 'x' * 300).status, 404)
        httpd.stop()


def test_what_is_refused():
    with site() as folder, Httpd(folder.path) as httpd:
        host = 'Host: x\r\n'
        for text, status in (
                ('nonsense\r\n\r\n', 400), ('GET\r\n\r\n', 400), ('GET / HTTP/1.1\r\nno colon\r\n\r\n', 400),
                ('GET / HTTP/1.1\r\n\r\n', 400), ('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400),
                ('GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400), ('GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400),
                ('GET / HTTP/1.1\r\n' + host + 'Content-Length: 1\r\nContent-Length: 1\r\n\r\nx', 400),
                ('GET / HTTP/1.1\r\n' + host + 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400),
                ('GET / HTTP/1.1\r\n' + host + 'Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n', 400),
                ('GET / HTTP/1.1\r\n' + host + 'Transfer-Encoding: chunked, gzip\r\n\r\n', 400),
                ('GET / HTTP/1.1\r\n' + host + 'Content-Length: -1\r\n\r\n', 400),
                ('GET / HTTP/1.1\r\n' + host + 'Content-Length: 1x\r\n\r\n', 400),
                ('GET / HTTP/1.1\r\n' + host + 'X: ' + 'y' * 20000 + '\r\n\r\n', 431),
                ('GET / HTTP/1.1\r\n' + host + 'X: y\r\n' * 5000 + '\r\n', 431),
                ('GET /' + 'x' * 4000 + ' HTTP/1.1\r\n' + host + '\r\n', 414),
                ('GET * HTTP/1.1\r\n' + host + '\r\n', 400),
                ('GET / HTTP/2.0\r\n' + host + '\r\n', 505), ('GET / HTTP/1.1\r\n' + host + 'Content-Length: 99999999\r\n\r\n', 413),
                ('GET / HTTP/1.1\r\n' + host + 'Transfer-Encoding: chunked\r\n\r\nfffff\r\n' + 'x' * 100000, 413),
                ('BREW / HTTP/1.1\r\n' + host + '\r\n', 501), ('FROBNICATE / HTTP/1.1\r\n' + host + '\r\n', 501),
                ('get / HTTP/1.1\r\n' + host + '\r\n', 400)):
            with httpd.connect() as client:
                client.send(text.encode('latin-1'))
                response = client.response()
                equal((response.status, response['connection']), (status, 'close'), text[:60])
                client.at_end()
        for method in ('POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'PROPFIND'):
            response = httpd.get('/', method=method)
            equal((response.status, response['allow']), (405, 'GET, HEAD'), method)
        equal(httpd.get('/nothing').status, 404)
        httpd.stop()


def test_connections_are_kept():
    with site() as folder, Httpd(folder.path) as httpd:
        with httpd.connect() as client:
            for _ in range(3):
                equal(client.get('/notes').body, b'plain words')
            equal(client.get('/notes', version='1.0', headers={'Connection': 'keep-alive'})['connection'], 'keep-alive')
            client.send(b'GET /notes HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello')  # a body that nobody wants
            equal(client.response().body, b'plain words')
            client.send(b'\r\nGET /notes HTTP/1.1\r\nHost: x\r\n\r\n')  # an empty line before a request is no harm
            equal(client.response().status, 200)
            equal(client.get('/notes', headers={'Connection': 'close'})['connection'], 'close')
            client.at_end()
        with httpd.connect() as client:
            equal(client.get('/notes', version='1.0', host='')['connection'], 'close')
            client.at_end()
        httpd.stop()


def thousand(httpd, folder, *arguments):
    """A thousand requests by one curl: gives how many connections it made."""
    names = ['%d.bin' % size for size in SIZES[:-1]] + ['page.html', 'notes']
    with Folder() as out:
        config = out.write('config', b''.join(
            b'url = "%s%s"\noutput = "%s/%d"\n' % (httpd.url.encode(), names[i % len(names)].encode(), out.path.encode(), i)
            for i in range(1000)))
        said = curl('--config', config, '--write-out', '%{http_code} %{num_connects}\n', *arguments)
        lines = said.decode().split('\n')[:-1]
        equal([line.split()[0] for line in lines], ['200'] * 1000)
        for i in range(1000):
            with open(os.path.join(out.path, str(i)), 'rb') as got, \
                    open(os.path.join(folder.path, names[i % len(names)]), 'rb') as real:
                equal(got.read(), real.read(), names[i % len(names)])
        return sum(int(line.split()[1]) for line in lines)


def test_thousand_requests_on_one_connection():
    with site() as folder, Httpd(folder.path, '--quiet') as httpd:
        equal(thousand(httpd, folder), 1)
        httpd.stop()


def test_thousand_requests_on_several_connections():
    with site() as folder, Httpd(folder.path, '--quiet') as httpd:
        assert 2 <= thousand(httpd, folder, '--parallel', '--parallel-max', '8') <= 100
        httpd.stop()


def test_pipelining():
    targets = [('/65536.bin', 65536), ('/1.bin', 1), ('/0.bin', 0), ('/16385.bin', 16385), ('/nothing', None)] * 60

    async def client(port, cuts):
        reader, writer = await asyncio.open_connection('127.0.0.1', port)
        text = b''.join(b'GET %s HTTP/1.1\r\nHost: x\r\n\r\n' % target.encode() for target, _ in targets)

        async def send():
            for at in range(0, len(text), cuts):
                writer.write(text[at:at + cuts])
                await writer.drain()
        sending = asyncio.ensure_future(send())
        for target, size in targets:
            head = (await reader.readuntil(b'\r\n\r\n')).decode()
            body = await reader.readexactly(int(re.search(r'Content-Length: (\d+)', head)[1]))
            assert head.startswith('HTTP/1.1 404' if size is None else 'HTTP/1.1 200'), (target, head)
            if size is not None:
                equal(body, counted(size)[:size], target)
        await sending
        writer.close()

    async def clients(port):
        await asyncio.gather(*(client(port, cuts) for cuts in (1 << 20, 37, 1000, 7, 4096)))

    with site() as folder, Httpd(folder.path, '--quiet') as httpd:
        asyncio.run(asyncio.wait_for(clients(httpd.port), 60))
        httpd.stop()


def test_access_log():
    with site() as folder, Httpd(folder.path) as httpd:
        for target, method in (('/notes', 'GET'), ('/notes', 'HEAD'), ('/nothing"\\', 'GET'), ('/notes', 'POST')):
            httpd.get(target, method=method)
        with httpd.connect() as client:
            client.send(b'nonsense\r\n\r\n')
            equal(client.response().status, 400)
        httpd.stop()
        when = r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] '
        log = [line for line in httpd.lines if ' - - [' in line]
        for line, pattern in zip(log, (r'"GET /notes HTTP/1\.1" 200 11', r'"HEAD /notes HTTP/1\.1" 200 0',
                                       r'"GET /nothing\?\? HTTP/1\.1" 40\d \d+', r'"POST /notes HTTP/1\.1" 405 \d+',
                                       r'"- - HTTP/\d\.\d" 400 \d+')):
            assert re.fullmatch(when + pattern, line), (line, pattern)
        equal(len(log), 5)


def test_command_line():
    from support import PROGRAM
    for arguments, code, said in ((['--help'], 0, 'usage:'), (['--nonsense'], 2, 'usage:'), (['--idle', 'x'], 2, "--idle 'x'"),
                                  (['--connections', '0'], 2, 'makes no sense'), (['/nonexistent'], 1, '/nonexistent'),
                                  (['--port', '0', '/', '/'], 2, 'makes no sense')):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)
        equal(done.returncode, code, arguments)
        assert said in done.stdout + done.stderr, (arguments, done)
    with Folder() as folder, Httpd(folder.path) as httpd:
        done = subprocess.run([PROGRAM, '--port', str(httpd.port), folder.path], capture_output=True, text=True, timeout=60)
        equal(done.returncode, 1)
        assert 'EADDRINUSE' in done.stderr and str(httpd.port) in done.stderr, done.stderr
        httpd.stop()


main()
