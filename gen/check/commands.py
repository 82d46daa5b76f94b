"""How a file is compiled: from compile_commands.json, or from the flags behind `--`."""

import functools
import glob
import json
import os
import shlex
import subprocess

# What of a compiler's flags decides how a text reads. Other flags, of whatever compiler, are left out.
WITH_VALUE = ("-I", "-D", "-U", "-isystem", "-iquote", "-idirafter", "-include", "-imacros", "-x")
ALONE = ("-std=", "-m32", "-m64", "-mx32", "-fshort-enums", "-fsigned-char", "-funsigned-char", "-fms-extensions",
         "-fshort-wchar", "-fno-exceptions", "-fexceptions", "-pthread", "-nostdinc", "-ansi", "--sysroot=",
         "-ffreestanding", "-fopenmp", "-fblocks", "-fgnu89-inline")
# What newer compilers call the languages that libclang 14 knows by their working names.
NEWER = {"c23": "c2x", "gnu23": "gnu2x", "c++23": "c++2b", "gnu++23": "gnu++2b"}
SOURCES = (".c", ".cc", ".cpp", ".cxx", ".C", ".c++")


class UsageError(Exception):
    """The command line or the compile commands cannot be used."""


class Job:
    """One file with the flags and the folder that it is compiled with."""

    def __init__(self, file, flags, directory):
        self.file = os.path.normpath(os.path.join(directory, file))
        self.flags = flags
        self.directory = directory

    def arguments(self):
        flags = ["-std=" + NEWER.get(flag[5:], flag[5:]) if flag.startswith("-std=") else flag for flag in self.flags]
        if not any(flag.startswith("-std=") for flag in flags):
            flags.insert(0, "-std=gnu++17" if self.file.endswith(SOURCES[1:]) else "-std=gnu11")
        return flags + ["-DTHRUM_CHECKING", "-w", "-Wno-return-type", "-ferror-limit=0", *builtin_headers()]


def from_flags(files, flags):
    """Jobs of files that are named with their flags."""
    here = os.getcwd()
    return [Job(file, keep(flags), here) for file in files]


def from_database(folder, files):
    """Jobs out of FOLDER/compile_commands.json: for `files`, or for every C and C++ file in it, each once."""
    name = os.path.join(folder, "compile_commands.json") if os.path.isdir(folder) else folder
    try:
        with open(name, encoding="utf-8") as text:
            entries = json.load(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"{name}: {error}") from None
    jobs = {}
    for entry in entries:
        directory = os.path.join(os.path.dirname(os.path.abspath(name)), entry.get("directory", "."))
        command = entry.get("arguments") or shlex.split(entry.get("command", ""))
        job = Job(entry["file"], keep(command[1:]), directory)
        if job.file.endswith(SOURCES):
            jobs.setdefault(os.path.realpath(job.file), job)
    if not files:
        return list(jobs.values())
    missing = [file for file in files if os.path.realpath(file) not in jobs]
    if missing:
        raise UsageError(f"{name} does not say how {missing[0]} is compiled; give its flags behind --")
    return [jobs[os.path.realpath(file)] for file in files]


def keep(command):
    """The flags that matter, from all."""
    kept, words = [], iter(command)
    for word in words:
        if word in WITH_VALUE:
            kept += [word, next(words, "")]
        elif word.startswith(WITH_VALUE) or word.startswith(ALONE):
            kept.append(word)
        elif word in ("-o", "-MF", "-MQ", "-MT", "-Xlinker", "-Xclang", "-arch", "-z", "-T", "-L", "-l"):
            next(words, "")
    return kept


@functools.lru_cache(maxsize=None)
def builtin_headers():
    """Where <stddef.h> and its like are, when libclang was installed without its own."""
    if glob.glob("/usr/lib/llvm-*/lib/clang/*/include/stddef.h") or glob.glob("/usr/lib/clang/*/include/stddef.h"):
        return ()
    for compiler in ("clang", "gcc", "cc"):
        try:
            said = subprocess.run([compiler, "-print-file-name=include"], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        if os.path.isdir(said.stdout.strip()):
            return ("-isystem", said.stdout.strip())
    return ()
