#!/usr/bin/python3
"""What blocks do, as Python does it: the programs of blocks.c, written with `async with` and `try`, run by asyncio.

    blocks_reference.py > blocks_expected.inc      the table that blocks.c compares itself with
    blocks_reference.py --show 100                 every trace of the program that blocks.c calls number 100

A program is three blocks in one another (each WITH, TRY/CATCH or TRY/CATCH_ALL), the innermost one in a loop of two
rounds, a plan how its body is left where, and what the exits do. It runs once undisturbed and once for each pass in
which it can be cancelled; a program that is left at its end is also cancelled twice. The table has one number for each
program: a hash of all its traces.

In C `break` and `continue` leave the block and nothing else, which is here the `while True: ... break` in each block.
"""
import asyncio
import itertools
import sys

KINDS = 'WTA'
HOWS = ['END'] + [(how, level, where) for how in ('RAISE', 'RETURN', 'BREAK', 'CONTINUE')
                  for level in (1, 2, 3) for where in (0, 1)]
EXITS = ['NNN', 'SNN', 'NSN', 'NNS', 'RNN', 'NRN', 'RRR', 'NEN', 'SEE', 'NNNf', 'NRNf']


class Err(Exception):
    def __init__(self, code):
        self.code = code


trace = []
plan = None


def put(text):
    trace.append(text)


def name(error):
    return 'C' if isinstance(error, asyncio.CancelledError) else str(error.code)


def here(how, level, where):
    return plan[0] == (how, level, where)


class Block:
    def __init__(self, level):
        self.level = level

    async def __aenter__(self):
        put('(')
        await asyncio.sleep(0)
        if plan[1][self.level - 1] == 'E':
            raise Err(30 + self.level)
        put(str(self.level))

    async def __aexit__(self, kind, error, traceback):
        does = plan[1][self.level - 1]
        put(')' + str(self.level))
        if error is not None:
            put(name(error))
        try:
            await asyncio.sleep(0)
            if does == 'R':
                raise Err(20 + self.level)
            put('.')
        finally:
            put(';')
            await asyncio.sleep(0)
            put(',')
        return does == 'S'


async def caught(level, error):
    put('!' + name(error))
    await asyncio.sleep(0)
    put('?')


def indent(text):
    return ''.join('    ' + line + '\n' for line in text.splitlines())


def body(level, inner):
    def leave(where):
        return (f"if here('RAISE', {level}, {where}): raise Err({level * 2 + where})\n"
                f"if here('RETURN', {level}, {where}): return {level * 10 + where}\n"
                f"if here('BREAK', {level}, {where}): break\n"
                f"if here('CONTINUE', {level}, {where}): break\n")
    return ("while True:\n" +
            indent(f"put('<')\nawait asyncio.sleep(0)\n{leave(0)}{inner}put('=')\nawait asyncio.sleep(0)\n"
                   f"{leave(1)}put('>')\nbreak\n"))


def block(kind, level, inner):
    if kind == 'W':
        return f"async with Block({level}):\n" + indent(inner)
    error = 'Err' if kind == 'T' else 'BaseException'
    return ("try:\n" + indent(inner) + f"except {error} as error:\n" +
            indent(f"await caught({level}, error)\n"
                   f"if plan[1][{level - 1}] == 'S': raise error\n"
                   f"if plan[1][{level - 1}] == 'R': raise Err({50 + level})\n"
                   f"if plan[1][{level - 1}] == 'E': return {70 + level}\n"))


def program(kinds):
    inner = body(3, '')
    inner = "for turn in range(2):\n" + indent(block(kinds[2], 3, inner))
    inner = block(kinds[0], 1, body(1, block(kinds[1], 2, body(2, inner))))
    text = ("async def program():\n    try:\n" + indent(indent(inner)) +
            "        put('e')\n        return 0\n"
            "    finally:\n        put('f')\n        await asyncio.sleep(0)\n"
            "        if len(plan[1]) > 3: raise Err(40)\n        put('g')\n")
    made = {}
    exec(text, globals(), made)
    return made['program']


async def run(function, cancels):
    """One run; the task is cancelled before its pass number n for each n in cancels."""
    trace.clear()
    task = asyncio.get_running_loop().create_task(function())
    done = 0
    for n in cancels:
        while done < n:
            await asyncio.sleep(0)
            done += 1
        if not task.cancel():
            return None
    try:
        put('=' + str(await task))
    except asyncio.CancelledError:
        put('=C')
    except Err as error:
        put('=E' + str(error.code))
    return ''.join(trace)


async def traces(function, end):
    yield (), await run(function, ())
    for first in itertools.count(1):
        text = await run(function, (first,))
        if text is None:
            return
        yield (first,), text
        if end:
            for second in (first, first + 1, first + 2, first + 3):
                text = await run(function, (first, second))
                if text is not None:
                    yield (first, second), text


async def main():
    global plan
    show = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[1] == '--show' else None
    if show is None:
        print('/* Made by blocks_reference.py. */')
    number = 0
    line = []
    for kinds in itertools.product(KINDS, repeat=3):
        function = program(kinds)
        for exits in EXITS:
            for how in HOWS:
                plan = how, exits
                if show is None:
                    hashed = 2166136261
                    async for cancels, text in traces(function, how == 'END'):
                        for byte in text.encode() + b'\n':
                            hashed = (hashed ^ byte) * 16777619 & 0xffffffff
                    line.append(f'0x{hashed:08x},')
                    if len(line) == 9:
                        print(*line)
                        line = []
                elif number == show:
                    print(''.join(kinds), how, exits)
                    async for cancels, text in traces(function, how == 'END'):
                        print(*cancels, text, sep='\t')
                number += 1
    if line:
        print(*line)


asyncio.run(main())
