"""The web server's WebSocket: frames by hand, right ones and wrong ones, and a browser on its page."""
import json
import shutil
import struct
import tempfile
import time
import urllib.request

from support import PATIENCE, Client, Folder, Httpd, Program, counted, equal, main, need

KEY = 'dGhlIHNhbXBsZSBub25jZQ=='  # the example of RFC 6455, with its answer
ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
UPGRADE = {'Upgrade': 'websocket', 'Connection': 'keep-alive, Upgrade', 'Sec-WebSocket-Key': KEY, 'Sec-WebSocket-Version': '13'}


def frame(kind, payload=b'', final=True, mask=b'\x12\x34\x56\x78', extra=0, length=None):
    """As a client sends it; `length` as it is written, however long it is."""
    size = len(payload) if length is None else length
    if length is None and size < 126:
        head = struct.pack('>BB', 128 * final | extra | kind, 128 | size)
    elif length is None and size < 65536:
        head = struct.pack('>BBH', 128 * final | extra | kind, 128 | 126, size)
    else:
        head = struct.pack('>BBQ', 128 * final | extra | kind, 128 | 127, size)
    if mask is None:
        return bytes([head[0], head[1] & 127]) + head[2:] + payload
    return head + mask + bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))


def close(code, reason=b''):
    return frame(CLOSE, struct.pack('>H', code) + reason)


class Socket(Client):
    def __init__(self, port, early=b''):
        super().__init__(port)
        self.send(('GET /echo?x HTTP/1.1\r\nHost: x\r\n%s\r\n' % ''.join('%s: %s\r\n' % one for one in UPGRADE.items())).encode()
                  + early)
        while b'\r\n\r\n' not in self.buffer:
            assert self.more()
        head, _, self.buffer = self.buffer.partition(b'\r\n\r\n')
        lines = head.decode().split('\r\n')
        equal(lines[0], 'HTTP/1.1 101 Switching Protocols')
        headers = dict(line.split(': ', 1) for line in lines[1:])
        equal([headers[name] for name in ('Upgrade', 'Connection', 'Sec-WebSocket-Accept')], ['websocket', 'Upgrade', ACCEPT])
        assert 'Content-Length' not in headers

    def take(self, size):
        while len(self.buffer) < size:
            assert self.more(), 'the end, after %r' % self.buffer
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def hear(self):
        first, length = self.take(2)
        assert first & 0x70 == 0 and length < 128, (first, length)
        if length > 125:
            length = struct.unpack('>H' if length == 126 else '>Q', self.take(2 if length == 126 else 8))[0]
        assert first & 128, 'a part'
        return first & 15, self.take(length)

    def expect(self, kind, payload):
        equal(self.hear(), (kind, payload))

    def closed(self, code):
        self.expect(CLOSE, struct.pack('>H', code) if code else b'')
        self.at_end()
        self.socket.close()


def echo(*arguments):
    folder = Folder(**{'page.html': b'<p>hello'})
    return folder, Httpd(folder.path, '--echo', *arguments)


def test_handshake():
    folder, httpd = echo()
    with folder, httpd:
        page = httpd.get('/echo')
        assert page.status == 200 and page['content-type'].startswith('text/html') and b'WebSocket' in page.body
        equal(len(httpd.get('/echo', method='HEAD').body), 0)
        equal(httpd.get('/page.html').body, b'<p>hello')
        for change, status in (({'Sec-WebSocket-Version': '8'}, 426), ({'Sec-WebSocket-Key': 'x'}, 400),
                               ({'Sec-WebSocket-Key': 'x' * 200}, 400), ({'Connection': 'keep-alive'}, 200),
                               ({'Upgrade': 'h2c'}, 200)):
            answer = httpd.get('/echo', headers=dict(UPGRADE, **change))
            equal(answer.status, status, change)
            equal(answer['sec-websocket-version'], '13' if status == 426 else None)
        equal(httpd.get('/page.html', headers=UPGRADE).status, 200)  # is no place for it
        with Socket(httpd.port, frame(TEXT, b'early')) as client:
            client.expect(TEXT, b'early')
            client.send(close(1000))
            client.closed(1000)
        httpd.line(r'"GET /echo\?x HTTP/1\.1" 101 0$')
        httpd.stop()
    with Folder() as folder, Httpd(folder.path) as httpd:
        equal(httpd.get('/echo', headers=UPGRADE).status, 404)
        httpd.stop()


def test_messages():
    folder, httpd = echo()
    with folder, httpd, Socket(httpd.port) as client:
        for size in (0, 1, 125, 126, 127, 65535, 65536):
            client.send(frame(BINARY, counted(size)[:size]))
            client.expect(BINARY, counted(size)[:size])
        text = 'ä\u20ac\U0001d11e'.encode()
        for byte in frame(TEXT, text) + frame(PING, b'!'):
            client.send(bytes([byte]))
        client.expect(TEXT, text)
        client.expect(PONG, b'!')
        client.send(b''.join(frame(TEXT, b'%d' % i) for i in range(1000)))
        for i in range(1000):
            client.expect(TEXT, b'%d' % i)
        # In parts, which are cut within a character, and with a ping in between.
        for i in range(len(text) + 1):
            client.send(frame(TEXT, text[:i], False) + frame(PING, b'x' * 125) + frame(CONTINUATION, b'', False)
                        + frame(CONTINUATION, text[i:]))
            client.expect(PONG, b'x' * 125)
            client.expect(TEXT, text)
        client.send(frame(PONG, b'nobody asked') + frame(BINARY, b'\xff'))
        client.expect(BINARY, b'\xff')
        client.send(frame(CLOSE) + frame(TEXT, b'too late'))
        client.closed(None)
        httpd.stop()


