"""cat over asyncio's streams, the same work as thrum's: the standard input to the standard output."""
import asyncio
import sys


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    # A protocol that knows when the pipe is closed: without it what asyncio still holds would be lost at the end.
    pipe = await loop.connect_write_pipe(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), sys.stdout.buffer)
    writer = asyncio.StreamWriter(*pipe, reader, loop)
    while data := await reader.read(131072):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


asyncio.run(main())
