"""The machine: which cores, which Debian packages, and the build of what is measured."""
import os
import resource
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(os.path.dirname(HERE))
PYTHON = "/usr/bin/python3"

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]

PACKAGES = ["libuv1-dev", "valgrind", "strace"]  # besides what building thrum takes
ARM_PACKAGES = ["gcc-arm-none-eabi"]
FIRMWARE_PACKAGES = [*ARM_PACKAGES, "gcc-riscv64-unknown-elf", "gcc-avr", "avr-libc", "clang", "qemu-system-arm",
                     "qemu-system-misc", "libsimavr-dev", "libelf-dev"]


def say(text):
    print(text, file=sys.stderr, flush=True)


def install(packages):
    """Installs the Debian packages that are missing, as far as this user may; ends the program when one stays missing."""
    script = '. tests/support/packages.sh && need_packages "${build_packages[@]}" "$@"'
    if subprocess.run(["bash", "-c", script, "bash", *packages], cwd=ROOT, stdout=sys.stderr).returncode:
        sys.exit(1)


def build(folder):
    """Builds thrum (release, -O2 as distributions build it) and the programs of the benchmark into folder."""
    clean = {k: v for k, v in os.environ.items() if k not in ("CC", "CFLAGS", "LDFLAGS")}
    clean["PATH"] = "/usr/bin:/bin:" + clean.get("PATH", "")
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        os.makedirs(os.path.dirname(os.path.abspath(folder)), exist_ok=True)
        step(["/usr/bin/meson", "setup", folder, ROOT, "--buildtype=release", "-Doptimization=2", "-Dtest_reporter=mini"], clean)
    step(["/usr/bin/ninja", "-C", folder, "bench-programs"], clean)


def step(command, environment):
    result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        sys.exit("%s\nfailed: %s" % (result.stdout, " ".join(command)))


def allow_many_descriptors():
    """A thousand connections need more than the usual soft limit; servers and generator inherit this one."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


before_others = []  # what has commands run before all that others run


def come_first():
    """From now on what is measured runs as soon as it can, whoever else uses the machine: by the real-time policy, which
    takes root. The kernel leaves 5 % of each second to others, so no more than half a second is measured at a stretch."""
    before_others[:] = ["chrt", "--fifo", "10"]
    if subprocess.run([*before_others, "true"], stderr=subprocess.DEVNULL).returncode:
        sys.exit("This user may not run programs by the real-time policy.")


def on_core(core, command):
    """The command, to run on this core alone; it keeps its process id."""
    return [*before_others, "taskset", "-c", str(core), *command]
