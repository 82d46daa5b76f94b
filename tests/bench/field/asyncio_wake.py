"""asyncio_wake.py pingpong|post N: the same work as the other wake programs, in Python's asyncio."""
import asyncio
import sys
import threading
import time


class Clock:
    def __enter__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def __exit__(self, *error):
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        print('{"ns":%.3f,"cpu_ns":%.3f,"n":%d}' % (wall * 1e9 / count, cpu * 1e9 / count, count))


async def pingpong():
    here, there = asyncio.get_running_loop(), asyncio.new_event_loop()
    made, done = 0, here.create_future()
    thread = threading.Thread(target=there.run_forever)
    thread.start()

    def return_it():
        here.call_soon_threadsafe(serve)

    def serve():
        nonlocal made
        made += 1
        if made == count:
            done.set_result(None)
        else:
            there.call_soon_threadsafe(return_it)

    with Clock():
        there.call_soon_threadsafe(return_it)
        await done
    there.call_soon_threadsafe(there.stop)
    thread.join()


async def post():
    loop = asyncio.get_running_loop()
    made, done = 0, loop.create_future()

    def call():
        nonlocal made
        made += 1
        if made == count:
            done.set_result(None)

    def feed():
        for _ in range(count):
            loop.call_soon_threadsafe(call)

    with Clock():
        thread = threading.Thread(target=feed)
        thread.start()
        await done
        thread.join()


count = int(sys.argv[2])
asyncio.run({"pingpong": pingpong, "post": post}[sys.argv[1]]())