def test_wrong_frames():
    folder, httpd = echo()
    wrong = [
        (1002, frame(TEXT, b'x', mask=None)), (1002, frame(TEXT, b'x', extra=0x40)), (1002, frame(3)), (1002, frame(11)),
        (1002, frame(PING, b'', False)), (1002, frame(PING, b'x' * 126)), (1002, frame(CONTINUATION, b'x')),
        (1002, frame(TEXT, b'x', False) + frame(TEXT, b'y')), (1002, frame(TEXT, b'x' * 5, length=5)),
        (1009, frame(TEXT, b'', length=1 << 63)),
        (1009, frame(BINARY, b'', length=65537)), (1009, frame(BINARY, b'x' * 65536, False) + frame(CONTINUATION, b'x')),
        (1002, frame(CLOSE, b'x')), (1002, close(999)), (1002, close(1005)), (1002, close(2999)), (1002, close(5000)),
        (1007, close(1000, b'\xff')), (1007, frame(TEXT, b'\xe4')), (1007, frame(TEXT, b'\xc0\x80')),
        (1007, frame(TEXT, b'\xed\xa0\x80')), (1007, frame(TEXT, b'\xf4\x90\x80\x80')), (1007, frame(TEXT, b'\xe0\x80\x80')),
        (1007, frame(TEXT, b'a\x80', False)), (1007, frame(TEXT, b'\xe2\x82', False) + frame(CONTINUATION, b'a')),
        (1000, close(1000, 'wäre'.encode())), (3000, close(3000)), (4999, close(4999)),
    ]
    with folder, httpd:
        for code, frames in wrong:
            with Socket(httpd.port) as client:
                client.send(frames)
                client.closed(code)
        httpd.stop()
        equal(httpd.errors, [])


def test_silence_and_the_end():
    folder, httpd = echo('--idle', '0.6')
    with folder, httpd:
        before = httpd.descriptors()
        with Socket(httpd.port) as client:
            for _ in range(3):  # who answers may stay
                client.expect(PING, b'')
                client.send(frame(PONG))
            client.expect(PING, b'')
            client.closed(1001)
        client = Socket(httpd.port)
        client.reset()
        httpd.settle(lambda: httpd.descriptors() == before, 'the end of a reset connection')
        httpd.stop()
    folder, httpd = echo()
    with folder, httpd, Socket(httpd.port) as client, Socket(httpd.port) as other:
        client.send(frame(TEXT, b'in the middle', False))
        other.send(frame(TEXT, b'x'))
        other.expect(TEXT, b'x')
        httpd.interrupt()
        client.closed(1001)
        other.closed(1001)
        equal(httpd.end(), 130)


class Browser:
    """Chromium, through its driver: https://www.w3.org/TR/webdriver/ by hand."""

    def __init__(self):
        need('chromium')
        need('chromedriver')
        self.profile = tempfile.mkdtemp(prefix='thrum-chromium-')
        self.driver = Program('--port=0', program='chromedriver')
        self.at = 'http://127.0.0.1:%s/session' % self.driver.line(r'started successfully on port (\d+)')[1]
        options = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
                   '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
                   '--user-data-dir=' + self.profile]
        self.at += '/' + self.post('', capabilities={'alwaysMatch': {
            'browserName': 'chrome', 'goog:chromeOptions': {'args': options}}})['sessionId']

    def post(self, command, **what):
        request = urllib.request.Request(self.at + command, json.dumps(what).encode(), {'Content-Type': 'application/json'})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)['value']

    def script(self, text):
        return self.post('/execute/sync', script=text, args=[])

    def until(self, script, value):
        end = time.monotonic() + PATIENCE
        while self.script(script) != value:
            assert time.monotonic() < end, self.script(script)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        urllib.request.urlopen(urllib.request.Request(self.at, method='DELETE'), timeout=PATIENCE).close()
        self.driver.process.terminate()
        self.driver.process.wait(PATIENCE)
        self.driver.__exit__()
        shutil.rmtree(self.profile, ignore_errors=True)


def test_browser():
    folder, httpd = echo()
    text = "return document.querySelector('pre').textContent"
    with folder, httpd, Browser() as browser:
        browser.post('/url', url=httpd.url + 'echo#hello')
        browser.until(text, 'connected\n< hello\n')
        element = next(iter(browser.post('/element', using='css selector', value='input').values()))
        browser.post('/element/%s/value' % element, text='\xe4\u20ac\ue007')  # the last is the Enter key
        browser.until(text, 'connected\n< hello\n> \xe4\u20ac\n< \xe4\u20ac\n')
        browser.script("window.sizes = []; socket.onmessage = event => sizes.push(event.data.length);"
                       "socket.send('x'.repeat(65536)); socket.send('')")
        browser.until('return sizes.join()', '65536,0')
        httpd.interrupt()
        browser.until(text + ".split('\\n').slice(-2)[0]", 'closed: 1001')
        equal(httpd.end(), 130)


main()
