#!/usr/bin/python3
"""expect as its users see it: expect.py PROGRAM."""
import subprocess
import sys
import tempfile

from support import PATIENCE, PROGRAM, equal, main


def expect(script, *command, expected=0, timeout='20'):
    with tempfile.NamedTemporaryFile('w') as file:
        file.write(script)
        file.flush()
        done = subprocess.run([PROGRAM, '--timeout', timeout, file.name, *command], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE)
    equal(done.returncode, expected, 'exit code, after %r and %r' % (done.stdout, done.stderr))
    return done


def test_a_login():
    # stty -echo, as programs do that ask for a password.
    login = 'printf "name: "; read n; stty -echo; printf "password: "; read p; stty echo; echo; [ $n-$p = me-secret ]'
    talk = '# a login\n\nexpect name: \nsend me\\n\nexpect password: \nsend %s\\n\n'
    equal(expect(talk % 'secret', 'sh', '-c', login).stdout, 'name: me\npassword: \n')
    expect(talk % 'wrong', 'sh', '-c', login, expected=1)


def test_python():
    """A program that reads keys by itself."""
    script = 'expect >>> \nsend print(6 * 7)\\n\nexpect \\n42\\r\nexpect >>> \nsend exit(9)\\n\n'
    expect(script, sys.executable, '-q', '-i', '-c', '', expected=9)


def test_much_before_it():
    out = expect('expect ready\n', 'sh', '-c', 'seq 1 30000; echo ready').stdout
    equal(out.split(), [str(n) for n in range(1, 30001)] + ['ready'])


def test_size_and_keys():
    script = 'expect ready\nsize 33 44\nsend \\x03\nexpect 33 44\n'
    out = expect(script, 'sh', '-c', "trap 'stty size; exit 3' INT; echo ready; while :; do sleep 0.01; done", expected=3).stdout
    assert '33 44' in out, out


def test_hangup():
    expect('expect ready\nhangup\n', 'sh', '-c', 'echo ready; exec sleep 1000', expected=129)


def test_what_does_not_come():
    assert ':1: it does not say: never' in expect('expect never\n', 'cat', timeout='0.2', expected=1).stderr
    assert ':2: it has ended, and did not say: never' in expect('\nexpect never\n', 'echo', 'hi', expected=1).stderr
    assert 'does not come to its end' in expect('', 'sleep', '1000', timeout='0.2', expected=1).stderr


def test_what_is_wrong():
    for wrong in 'wait\n', 'send \\q\n', 'size 3\n', 'send\n', 'expect \\xg0\n':
        assert ':1: this is no step' in expect(wrong, 'cat', expected=1).stderr, wrong
    assert 'ENOENT' in expect('', '/no/such/program', expected=1).stderr
    equal(subprocess.run([PROGRAM, 'script'], capture_output=True).returncode, 2)


if __name__ == '__main__':
    sys.exit(main())
