"""Echo over asyncio's streams, the same work as thrum's echo: read what is there, write it, drain."""
import asyncio
import socket


async def echo(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main():
    listener = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio switches Nagle's delay off only with the protocol named
    listener.bind(("127.0.0.1", 0))
    listener.listen(4096)
    print("PORT", listener.getsockname()[1], flush=True)
    server = await asyncio.start_server(echo, sock=listener, backlog=4096)
    await server.serve_forever()


asyncio.run(main())
