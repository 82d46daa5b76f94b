"""asyncio_echo.py [streams|protocols|sockets] [PATH]: echo over asyncio, the same work as thrum's three: read what is there,
write it, wait while the peer is slow. On a free port, or on the path of a Unix socket."""
import asyncio
import socket
import sys


async def on_stream(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


async def on_socket(loop, connection):
    room = memoryview(bytearray(16384))
    try:
        while size := await loop.sock_recv_into(connection, room):
            await loop.sock_sendall(connection, room[:size])
    except ConnectionError:
        pass
    finally:
        connection.close()


async def accept(loop, listener):
    tasks = set()
    while True:
        connection, _ = await loop.sock_accept(listener)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = loop.create_task(on_socket(loop, connection))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


def listening(path):
    if path:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
    else:
        listener = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio switches Nagle's delay off only with the protocol named
        listener.bind(("127.0.0.1", 0))
    listener.listen(4096)
    listener.setblocking(False)
    print("PORT", 0 if path else listener.getsockname()[1], flush=True)
    return listener


async def main(how="streams", path=None):
    loop, listener = asyncio.get_running_loop(), listening(path)
    if how == "sockets":
        await accept(loop, listener)
    if how == "protocols":
        server = await (loop.create_unix_server if path else loop.create_server)(Echo, sock=listener, backlog=4096)
    else:
        server = await (asyncio.start_unix_server if path else asyncio.start_server)(on_stream, sock=listener, backlog=4096)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
