"""thrum-check on many small files: what starts it costs more than what it looks at, so processes that stay do it."""
import contextlib
import importlib.util
import io
import multiprocessing
import os
import sys
import types

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "gen", "check")


def _load():
    global checker
    sys.dont_write_bytecode = True
    sys.path.insert(0, CHECK)
    spec = importlib.util.spec_from_file_location("thrum_check", os.path.join(CHECK, "__main__.py"))
    checker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(checker)


def _work(folder, words):
    out, err = io.StringIO(), io.StringIO()
    os.chdir(folder)
    sys.argv = ["thrum-check", *words]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = checker.main()
        except SystemExit as end:
            status = end.code
    return status, out.getvalue(), err.getvalue()


class Checker:
    """To be made before threads are."""

    def __init__(self, processes=2):
        self.pool = multiprocessing.Pool(processes, _load)

    def __call__(self, words, folder):
        """What `thrum-check WORDS` does in the folder: returncode, stdout, stderr."""
        status, out, err = self.pool.apply(_work, (folder, words))
        return types.SimpleNamespace(returncode=status, stdout=out, stderr=err)
