"""The machine: which cores, which Debian packages, and the build of what is measured."""
import os
import resource
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(os.path.dirname(HERE))
PYTHON = "/usr/bin/python3"

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]

# What must be there, by the file that shows it.
PACKAGES = {
    "gcc": "/usr/bin/gcc",
    "meson": "/usr/bin/meson",
    "ninja-build": "/usr/bin/ninja",
    "pkg-config": "/usr/bin/pkg-config",
    "libev-dev": "/usr/include/ev.h",
    "libuv1-dev": "/usr/include/uv.h",
    "valgrind": "/usr/bin/valgrind",
    "strace": "/usr/bin/strace",
}
ARM_PACKAGES = {"gcc-arm-none-eabi": "/usr/bin/arm-none-eabi-gcc"}


def say(text):
    print(text, file=sys.stderr, flush=True)


def install(packages):
    """Installs the packages that are missing, as far as this user may; ends the program when one stays missing."""
    missing = [name for name, shown_by in packages.items() if not os.path.exists(shown_by)]
    if not missing:
        return
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    command = prefix + ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    say("installing Debian packages: " + " ".join(missing))
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    quiet = {"env": environment, "stdout": subprocess.DEVNULL}
    if not shutil.which("apt-get") or (prefix and not shutil.which("sudo")):
        sys.exit("missing: %s; please install them" % " ".join(missing))
    if subprocess.run(command, **quiet).returncode:
        subprocess.run(prefix + ["apt-get", "update"], **quiet)
        if subprocess.run(command, **quiet).returncode:
            sys.exit("could not install %s; please run: sudo apt-get install %s" % (" ".join(missing), " ".join(missing)))


def build(folder):
    """Builds thrum (release, -O2 as distributions build it) and the programs of the benchmark into folder."""
    clean = {k: v for k, v in os.environ.items() if k not in ("CC", "CFLAGS", "LDFLAGS")}
    clean["PATH"] = "/usr/bin:/bin:" + clean.get("PATH", "")
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        os.makedirs(os.path.dirname(os.path.abspath(folder)), exist_ok=True)
        step(["/usr/bin/meson", "setup", folder, ROOT, "--buildtype=release", "-Doptimization=2", "-Dsamples=false",
              "-Dtest_reporter=mini"], clean)
    step(["/usr/bin/ninja", "-C", folder, "bench-programs"], clean)


def step(command, environment):
    result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        sys.exit("%s\nfailed: %s" % (result.stdout, " ".join(command)))


def allow_many_descriptors():
    """A thousand connections need more than the usual soft limit; servers and generator inherit this one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def on_core(core):
    """For subprocess's preexec_fn: the child runs on this core alone."""
    return lambda: os.sched_setaffinity(0, {core})
