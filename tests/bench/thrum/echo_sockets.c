/* Echo over socket calls that are awaited, a task and a buffer for each connection: the same work as
 * field/asyncio_echo.py does with loop.sock_recv_into() and loop.sock_sendall(). */
#include "../support/listen.h"

#include <thrum.h>

static ASYNC(echo, ARGS((int, fd)), LOCALS(size_t size; int error;), BUFFERS(char bytes[16384];),
             ON_DROP(close(self->fd);))
{
    ASYNC_BEGIN;
    do {
        AWAIT_CATCH_INTO(self->error, self->size, thrum_sock_recv(self->fd, self->bytes, sizeof self->bytes));
        if (!self->error && self->size)
            AWAIT_CATCH(self->error, thrum_sock_sendall(self->fd, self->bytes, self->size));
    } while (!self->error && self->size);
FINALLY:
    close(self->fd);
    ASYNC_END;
}

static ASYNC(serve, ARGS_NONE, LOCALS(int listener, fd;))
{
    ASYNC_BEGIN;
    self->listener = echo_listen();
    for (;;) {
        AWAIT_INTO(self->fd, thrum_sock_accept(self->listener, NULL));
        (void)setsockopt(self->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        (void)thrum_spawn_detached(echo(self->fd));
    }
    ASYNC_END;
}

int main(void)
{
    return thrum_run(serve());
}
