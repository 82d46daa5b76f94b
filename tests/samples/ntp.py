"""The sample that asks time servers: chrony's, and servers that are wrong, silent or rude."""
import os
import re
import socket
import struct
import subprocess
import tempfile
import threading
import time

import support
from support import PATIENCE, Program, equal, main, need

TO_1970 = 2208988800


def ask(port, *arguments, status=0):
    said = subprocess.run([support.PROGRAM, '--port', str(port), '--timeout', '20', '--interval', '0', *arguments, '127.0.0.1'],
                          capture_output=True, text=True, timeout=PATIENCE)
    equal(said.returncode, status, said.stderr)
    return said.stdout.splitlines(), said.stderr


def result(lines):
    """How far this clock is behind, and how wrong that may be."""
    found = re.search(r'^127\.0\.0\.1, stratum (\d+): this clock is (slow|fast) by (\d+\.\d+) s, give or take (\d+\.\d+) s$',
                      lines[-1])
    assert found, lines
    return int(found[1]), float(found[3]) * (1 if found[2] == 'slow' else -1), float(found[4])


def test_chrony():
    need('chronyd')
    with socket.socket(type=socket.SOCK_DGRAM) as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix='thrum-ntp-') as folder:
        path = os.path.join(folder, 'chrony.conf')
        with open(path, 'w') as file:
            file.write('local stratum 5\nallow 127.0.0.1\nbindaddress 127.0.0.1\nport %d\ncmdport 0\nbindcmdaddress /\n'
                       'pidfile %s/pid\ndriftfile %s/drift\n' % (port, folder, folder))
        # -x: it never touches the clock, so it needs no privileges either.
        chrony = subprocess.Popen(['chronyd', '-x', '-U', '-d', '-u', 'root' if os.geteuid() == 0 else 'nobody', '-f', path],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            stratum, offset, error = 0, 1, 0
            while not stratum:  # until it is there
                assert chrony.poll() is None, 'chronyd ended'
                said = subprocess.run([support.PROGRAM, '--port', str(port), '--interval', '0', '127.0.0.1'],
                                      capture_output=True, text=True, timeout=PATIENCE)
                if said.returncode == 0:
                    stratum, offset, error = result(said.stdout.splitlines())
                    equal(len(said.stdout.splitlines()), 5)
        finally:
            chrony.terminate()
            chrony.wait(PATIENCE)
    equal(stratum, 5)
    assert abs(offset) <= error + 1e-5, (offset, error)  # it is the same clock


class Server:
    """Gives the answers that `how` makes of the number of a question and the question."""

    def __init__(self, how):
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.questions = []
        self.news = threading.Condition()
        threading.Thread(target=self.serve, args=(how,), daemon=True).start()

    def serve(self, how):
        while True:
            question, peer = self.socket.recvfrom(2000)
            if not question:
                return self.socket.close()
            with self.news:
                self.questions.append(question)
                self.news.notify_all()
            for answer in how(len(self.questions), question):
                self.socket.sendto(answer, peer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with socket.socket(type=socket.SOCK_DGRAM) as last:
            last.sendto(b'', ('127.0.0.1', self.port))


def answer(question, ahead=0.0, leap=0, mode=4, stratum=2, reference=b'\x7f\0\0\1'):
    now = struct.pack('>Q', int((time.time() + TO_1970 + ahead) * 2 ** 32) % 2 ** 64)
    return bytes([leap << 6 | 4 << 3 | mode, stratum, 6, 0xec]) + bytes(8) + reference + now + question[40:48] + now + now


def test_offsets():
    for ahead in (100.25, -3600.5, 30 * 365 * 86400.0, -30 * 365 * 86400.0):  # the first of the large ones is beyond 2036
        with Server(lambda number, question: [answer(question, ahead)]) as server:
            lines, _ = ask(server.port, '--samples', '2')
            stratum, offset, error = result(lines)
            equal(stratum, 2)
            assert abs(offset - ahead) <= error + 1e-5, (offset, ahead, error)
            equal(len(lines), 3)
            equal(len({question[40:48] for question in server.questions}), 2, 'cookies')
            equal({question[:40] for question in server.questions}, {b'\x23' + bytes(39)})


def test_the_shortest_way_counts():
    def slowly(number, question):
        first = answer(question)
        if number == 2:
            time.sleep(0.3)  # that its way took long is what the sample has to see
        yield first
    with Server(slowly) as server:
        lines, _ = ask(server.port, '--samples', '3')
        delays = [float(re.search(r'delay (\S+) s', line)[1]) for line in lines[:3]]
        assert delays[1] >= 0.3, delays
        assert abs(result(lines)[2] - min(delays) / 2) < 1e-5, lines


def test_what_is_no_answer():
    def how(number, question):
        good = answer(question, 5)
        yield from (b'x', good[:47], answer(question, 7, mode=3), question, answer(bytes(48), 7))
        yield good + b'and an extension'
    with Server(how) as server:
        assert 4.9 < result(ask(server.port, '--samples', '1')[0])[1] < 5.1


def test_silence():
    with Server(lambda number, question: [answer(question)] if number == 3 else []) as server:
        result(ask(server.port, '--timeout', '0.3', '--samples', '1')[0])
        equal(len(server.questions), 3)
        equal(len(set(server.questions)), 3)
    with Server(lambda number, question: []) as server:
        assert 'TIMEDOUT' in ask(server.port, '--timeout', '0.1', '--tries', '2', status=1)[1]
        equal(len(server.questions), 2)
        with Program('--port', str(server.port), '--timeout', '1000', '127.0.0.1') as program:
            with server.news:
                assert server.news.wait_for(lambda: len(server.questions) == 3, PATIENCE)
            program.stop()


def test_rude_servers():
    with Server(lambda number, question: [answer(question, stratum=0, reference=b'RATE')]) as server:
        assert 'RATE' in ask(server.port, status=1)[1]
        equal(len(server.questions), 1)  # it is left alone
    with Server(lambda number, question: [answer(question, leap=3)]) as server:
        assert 'does not know the time' in ask(server.port, status=1)[1]
    with socket.socket(type=socket.SOCK_DGRAM) as nobody:
        nobody.bind(('127.0.0.1', 0))
        port = nobody.getsockname()[1]
    assert 'ECONNREFUSED' in ask(port, status=1)[1]
    for arguments in ([], ['a', 'b'], ['--samples', '0', 'a'], ['--what', 'a']):
        equal(subprocess.run([support.PROGRAM, *arguments], capture_output=True, timeout=PATIENCE).returncode, 2)


main()
