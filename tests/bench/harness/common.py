"""What the commands that measure have in common: options, preparations, and how they end."""
import argparse
import os

from harness import machine


def parser(text):
    """The options that all of them have."""
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--build", default=os.path.join(machine.ROOT, "build", "bench"))
    made.add_argument("--smoke", action="store_true")
    made.add_argument("--strict", action="store_true")
    return made


def prepare(options, *packages):
    machine.install([*machine.PACKAGES, *packages])
    machine.say("building thrum and its peers in %s" % os.path.relpath(options.build))
    machine.build(options.build)
    machine.allow_many_descriptors()


def end(options, missed):
    """Says what gates were missed; gives the exit code."""
    print("load average %.2f" % os.getloadavg()[0])
    if missed:
        print("gates missed: " + "; ".join(missed))
    return 1 if missed and options.strict else 0
