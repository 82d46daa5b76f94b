"""Which files there are: the version, the sources by the lists of the build, and what their text is."""
import glob
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ["core", "sync", "debug", "loop", "threads", "net", "os"]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def exists(path):
    return os.path.exists(os.path.join(ROOT, path))


def version():
    return re.search(r'^#define THRUM_VERSION_STRING "(.+)"$', read("include/thrum/version.h"), re.M)[1]


def listed(folder):
    """The sources that a folder's meson.build names."""
    names = re.search(r"^folder_sources = \[(.*?)\]", read(f"lib/{folder}/meson.build"), re.M | re.S)[1]
    return [f"lib/{folder}/{name}" for name in re.findall(r"'([^']+)'", names)]


def ports():
    """One file each; a program takes one of them."""
    return sorted(os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, "lib/loop/bare/port_*.c")))


def firmware_sources():
    """core and sync whole, and what is named beside them (a line may be a pattern), without ports."""
    named = [line.partition("#")[0].strip() for line in read("tests/stages/freestanding.txt").splitlines()]
    more = {os.path.relpath(path, ROOT) for name in named if name for path in glob.glob(os.path.join(ROOT, name))}
    return listed("core") + listed("sync") + sorted(more - {*listed("core"), *listed("sync"), *ports()})


def host_sources():
    return [path for folder in FOLDERS for path in listed(folder)]
