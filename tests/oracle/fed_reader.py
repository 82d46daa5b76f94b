"""A reader without a transport, as programs have it: a newline is written as `/` there, no bytes at all as `-`."""
import asyncio


class Busy(RuntimeError):
    """Somebody reads already."""


class FedReader(asyncio.StreamReader):
    """A reader in whose place thrum differs on purpose: a read lasts until it goes on, or is cancelled while it waits, and no
    other one is let in meanwhile; what it finds when it goes on counts, so that an error outranks bytes."""

    reads = None

    def enter(self):
        if self.reads is not None and not self.reads.cancelled():
            raise Busy
        return self

    async def _wait_for_data(self, name):
        self._waiter = self.reads = waiter = self._loop.create_future()
        try:
            await waiter
        except Exception:
            pass  # it is raised below, or a later one
        finally:
            if self.reads is waiter:
                self.reads = self._waiter = None
        if self._exception is not None:
            raise self._exception

    def at_eof(self):
        return super().at_eof() and self._exception is None

    def buffered(self):
        return 0 if self._exception else len(self._buffer)


def text(some):
    return some.decode().replace('\n', '/') or '-'


def bytes_of(word):
    return word.replace('/', '\n').encode()
