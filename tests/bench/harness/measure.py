"""Runs one program and takes its figures: times, instructions, system calls."""
import json
import os
import re
import signal
import subprocess
import tempfile

from harness.machine import LOAD_CORE, SERVER_CORE, on_core
from harness.programs import load_generator

ENVIRONMENT = dict(os.environ, PATH="/usr/bin:/bin", PYTHONDONTWRITEBYTECODE="1")


class Failed(Exception):
    """A program that did not do its work; the text says which and how."""


def result_line(command, core, seconds=120):
    """The JSON line that a benchmark program prints; None when the benchmark does not apply to it (exit 77)."""
    try:
        done = subprocess.run(on_core(core, command), env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Failed("%s: not done after %d s" % (" ".join(command), seconds)) from None
    if done.returncode == 77:
        return None
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        raise Failed("%s: exit %d: %s" % (" ".join(command), done.returncode, done.stderr.strip()[-300:]))
    return json.loads(lines[-1])


def cpu_ns(pid):
    """Nanoseconds of CPU time that a process of one thread has taken, by the scheduler's own count."""
    with open("/proc/%d/schedstat" % pid) as file:
        return int(file.read().split()[0])


def memory(pid):
    """Bytes of a process that are in RAM."""
    with open("/proc/%d/status" % pid) as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1]) * 1024


class Server:
    """A server on the first core, perhaps under a tool; `with` stops it. `where` is its port, or the path of its socket."""

    def __init__(self, command, tool=(), where=None):
        self.command = command
        self.process = subprocess.Popen(on_core(SERVER_CORE, [*tool, *command]), env=ENVIRONMENT,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.pid = self.process.pid
        try:
            port = self.announced()
            self.where = where or port
            if "strace" in tool:
                with open("/proc/%d/task/%d/children" % (self.pid, self.pid)) as children:
                    self.pid = int(children.read().split()[0])
        except BaseException:
            self.stop()
            raise

    def announced(self):
        """The port that the server says it has."""
        said = re.search(r"(?:PORT |:)(\d+)", self.process.stdout.readline())
        if not said:
            raise Failed("%s: printed no port" % " ".join(self.command))
        return said[1]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()

    def stop(self):
        if self.process.returncode is None:
            try:
                os.kill(self.pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()

    def serve(self, client):
        """Has a client do its work, on the last core: the nanoseconds of CPU time that this took the server."""
        before = cpu_ns(self.pid)
        try:
            subprocess.run(on_core(LOAD_CORE, client), check=True, capture_output=True, text=True, timeout=300)
        except subprocess.SubprocessError as error:
            raise Failed("%s: %s %s" % (" ".join(self.command), error, error.stderr or "")) from None
        return cpu_ns(self.pid) - before

    def hold(self, client):
        """Has a client open its connections, and hold them once it has said "done": bytes of memory that this took the server."""
        before = memory(self.pid)
        with subprocess.Popen(on_core(LOAD_CORE, client), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holding:
            if holding.stdout.readline() != "done\n":
                raise Failed("%s: its connections were not held" % " ".join(self.command))
            return memory(self.pid) - before

    def load(self, build, connections, size, *arguments):
        command = [load_generator(build), "-p", self.where, "-P", str(self.pid), "-c", str(connections), "-s", str(size)]
        return result_line([*command, *map(str, arguments)], LOAD_CORE)

    def open_load(self, build, rate, *arguments):
        """Latencies at so many requests a second, of 64 B on 64 connections."""
        command = [load_generator(build, "openload"), "-p", self.where, "-P", str(self.pid), "-r", "%.0f" % rate]
        return result_line([*command, *map(str, arguments)], LOAD_CORE)

    def requests(self, build, connections, count):
        """Exactly so many echoes of 64 bytes, and the end of the server before that of its connections."""
        command = [load_generator(build), "-p", self.where, "-c", str(connections), "-n", str(count)]
        with subprocess.Popen(on_core(LOAD_CORE, command), env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as load:
            line = load.stdout.readline()
            self.stop()
        if not line or json.loads(line)["requests"] != count:
            raise Failed("%s: did not answer %d requests" % (" ".join(self.command), count))


def log_file():
    return tempfile.NamedTemporaryFile("r", prefix="thrum-bench-", suffix=".log")


def cachegrind(log):
    """Counts instructions only. Python's handling of SIGTERM and the like does not matter: valgrind reports anyway."""
    return ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--branch-sim=no", "--cachegrind-out-file=/dev/null",
            "--log-file=" + log]


def instruction_count(log, command):
    found = re.search(r"I\s+refs:\s+([\d,]+)", log.read())
    if not found:
        raise Failed("%s: cachegrind counted nothing" % " ".join(command))
    return int(found.group(1).replace(",", ""))


def micro_instructions(command, bench, low=20000, high=60000, debug=False):
    """User instructions an operation: the difference of two run lengths, so that start and end do not count."""
    before = ["env", "THRUM_DEBUG=1"] if debug else []
    counts = []
    for count in (low, high):
        with log_file() as log:
            if result_line([*before, *cachegrind(log.name), *command, bench, str(count)], SERVER_CORE) is None:
                return None
            counts.append(instruction_count(log, command))
    return (counts[1] - counts[0]) / (high - low)


def echo_instructions(build, command, connections=64, low=2000, high=12000):
    """User instructions of the server an echo of 64 bytes."""
    counts = []
    for requests in (low, high):
        with log_file() as log:
            with Server(command, cachegrind(log.name)) as server:
                server.requests(build, connections, requests)
            counts.append(instruction_count(log, command))
    return (counts[1] - counts[0]) / (high - low)


def calls_in(log):
    """Counts by name, and the total, out of strace's table."""
    rows = (line.split() for line in log)
    return {row[1]: int(row[0]) for row in rows if len(row) == 2 and row[0].isdigit()}


def echo_calls(build, command, connections=64, low=1000, high=5000):
    """System calls of the server an echo of 64 bytes, by name. Opening the connections cancels out."""
    taken = []
    for requests in (low, high):
        with log_file() as log:
            with Server(command, ["strace", "-f", "-c", "-U", "calls,name", "-o", log.name]) as server:
                server.requests(build, connections, requests)
            taken.append(calls_in(log))
    before, after = taken
    calls = {name: (count - before.get(name, 0)) / (high - low) for name, count in after.items() if name != "total"}
    return {name: count for name, count in calls.items() if abs(count) >= 0.0005}


def trip_calls(command, low=200, high=1200):
    """System calls of a round trip between two threads, all kinds together."""
    totals = []
    for trips in (low, high):
        with log_file() as log:
            strace = ["strace", "-f", "-c", "-U", "calls,name", "-o", log.name]
            result_line([*strace, *command, "pingpong", str(trips)], SERVER_CORE)
            totals.append(calls_in(log)["total"])
    return (totals[1] - totals[0]) / (high - low)
