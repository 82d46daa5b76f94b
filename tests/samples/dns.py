"""The sample that asks name servers: dnsmasq, and servers that lie, are silent, or not there."""
import os
import re
import socket
import struct
import subprocess
import tempfile
import threading

import support
from support import PATIENCE, Program, equal, main, need

LONG = ['%03d' % i + 'x' * 200 for i in range(20)]
CONFIGURATION = '''
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
local=/test/
host-record=host.test,10.1.2.3,fd00::7,300
cname=alias.test,host.test
mx-host=test,mail.test,10
txt-record=text.test,"two words","and .more"
srv-host=_sip._tcp.test,host.test,5060,1,2
local-ttl=60
'''


def free_port():
    """A port that is free for both."""
    while True:
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            stream.bind(('127.0.0.1', 0))
            try:
                datagrams.bind(stream.getsockname())
            except OSError:
                continue
            return stream.getsockname()[1]


class Dnsmasq:
    def __init__(self):
        need('dnsmasq')
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory(prefix='thrum-dns-')
        path = os.path.join(self.folder.name, 'configuration')
        with open(path, 'w') as file:
            file.write(CONFIGURATION + 'port=%d\npid-file=%s/pid\n' % (self.port, self.folder.name))
            if os.geteuid() == 0:
                file.write('user=root\n')
        self.process = subprocess.Popen(['dnsmasq', '--keep-in-foreground', '--conf-file=' + path, '--log-facility=-',
                                         '--txt-record=long.test,' + ','.join(LONG)],  # too long for a line of the file
                                        stderr=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), PATIENCE).close()
                break
            except ConnectionRefusedError:
                assert self.process.poll() is None, 'dnsmasq ended'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.folder.cleanup()


def ask(port, *arguments, status=0):
    said = subprocess.run([support.PROGRAM, '--server', '127.0.0.1', '--port', str(port), '--timeout', '20', *arguments],
                          capture_output=True, text=True, timeout=PATIENCE)
    equal(said.returncode, status, said.stderr)
    return said.stdout.splitlines(), said.stderr


def test_dnsmasq():
    with Dnsmasq() as server:
        def records(*arguments):
            return sorted(re.sub(r'^(\S+) \d+ ', r'\1 ', line) for line in ask(server.port, *arguments)[0])
        equal(records('host.test'), ['host.test. A 10.1.2.3', 'host.test. AAAA fd00::7'])
        equal(records('host.test', 'A')[0], 'host.test. A 10.1.2.3')
        equal(ask(server.port, 'host.test', 'A')[0], ['host.test. 300 A 10.1.2.3'])
        equal(records('--tcp', 'HOST.test.', 'A'), ['HOST.test. A 10.1.2.3'])
        equal(records('alias.test', 'A'), ['alias.test. CNAME host.test.', 'host.test. A 10.1.2.3'])
        equal(records('test', 'mx'), ['test. MX 10 mail.test.'])
        equal(records('text.test', 'TXT'), ['text.test. TXT "two words" "and .more"'])
        equal(records('text.test', 'TYPE16'), ['text.test. TXT "two words" "and .more"'])
        equal(records('_sip._tcp.test', 'SRV'), ['_sip._tcp.test. SRV 1 2 5060 host.test.'])
        equal(records('10.1.2.3'), ['3.2.1.10.in-addr.arpa. PTR host.test.'])
        equal(records('fd00::7'), ['7' + '.0' * 29 + '.d.f.ip6.arpa. PTR host.test.'])
        # This one has no room in a datagram.
        equal(records('long.test', 'TXT'), ['long.test. TXT ' + ' '.join('"%s"' % text for text in LONG)])
        lines, said = ask(server.port, 'no.such.test', 'A', status=1)
        equal((lines, said), ([], 'dns: no.such.test A: NXDOMAIN\n'))
        equal(ask(server.port, 'host.test', 'MX', status=1)[1], 'dns: host.test MX: no such record\n')
        equal(ask(server.port, 'elsewhere.example', 'A', status=1)[1], 'dns: elsewhere.example A: REFUSED\n')


class Server:
    """One that is driven by the test: `answer` gets each question, and gives the datagrams that are sent back."""

    def __init__(self, answer):
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.questions, self.peers = [], set()
        self.news = threading.Condition()
        threading.Thread(target=self.serve, args=(answer,), daemon=True).start()

    def serve(self, answer):
        while True:
            try:
                question, peer = self.socket.recvfrom(2000)
            except OSError:
                return
            if not question:
                return
            with self.news:
                self.questions.append(question)
                self.peers.add(peer)
                self.news.notify_all()
            for datagram in answer(len(self.questions), question):
                self.socket.sendto(datagram, peer)

    def asked(self, times):
        with self.news:
            assert self.news.wait_for(lambda: len(self.questions) >= times, PATIENCE), len(self.questions)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with socket.socket(type=socket.SOCK_DGRAM) as last:
            last.sendto(b'', self.socket.getsockname())


