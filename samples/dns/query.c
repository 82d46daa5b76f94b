/* One question: a try is a datagram there and one back, within its time; then comes the next one. */
#include "query.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Each try has a socket of its own, whose port is chosen by the system, and an id of its own: who wants to answer in
 * the server's place has to guess both. What comes and is no answer to the question is not looked at twice. */
static ASYNC(ask_by_datagram, ARGS((struct dns_question *, question), (const struct dns_server *, server)),
             LOCALS(thrum_datagram_options options; thrum_datagrams * endpoint; thrum_datagram datagram;))
{
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->options.remote_host = self->server->address;
    self->options.remote_port = self->server->port;
    AWAIT_INTO(self->endpoint, thrum_create_datagram_endpoint(NULL, NULL, &self->options));
    AWAIT(thrum_datagrams_send(self->endpoint, self->question->query, self->question->query_size, NULL));
    self->datagram.data = self->question->bytes;
    self->datagram.room = sizeof self->question->bytes;
    do
        AWAIT_INTO(self->question->size, thrum_datagrams_receive(self->endpoint, &self->datagram));
    while (!dns_read_reply(&self->question->reply, self->question->bytes, self->question->size, self->question->query,
                           self->question->query_size));
FINALLY:
    thrum_datagrams_release(self->endpoint);
    ASYNC_END;
}

/* Over a stream each message has its length in front. */
static ASYNC(ask_by_stream, ARGS((struct dns_question *, question), (const struct dns_server *, server)),
             LOCALS(thrum_stream *stream; unsigned char length[2]; thrum_slice slices[2];))
{
    struct dns_question *question;
    ASYNC_BEGIN;
    AWAIT_INTO(self->stream, thrum_open_connection(self->server->address, self->server->port));
    self->length[0] = (unsigned char)(self->question->query_size >> 8);
    self->length[1] = (unsigned char)self->question->query_size;
    self->slices[0] = (thrum_slice){self->length, 2};
    self->slices[1] = (thrum_slice){self->question->query, self->question->query_size};
    AWAIT(thrum_stream_write_vectors(self->stream, self->slices, 2));
    AWAIT(thrum_stream_read_exactly(self->stream, self->length, 2));
    self->question->size = (size_t)self->length[0] << 8 | self->length[1];
    AWAIT(thrum_stream_read_exactly(self->stream, self->question->bytes, self->question->size));
    question = self->question;
    if (!dns_read_reply(&question->reply, question->bytes, question->size, question->query, question->query_size))
        ASYNC_RAISE(thrum_error_set(-EPROTO, EPROTO, "dns", 0, "this is no answer to the question"));
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

static ASYNC(try_once, ARGS((struct dns_question *, question), (const struct dns_server *, server), (bool, tcp)),
             LOCALS_NONE)
{
    uint16_t id;
    ASYNC_BEGIN;
    if (getentropy(&id, sizeof id))
        ASYNC_RAISE(-errno);
    self->question->query_size = dns_write_query(self->question->query, id, self->question->name, self->question->type);
    if (!self->question->query_size)
        ASYNC_RAISE(thrum_error_set(THRUM_EINVAL, 0, "dns", 0, "this is no name"));
    if (!self->tcp)
        AWAIT(ask_by_datagram(self->question, self->server));
    if (self->tcp || self->question->reply.truncated)
        AWAIT(ask_by_stream(self->question, self->server));
    ASYNC_END;
}

ASYNC(dns_ask, ARGS((struct dns_question *, question), (const struct dns_how *, how)), LOCALS(int tried; int error;))
{
    const struct dns_how *how;
    ASYNC_BEGIN;
    do {
        how = self->how;
        AWAIT_CATCH(self->error,
                    thrum_timeout(how->patience,
                                  try_once(self->question, &how->servers[self->tried % how->server_count], how->tcp)));
    } while (self->error && self->error != THRUM_EINVAL && ++self->tried < self->how->tries);
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}
