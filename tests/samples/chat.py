"""The chat server among people who talk, who leave, and who do not listen."""
import socket

from support import PATIENCE, Program, equal, main


class Member:
    def __init__(self, chat, name):
        self.socket = socket.create_connection(('127.0.0.1', chat.port), timeout=PATIENCE)
        self.file = self.socket.makefile('r', encoding='utf-8', newline='\n')
        equal(self.hear(), 'what is your name?')
        self.say(name)
        equal(self.hear(), 'you are in the hall')

    def say(self, text):
        self.socket.sendall((text + '\n').encode())

    def hear(self):
        line = self.file.readline()
        return line.rstrip('\n') if line else None

    def close(self):
        self.file.close()
        self.socket.close()


class Chat(Program):
    def __init__(self):
        super().__init__('--port', '0')
        self.port = int(self.line(r'^chat listens on 127\.0\.0\.1:(\d+)$')[1])


def test_rooms():
    with Chat() as chat:
        ann, bob = Member(chat, 'ann'), Member(chat, 'bob')
        equal(ann.hear(), 'bob is here')
        ann.say('hello')
        for member in ann, bob:
            equal(member.hear(), 'ann: hello')
        bob.say('/join kitchen')
        equal(bob.hear(), 'you are in kitchen')
        equal(ann.hear(), 'bob has left')
        bob.say('anybody?')
        equal(bob.hear(), 'bob: anybody?')
        ann.say('\x1b[2J')
        equal(ann.hear(), 'ann: ?[2J')  # and nothing of what was said in the kitchen
        ann.say('/join kitchen')
        equal(ann.hear(), 'you are in kitchen')
        equal(bob.hear(), 'ann is here')
        bob.say('/who')
        equal({bob.hear(), bob.hear()}, {'ann is here', 'bob is here'})
        bob.say('x' * 2000)
        equal(bob.hear(), 'that was too long')
        bob.say('/what')
        equal(bob.hear(), '/join ROOM, /who or /quit')
        bob.say('/quit')
        equal(bob.hear(), None)
        equal(ann.hear(), 'bob has left')
        bob.close()
        chat.interrupt()
        equal(ann.hear(), None)
        equal(chat.end(), 130)
        ann.close()
        equal(chat.errors, [])


def test_who_does_not_listen_is_put_out():
    with Chat() as chat:
        ann, deaf = Member(chat, 'ann'), Member(chat, 'deaf')
        equal(ann.hear(), 'deaf is here')
        said = 0
        while True:
            ann.say('x' * 400)
            line = ann.hear()
            said += 1
            if line == 'deaf was too slow':
                break
            equal(line, 'ann: ' + 'x' * 400)
            assert said < 100000
        ann.say('/who')
        lines = [ann.hear()]
        while lines[-1] != 'ann is here':
            lines.append(ann.hear())
        assert 'deaf is here' not in lines
        ann.close()
        deaf.close()
        chat.stop()
        equal(chat.errors, [])


def test_many_at_once():
    with Chat() as chat:
        members = [Member(chat, 'm%d' % i) for i in range(50)]
        members[0].say('all of you')
        for member in members:
            line = member.hear()
            while line != 'm0: all of you':
                assert line.endswith(' is here'), line
                line = member.hear()
        for member in members:
            member.close()
        chat.stop()
        equal(chat.errors, [])


main()
