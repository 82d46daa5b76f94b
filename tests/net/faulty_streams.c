/* A conversation over streams: both ends send and receive at once, in pieces of any size, and part in one of several
 * ways. */
#include "faulty.h"

enum { MOST = 400000, PIECE = 70000 };

/* How an end parts, once everything is there; or does not wait for that. */
typedef enum parting { CLOSES, ENDS_OUTPUT_FIRST, ABORTS, RELEASES, PARTINGS } parting;

typedef struct end {
    talk *about;
    int number; /* 0: the client */
    size_t sends, receives, sent, received;
    int send_error, receive_error;
    parting parts;
    bool over;
} end;

static struct {
    end ends[2];
    bool late; /* they begin in the clear, and go over to TLS behind a byte */
    unsigned char out[2][PIECE], in[2][PIECE];
} wire;

/* ---- one direction of one end ---- */

static ASYNC(send_all, ARGS((thrum_stream *, stream), (end *, own)),
             LOCALS(int error; size_t size; thrum_slice slices[2];))
{
    ASYNC_BEGIN;
    while (self->own->sent < self->own->sends && !self->error) {
        unsigned char *out = wire.out[self->own->number];
        self->size = 1 + faulty_size(PIECE - 1);
        if (self->size > self->own->sends - self->own->sent)
            self->size = self->own->sends - self->own->sent;
        faulty_fill(out, self->own->number, self->own->sent, self->size);
        if (faults_choose(3)) {
            AWAIT_CATCH(self->error, thrum_stream_write(self->stream, out, self->size));
        } else {
            size_t first = faults_choose(self->size + 1);
            self->slices[0] = (thrum_slice){out, first};
            self->slices[1] = (thrum_slice){out + first, self->size - first};
            AWAIT_CATCH(self->error, thrum_stream_write_vectors(self->stream, self->slices, 2));
        }
        if (!self->error)
            self->own->sent += self->size;
        if (!self->error && !faults_choose(4))
            AWAIT_CATCH(self->error, thrum_stream_flush(self->stream));
    }
    if (!self->error)
        AWAIT_CATCH(self->error, thrum_stream_flush(self->stream));
    if (!self->error && self->own->parts == ENDS_OUTPUT_FIRST)
        self->error = thrum_stream_write_eof(self->stream);
    self->own->send_error = self->error;
    ASYNC_END;
}

static ASYNC(receive_all, ARGS((thrum_stream *, stream), (end *, own)),
             LOCALS(int error; size_t size, got; const void *lent;))
{
    ASYNC_BEGIN;
    while (self->own->received < self->own->receives && !self->error) {
        unsigned char *in = wire.in[self->own->number];
        self->size = 1 + faulty_size(PIECE - 1);
        if (self->size > self->own->receives - self->own->received)
            self->size = self->own->receives - self->own->received;
        self->lent = in;
        switch (faults_choose(4)) {
        case 0:
            self->got = 1;
            break;
        case 1:
            self->got = 2;
            break;
        default:
            self->got = 0;
        }
        if (self->got == 1) {
            AWAIT_CATCH_INTO(self->error, self->got,
                             thrum_stream_read_exactly(self->stream, wire.in[self->own->number], self->size));
        } else if (self->got == 2) {
            AWAIT_CATCH_INTO(self->error, self->got,
                             thrum_stream_fill(self->stream, &self->lent, self->size < 60000 ? self->size : 60000));
            EXPECT(self->error || self->got <= self->own->receives - self->own->received, self->got);
        } else {
            AWAIT_CATCH_INTO(self->error, self->got,
                             thrum_stream_read(self->stream, wire.in[self->own->number], self->size));
        }
        if (self->error)
            break;
        faulty_check(self->lent, 1 - self->own->number, self->own->received, self->got);
        self->own->received += self->got;
        if (!self->got)
            self->error = THRUM_EINCOMPLETE;
    }
    /* Who ends its output is waited for; who closes may be met by a reset. */
    if (!self->error && wire.ends[1 - self->own->number].parts == ENDS_OUTPUT_FIRST) {
        AWAIT_CATCH_INTO(self->error, self->got, thrum_stream_read(self->stream, wire.in[self->own->number], 1));
        EXPECT(self->error || !self->got, self->got);
    }
    self->own->receive_error = self->error;
    ASYNC_END;
}

/* ---- an end, and both ---- */

static ASYNC(talk_at, ARGS((thrum_stream *, stream), (end *, own)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_gather(NULL, send_all(self->stream, self->own), receive_all(self->stream, self->own)));
    if (self->own->parts == ABORTS)
        thrum_stream_abort(self->stream);
    else if (self->own->parts != RELEASES)
        AWAIT_CATCH(self->error, thrum_stream_close(self->stream));
    if (!self->own->send_error)
        self->own->send_error = self->error;
    self->own->over = true;
    ASYNC_END;
}

