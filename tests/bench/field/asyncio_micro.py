"""asyncio_micro.py BENCH N: the same work as the other micro programs, in Python's asyncio."""
import asyncio
import contextvars
import gc
import os
import random
import sys
import time

BATCH, MANY = 100, 1000


class Clock:
    def __enter__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def __exit__(self, *error):
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        print('{"ns":%.3f,"cpu_ns":%.3f,"n":%d}' % (wall * 1e9 / count, cpu * 1e9 / count, count))


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


async def noop():
    pass


async def yields(times):
    for _ in range(times):
        await asyncio.sleep(0)


async def nested(depth, times):
    if depth:
        await nested(depth - 1, times)
    else:
        await yields(times)


async def join(coroutines):
    for task in [asyncio.create_task(c) for c in coroutines]:
        await task


async def join_each():
    for _ in range(count // BATCH):
        await join(noop() for _ in range(BATCH))


async def await0():
    for _ in range(count):
        await noop()


async def timeout():
    for _ in range(count):
        async with asyncio.timeout(10):
            await asyncio.sleep(0)


async def wait_for():
    for _ in range(count):
        await asyncio.wait_for(asyncio.sleep(0), 10)


async def cancel():
    event = asyncio.Event()
    for _ in range(count // BATCH):
        tasks = [asyncio.create_task(event.wait()) for _ in range(BATCH)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def timers():
    await join(asyncio.sleep(random.randint(1, 1000) / 1000) for _ in range(count))


async def timers_cancelled():
    loop = asyncio.get_running_loop()
    for handle in [loop.call_later(random.randint(1, 1000), print) for _ in range(count)]:
        handle.cancel()


async def memory():
    gc.collect()
    before = resident()
    tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(count)]
    await asyncio.sleep(0.01)
    print('{"bytes":%.1f,"n":%d}' % ((resident() - before) / len(tasks), count), flush=True)
    os._exit(0)


async def mutex():
    lock = asyncio.Lock()
    for _ in range(count):
        await lock.acquire()
        lock.release()


async def queue(capacity):
    items = asyncio.Queue(capacity)

    async def produce():
        for i in range(count):
            await items.put(i)

    producer = asyncio.create_task(produce())
    for _ in range(count):
        await items.get()
    await producer


async def answer(value):
    return value


async def gather():
    for _ in range(count // MANY):
        await asyncio.gather(*map(answer, range(MANY)))


async def numbers():
    for i in range(count):
        yield i


async def generator():
    async for _ in numbers():
        pass


async def broadcast():
    event = asyncio.Event()

    async def listen(rounds):
        for _ in range(rounds):
            await event.wait()

    tasks = [asyncio.create_task(listen(count // MANY)) for _ in range(MANY)]
    await asyncio.sleep(0)
    for _ in range(count // MANY):
        event.set()
        event.clear()
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)


async def inherit():
    number = contextvars.ContextVar("number")
    number.set(3)

    async def heir():
        number.get()

    for _ in range(count // BATCH):
        await join(heir() for _ in range(BATCH))


async def post():
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    for _ in range(count // BATCH):
        event.clear()
        for _ in range(BATCH - 1):
            loop.call_soon_threadsafe(int)
        loop.call_soon_threadsafe(event.set)
        await event.wait()


async def main():
    cases = {
        "create": join_each,
        "join": join_each,
        "yield2": lambda: join(yields(count // 2) for _ in range(2)),
        "yield1000": lambda: join(yields(count // 1000) for _ in range(1000)),
        "nest1": lambda: join(nested(1, count // 2) for _ in range(2)),
        "nest10": lambda: join(nested(10, count // 2) for _ in range(2)),
        "nest100": lambda: join(nested(100, count // 2) for _ in range(2)),
        "await0": await0,
        "timeout": timeout,
        "wait_for": wait_for,
        "cancel": cancel,
        "timers": timers,
        "tcancel": timers_cancelled,
        "mem": memory,
        "mutex": mutex,
        "queue": lambda: queue(64),
        "queue1": lambda: queue(1),
        "gather": gather,
        "generator": generator,
        "broadcast": broadcast,
        "inherit": inherit,
        "post": post,
    }
    if sys.argv[1] not in cases:
        sys.exit(77)
    with Clock():
        await cases[sys.argv[1]]()


count = int(sys.argv[2])
random.seed(1)
asyncio.run(main())
