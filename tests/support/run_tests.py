#!/usr/bin/python3
"""Runs the tests of one build folder and prints a line for each executable, then "N passed, N failed, N skipped".

What is run stands in the list of tests that `meson setup` leaves. An executable's own count is taken from its closing
line (Criterion's synthesis, or "N passed, N failed, N skipped"); one without such a line counts as one test by its exit
status (77: skipped). A test fails too when it
  - overruns its limit: it is killed with everything it started, and what it was doing is shown;
  - leaves a process behind;
  - wrote a report of a sanitizer or of valgrind, whatever its exit status says (Criterion calls a leaking test passed);
  - ran no test at all.
"""
import argparse
import concurrent.futures
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SYNTHESIS = re.compile(r'Synthesis: Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)')
CLOSING = re.compile(r'^(\d+) passed, (\d+) failed, (\d+) skipped$', re.M)
COLOURS = re.compile(r'\x1b\[[0-9;]*m')
# What a skipped test prints: Criterion's "[SKIP] suite::name: reason", the mini reporter's "suite/name ... SKIPPED:
# reason", a script's "SKIP name: reason".
SKIPS = re.compile(r'^(?:\[SKIP\] (?P<a>\S+?)::(?P<b>\w+):?|(?P<c>\S+) \.\.\. SKIPPED:|SKIP (?P<d>\S+?):)[ \t]*'
                   r'(?P<why>.*)$', re.M)


class Result:
    def __init__(self, name):
        self.name, self.passed, self.failed, self.seconds = name, 0, 0, 0.0
        self.skips, self.complaints, self.output = [], [], ''
        self.overran = False


