"""The library of the Arduino IDE, a folder: its properties, src/ with the two files, and examples/, which are
samples/arduino."""
import os

from .sources import ROOT, read, version

PROPERTIES = """name=thrum
version={version}
author=the thrum authors
maintainer=the thrum authors
sentence=asyncio for C: async functions, tasks, cancellation, locks, queues and time limits.
paragraph=Straight-line functions with AWAIT, each with a frame of its own: no heap, and no stack for each task. Sketches \
have their async functions in C files.
category=Timing
url=urn:thrum
architectures=*
includes=thrum.h
license=MIT
"""

def properties():
    return PROPERTIES.format(version=version())


def examples():
    folder = os.path.join(ROOT, "samples", "arduino")
    return {f"examples/{sketch}/{name}": read(f"samples/arduino/{sketch}/{name}")
            for sketch in sorted(os.listdir(folder)) for name in sorted(os.listdir(os.path.join(folder, sketch)))}


def folder(two_files):
    """{path: text}"""
    two_files = {name: text for name, text in two_files.items() if not name.startswith("port_") or name == "port_arduino.c"}
    return {"library.properties": properties(), "LICENSE": read("LICENSE"), **examples(),
            **{f"src/{name}": text for name, text in two_files.items()}}
