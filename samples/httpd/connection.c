/* One connection: requests come one after the other, and each is answered before the next is looked at. */
#include <string.h>

#include "echo.h"
#include "request.h"
#include "response.h"
#include "site.h"

/* A large file leaves in parts: a client that takes none of one for the idle time is gone. */
enum { PART = 1024 * 1024 };

/* ---- one request ---- */

/* Take a request in, of which the first bytes are here, lent. Gives false when there is none: the client hung up. */
static ASYNC(receive,
             ARGS((thrum_stream *, client), (struct site *, site), (struct request *, request), (const void *, data),
                  (size_t, size)),
             LOCALS(thrum_time until; int error;))
{
    size_t used;
    ASYNC_BEGIN;
    request_begin(self->request);
    self->until = thrum_now() + self->site->header; /* however slowly it dribbles in */
    while (!self->error && self->size) {
        used = request_take(self->request, (const char *)self->data, self->size);
        if (self->request->complete || self->request->status) {
            /* What follows is the next request: it came early ("pipelining"). */
            self->error = thrum_stream_unread(self->client, (const char *)self->data + used, self->size - used);
            ASYNC_RETURN(!self->error);
        }
        AWAIT_CATCH_INTO(self->error, self->size,
                         thrum_timeout_at(self->until, thrum_stream_fill(self->client, &self->data, 1)));
    }
    if (self->error == THRUM_ETIMEDOUT && self->request->begun) {
        self->request->status = 408;
        self->request->keep_alive = false;
        ASYNC_RETURN(true);
    }
    ASYNC_RETURN(false);
    ASYNC_END;
}

/* Send the body of a response: memory, or a file, which need not pass through memory at all. */
static ASYNC(send_body, ARGS((thrum_stream *, client), (struct site *, site), (struct response *, response)),
             LOCALS(size_t part; size_t sent;))
{
    struct response *response;
    ASYNC_BEGIN;
    if (self->response->file < 0) {
        AWAIT(thrum_timeout(self->site->idle,
                            thrum_stream_write(self->client, self->response->body, (size_t)self->response->length)));
        self->response->sent = self->response->length;
    }
    while (self->response->sent < self->response->length) {
        response = self->response;
        self->part = response->length - response->sent < PART ? (size_t)(response->length - response->sent) : PART;
        AWAIT_INTO(self->sent, thrum_timeout(self->site->idle,
                                             thrum_stream_sendfile(self->client, response->file,
                                                                   response->first + response->sent, self->part)));
        self->response->sent += self->sent;
        if (self->sent < self->part)
            ASYNC_RAISE(THRUM_EINCOMPLETE); /* the file has become shorter: only the end of the connection tells */
    }
    ASYNC_END;
}

static ASYNC(send_response,
             ARGS((thrum_stream *, client), (struct site *, site), (struct request *, request),
                  (struct response *, response)),
             LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_stream_write(self->client, self->response->head, self->response->head_length));
    if (self->request->parser.method != HTTP_HEAD || self->request->status)
        AWAIT(send_body(self->client, self->site, self->response));
    ASYNC_END;
}

/* How a request has ended. */
enum outcome {
    NOTHING,  /* there was none: the client has hung up, or nobody wants another one */
    ANSWERED, /* the next one may come */
    LAST,     /* it was answered, and no other will be */
    WEBSOCKET /* the connection is no longer one for HTTP */
};

/* Answer one request, of which the first bytes are here, lent: gives its outcome. Request and response take kilobytes;
 * they stand in this frame, and not in one that lasts, so that a connection that waits holds none of them. */
