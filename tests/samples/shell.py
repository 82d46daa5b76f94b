#!/usr/bin/python3
"""The shell as a user at a terminal sees it: on this host, or as firmware through `--serial pty`.

    shell.py COMMAND...    what starts it; its terminal is a new one
    shell.py --leave KEYS STATUS COMMAND...    only that those keys (in hexadecimal) end it while a command runs
"""
import os
import pty
import re
import select
import signal
import sys
import time


class Terminal:
    def __init__(self, command):
        self.seen = b''
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execvp(command[0], command)

    def until(self, text, limit=20):
        """What came up to this text, which must come."""
        end = time.monotonic() + limit
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                sys.exit('waited for %r, and there was %r' % (text, self.seen))
            try:
                # An emulator may leave it to the terminal to make \r\n of \n.
                self.seen = (self.seen + os.read(self.fd, 4096)).replace(b'\r\r\n', b'\r\n')
            except OSError:
                sys.exit('it ended; waited for %r, and there was %r' % (text, self.seen))
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, keys):
        os.write(self.fd, keys)

    def end(self, drain=False):
        while drain:
            try:
                drain = bool(os.read(self.fd, 4096))
            except OSError:
                drain = False
        status = os.waitpid(self.pid, 0)[1]
        return os.waitstatus_to_exitcode(status)


def main():
    passed = 0

    def check(what, condition):
        nonlocal passed
        if not condition:
            sys.exit('FAILED  ' + what)
        print('ok      ' + what, flush=True)
        passed += 1

    if sys.argv[1] == '--leave':
        shell = Terminal(sys.argv[4:])
        shell.until(b'> ')
        shell.type(b'count 1000\r')
        shell.until(b'\r\n1\r\n')
        shell.type(bytes.fromhex(sys.argv[2]))
        check('its keys end it', shell.end(drain=True) == int(sys.argv[3]))
        return
    shell = Terminal(sys.argv[1:])
    shell.until(b'> ')
    shell.type(b'echo hello\r')
    check('a command says what it was given', shell.until(b'> ').endswith(b'hello\r\nhello\r\n'))
    shell.type(b'ecxx\x7f\x7fho a\x1b[Db\r')
    check('keys edit, and arrows are passed over', b'\r\nab\r\n' in shell.until(b'> '))
    shell.type(b'nonsense\x15echo clean\r')
    check('Ctrl-U takes the line back', shell.until(b'> ').endswith(b'\r\nclean\r\n'))
    shell.type(b'nonsense\r')
    check('an unknown command is told of', b'what?' in shell.until(b'> '))
    shell.type(b'count 1000\r')
    shell.until(b'\r\n1\r\n')
    shell.type(b'\x03')
    check('Ctrl-C cancels a command, which cleans up', shell.until(b'> ').endswith(b'the count is over\r\n^C\r\n'))
    shell.type(b'half\x03')
    check('Ctrl-C takes a line back', shell.until(b'> ').endswith(b'^C\r\n'))
    shell.type(b'count 2\r')
    check('commands run to their end', shell.until(b'> ').endswith(b'1\r\n2\r\nthe count is over\r\n'))
    said = []
    for _ in range(100):
        shell.type(b'uptime\r')
        said.append(shell.until(b'> '))
    check('it runs any number of commands', all(re.fullmatch(rb'uptime\r\n\d+\r\n', answer) for answer in said))
    shell.type(b'\x04')
    check('Ctrl-D ends it', shell.end() == 0)
    print('%d passed, 0 failed, 0 skipped' % passed)


if __name__ == '__main__':
    main()