class Runner:
    def __init__(self, options):
        self.options = options
        self.running = {}  # name -> (mark, start, log)
        self.lock = threading.Lock()
        self.stopped = False

    def tests(self):
        # What `meson introspect --tests` prints, which takes half a second to start.
        with open(os.path.join(self.options.build, 'meson-info', 'intro-tests.json')) as file:
            listed = json.load(file)
        for test in listed:
            area_and_labels = [suite.split(':')[-1] for suite in test['suite']]
            test['labels'] = area_and_labels
            if any(label in self.options.without for label in area_and_labels):
                continue
            if self.options.area and not any(label in self.options.area for label in area_and_labels):
                continue
            yield test

    def chosen(self):
        tests = list(self.tests())
        pattern = self.options.pattern
        if not pattern:
            return tests
        matching = [test for test in tests if pattern in test['name']]
        if matching:
            return matching
        return [dict(test, inside=pattern) for test in tests if self.holds(test, pattern)]

    @staticmethod
    def holds(test, pattern):
        """Whether the source of this executable has a test whose suite/name contains the pattern."""
        try:
            with open(os.path.join(ROOT, 'tests', test['name'] + '.c')) as file:
                return any(pattern in '%s/%s' % found
                           for found in re.findall(r'^TEST(?:_LIMIT)?\((\w+), (\w+)', file.read(), re.M))
        except OSError:
            return False

    @staticmethod
    def environment(test, reports, mark):
        env = dict(os.environ, THRUM_TEST_RUN=mark)
        env.update(test.get('env') or {})
        env.setdefault('CRITERION_VERBOSITY_LEVEL', '0')  # says which test runs, so that a hang can be named
        common = 'log_path=%s:abort_on_error=0:' % reports
        env['ASAN_OPTIONS'] = common + 'detect_leaks=1:detect_stack_use_after_return=1:' + env.get('ASAN_OPTIONS', '')
        env['UBSAN_OPTIONS'] = common + 'print_stacktrace=1:halt_on_error=1:' + env.get('UBSAN_OPTIONS', '')
        env['TSAN_OPTIONS'] = common + 'second_deadlock_stack=1:' + env.get('TSAN_OPTIONS', '')
        env['LSAN_OPTIONS'] = 'print_suppressions=0:' + env.get('LSAN_OPTIONS', '')
        return env

    def run(self, test):
        result = self.attempt(test)
        if result.overran and not self.options.mini and 'Criterion v' in result.output and not self.stopped:
            # Criterion ends each test at its own limit, so what hung is Criterion itself: 2.4.1 does once in a while.
            print('%s: Criterion hung; once more' % test['name'], flush=True)
            result = self.attempt(test)
        return result

    def attempt(self, test):
        result = Result(test['name'])
        if self.stopped:
            return result
        stem = os.path.join(self.options.logs, test['name'].replace('/', '-').replace(' ', '-'))
        reports = stem + '.report'
        wrapper = [part.replace('%r', reports) for part in shlex.split(self.options.wrapper)]
        arguments = []
        if test.get('inside'):
            arguments = ['--filter', '*%s*' % test['inside']] if not self.options.mini else [test['inside']]
        mark = '%d.%s' % (os.getpid(), test['name'])
        limit = max(1, test['timeout'] * self.options.scale)
        start = time.monotonic()
        with open(stem + '.log', 'w+', errors='replace') as log:
            process = subprocess.Popen(wrapper + test['cmd'] + arguments, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=subprocess.STDOUT, env=self.environment(test, reports, mark),
                                       cwd=test.get('workdir') or self.options.build)
            with self.lock:
                self.running[test['name']] = (mark, start, stem + '.log')
            try:
                process.wait(timeout=limit)
            except subprocess.TimeoutExpired:
                result.overran = True
                result.complaints.append('overran its limit of %d s and was killed%s'
                                         % (limit, last_words(stem + '.log')))
                kill(mark)
                process.wait()
            else:
                left = leftovers(mark)
                if left and not self.stopped:
                    result.complaints.append('left processes behind: ' + '; '.join(sorted(set(left))))
                    kill(mark)
            with self.lock:
                del self.running[test['name']]
            log.seek(0)
            result.output = COLOURS.sub('', log.read())
        result.seconds = time.monotonic() - start
        self.judge(result, process.returncode, reports)
        return result

    def judge(self, result, status, reports):
        synthesis, closing = SYNTHESIS.search(result.output), CLOSING.findall(result.output)
        for match in SKIPS.finditer(result.output):
            name = match['c'] or match['d'] or '%s/%s' % (match['a'], match['b'])
            if match['why'] != 'Test is disabled':  # by --filter
                result.skips.append((name, match['why']))
        if synthesis:
            # A crash is among the failures.
            tested, result.passed, result.failed, _ = (int(number) for number in synthesis.groups())
            if tested == 0 and not result.skips:
                result.complaints.append('ran no test')
        elif closing:
            result.passed, result.failed, skipped = (int(number) for number in closing[-1])
            if result.passed + result.failed + skipped == 0:
                result.complaints.append('ran no test')
            for _ in range(skipped - len(result.skips)):
                result.skips.append((result.name, 'no reason given'))
        elif status == 0:
            result.passed = 1
        elif status == 77:
            result.skips = result.skips or [(result.name, ' '.join(result.output.strip().splitlines()[-1:]))]
        else:
            result.passed = len(re.findall(r'\.\.\. ok$', result.output, re.M))
        if status not in (0, 77) and not result.failed and not result.complaints:
            how = 'ended by %s' % signal.Signals(-status).name if status < 0 else 'ended with status %d' % status
            result.complaints.append(how + (last_words_of(result.output) if status < 0 else ''))
        folder, stem = os.path.split(reports)
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.startswith(stem) and os.path.getsize(path) > 0:
                with open(path, errors='replace') as file:
                    text = file.read()
                result.complaints.append('wrote a report, %s:\n%s' % (path, '\n'.join(text.splitlines()[:60])))
        if result.complaints and not result.failed:
            result.failed = 1

    def stop(self, *_):
        """The stage's time is up: say what was running, and end it."""
        self.stopped = True
        with self.lock:
            running = list(self.running.items())
        for name, (mark, start, log) in running:
            print('STOPPED %s, which had run for %.0f s%s'
                  % (name, time.monotonic() - start, last_words(log)), flush=True)
            kill(mark)

    def go(self):
        signal.signal(signal.SIGTERM, self.stop)
        # A shell's `&` has what it starts ignore Ctrl-C, and nohup SIGHUP, which would go on to the tests of them.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        tests = sorted(self.chosen(), key=lambda test: -test['timeout'])
        if not tests:
            print('No test matches.')
            print('0 passed, 1 failed, 0 skipped')
            return 1
        passed = failed = 0
        skips = []
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            jobs = [pool.submit(self.run, test) for test in tests]
            for count, job in enumerate(concurrent.futures.as_completed(jobs), 1):
                result = job.result()
                passed, failed = passed + result.passed, failed + result.failed
                skips += result.skips
                report(result, count, len(tests))
        if self.stopped and not failed:
            failed = 1
        for name, why in skips:
            print('SKIP %s: %s' % (name, why))
        print('%d passed, %d failed, %d skipped' % (passed, failed, len(skips)), flush=True)
        return 1 if failed else 0


