"""The web server among clients that mean harm, break off, or are too many; and its end."""
import concurrent.futures
import os
import random
import select
import signal
import socket
import time

from support import Folder, Httpd, counted, equal, main

LARGE = 24 * 1024 * 1024  # more than the system takes for a client that does not read


def site():
    return Folder(**{'large.bin': counted(LARGE)[:LARGE], 'notes': b'plain words', 'folder/a': b'a'})


def test_slow_requests_time_out_while_others_are_served():
    with site() as folder, Httpd(folder.path, '--header', '1.5', '--idle', '60') as httpd:
        slow = [httpd.connect() for _ in range(50)]
        text = b'GET /notes HTTP/1.1\r\nHost: x\r\nX-Padding: ' + b'y' * 4000
        served, at = 0, 0
        for client in slow[:40]:  # ten say nothing at all
            client.send(text[:10])
        open_ones = {client.socket.fileno(): client for client in slow}
        while open_ones:
            equal(httpd.get('/notes').body, b'plain words')
            served += 1
            at += 1
            for client in list(open_ones.values()):
                ready = select.select([client.socket], [], [], 0)[0]
                if ready:
                    del open_ones[client.socket.fileno()]
                    response = client.response()
                    equal(response and response.status, 408 if client in slow[:40] else None)
                elif client in slow[:40]:
                    try:
                        client.send(text[10 + at % 4000:11 + at % 4000])
                    except (BrokenPipeError, ConnectionResetError):
                        pass
        assert served >= 3, served
        for client in slow:
            client.socket.close()
        httpd.stop()


def test_idle_connections_time_out():
    with site() as folder, Httpd(folder.path, '--idle', '0.3', '--header', '60') as httpd:
        with httpd.connect() as client:
            equal(client.get('/notes').status, 200)
            begin = time.monotonic()
            client.at_end()
            assert time.monotonic() - begin >= 0.29
        httpd.stop()


def test_a_client_that_takes_nothing_is_dropped():
    with site() as folder, Httpd(folder.path, '--idle', '0.3') as httpd:
        before = httpd.descriptors()
        with httpd.connect() as client:
            client.ask('/large.bin')
            sent = int(httpd.line(r'"GET /large\.bin HTTP/1\.1" 200 (\d+)')[1])  # it has given up
            assert sent < LARGE, sent
            httpd.settle(lambda: httpd.descriptors() <= before, 'the connection is closed')
        httpd.stop()


def test_clients_that_break_off():
    with site() as folder, Httpd(folder.path, '--quiet') as httpd:
        httpd.get('/notes')
        before = httpd.descriptors()
        for i in range(60):
            client = httpd.connect()
            client.ask('/large.bin')
            if i % 3:
                client.socket.recv(1 + i * 1000)
            if i % 2:
                client.reset()
            else:
                client.socket.close()
        equal(httpd.get('/large.bin').body, counted(LARGE)[:LARGE])
        httpd.settle(lambda: httpd.descriptors() <= before, 'nothing stays open')
        httpd.stop()
        equal(httpd.errors, [])


def test_more_connections_than_wanted():
    with site() as folder, Httpd(folder.path, '--connections', '4') as httpd:
        kept = [httpd.connect() for _ in range(4)]
        for client in kept:
            equal(client.get('/notes').status, 200)
        with httpd.connect() as client:
            response = client.response()
            equal((response.status, response['retry-after']), (503, '1'))
            client.at_end()
        equal(kept[0].get('/notes').status, 200)
        kept.pop().socket.close()
        status = 503
        while status == 503:  # until the server has seen that one hang up
            with httpd.connect() as client:
                client.ask('/notes')
                status = client.response().status
        equal(status, 200)
        for client in kept:
            client.socket.close()
        httpd.stop()


def test_descriptors_used_up():
    with site() as folder, Httpd(folder.path, '--quiet', descriptors=64) as httpd:
        before = httpd.descriptors()
        clients = [httpd.connect() for _ in range(100)]
        httpd.wait_for(lambda: any('EMFILE' in line for line in httpd.errors), 'nothing about EMFILE')
        clients[0].ask('/notes')
        equal(clients[0].response().status, 503)  # there is no descriptor for the file
        for client in clients[:60]:
            client.socket.close()
        for client in clients[60:]:
            equal(client.get('/notes').status, 200)
            client.socket.close()
        httpd.settle(lambda: httpd.descriptors() <= before, 'nothing stays open')
        reports = sum('EMFILE' in line for line in httpd.errors)
        assert reports < 10, reports  # it tries once a second, and does not spin
        httpd.stop()


# ---- the end ----

def slow_download(httpd):
    """A client that has the head of a large response and a little of its body."""
    client = httpd.connect()
    client.ask('/large.bin')
    while b'\r\n\r\n' not in client.buffer:
        client.buffer += client.socket.recv(1000)
    return client