static ASYNC(exchange, ARGS((thrum_stream *, client), (struct site *, site), (const void *, data), (size_t, size)),
             LOCALS(bool received;),
             BUFFERS(struct request request; struct response response; char peer[THRUM_ADDRESS_TEXT];))
{
    ASYNC_BEGIN;
    self->response.file = self->response.folder = -1;
    self->response.page = NULL;
    if (!self->site->quiet)
        (void)thrum_stream_peername(self->client, self->peer, sizeof self->peer);
    AWAIT_INTO(self->received, receive(self->client, self->site, &self->request, self->data, self->size));
    if (!self->received)
        ASYNC_RETURN(NOTHING);
    response_make(&self->response, &self->request, self->site);
    if (self->response.folder >= 0)
        AWAIT(response_list(&self->response, &self->request));
    AWAIT(send_response(self->client, self->site, &self->request, &self->response));
    log_request(self->site, self->peer, &self->request, &self->response);
    response_end(&self->response);
    ASYNC_RETURN(self->response.status == 101 ? WEBSOCKET : self->response.keep_alive ? ANSWERED : LAST);
FINALLY:
    if (self->response.file >= 0 || self->response.page)
        log_request(self->site, self->peer, &self->request, &self->response); /* it broke off */
    response_end(&self->response);
    ASYNC_END;
}

/* ---- the connection ---- */

/* The last response is on its way, and perhaps the client still sends. A connection that is closed with bytes unread is
 * reset, and the client may never see the response: so the output ends first, and the input is read away for a
 * while. */
static ASYNC(linger, ARGS((thrum_stream *, client)), LOCALS(const void *data; size_t size; int rounds;))
{
    ASYNC_BEGIN;
    (void)thrum_stream_write_eof(self->client);
    for (self->rounds = 0; self->rounds < 64; self->rounds++) {
        AWAIT_INTO(self->size, thrum_stream_fill(self->client, &self->data, 1));
        if (!self->size)
            break;
    }
    ASYNC_END;
}

/* Answer what has begun to come, and whatever follows from it. Gives whether that was the last. That a client goes away
 * in the middle is daily business, and not an error of this program. */
static ASYNC(answer, ARGS((thrum_stream *, client), (struct site *, site), (const void *, data), (size_t, size)),
             LOCALS(enum outcome outcome; int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_INTO(self->error, self->outcome, exchange(self->client, self->site, self->data, self->size));
    if (!self->error && self->outcome == WEBSOCKET)
        AWAIT_CATCH(self->error, echo(self->client, self->site));
    if (!self->error && self->outcome != NOTHING && self->outcome != ANSWERED)
        AWAIT_CATCH(self->error, thrum_timeout(SECONDS(2), linger(self->client)));
    if (self->error)
        thrum_stream_abort(self->client); /* a response that broke off must not look whole */
    ASYNC_RETURN(self->error || self->outcome != ANSWERED);
    ASYNC_END;
}

/* More connections than the site wants: they are told so. */
static ASYNC(turn_away, ARGS((thrum_stream *, client)), LOCALS_NONE, BUFFERS(struct response response;))
{
    ASYNC_BEGIN;
    response_refuse(&self->response, 503);
    AWAIT(thrum_stream_write(self->client, self->response.head, self->response.head_length));
    AWAIT(thrum_stream_write(self->client, self->response.body, (size_t)self->response.length));
    ASYNC_END;
}

/* The handler that the server runs for each connection: waits for requests, until one of both sides has enough. The
 * server closes the stream when this ends. While the connection waits this frame is all that it holds here, so nothing
 * is in it that could be elsewhere. */
ASYNC(connection, ARGS((thrum_stream *, client), (void *, context)),
      LOCALS(idle_link idle; const void *data; unsigned size; int over;))
{
    struct site *site = (struct site *)self->context;
    ASYNC_BEGIN;
    if (++site->connections > site->most) {
        AWAIT_CATCH(self->over, turn_away(self->client));
        if (self->over)
            thrum_stream_abort(self->client);
        self->over = 1;
    }
    while (!self->over && !site->stopping) {
        /* Who connects has something to say; later it may take a while. */
        if (self->size)
            idle_begin(&site->kept, &self->idle, site->idle);
        else
            idle_begin(&site->silent, &self->idle, site->header);
        /* The bytes are lent: they lie in memory that all connections share, and are good until the task suspends,
         * which calling a function that takes them does not do. */
        AWAIT_CATCH_INTO(self->over, self->size, thrum_stream_fill(self->client, &self->data, 1));
        idle_end(&self->idle);
        if (self->over || !self->size)
            break;
        AWAIT_INTO(self->over, answer(self->client, site, self->data, self->size));
    }
FINALLY:
    idle_end(&self->idle);
    site->connections--;
    ASYNC_END;
}