static ASYNC(serve, ARGS((thrum_stream *, stream), (void *, context)), LOCALS(char byte;))
{
    ASYNC_BEGIN;
    if (wire.late) {
        AWAIT(thrum_stream_read_exactly(self->stream, &self->byte, 1));
        AWAIT(thrum_start_tls(self->stream, wire.ends[1].about->theirs, true, NULL));
    }
    AWAIT(talk_at(self->stream, &wire.ends[1]));
    ASYNC_END;
}

static ASYNC(client, ARGS((talk *, about)),
             LOCALS(thrum_stream *stream; thrum_connect_options options; int error; bool later;))
{
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->options.tls = wire.late ? NULL : self->about->ours;
    self->options.server_hostname = self->options.tls ? "localhost" : NULL;
    if (self->about->unix_socket)
        AWAIT_INTO(self->stream, thrum_open_unix_connection_with(self->about->address, &self->options));
    else
        AWAIT_INTO(self->stream, thrum_open_connection_with("127.0.0.1", self->about->address, &self->options));
    if (wire.late) {
        AWAIT(thrum_stream_write(self->stream, "x", 1));
        AWAIT(thrum_start_tls(self->stream, self->about->ours, false, "localhost"));
    }
    AWAIT(talk_at(self->stream, &wire.ends[0]));
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

static parting draw_parting(const talk *about)
{
    parting parts = (parting)faults_choose(PARTINGS);
    return about->ours && parts == ENDS_OUTPUT_FIRST ? CLOSES : parts;
}

static void check_ends(const talk *about)
{
    for (int i = 0; i < 2; i++) {
        const end *own = &wire.ends[i], *other = &wire.ends[1 - i];
        EXPECT(own->received <= other->sends, own->received);
        EXPECT(faulty_expected(own->send_error) || about->parted, own->send_error);
        EXPECT(faulty_expected(own->receive_error) || about->parted, own->receive_error);
        if (faults.hard || about->parted)
            continue;
        EXPECT(own->over, i);
        EXPECT(!own->receive_error, own->receive_error);
        EXPECT(own->received == own->receives, own->received);
        /* Whoever drops the connection with everything there may do so under the other one's last flush. */
        EXPECT(!own->send_error || other->parts == ABORTS || other->parts == RELEASES, own->send_error);
    }
}

ASYNC(stream_talk, ARGS((talk *, about)),
      LOCALS(thrum_server *server; thrum_server_options options; int error; thrum_task * task; size_t way;
             size_t passes;))
{
    size_t there, back;
    ASYNC_BEGIN;
    memset(&wire.ends, 0, sizeof wire.ends);
    there = faulty_size(MOST);
    back = faulty_size(MOST);
    wire.ends[0] = (end){.about = self->about, .sends = there, .receives = back, .parts = draw_parting(self->about)};
    wire.ends[1] =
        (end){.about = self->about, .number = 1, .sends = back, .receives = there, .parts = draw_parting(self->about)};
    self->way = faults_choose(8);
    self->about->unix_socket = self->way & 1;
    self->passes = faults_choose(200);
    self->options.size = sizeof self->options;
    wire.late = self->about->ours && faults_choose(2);
    self->options.tls = wire.late ? NULL : self->about->theirs;
    if (self->about->unix_socket) {
        faulty_path(self->about);
        AWAIT_INTO(self->server, thrum_start_unix_server_with(serve, NULL, self->about->address, &self->options));
    } else {
        AWAIT_INTO(self->server, thrum_start_server_with(serve, NULL, "127.0.0.1", "0", &self->options));
        faulty_port(self->about, self->server);
    }
    self->task = thrum_spawn(client(self->about));
    if (!self->task)
        ASYNC_RAISE(THRUM_ENOMEM);
    /* In the middle of it the client is cancelled, or the server drops everybody; or nothing is. */
    self->about->parted = self->way < 4;
    while (self->about->parted && self->passes-- && !thrum_task_done(self->task))
        AWAIT(thrum_yield());
    if (self->way < 2)
        thrum_server_abort_clients(self->server);
    else if (self->way < 4)
        thrum_task_cancel(self->task);
    AWAIT_CATCH_ALL(self->error, thrum_task_wait(self->task));
    if (self->error == THRUM_ECANCELED)
        self->error = 0;
    thrum_server_close(self->server);
    AWAIT(thrum_server_wait_closed(self->server));
    check_ends(self->about);
    if (self->error)
        ASYNC_RAISE(self->error);
FINALLY:
    thrum_task_release(self->task);
    thrum_server_release(self->server);
    ASYNC_END;
}