def test_requests_in_flight_finish():
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with site() as folder, Httpd(folder.path) as httpd:
            idle, half, loading = httpd.connect(), httpd.connect(), slow_download(httpd)
            equal(idle.get('/notes').status, 200)
            half.send(b'GET /notes HTTP/1.1\r\n')
            httpd.get('/notes')  # by now it has read that
            httpd.interrupt(number)
            httpd.line('^stopping')
            idle.at_end()
            try:
                socket.create_connection(('127.0.0.1', httpd.port)).close()
            except ConnectionRefusedError:
                pass
            else:
                raise AssertionError('it still takes connections')
            half.send(b'Host: x\r\n\r\n')
            response = half.response()
            equal((response.status, response['connection']), (200, 'close'))
            half.at_end()
            equal(loading.response().body, counted(LARGE)[:LARGE])
            loading.at_end()
            equal(httpd.end(), code)
            for client in (idle, half, loading):
                client.socket.close()


def test_requests_in_flight_have_a_deadline():
    with site() as folder, Httpd(folder.path, '--grace', '0.3') as httpd:
        client = slow_download(httpd)
        httpd.interrupt()
        httpd.line('^the time is up for 1 ')
        equal(httpd.end(), 130)
        client.socket.close()


def test_the_second_interrupt_does_not_wait():
    with site() as folder, Httpd(folder.path, '--grace', '1000') as httpd:
        client = slow_download(httpd)
        httpd.interrupt()
        httpd.line('^stopping')
        httpd.interrupt()
        equal(httpd.end(), 130)
        client.socket.close()


# ---- requests that nobody should send ----

GOOD = [b'GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: x/1.0\r\nAccept: */*\r\n\r\n',
        b'GET /notes?a=b HTTP/1.1\r\nHost: x\r\nRange: bytes=2-4\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n',
        b'HEAD /folder/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
        b'GET http://x/notes HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n',
        b'POST /notes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n',
        b'GET /notes HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789',
        b'GET /%6eotes HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n']
PIECES = [b'\r\n', b'\n', b'\r', b'\0', b' ', b':', b'%00', b'/../', b'%2e%2e/', b'HTTP/9.9', b'\xff\xfe', b'Host: y\r\n',
          b'Content-Length: 99999999999999999999\r\n', b'Transfer-Encoding: chunked\r\n', b'Transfer-Encoding: x\r\n',
          b'Range: bytes=-\r\n', b'\r\n\r\n', b'ffffffffffffffff\r\n', b'\t', b'Connection: close\r\n', b' folded\r\n', b'*']


def mutated(chance):
    text = bytearray(chance.choice(GOOD))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(text) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            text[at:at + chance.randint(1, 10)] = b''
        elif kind == 1:
            text[at:at] = chance.choice(PIECES)
        elif kind == 2 and at < len(text):
            text[at] = chance.randrange(256)
        elif kind == 3:
            text[at:at] = text[:chance.randint(1, 40)]
        elif kind == 4:
            text += chance.choice(GOOD)
        else:
            del text[at:]
        if not text:
            text += b'G'
    return bytes(text)


def malformed(chance):
    kind = chance.randrange(20)
    if kind == 0:
        return chance.randbytes(chance.randint(1, 3000))
    if kind == 1:
        return b'GET / HTTP/1.1\r\nHost: x\r\nX: ' + b'a' * chance.randint(10000, 40000) + b'\r\n\r\n'
    if kind == 2:
        return b'GET /' + chance.randbytes(30) + b' HTTP/1.1\r\nHost: x\r\n\r\n'
    if kind == 3:
        return b'GET / HTTP/1.1\r\n' + b''.join(b'%d: \r\n' % i for i in range(chance.randint(1, 3000))) + b'\r\n'
    return mutated(chance)


def throw(port, seed, count):
    """Sends `count` requests, each over a connection of its own, and waits for the end of each."""
    chance = random.Random(seed)
    for _ in range(count):
        text = malformed(chance)
        with socket.create_connection(('127.0.0.1', port), timeout=60) as client:
            try:
                at = chance.randrange(len(text)) if chance.randrange(4) == 0 else len(text)
                client.sendall(text[:at])
                client.sendall(text[at:])
                if chance.randrange(20) == 0:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
                    continue
                client.shutdown(socket.SHUT_WR)
                while True:
                    data = client.recv(65536)
                    if not data:
                        break
            except (ConnectionResetError, BrokenPipeError, OSError) as error:
                if isinstance(error, socket.timeout):
                    raise AssertionError('seed %r: no end for %r' % (seed, text[:200]))


def test_ten_thousand_malformed_requests():
    # What the address sanitizer keeps of freed memory would look like a leak.
    small = {'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':quarantine_size_mb=1:thread_local_quarantine_size_kb=64'}
    with site() as folder, Httpd(folder.path, '--quiet', environment=small) as httpd:
        throw(httpd.port, 'warm', 200)
        httpd.settle(lambda: True, '')
        descriptors, memory = httpd.descriptors(), httpd.memory()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for job in [pool.submit(throw, httpd.port, 'seed %d' % i, 250) for i in range(40)]:
                job.result()
        equal(httpd.get('/notes').body, b'plain words')
        httpd.settle(lambda: httpd.descriptors() <= descriptors, 'nothing stays open')
        grown = httpd.memory() - memory
        # The sanitizer's own bookkeeping grows as well; it finds leaks by itself at the end.
        assert grown < (16384 if os.environ.get('ASAN_OPTIONS') else 4096), 'grown by %d kB' % grown
        print('grown by %d kB' % grown)
        httpd.stop()
        equal(httpd.errors, [])


main()
