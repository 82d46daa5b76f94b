/* The WebSocket of /echo: what is done with what websocket.c finds in the bytes. */
#include "echo.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "request.h"
#include "websocket.h"

const char echo_page[] =
    "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>echo</title>\n"
    "<form><input autofocus placeholder=\"say something\"></form>\n<pre></pre>\n"
    "<script>\n"
    "const lines = document.querySelector('pre'), input = document.querySelector('input');\n"
    "const socket = new WebSocket(location.href.replace(/^http/, 'ws').replace(/#.*/, ''));\n"
    "const tell = text => { lines.textContent += text + '\\n'; };\n"
    "socket.onopen = () => { tell('connected'); if (location.hash) socket.send(decodeURI(location.hash.slice(1))); };\n"
    "socket.onmessage = event => tell('< ' + event.data);\n"
    "socket.onclose = event => tell('closed: ' + event.code);\n"
    "document.querySelector('form').onsubmit = event => {\n"
    "    event.preventDefault(); tell('> ' + input.value); socket.send(input.value); input.value = '';\n"
    "};\n"
    "</script>\n";

bool echo_wanted(const struct site *site, const struct request *request)
{
    return site->echo && !strcmp(request->path, "echo");
}

void echo_accept(char accept[ECHO_ACCEPT], const char *key)
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, 1.3 */
    unsigned char digest[EVP_MAX_MD_SIZE];
    char both[REQUEST_VALUE + sizeof magic];
    int size = snprintf(both, sizeof both, "%s%s", key, magic);
    if (!EVP_Digest(both, (size_t)size, digest, NULL, EVP_sha1(), NULL))
        memset(digest, 0, sizeof digest); /* the client will not take it */
    (void)EVP_EncodeBlock((unsigned char *)accept, digest, 20);
}

static ASYNC(send_frame, ARGS((thrum_stream *, client), (ws_kind, kind), (const void *, data), (size_t, size)),
             LOCALS(unsigned char head[WS_HEAD_MOST]; thrum_slice slices[2];))
{
    ASYNC_BEGIN;
    self->slices[0] = (thrum_slice){self->head, ws_write_head(self->head, self->kind, self->size)};
    self->slices[1] = (thrum_slice){self->data, self->size};
    AWAIT(thrum_stream_write_vectors(self->client, self->slices, 2));
    ASYNC_END;
}

static ASYNC(send_close, ARGS((thrum_stream *, client), (int, code)), LOCALS(unsigned char bytes[2];))
{
    ASYNC_BEGIN;
    self->bytes[0] = (unsigned char)(self->code >> 8);
    self->bytes[1] = (unsigned char)self->code;
    AWAIT(send_frame(self->client, WS_CLOSE, self->bytes, self->code == WS_NO_CODE ? 0 : 2));
    ASYNC_END;
}

/* Wait for bytes. A client that is silent is asked whether it is there, and has as long again to say so. Gives how many
 * there are; 0: it is gone. */
static ASYNC(hear, ARGS((thrum_stream *, client), (struct site *, site), (const void **, data)),
             LOCALS(idle_link idle; int error; int asked; size_t size;))
{
    ASYNC_BEGIN;
    if (self->site->stopping)
        ASYNC_RETURN(0);
    idle_begin(&self->site->talking, &self->idle, THRUM_NEVER); /* Ctrl-C comes out of the next await */
    for (;;) {
        AWAIT_CATCH_INTO(self->error, self->size,
                         thrum_timeout(self->site->idle / 2, thrum_stream_fill(self->client, self->data, 1)));
        if (self->error != THRUM_ETIMEDOUT || self->asked++)
            break;
        AWAIT(send_frame(self->client, WS_PING, NULL, 0));
    }
    ASYNC_RETURN(self->error ? 0 : self->size);
FINALLY:
    idle_end(&self->idle);
    ASYNC_END;
}

ASYNC(echo, ARGS((thrum_stream *, client), (struct site *, site)),
      LOCALS(const void *data; size_t size; size_t used; ws_event event; bool closed; int ignored;),
      BUFFERS(struct websocket ws;))
{
    ASYNC_BEGIN;
    ws_begin(&self->ws);
    do {
        AWAIT_INTO(self->size, hear(self->client, self->site, &self->data));
        if (!self->size)
            break;
        self->event = ws_take(&self->ws, self->data, self->size, &self->used);
        /* The bytes are lent until the next await: what is behind the event goes back. */
        if (self->used < self->size &&
            thrum_stream_unread(self->client, (const char *)self->data + self->used, self->size - self->used))
            ASYNC_RAISE(THRUM_ENOMEM);
        if (self->event == WS_HAS_MESSAGE) {
            AWAIT(thrum_timeout(self->site->idle,
                                send_frame(self->client, self->ws.frame, self->ws.message, self->ws.message_size)));
        } else if (self->event == WS_HAS_PING) {
            AWAIT(thrum_timeout(self->site->idle,
                                send_frame(self->client, WS_PONG, self->ws.control, self->ws.control_size)));
        } else if (self->event == WS_HAS_CLOSE || self->event == WS_WRONG) {
            self->closed = true;
            AWAIT(send_close(self->client, self->ws.code));
        }
    } while (!self->closed);
FINALLY:
    if (!self->closed) /* Ctrl-C, as a rule; or the client is gone, and nobody hears it */
        AWAIT_CATCH(self->ignored, thrum_timeout(SECONDS(1), send_close(self->client, WS_GOING_AWAY)));
    ASYNC_END;
}
