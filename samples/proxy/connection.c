/* One connection: two directions, each of which ends for itself. */
#include <inttypes.h>
#include <stdio.h>

#include "proxy.h"
#include "splice.h"

/* Who sends so much at once has more of it: then a pipe is worth its two descriptors. */
enum { BULK = 48 * 1024 };

struct link {
    struct proxy *proxy;
    thrum_stream *client, *target;
    thrum_deadline idle;   /* moved by every byte */
    uint64_t there, back;  /* bytes that went to the target, and to the client */
    const char *failed_to; /* do what */
};

static void passed(struct link *link, uint64_t *bytes, size_t size)
{
    *bytes += size;
    (void)thrum_deadline_reschedule(&link->idle, thrum_now() + link->proxy->idle);
}

/* Pass on what comes, and then its end; the other direction may go on. Bytes lie in memory that the loop lends: a
 * connection that is silent needs no buffer. A peer that is slow holds up the write, so nothing more is read. */
static ASYNC(pump, ARGS((struct link *, link), (thrum_stream *, from), (thrum_stream *, to), (uint64_t *, bytes)),
             LOCALS(const void *data; size_t size; struct splicer splicer;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->size, thrum_stream_fill(self->from, &self->data, 1));
        if (!self->size)
            break;
        AWAIT(thrum_stream_write(self->to, self->data, self->size));
        passed(self->link, self->bytes, self->size);
        if (self->size >= BULK && !self->link->proxy->copy && !self->splicer.failed) {
            AWAIT(splice_pass(&self->splicer, self->from, self->to));
            passed(self->link, self->bytes, self->splicer.moved);
        }
    }
    (void)thrum_stream_write_eof(self->to); /* an error is the other direction's to find, too */
FINALLY:
    splice_close(&self->splicer);
    ASYNC_END;
}

static ASYNC(forward, ARGS((struct link *, link)), LOCALS_NONE)
{
    struct link *link;
    ASYNC_BEGIN;
    self->link->failed_to = "connect";
    AWAIT_INTO(self->link->target,
               thrum_timeout(self->link->proxy->patience,
                             thrum_open_connection(self->link->proxy->host, self->link->proxy->port)));
    self->link->failed_to = "forward";
    WITH (self->link->idle, thrum_deadline_after(&self->link->idle, self->link->proxy->idle)) {
        link = self->link;
        AWAIT(thrum_gather(NULL, pump(link, link->client, link->target, &link->there),
                           pump(link, link->target, link->client, &link->back)));
    }
    ASYNC_END;
}

static void tell(const struct link *link, const char *peer, int error)
{
    const thrum_error *detail = thrum_error_last();
    if (link->proxy->quiet)
        return;
    printf("%s: %" PRIu64 " bytes there, %" PRIu64 " back", peer, link->there, link->back);
    if (error)
        printf("; could not %s: %s%s%s", link->failed_to, thrum_error_text(error),
               detail && detail->text[0] ? ", " : "", detail ? detail->text : "");
    printf("\n");
    fflush(stdout);
}

/* The handler that the server runs for each connection. What goes wrong with one is told, and is no error of this
 * program. */
ASYNC(connection, ARGS((thrum_stream *, client), (void *, context)),
      LOCALS(struct link link; int error; bool whole; char peer[THRUM_ADDRESS_TEXT];))
{
    ASYNC_BEGIN;
    self->link.proxy = (struct proxy *)self->context;
    self->link.client = self->client;
    (void)thrum_stream_peername(self->client, self->peer, sizeof self->peer);
    if (++self->link.proxy->connections > self->link.proxy->most) {
        self->link.failed_to = "take one more";
        self->error = thrum_error_set(THRUM_EFULL, 0, NULL, 0, NULL);
    } else {
        AWAIT_CATCH(self->error, forward(&self->link));
    }
    tell(&self->link, self->peer, self->error);
    if (!self->error)
        AWAIT_CATCH(self->error, thrum_stream_close(self->link.target)); /* what was passed on leaves */
    self->whole = !self->error;
FINALLY:
    if (!self->whole) { /* also when the time after Ctrl-C is up, and all tasks are cancelled */
        /* The peers see that something went wrong, where closing would look like the end of what was sent. */
        thrum_stream_reset(self->client);
        thrum_stream_reset(self->link.target);
    }
    thrum_stream_release(self->link.target);
    self->link.proxy->connections--;
    ASYNC_END;
}
