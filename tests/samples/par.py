#!/usr/bin/python3
"""par as its users see it: par.py PROGRAM."""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile

from support import PATIENCE, PROGRAM, Program, equal, main


def par(*arguments, given='', expected=0):
    done = subprocess.run([PROGRAM, *arguments], input=given, capture_output=True, text=True, timeout=PATIENCE)
    equal(done.returncode, expected, 'exit code of %r, which said %r' % (arguments, done.stderr))
    return done


def test_output_comes_whole():
    one = 'echo a1; echo a2 >&2; echo a3'
    out = par('--jobs', '8', *[one.replace('a', letter) for letter in 'abcdefgh']).stdout
    equal(sorted(out.split()), sorted(letter + number for letter in 'abcdefgh' for number in '123'))
    for letter in 'abcdefgh':
        assert '%s1\n%s2\n%s3\n' % (letter, letter, letter) in out, out


def test_commands_from_the_standard_input():
    equal(par('--jobs', '1', given='echo one\n\necho two\necho three').stdout, 'one\ntwo\nthree\n')
    equal(par(given='').stdout, '')


def test_they_begin_as_they_come():
    """A command runs before the next one is known."""
    with subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        for word in 'one', 'two':
            child.stdin.write('echo %s\n' % word)
            child.stdin.flush()
            equal(child.stdout.readline(), word + '\n')
        child.stdin.close()
        equal(child.wait(PATIENCE), 0)


def test_no_more_than_so_many_at_a_time():
    with tempfile.TemporaryDirectory() as folder:
        # Each makes a file of its own, counts those that there are, waits for the others' sake, and takes it away.
        command = 'touch $$; ls | wc -l; sleep 0.05; rm $$'
        done = subprocess.run([os.path.abspath(PROGRAM), '--jobs', '3'] + [command] * 9, cwd=folder, capture_output=True, text=True,
                              timeout=PATIENCE)
        counts = [int(line) for line in done.stdout.split()]
        equal(len(counts), 9)
        assert max(counts) <= 3, counts


def test_what_failed_is_said():
    said = par('exit 3', 'true', 'kill -9 $$', expected=1).stderr
    assert 'par: exit 3: exit 3\n' in said and 'par: Killed: kill -9 $$\n' in said, said


def test_a_command_whose_time_is_up():
    said = par('--timeout', '0.2', 'echo begun; sleep 1000 | cat', expected=1).stderr
    assert 'par: its time is up: echo begun; sleep 1000 | cat\n' in said, said


def test_ctrl_c_stops_all():
    with tempfile.TemporaryDirectory() as folder:
        # A pipe for each: whoever opens one for the first line also gets the second one's, should that be there.
        commands = ['echo >%s/begun%d; exec sleep 1000' % (folder, n) for n in (1, 2)]
        for n in 1, 2:
            os.mkfifo('%s/begun%d' % (folder, n))
        with Program('--jobs', '2', *commands, 'echo never') as program:
            for n in 1, 2:
                with open('%s/begun%d' % (folder, n)) as file:
                    file.readline()
            program.stop()
            equal(sorted(program.errors), ['par: stopped: ' + command for command in commands])
            equal(program.lines, [])


def test_terminate_stops_a_pipeline():
    with tempfile.TemporaryDirectory() as folder:
        os.mkfifo(folder + '/alive')
        with Program('sh -c "echo >&3; exec sleep 1000" 3>%s/alive | cat' % folder) as program:
            with open(folder + '/alive', 'rb', buffering=0) as alive:
                equal(alive.read(1), b'\n')
                program.interrupt(signal.SIGTERM)
                equal(program.end(), 143)
                # Its end is the end of what it alone writes to.
                assert select.select([alive], [], [], PATIENCE)[0] and alive.read(1) == b'', 'the pipeline runs on'


def test_progress_at_a_terminal():
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(PROGRAM, [PROGRAM, '--jobs', '1', 'true', 'exit 2'])
    said = b''
    try:
        while True:
            said += os.read(terminal, 4096)
    except OSError:  # the end
        pass
    equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 1)
    assert re.search(rb'0 of 2 done, 0 failed', said), said
    assert re.search(rb'2 commands, 1 failed, in \d+\.\d s', said), said


def test_usage():
    for wrong in (['--jobs', '0'], ['--timeout', '-1', 'true'], ['--nonsense']):
        assert 'usage' in par(*wrong, expected=2).stderr


if __name__ == '__main__':
    sys.exit(main())
