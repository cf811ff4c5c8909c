"""Forwards a server's port from loopback to another address of this machine."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK = 1 << 16


@contextmanager
def forward_port(address: str, port: int) -> Iterator[str]:
    """Forward ADDRESS:8333 to 127.0.0.1:port; yields the first as HOST:PORT."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="forward", daemon=True)
    thread.start()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))
        except asyncio.CancelledError:
            # Abort, because a close would wait for data that a disconnected host never takes.
            for one in (writer, server_writer):
                one.transport.abort()

    async def serve() -> asyncio.Server:
        return await asyncio.start_server(handle, address, 8333)

    async def end(server: asyncio.Server) -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        # The event loop closes the sockets in its next iteration.
        await asyncio.sleep(0.1)

    server = asyncio.run_coroutine_threadsafe(serve(), loop).result()
    try:
        yield f"{address}:8333"
    finally:
        asyncio.run_coroutine_threadsafe(end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # A disconnected host ends its connections in any way.
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    with suppress(OSError):
        writer.close()
