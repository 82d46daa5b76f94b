"""Who is measured: the command lines of thrum and of its peers, and how much work each gets."""
import importlib.util
import os

from harness.machine import HERE, PYTHON, say

# The columns of the tables. The reference of each suite is its first peer.
ORDER = ["epoll", "floor", "eventfd", "posix_spawn", "cat", "libev", "libuv", "asyncio", "uvloop", "thrum"]

# Echo three ways: thrum's program, which names the suite, and what asyncio_echo.py is told.
ECHO = {"echo": "streams", "echo_protocol": "protocols", "echo_sockets": "sockets"}
ECHO_CELLS = [(1, 64), (64, 64), (1000, 64), (64, 16384)]

# Operations: in C, and in Python.
MICRO = {
    "create": (2000000, 30000),
    "join": (2000000, 30000),
    "yield2": (5000000, 50000),
    "yield1000": (5000000, 50000),
    "nest1": (5000000, 50000),
    "nest10": (5000000, 50000),
    "nest100": (5000000, 30000),
    "await0": (5000000, 300000),
    "timeout": (2000000, 20000),
    "wait_for": (2000000, 20000),
    "cancel": (2000000, 20000),
    "timers": (1000000, 100000),
    "tcancel": (1000000, 100000),
    "mem": (1000000, 100000),
    "mutex": (10000000, 200000),
    "queue": (5000000, 50000),
    "queue1": (2000000, 20000),
    "gather": (2000000, 20000),
    "generator": (5000000, 200000),
    "broadcast": (5000000, 100000),
    "inherit": (2000000, 30000),
    "post": (5000000, 30000),
}

# What the program does, on how many cores, and how many times: in C, and in Python.
WAKE = {
    "trip1": ("pingpong", 1, 20000, 5000),
    "trip2": ("pingpong", 2, 20000, 5000),
    "post": ("post", 2, 1000000, 50000),
}

# What the program does, which of its figures counts, and how many times: in C, and in Python.
SPAWN = {
    "cpu": ("wait", "cpu_ns", 300, 60),
    "wall": ("wait", "ns", 300, 60),
    "pipe": ("pipe", "cpu_ns", 2000, 200),
}
CAT = {
    "cpu": ("cat", "cpu_ns", 200, 100),
    "wall": ("cat", "ns", 200, 100),
}


def python(script, *arguments):
    return [PYTHON, os.path.join(HERE, "field", script), *arguments]


def has_uvloop():
    return importlib.util.find_spec("uvloop") is not None


def tell_of_uvloop():
    if not has_uvloop():
        say("uvloop is left out: Debian's package python3-uvloop is not installed")


def on_python(script, *arguments):
    """The script as a peer twice: on asyncio's own loop and, where it is installed, on uvloop's."""
    peers = {"asyncio": python(script, *arguments)}
    if has_uvloop():
        peers["uvloop"] = python("on_uvloop.py", peers["asyncio"][1], *arguments)
    return peers


def present(peers):
    """Leaves out what was not built."""
    return {name: command for name, command in peers.items() if os.path.exists(command[0])}


def thrum(build, name):
    """thrum's own program that is called so."""
    return [os.path.join(build, "tests", "bench", "peers", name)]


def echo_peers(build, suite="echo"):
    """The echo servers of a suite: thrum's, which is called like it, and Python's over the same."""
    field = os.path.join(build, "tests", "bench", "field")
    return present({
        "epoll": [os.path.join(field, "echo_epoll")],
        "libev": [os.path.join(field, "echo_libev")],
        "libuv": [os.path.join(field, "echo_libuv")],
        **on_python("asyncio_echo.py", ECHO[suite]),
        "thrum": thrum(build, suite),
    })


def micro_peers(build):
    field = os.path.join(build, "tests", "bench", "field")
    return present({
        "floor": [os.path.join(field, "floor")],
        "libev": [os.path.join(field, "timers_libev")],
        "libuv": [os.path.join(field, "timers_libuv")],
        "asyncio": python("asyncio_micro.py"),
        "thrum": thrum(build, "micro"),
    })


def wake_peers(build):
    field = os.path.join(build, "tests", "bench", "field")
    return present({
        "eventfd": [os.path.join(field, "wake_eventfd")],
        "libev": [os.path.join(field, "wake_libev")],
        "libuv": [os.path.join(field, "wake_libuv")],
        "asyncio": python("asyncio_wake.py"),
        "thrum": thrum(build, "wake"),
    })


def spawn_peers(build):
    field = os.path.join(build, "tests", "bench", "field")
    return present({
        "posix_spawn": [os.path.join(field, "spawn_posix")],
        "libuv": [os.path.join(field, "spawn_libuv")],
        **on_python("asyncio_spawn.py"),
        "thrum": thrum(build, "spawn"),
    })


def cat_peers(build):
    """What moves bytes from its standard input to its standard output, each driven by `through`."""
    field = os.path.join(build, "tests", "bench", "field")
    peers = present({
        "cat": ["/bin/cat"],
        "libuv": [os.path.join(field, "cat_libuv")],
        **on_python("asyncio_cat.py"),
        "thrum": thrum(build, "cat"),
    })
    return {name: [os.path.join(field, "through"), *command] for name, command in peers.items()}


def load_generator(build, loop="load"):
    """The one with a closed loop, or "openload"."""
    return os.path.join(build, "tests", "bench", loop)
