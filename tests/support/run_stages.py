#!/usr/bin/python3
"""Runs the stages of tests/stages/stages.txt one after the other, each within its budget, and sums their counts.

A stage that overruns is asked to stop (it then names the test that hung), and after a few seconds it is killed with
everything it started: this process is the reaper of all its descendants, so none gets away. Under --all every skip must
stand in tests/skips.txt. With THRUM_WHOLE=1, where stages run what they leave out otherwise, each has ten times as long.
What failed is said once more at the end, where whoever sees only the end of a log finds it. The last line is
"N passed, N failed, N skipped".
"""
import argparse
import ctypes
import fnmatch
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLOSING = re.compile(r'^(\d+) passed, (\d+) failed, (\d+) skipped$')
FAILURE = re.compile(r'\bFAILED\b|^STOPPED |\berror: ')
LINES_TOLD = 12
SKIP = re.compile(r'^SKIP (\S+?): ?(.*)$')
TOTAL = 90 * 60
WHOLE = 10 if os.environ.get('THRUM_WHOLE') == '1' else 1
PR_SET_CHILD_SUBREAPER = 36


def stages(path):
    """Lines of: name, budget in seconds, command; '#' begins a comment."""
    found = []
    with open(path) as file:
        for line in file:
            words = line.partition('#')[0].split()
            if words:
                found.append((words[0], int(words[1]), words[2:]))
    return found


def allowed_skips(path):
    with open(path) as file:
        return [line.partition('#')[0].strip() for line in file if line.partition('#')[0].strip()]


def descendants():
    """Every living process that descends from this one."""
    children = {}
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            try:
                with open('/proc/%s/stat' % entry) as file:
                    fields = file.read().rpartition(')')[2].split()
            except OSError:
                continue
            if fields[0] not in 'ZX':
                children.setdefault(int(fields[1]), []).append(int(entry))
    found, queue = [], [os.getpid()]
    while queue:
        for child in children.get(queue.pop(), []):
            found.append(child)
            queue.append(child)
    return found


def seconds_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def command_of(pid):
    try:
        with open('/proc/%d/cmdline' % pid) as file:
            return file.read().replace('\0', ' ').strip()
    except OSError:
        return '?'


def kill_descendants():
    """Kills what is left of a stage, reaps it, and says what it was."""
    names = []
    for _ in range(50):
        left = descendants()
        if not left:
            break
        for pid in left:
            names.append(command_of(pid))
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    return names


class Stage:
    def __init__(self, name, budget, command):
        self.name, self.budget, self.command = name, budget, command
        self.counts, self.skips, self.complaints = None, [], []
        self.failures, self.in_failure = [], False  # lines of each, and whether the last one was of one

    def pass_on(self, stream):
        for line in stream:
            line = line.rstrip('\n')
            closing, skip = CLOSING.match(line), SKIP.match(line)
            if closing:
                counts = [int(number) for number in closing.groups()]
                self.counts = [a + b for a, b in zip(self.counts or [0, 0, 0], counts)]  # a stage may run several suites
                continue  # the sum is printed once, at the end
            if skip:
                self.skips.append((skip[1], skip[2]))
            self.remember(line)
            print('  ' + line, flush=True)

    def remember(self, line):
        """A line that says what failed, and the indented ones below it."""
        if line.startswith(' '):
            if self.in_failure:
                self.failures[-1].append(line)
            return
        self.in_failure = bool(FAILURE.search(line))
        if self.in_failure:
            self.failures.append([line])

    def repeat(self):
        """Says it once more: of each failure its last lines, which tell why."""
        for first, *more in self.failures:
            for line in [first] + more[-LINES_TOLD:]:
                print('  %s: %s' % (self.name, line))
        for complaint in self.complaints:
            print('  %s: %s' % (self.name, complaint))

    def run(self):
        print('== %s (at most %d s)' % (self.name, self.budget), flush=True)
        start, spent = time.monotonic(), seconds_of_children()
        process = subprocess.Popen(self.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors='replace', start_new_session=True)
        reader = threading.Thread(target=self.pass_on, args=(process.stdout,), daemon=True)
        reader.start()
        try:
            process.wait(timeout=self.budget)
        except subprocess.TimeoutExpired:
            self.complaints.append('overran its %d s' % self.budget)
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                pass
            for name in sorted(set(kill_descendants())):
                self.complaints.append('killed: ' + name)
        else:
            time.sleep(0.1)  # a compiler's last child may still be on its way out
            left = kill_descendants()
            if left:
                self.complaints.append('left processes behind: ' + '; '.join(sorted(set(left))))
        reader.join(timeout=5)
        self.close(process.returncode)
        print('== %s: %s in %.0f s, %.0f s of a processor'
              % (self.name, 'FAILED' if self.counts[1] else 'ok', time.monotonic() - start,
                 seconds_of_children() - spent), flush=True)

    def close(self, status):
        if self.counts is None:
            self.counts = [1, 0, 0] if status == 0 else [0, 1, 0]
        if status != 0 and not self.complaints and not self.counts[1]:
            self.complaints.append('ended with status %s' % status)
        for complaint in self.complaints:
            print('  ' + complaint, flush=True)
        if self.complaints and not self.counts[1]:
            self.counts[1] = 1


def main():
    parser = argparse.ArgumentParser(description='Run the stages of ./tests/run --all.')
    parser.add_argument('--stages', default=os.path.join(ROOT, 'tests/stages/stages.txt'))
    parser.add_argument('--skips', default=os.path.join(ROOT, 'tests/skips.txt'))
    parser.add_argument('--stage', action='append', default=[], help='only this stage (may be repeated)')
    parser.add_argument('--list', action='store_true')
    options = parser.parse_args()

    listed = stages(options.stages)
    if options.list:
        for name, budget, command in listed:
            print('%-14s %4d s  %s' % (name, budget, ' '.join(command)))
        print('%-14s %4d s of %d' % ('together', sum(stage[1] for stage in listed), TOTAL))
        return 0
    unknown = set(options.stage) - {stage[0] for stage in listed}
    if unknown:
        sys.exit('no such stage: ' + ', '.join(sorted(unknown)))

    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Stopped from outside, it takes its children along.
    signal.signal(signal.SIGTERM, lambda *_: (kill_descendants(), os._exit(143)))

    start = time.monotonic()
    passed = failed = skipped = 0
    red = []
    allowed = allowed_skips(options.skips)
    for name, budget, command in listed:
        if options.stage and name not in options.stage:
            continue
        stage = Stage(name, budget * WHOLE, command)
        stage.run()
        unlisted = [skip for skip in stage.skips if not any(fnmatch.fnmatch(skip[0], each) for each in allowed)]
        for skip in unlisted:
            print('  %s was skipped (%s) and is not in tests/skips.txt' % skip)
        passed += stage.counts[0]
        failed += stage.counts[1] + len(unlisted)
        skipped += stage.counts[2]
        if stage.counts[1] or unlisted:
            red.append(stage)
        stage.complaints += ['%s was skipped (%s)' % skip for skip in unlisted]
    for stage in red:
        stage.repeat()
    if sum(stage[1] for stage in listed) > TOTAL:
        print('The budgets add up to more than %d s.' % TOTAL)
        failed += 1
    print('All of that took %.0f s.' % (time.monotonic() - start))
    if red:
        print('Failed stages: ' + ', '.join(stage.name for stage in red))
    print('%d passed, %d failed, %d skipped' % (passed, failed, skipped), flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
