"""thrum-check: finds what compilers miss in async functions. Run with --help."""

import argparse
import multiprocessing
import os
import signal
import sys
import traceback

DESCRIPTION = """\
Finds the traps of async functions that compilers miss: locals used across an await, addresses of locals handed into
one, awaits inside a switch, jumps that lose a block's exit, swallowed cancellations, awaitables dropped or used twice.

    thrum-check -p build                 everything in build/compile_commands.json
    thrum-check -p build src/a.c         one file of it
    thrum-check src/a.c -- -Iinclude     a file with its flags

A comment /* thrum-check: ignore */ silences its line, /* thrum-check: ignore-file */ its file; with rules behind it, as
in /* thrum-check: ignore thrum-goto */, only those."""


def command_line(words):
    import findings

    words, flags = (words[: words.index("--")], words[words.index("--") + 1:]) if "--" in words else (words, None)
    rules = "\n".join(f"  thrum-{rule:24} {text}" for rule, text in findings.RULES.items())
    parser = argparse.ArgumentParser(
        prog="thrum-check", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="thrum-check [-p BUILDDIR] [-j JOBS] [FILE ...] [-- FLAG ...]",
        epilog=f"rules:\n{rules}\n\nexit status: 0 nothing found, 1 something found, 2 wrong usage or a file that "
               "does not compile")
    parser.add_argument("-p", metavar="BUILDDIR", dest="build", help="folder with compile_commands.json, or the file")
    parser.add_argument("-j", metavar="JOBS", dest="jobs", type=int, default=os.cpu_count() or 1,
                        help="files checked at once (default: the number of processors)")
    parser.add_argument("files", metavar="FILE", nargs="*", help="default: all files in the compile commands")
    options = parser.parse_args(words)
    if flags is None and options.build is None:
        parser.error("tell how the files are compiled: -p BUILDDIR, or -- and the flags (which may be none)")
    if options.build is None and not options.files:
        parser.error("no files")
    return options, flags


def run(job):
    """(findings, errors) of one file, in a process of its own."""
    import unit

    sys.setrecursionlimit(20000)  # a long chain of else-ifs is a deep tree
    try:
        return unit.check(job.file, job.arguments(), job.directory), None
    except unit.ParseError as error:
        return [], str(error)
    except Exception:  # a fault of the checker: name the file, and go on with the others
        return [], f"{job.file}: error: thrum-check failed on this file:\n{traceback.format_exc()}"


def all_results(jobs, processes):
    if processes < 2 or len(jobs) < 2:
        yield from map(run, jobs)
        return
    with multiprocessing.Pool(min(processes, len(jobs))) as pool:
        yield from pool.imap(run, jobs)


def main():
    try:
        import clangapi
        import commands
    except ImportError:
        print("thrum-check: libclang's Python bindings are missing: apt install python3-clang", file=sys.stderr)
        return 2
    options, flags = command_line(sys.argv[1:])
    try:
        clangapi.calibrate()
        jobs = commands.from_database(options.build, options.files) if options.build is not None else \
            commands.from_flags(options.files, flags)
    except clangapi.UnknownLibclang:
        print("thrum-check: this version of libclang is not known; Debian's python3-clang-14 is", file=sys.stderr)
        return 2
    except commands.UsageError as error:
        print(f"thrum-check: {error}", file=sys.stderr)
        return 2
    here = os.getcwd() + os.sep
    status, printed = 0, set()
    for found, errors in all_results(jobs, options.jobs):
        if errors:
            print(errors, file=sys.stderr)
            status = 2
        for finding in found:
            lines = "\n".join(finding.lines(lambda file: file[len(here):] if file.startswith(here) else file))
            if lines not in printed:
                printed.add(lines)
                print(lines)
                status = status or 1
    return status


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.exit(main())
