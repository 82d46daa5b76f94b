"""The benchmark: runs thrum and its peers in turn, keeps one row a benchmark, prints the tables."""
import json
import os
import time

from harness import machine, measure, programs, report


class Benchmark:
    def __init__(self, options):
        self.options = options
        self.build = options.build
        self.rows = []
        self.missed = []
        self.broken = []
        self.started = time.time()

    def wanted(self, suite, bench=None):
        only = self.options.only
        return not only or any(o == suite or o == "%s/%s" % (suite, bench) or (bench is None and o.startswith(suite + "/"))
                               for o in only)

    def chosen(self, peers):
        if not self.options.peers:
            return peers
        keep = {next(iter(peers)), "thrum", *self.options.peers.split(",")}
        return {name: command for name, command in peers.items() if name in keep}

    def trouble(self, text):
        machine.say(text)
        self.broken.append(text)

    def progress(self, suite, bench):
        machine.say("%4.0f s  %s %s" % (time.time() - self.started, suite, bench))

    def keep(self, suite, bench, unit, reference, summary, bounds, more=None):
        """Takes one row: thrum, peers, ratio to the reference, gate and aim, and whether these are met."""
        row = {"suite": suite, "bench": bench, "title": bounds.get("title", bench), "unit": unit, "reference": reference,
               "peers": summary, "thrum": summary.get("thrum"), "gate": bounds.get("gate"), "aim": bounds.get("aim")}
        if row["thrum"] and row["gate"]:
            of = self.other(suite, bounds["gate"])
            for name in ("gate", "aim"):
                row[name + "_met"] = report.within(bounds[name], row["thrum"]["median"], row["thrum"]["ratio"], of)
            if not row["gate_met"]:
                self.missed.append("%s/%s" % (suite, bench))
        if more:
            row["more"] = more
        self.rows.append(row)

    def other(self, suite, gate):
        """The figure of the benchmark that a gate compares with, when that was measured, too."""
        for row in self.rows:
            if row["suite"] == suite and row["bench"] == gate.get("of", [None])[0] and row["thrum"]:
                return row["thrum"]["median"]
        return None

    def loaded(self, suite, cells):
        """Runs the servers in turn. cells: {name: arguments of the load generator}; gives {name: [a row a round]}."""
        rounds = {cell: [] for cell in cells}
        servers = {}
        try:
            kind = suite if suite in programs.ECHO else "echo"
            for name, command in self.chosen(programs.echo_peers(self.build, kind)).items():
                try:
                    servers[name] = measure.Server(command)
                except measure.Failed as error:
                    self.trouble("left out: %s" % error)
            for number in range(self.options.rounds):
                self.progress(suite, "round %d of %d" % (number + 1, self.options.rounds))
                for cell, arguments in cells.items():
                    row = {}
                    for name in in_turn(servers, number):
                        try:
                            row[name] = servers[name].load(self.build, *arguments)
                        except measure.Failed as error:
                            self.trouble("%s %s, %s: %s" % (suite, cell, name, error))
                    rounds[cell].append(row)
        finally:
            for server in servers.values():
                server.stop()
        return rounds

    def times(self):
        return ["-w", 50, "-d", 150] if self.options.quick else ["-w", 100, "-d", 400]

    def echo(self, suite="echo"):
        """CPU time of the server for one request."""
        cells = {"%dx%d" % cell: [*cell, *self.times(), *(["-S"] if cell[0] == 1 else [])]
                 for cell in programs.ECHO_CELLS if self.wanted(suite, "%dx%d" % cell)}
        limits = report.limits(suite)
        for cell, rounds in self.loaded(suite, cells).items():
            for row in rounds:
                for got in row.values():
                    got["cpu_us"] = got["server_ns"] / 1000
            more = {figure: report.summarise(rounds, figure, "epoll")
                    for figure in ("requests_per_s", "p50_us", "p99_us", "server_percent", "own_percent")}
            self.keep(suite, cell, "CPU us/request", "epoll", report.summarise(rounds, "cpu_us", "epoll"), limits[cell], more)

    def echo_protocol(self):
        self.echo("echo_protocol")

    def echo_sockets(self):
        self.echo("echo_sockets")

    def flood(self):
        """Latency of 64 connections while one more sends without pause."""
        limits = report.limits("flood")
        for cell, rounds in self.loaded("flood", {"64x64": [64, 64, "-f", 1, *self.times()]}).items():
            self.keep("flood", cell, "p99 us", "epoll", report.summarise(rounds, "p99_us", "epoll"), limits[cell])

    def micro(self):
        """CPU time of one operation; bytes of a sleeping task."""
        peers = self.chosen(programs.micro_peers(self.build))
        reference = next(iter(peers))
        for bench, (in_c, in_python) in programs.MICRO.items():
            if not self.wanted("micro", bench):
                continue
            rounds = self.in_rounds("micro", bench, peers, bench, (in_c, in_python), machine.SERVER_CORE)
            self.keep("micro", bench, "bytes" if bench == "mem" else "CPU ns", reference,
                      report.summarise(rounds, "figure", reference), report.limits("micro")[bench])

    def wake(self):
        """CPU time of all threads for a round trip between two threads, and for a call that one posts to the other."""
        peers = self.chosen(programs.wake_peers(self.build))
        reference = next(iter(peers))
        for bench, (work, cores, *counts) in programs.WAKE.items():
            if not self.wanted("wake", bench):
                continue
            on = machine.SERVER_CORE if cores == 1 else "%d,%d" % (machine.SERVER_CORE, machine.LOAD_CORE)
            rounds = self.in_rounds("wake", bench, peers, work, counts, on)
            self.keep("wake", bench, "CPU ns", reference, report.summarise(rounds, "figure", reference),
                      report.limits("wake")[bench])

    def spawn(self):
        """Programs that end at once, started and waited for: CPU time of this process, and time. And megabytes of one."""
        self.children("spawn", programs.spawn_peers(self.build), programs.SPAWN)

    def cat(self):
        """CPU time of a program that moves a megabyte from one pipe to another, and time."""
        self.children("cat", programs.cat_peers(self.build), programs.CAT)

    def children(self, suite, peers, benches):
        peers = self.chosen(peers)
        reference = next(iter(peers))
        on = "%d,%d" % (machine.SERVER_CORE, machine.LOAD_CORE)
        for bench, (work, figure, *counts) in benches.items():
            if not self.wanted(suite, bench):
                continue
            rounds = self.in_rounds(suite, bench, peers, work, counts, on, figure)
            self.keep(suite, bench, "ns" if figure == "ns" else "CPU ns", reference,
                      report.summarise(rounds, "figure", reference), report.limits(suite)[bench])

    def in_rounds(self, suite, bench, peers, work, counts, cores, figure="cpu_ns"):
        """Runs the peers in turn; gives a row a round. counts: operations in C, and in Python."""
        self.progress(suite, bench)
        rounds, running = [], dict(peers)
        for number in range(self.options.rounds):
            row = {}
            for name in in_turn(running, number):
                count = counts[name in ("asyncio", "uvloop")] // (10 if self.options.quick else 1)
                try:
                    got = measure.result_line([*running[name], work, str(count)], cores)
                except measure.Failed as error:
                    self.trouble("%s %s, %s" % (suite, bench, error))
                    got = None
                if got is None:
                    del running[name]
                else:
                    row[name] = {"figure": got.get(figure, got.get("bytes"))}
            rounds.append(row)
        return rounds

    def instructions(self):
        """User instructions an operation: free of noise, one round."""
        for bench, bounds in report.limits("instructions").items():
            if not self.wanted("instructions", bench):
                continue
            self.progress("instructions", bench)
            echo = bench.startswith("echo")
            peers = self.chosen(programs.echo_peers(self.build, bench) if echo else programs.micro_peers(self.build))
            reference, row = next(iter(peers)), {}
            for name, command in peers.items():
                if name in ("asyncio", "uvloop"):
                    continue
                try:
                    if echo:
                        figure = measure.echo_instructions(self.build, command)
                    else:
                        figure = measure.micro_instructions(command, bench)
                    if figure is not None:
                        row[name] = {"figure": figure}
                except measure.Failed as error:
                    self.trouble("instructions %s, %s: %s" % (bench, name, error))
            self.keep("instructions", bench, "instructions", reference, report.summarise([row], "figure", reference), bounds)

    def calls(self):
        """System calls of the server for one echo."""
        for connections in (1, 64):
            bench = str(connections)
            if not self.wanted("calls", bench):
                continue
            self.progress("calls", bench)
            row = {}
            for name, command in self.chosen(programs.echo_peers(self.build)).items():
                try:
                    row[name] = measure.echo_calls(self.build, command, connections)
                except measure.Failed as error:
                    self.trouble("calls %s, %s: %s" % (bench, name, error))
            self.rows.append({"suite": "calls", "bench": bench, "unit": "calls/request", "peers": row,
                              "title": "%s connection%s" % (bench, "s" if connections > 1 else "")})

    def print_tables(self):
        titles = {"echo": "Echo over streams: CPU us of the server for a request (divided by epoll by hand)",
                  "echo_protocol": "The same over transports and protocols", "echo_sockets": "The same over awaited socket calls",
                  "micro": "Tasks and timers: CPU ns an operation (divided by the protothread floor)",
                  "wake": "Threads: CPU ns of all of them (divided by epoll and an eventfd by hand)",
                  "spawn": "Child processes: ns (divided by posix_spawn and waitpid, or read, by hand)",
                  "cat": "A megabyte through a pipe in and another out: ns (divided by cat)",
                  "flood": "p99 us of 64 connections while one more sends without pause",
                  "instructions": "User instructions an operation", "calls": "System calls for one echo of 64 bytes"}
        for suite in (*programs.ECHO, "flood", "micro", "wake", "spawn", "cat", "instructions"):
            rows = [row for row in self.rows if row["suite"] == suite]
            if not rows:
                continue
            seen = {name for row in rows for name in row["peers"]}
            peers = [name for name in programs.ORDER if name in seen]
            lines = []
            for row in rows:
                cells = ["-" if p not in row["peers"] else report.short(row["peers"][p]["median"])
                         if suite == "instructions" else report.cell(row["peers"][p], p != row["reference"]) for p in peers]
                lines.append([row["title"], *cells, *(report.verdict(row[name], row.get(name + "_met")) for name in ("gate", "aim"))])
            report.table(titles[suite], ["", *peers, "gate", "aim"], lines)
        for figure, title in (("requests_per_s", "requests/s"), ("p50_us", "p50 us"), ("p99_us", "p99 us")):
            rows = [row for row in self.rows if row["suite"] == "echo"]
            if rows:
                peers = list(rows[0]["peers"])
                report.table("Echo over streams: " + title, ["", *peers],
                             [[row["title"], *(report.cell(row["more"][figure][p], False) if p in row["more"][figure] else "-"
                                               for p in peers)] for row in rows])
        rows = [row for row in self.rows if row["suite"] == "calls"]
        if rows:
            report.table(titles["calls"], ["", *rows[0]["peers"]],
                         [[row["title"], *(", ".join("%s %.2f" % item for item in sorted(calls.items(), key=lambda c: -c[1]))
                                           for calls in row["peers"].values())] for row in rows])

    def write(self, path):
        with open(path, "w") as file:
            json.dump({"when": time.strftime("%Y-%m-%d %H:%M:%S"), "kernel": os.uname().release, "cores": len(machine.CORES),
                       "load": os.getloadavg(), "rounds": self.options.rounds, "seconds": round(time.time() - self.started),
                       "rows": self.rows, "gates_missed": self.missed, "broken": self.broken}, file, indent=1)


def in_turn(peers, number):
    """Every other round runs backwards, so that nobody always follows the same neighbour."""
    names = list(peers)
    return names[::-1] if number % 2 else names