def reply(question, address=b'\x0a\x00\x00\x01', flags=0x8180, records=None, name=b'\xc0\x0c'):
    """The question with an answer of the name in it."""
    end = question.index(b'\0', 12) + 5
    data = name + struct.pack('>HHIH', 1, 1, 60, len(address)) + address if records is None else records
    return question[:2] + struct.pack('>HHHHH', flags, 1, 1, 0, 0) + question[12:end] + data


def test_what_is_no_answer():
    def answer(number, question):
        good = reply(question)
        other = bytes([question[0] ^ 1]) + good[1:]  # to another question
        yield from (b'', b'x', good[:11], other, question, good.replace(b'\4host', b'\4hosu'), good[:2] + b'\x81\x80' + bytes(8))
        yield reply(question, b'\x0a\0\0\2')
        yield reply(question, b'\x0a\0\0\3')
    with Server(answer) as server:
        equal(ask(server.port, 'host.test', 'A')[0], ['host.test. 60 A 10.0.0.2'])
        equal(len(server.questions), 1)


def test_answers_without_sense():
    wrong = {
        'pointer to itself': lambda question: reply(question, name=b'\xc0' + bytes([question.index(b'\0', 12) + 5])),
        'cut': lambda question: reply(question)[:-1],
        'none': lambda question: reply(question, records=b''),
        'address of five bytes': lambda question: reply(question, b'12345'),
        'label of 64': lambda question: reply(question, name=b'\x40' + b'x' * 64 + b'\0'),
    }
    for what, how in wrong.items():
        with Server(lambda number, question: [how(question)]) as server:
            lines, said = ask(server.port, 'host.test', 'A', status=1)
            equal((lines, said), ([], 'dns: host.test A: the answer makes no sense\n'), what)


def test_silence():
    with Server(lambda number, question: [reply(question)] if number == 3 else []) as server:
        equal(ask(server.port, '--timeout', '0.2', 'host.test', 'A')[0], ['host.test. 60 A 10.0.0.1'])
        equal(len(server.questions), 3)
        equal(len(server.peers), 3, 'ports')
        equal(len({question[:2] for question in server.questions}), 3, 'ids')
    with Server(lambda number, question: []) as server:
        lines, said = ask(server.port, '--timeout', '0.1', '--tries', '2', 'host.test', 'A', status=1)
        equal((lines, len(server.questions)), ([], 2))
        assert 'dns: host.test A: ' in said and 'time' in said, said


def test_interrupt():
    with Server(lambda number, question: []) as server:
        with Program('--server', '127.0.0.1', '--port', str(server.port), '--timeout', '1000', 'host.test') as program:
            server.asked(2)
            equal(len(os.listdir('/proc/%d/task' % program.process.pid)), 1, 'threads')
            program.stop()


def test_servers_take_turns():
    with Server(lambda number, question: [reply(question)]) as server:
        said = subprocess.run([support.PROGRAM, '--server', '127.0.0.2', '--server', '127.0.0.1', '--port', str(server.port),
                               'host.test', 'A'], capture_output=True, text=True, timeout=PATIENCE)
        equal(said.stdout, 'host.test. 60 A 10.0.0.1\n', said.stderr)  # nobody is at the first one
    equal(ask(free_port(), 'host.test', 'A', status=1)[1].count('refused'), 1)


def test_a_stream_that_ends():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        def serve():
            for _ in range(4):
                connection, _ = listener.accept()
                connection.sendall(b'\0\x20half')
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1000)
                connection.close()
        thread = threading.Thread(target=serve)
        thread.start()
        said = ask(listener.getsockname()[1], '--tcp', 'host.test', 'A', status=1)[1]
        thread.join()
        assert said.startswith('dns: host.test A: '), said


def test_names():
    with Server(lambda number, question: [reply(question)]) as server:
        for name in ('a..b', '.a', '', 'x' * 64, 'a.' * 127 + 'b', 'a\\', 'a\\9', 'a\\999'):
            said = ask(server.port, name, 'A', status=1)[1]
            assert said.endswith('this is no name\n'), (name, said)
        for name, wire in (('.', b'\0'), ('a\\.b.c', b'\3a.b\1c\0'), ('a\\032', b'\2a \0'),
                           ('x' * 63, b'\x3f' + b'x' * 63 + b'\0'), ('a.' * 127, b'\1a' * 127 + b'\0')):
            ask(server.port, name, 'A')
            equal(server.questions[-1][12:12 + len(wire)], wire)
    for arguments in ([], ['host', 'WHAT'], ['--tries', '0', 'host'], ['10.1.2.3', 'A']):
        equal(subprocess.run([support.PROGRAM, *arguments], capture_output=True, timeout=PATIENCE).returncode, 2)


main()
