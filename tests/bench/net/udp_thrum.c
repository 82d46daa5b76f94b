/* UDP echo over thrum: what is there is received in one call, and sent in another. */
#include <stdio.h>

#include <thrum.h>

enum { BATCH = 32, ROOM = 2048 };

static ASYNC(serve, ARGS_NONE,
             LOCALS(thrum_datagrams *endpoint; size_t got; thrum_datagram list[BATCH]; thrum_address address;),
             BUFFERS(char bytes[BATCH][ROOM];))
{
    static const thrum_datagram_options options = {.size = sizeof options, .local_host = "127.0.0.1"};
    ASYNC_BEGIN;
    AWAIT_INTO(self->endpoint, thrum_create_datagram_endpoint(NULL, NULL, &options));
    (void)thrum_datagrams_sockname(self->endpoint, &self->address);
    printf("PORT %d\n", thrum_address_port(&self->address));
    fflush(stdout);
    for (size_t i = 0; i < BATCH; i++) {
        self->list[i].data = self->bytes[i];
        self->list[i].room = ROOM;
    }
    for (;;) {
        AWAIT_INTO(self->got, thrum_datagrams_receive_many(self->endpoint, self->list, BATCH));
        AWAIT(thrum_datagrams_send_many(self->endpoint, self->list, self->got));
    }
FINALLY:
    thrum_datagrams_release(self->endpoint);
    ASYNC_END;
}

int main(void)
{
    return thrum_run(serve());
}
