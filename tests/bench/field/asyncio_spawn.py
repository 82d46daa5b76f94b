"""asyncio_spawn.py wait|pipe N: the same work as the other spawn programs, in Python's asyncio."""
import asyncio
import sys
import time


def report(wall, cpu):
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print('{"ns":%.3f,"cpu_ns":%.3f,"n":%d}' % (wall * 1e9 / count, cpu * 1e9 / count, count))


async def wait():
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        child = await asyncio.create_subprocess_exec("/bin/true")
        if await child.wait():
            sys.exit(1)
    report(wall, cpu)


async def pipe():
    child = await asyncio.create_subprocess_exec("/usr/bin/head", "-c", "%dM" % count, "/dev/zero", stdout=asyncio.subprocess.PIPE)
    wall, cpu, total = time.perf_counter(), time.process_time(), 0
    while got := await child.stdout.read(131072):
        total += len(got)
    report(wall, cpu)
    await child.wait()
    if total != count << 20:
        sys.exit(1)


count = int(sys.argv[2])
asyncio.run({"wait": wait, "pipe": pipe}[sys.argv[1]]())