def report(result, count, total):
    state = 'FAILED' if result.failed else 'ok'
    counts = '%d passed' % result.passed
    counts += ', %d failed' % result.failed if result.failed else ''
    counts += ', %d skipped' % len(result.skips) if result.skips else ''
    print('[%*d/%d] %-32s %-6s %s (%.1f s)' % (len(str(total)), count, total, result.name, state, counts,
                                             result.seconds), flush=True)
    if result.failed:
        shown = [line for line in result.output.splitlines() if not re.match(r'\[(RUN |PASS)|.*\.\.\. ok$', line)]
        for line in shown[-60:] + result.complaints:
            print('    ' + line.replace('\n', '\n    '))
        sys.stdout.flush()


def last_words(path):
    try:
        with open(path, errors='replace') as file:
            return last_words_of(COLOURS.sub('', file.read()))
    except OSError:
        return ''


def last_words_of(output):
    """Names the tests that had begun and not ended."""
    begun = re.findall(r'^\[RUN *\] (\S+)', output, re.M)
    ended = set(re.findall(r'^\[(?:PASS|FAIL|SKIP)\] (\S+?):?(?:\s|$)', output, re.M))
    hung = [name.replace('::', '/') for name in begun if name not in ended]
    if not begun:
        hung = re.findall(r'^(\S+) \.\.\. (?!.*(?:ok|FAILED|SKIPPED))', output.rstrip('\n') + '\n', re.M)[-1:]
    if hung:
        return ' during ' + ', '.join(hung)
    lines = output.strip().splitlines()
    return '; its last line: ' + lines[-1] if lines else ''


def members(mark):
    """The living processes with this mark in their environment: whatever a test started, in any group or session."""
    found = []
    wanted = ('THRUM_TEST_RUN=' + mark).encode()
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                with open('/proc/%s/environ' % entry, 'rb') as file:
                    if wanted not in file.read().split(b'\0'):
                        continue
                with open('/proc/%s/cmdline' % entry) as file:
                    command = file.read().replace('\0', ' ').strip()
            except OSError:
                continue
            if command:  # a zombie has none
                found.append((int(entry), command))
    return found


def leftovers(mark):
    """What is still there half a second after the test has ended."""
    for _ in range(10):
        left = members(mark)
        if not left:
            return []
        time.sleep(0.05)
    return [command for _, command in left]


def kill(mark):
    for _ in range(20):
        left = members(mark)
        if not left:
            return
        for pid, _ in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)


def main():
    parser = argparse.ArgumentParser(description='Run the tests of a build folder.')
    parser.add_argument('build')
    parser.add_argument('--pattern', help='part of AREA/NAME of an executable, or of SUITE/NAME of a test')
    parser.add_argument('--area', action='append', default=[], help='only this area or label (may be repeated)')
    parser.add_argument('--without', action='append', default=[], help='not this area or label (may be repeated)')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 2)
    parser.add_argument('--scale', type=float, default=1, help='stretches every limit')
    parser.add_argument('--wrapper', default='', help='command put before each test; %%r becomes the report file')
    parser.add_argument('--mini', action='store_true', help='the tests use the small reporter')
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.logs = os.path.join(options.build, 'test-logs')
    os.makedirs(options.logs, exist_ok=True)
    for name in os.listdir(options.logs):
        os.unlink(os.path.join(options.logs, name))
    return Runner(options).go()


if __name__ == '__main__':
    sys.exit(main())
