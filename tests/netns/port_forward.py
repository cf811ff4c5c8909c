"""A server of this machine's loopback, let into a network by another address."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE = 1 << 16


@contextmanager
def forwarded(address: str, port: int) -> Iterator[str]:
    """Connections to ADDRESS:8333 end at 127.0.0.1:port; gives the first as HOST:PORT."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="forward", daemon=True)
    thread.start()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, thither = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(_copied(reader, thither), _copied(there, writer))
        except asyncio.CancelledError:
            # What is on its way to a host that has been cut off would be waited for, for ever.
            for one in (writer, thither):
                one.transport.abort()

    async def serve() -> asyncio.Server:
        return await asyncio.start_server(meet, address, 8333)

    async def end(server: asyncio.Server) -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        # Sockets are closed in the round after.
        await asyncio.sleep(0.1)

    server = asyncio.run_coroutine_threadsafe(serve(), loop).result()
    try:
        yield f"{address}:8333"
    finally:
        asyncio.run_coroutine_threadsafe(end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # Who is cut off ends a connection as it can.
    with suppress(OSError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
    with suppress(OSError):
        writer.close()
