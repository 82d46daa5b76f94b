"""The PostgreSQL client, with a real server of its own in a temporary folder."""
import glob
import os
import shutil
import subprocess
import tempfile

from support import PROGRAM, PATIENCE, Program, Skip, equal, free_port, main

# The server refuses to run as root.
USER = 'postgres' if os.getuid() == 0 else None


class Server:
    """Made once for all tests: to make one takes a second."""

    def __init__(self):
        found = sorted(glob.glob('/usr/lib/postgresql/*/bin/initdb'))
        if not found:
            raise Skip('postgresql is not installed')
        self.binaries, self.folder = os.path.dirname(found[-1]), tempfile.mkdtemp(prefix='thrum-pg-')
        if USER:
            shutil.chown(self.folder, USER)
        self.port, data = free_port(), os.path.join(self.folder, 'data')
        self.run('initdb', '--no-sync', '--auth=trust', '--username=test', '--locale=C', '--encoding=UTF8', data)
        self.run('pg_ctl', '-D', data, '-w', '-l', os.path.join(self.folder, 'log'), '-o',
                 '-c fsync=off -c listen_addresses=127.0.0.1 -p %s -k %s' % (self.port, self.folder), 'start')
        self.info = 'host=%s port=%s user=test dbname=postgres' % (self.folder, self.port)

    def run(self, name, *arguments):
        # Not through pipes: the server would keep them open.
        with open(os.path.join(self.folder, 'said'), 'a+') as said:
            done = subprocess.run([os.path.join(self.binaries, name), *arguments], user=USER, cwd=self.folder,
                                  stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=PATIENCE,
                                  env=dict(os.environ, HOME=self.folder))
            said.seek(0)
            assert done.returncode == 0, said.read()

    def ask(self, *arguments, code=0, errors=''):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE)
        equal((done.returncode, done.stderr), (code, errors), done.stdout)
        return done.stdout.splitlines()

    def one(self, query, *parameters):
        return self.ask(self.info, query, *parameters)

    def stop(self):
        try:
            self.run('pg_ctl', '-D', os.path.join(self.folder, 'data'), '-w', '-m', 'immediate', 'stop')
        finally:
            shutil.rmtree(self.folder)


def test_queries():
    equal(SERVER.one('SELECT 1 + $1::int, NULL, $2', '41', 'text'), ['42\t(null)\ttext'])
    equal(SERVER.one('SELECT generate_series(1, 3)'), ['1', '2', '3'])
    equal(SERVER.one('CREATE TABLE a (n int)'), [])
    large = 'x' * 100000
    equal(SERVER.one('SELECT $1', large), [large])
    equal(len(SERVER.one('SELECT repeat($1, 1000) FROM generate_series(1, 2000)', 'y')), 2000)


def test_hosts():
    for host in 'localhost', '127.0.0.1':
        info = 'host=%s port=%s user=test dbname=postgres' % (host, SERVER.port)
        equal(SERVER.ask(info, 'SELECT inet_server_addr()'), ['127.0.0.1'])
        equal(SERVER.ask(info.replace('host=', 'hostaddr=127.0.0.1 host='), 'SELECT 1'), ['1'])


def test_what_is_refused():
    for arguments, text in (([SERVER.info, 'SELEC 1'], 'ERROR:  syntax error at or near "SELEC"'),
                            ([SERVER.info.replace('user=test', 'user=nobody'), 'SELECT 1'], 'role "nobody" does not exist'),
                            (['host=127.0.0.1 port=%s' % free_port(), 'SELECT 1'], 'Connection refused'),
                            (['host=x nonsense', 'SELECT 1'], 'missing "="'),
                            (['host=nosuch.invalid', 'SELECT 1'], 'THRUM_ERESOLVE')):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE)
        equal((done.returncode, done.stdout), (1, ''), done.stderr)
        assert text in done.stderr, done.stderr
    equal(subprocess.run([PROGRAM, SERVER.info], capture_output=True, timeout=PATIENCE).returncode, 2)


def sleepers():
    return SERVER.one("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'")[0]


def test_a_query_that_is_given_up():
    """The server stops at once, and the connection goes on."""
    lines = SERVER.ask('--timeout', '0.5', '--each', SERVER.info, 'SELECT pg_sleep($1::float8), $1', '0', '600', 'x', '0.01',
                       code=1)
    equal((lines[0], lines[1], lines[3]), ('\t0', '(timed out)', '\t0.01'))
    assert 'invalid input syntax' in lines[2], lines
    equal(sleepers(), '0')
    with Program(SERVER.info, 'SELECT pg_sleep(600)') as program:
        while sleepers() == '0':
            assert program.process.poll() is None, program.errors
        program.stop()
        equal(program.errors, [])
    equal(sleepers(), '0')


def test_notices():
    SERVER.ask(SERVER.info, "DO $$ BEGIN RAISE NOTICE 'look here'; END $$", errors='NOTICE:  look here\n')


def test_notifications():
    with Program('--listen', 'two "words"', SERVER.info) as program:
        program.line('^listening$')
        SERVER.one('NOTIFY "two ""words""", \'first\'')
        SERVER.one('SELECT pg_notify($1, $2)', 'two "words"', 'second')
        SERVER.one('SELECT pg_notify($1, $2)', 'elsewhere', 'unheard')
        program.line('second')
        equal(program.lines, ['listening', 'first', 'second'])
        program.stop()
        equal(program.errors, [])


def test_a_server_that_goes():
    with Program('--listen', 'c', SERVER.info) as hearing, Program(SERVER.info, 'SELECT pg_sleep(600)') as asking:
        hearing.line('^listening$')
        while sleepers() == '0':
            assert asking.process.poll() is None, asking.errors
        SERVER.one('SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() '
                   "AND backend_type = 'client backend'")
        for program in hearing, asking:
            equal(program.end(), 1)
            assert any('THRUM_ECLOSED' in line for line in program.errors), program.errors


try:
    SERVER = Server()
except Skip as reason:
    print('SKIP pg/server: %s\n0 passed, 0 failed, 1 skipped' % reason)
else:
    try:
        main()
    finally:
        SERVER.stop()
