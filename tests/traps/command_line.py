"""Ways to call thrum-check: exit statuses, compile commands of every form, help."""
import json
import os
import re
import shutil
import subprocess
import tempfile


def cases(checker, here, include, document):
    """(name, complaint or None) for each way to call thrum-check."""
    def call(name, status, *words, says=None, cwd=here):
        done = subprocess.run([checker, *words], capture_output=True, text=True, cwd=cwd)
        wrong = done.returncode != status or says is not None and says not in done.stdout + done.stderr
        return name, f"status {done.returncode}, not {status}:\n{done.stdout}{done.stderr}" if wrong else None

    flags = ("--", "-I" + include)
    yield call("clean", 0, "clean/empty.c", *flags)
    yield call("found", 1, "flagged/local_counter.c", *flags, says="flagged/local_counter.c:6:28: warning: local")
    yield call("several-files", 1, "clean/empty.c", "flagged/local_counter.c", *flags)
    yield call("does-not-compile", 2, "refused/unknown_field.c", *flags, says="refused/unknown_field.c:8:15: error: ")
    yield call("no-such-file", 2, "nowhere.c", *flags)
    yield call("no-flags", 2, "clean/empty.c", says="tell how the files are compiled")
    yield call("no-files", 2, *flags, says="no files")
    yield call("unknown-option", 2, "--nonsense")
    with open(document, encoding="utf-8") as file:
        documented = file.read()
    helped = subprocess.run([checker, "--help"], capture_output=True, text=True).stdout
    missing = [rule for rule in re.findall(r"^  (thrum-[a-z-]+) ", helped, re.M) if rule not in documented]
    wrong = missing or "thrum-goto" not in helped
    yield "rules-are-documented", f"doc/check.md does not name {missing}" if wrong else None
    yield "checking.h-knows-every-macro", macros_without_twin(include)
    folder = tempfile.mkdtemp()
    try:
        os.mkdir(os.path.join(folder, "build"))
        with open(os.path.join(here, "flagged", "local_counter.c"), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(folder, "local_counter.c"), "w", encoding="utf-8") as file:
            file.write(text.replace('"../trap.h"', "HEADER"))
        shutil.copy(os.path.join(here, "trap.h"), os.path.join(folder, "with space.h"))
        entry = {"directory": "build", "file": "../local_counter.c",
                 "command": "ccache avr-gcc -std=gnu23 -mmcu=atmega328p -march=native -fanalyzer -Wduplicated-cond -O3 "
                            f"-MD -MF x.d -o x.o -I.. -I'{include}' -DHEADER='\"with space.h\"' "
                            "-c ../local_counter.c"}
        with open(os.path.join(folder, "build", "compile_commands.json"), "w", encoding="utf-8") as file:
            json.dump([dict(entry, directory=os.path.join(folder, "build"))] * 2, file)
        yield call("compile-commands", 1, "-p", "build", cwd=folder, says="local_counter.c:6:28: warning: local")
        yield call("one-of-them", 1, "-p", "build", "local_counter.c", cwd=folder, says="[thrum-local-across-await]")
        yield call("the-file-itself", 1, "-p", "build/compile_commands.json", cwd=folder)
        yield call("not-one-of-them", 2, "-p", "build", os.path.join(here, "clean", "empty.c"), cwd=folder,
                   says="does not say how")
        yield call("no-compile-commands", 2, "-p", ".", cwd=folder, says="compile_commands.json")
    finally:
        shutil.rmtree(folder)


def macros_without_twin(include):
    """async.h's short names whose THRUM_ twin is missing when the checker reads it."""
    def macros(*flags):
        command = ["cc", "-dM", "-E", "-I" + include, "-include", "thrum/async.h", *flags, "-x", "c", os.devnull]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return dict(re.findall(r"^#define (\w+)(?:\([^)]*\))? ?(.*)$", done.stdout, re.M))

    found, real = macros("-DTHRUM_CHECKING"), macros()
    missing = [name for name in real if "THRUM_" + name in real and "THRUM_" + name not in found]
    return f"checking.h does not define {missing}" if missing or "THRUM_AWAIT" not in found else None
