/* A conversation in callback style: an echo, whose client writes as its transport allows and checks what comes back.
 * Both protocols hold every call against the grammar: made, data*, end?, lost; paused and resumed in turns. */
#include "faulty.h"

enum { MOST = 300000, PIECE = 40000 };

typedef enum phase { ASKED, MADE, ENDED, LOST } phase;

typedef struct side {
    thrum_transport *transport;
    phase phase;
    bool paused, buffered, started;
    size_t sends, sent, received;
    int error;
    char memory[3000];
} side;

static struct {
    side client, server;
    unsigned asked, lost; /* protocols */
    unsigned char out[PIECE];
} told;

static void pump(side *own)
{
    while (own->sent < own->sends && !own->paused && !thrum_transport_is_closing(own->transport)) {
        size_t size = 1 + faulty_size(PIECE - 1);
        if (size > own->sends - own->sent)
            size = own->sends - own->sent;
        faulty_fill(told.out, 0, own->sent, size);
        own->sent += size;
        (void)thrum_transport_write(own->transport, told.out, size);
    }
}

/* ---- what every protocol is told ---- */

static int on_made(void *context, thrum_transport *transport)
{
    side *own = (side *)context;
    EXPECT(own->phase == ASKED && !own->started, own->phase);
    own->phase = MADE;
    own->started = true;
    own->transport = transport;
    if (own == &told.client)
        pump(own);
    return 0;
}

static int took(side *own, const void *data, size_t size)
{
    EXPECT(own->phase == MADE, own->phase);
    EXPECT(size > 0, size);
    faulty_check(data, 0, own->received, size);
    own->received += size;
    if (own == &told.server) {
        if (!thrum_transport_is_closing(own->transport))
            (void)thrum_transport_write(own->transport, data, size);
        return 0;
    }
    EXPECT(own->received <= own->sent, own->received);
    pump(own);
    if (own->received == own->sends)
        thrum_transport_close(own->transport);
    else if (!faults_choose(5))
        thrum_transport_pause_reading(own->transport); /* the conversation resumes it */
    return 0;
}

static int on_data(void *context, const void *data, size_t size)
{
    return took((side *)context, data, size);
}

static intptr_t on_room(void *context, size_t hint, void **memory)
{
    side *own = (side *)context;
    (void)hint;
    EXPECT(own->phase == MADE, own->phase);
    *memory = own->memory;
    return 1 + (intptr_t)faults_choose(sizeof own->memory);
}

static int on_update(void *context, size_t size)
{
    side *own = (side *)context;
    return took(own, own->memory, size);
}

static int on_end(void *context)
{
    side *own = (side *)context;
    EXPECT(own->phase == MADE, own->phase);
    own->phase = ENDED;
    return 0;
}

static void on_lost(void *context, int error)
{
    side *own = (side *)context;
    EXPECT(own->phase == MADE || own->phase == ENDED, own->phase);
    own->phase = LOST;
    own->error = error;
    told.lost++;
}

static void on_pause(void *context)
{
    side *own = (side *)context;
    EXPECT(!own->paused && own->phase != LOST, own->phase);
    own->paused = true;
    if (own == &told.server)
        thrum_transport_pause_reading(own->transport);
}

static void on_resume(void *context)
{
    side *own = (side *)context;
    EXPECT(own->paused && own->phase != LOST, own->phase);
    own->paused = false;
    if (own == &told.server)
        thrum_transport_resume_reading(own->transport);
    else
        pump(own);
}

static const thrum_protocol plain = {.size = sizeof plain,
                                     .connection_made = on_made,
                                     .data_received = on_data,
                                     .eof_received = on_end,
                                     .connection_lost = on_lost,
                                     .pause_writing = on_pause,
                                     .resume_writing = on_resume};

static const thrum_protocol buffered = {.size = sizeof buffered,
                                        .connection_made = on_made,
                                        .eof_received = on_end,
                                        .connection_lost = on_lost,
                                        .pause_writing = on_pause,
                                        .resume_writing = on_resume,
                                        .get_buffer = on_room,
                                        .buffer_updated = on_update};

static int factory(void *context, const thrum_protocol **protocol, void **own)
{
    side *to = (side *)context;
    told.asked++;
    to->phase = ASKED;
    to->started = false;
    *protocol = to->buffered ? &buffered : &plain;
    *own = to;
    return 0;
}

/* ---- the conversation ---- */

static ASYNC(until_over, ARGS((thrum_transport *, transport), (size_t, passes), (bool, parts)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    while (told.client.phase != LOST && !(self->parts && !self->passes--)) {
        AWAIT(thrum_sleep(MICROSECONDS(20)));
        if (!faults_choose(4))
            thrum_transport_resume_reading(self->transport);
    }
    thrum_transport_abort(self->transport);
    AWAIT_CATCH(self->error, thrum_transport_wait_closed(self->transport));
    EXPECT(told.client.phase == LOST && told.client.error == self->error, self->error);
    ASYNC_END;
}

static void check_sides(const talk *about)
{
    EXPECT(told.lost == told.asked, told.asked);
    EXPECT(faulty_expected(told.client.error), told.client.error);
    EXPECT(faulty_expected(told.server.error), told.server.error);
    if (faults.hard || about->parted)
        return;
    EXPECT(told.asked == 2, told.asked);
    EXPECT(!told.client.error, told.client.error);
    EXPECT(!told.server.error, told.server.error);
    EXPECT(told.client.received == told.client.sends, told.client.received);
}

ASYNC(transport_talk, ARGS((talk *, about)),
      LOCALS(thrum_server *server; thrum_transport * client; thrum_server_options serving;
             thrum_connect_options connecting; size_t passes; int error;))
{
    ASYNC_BEGIN;
    memset(&told, 0, sizeof told);
    told.client.buffered = faults_choose(2);
    told.server.buffered = faults_choose(2);
    told.client.sends = 1 + faulty_size(MOST);
    self->about->parted = !faults_choose(4);
    self->passes = faults_choose(100);
    self->serving.size = sizeof self->serving;
    self->serving.tls = self->about->theirs;
    self->connecting.size = sizeof self->connecting;
    self->connecting.tls = self->about->ours;
    self->connecting.server_hostname = self->about->ours ? "localhost" : NULL;
    self->about->unix_socket = faults_choose(2);
    if (self->about->unix_socket) {
        faulty_path(self->about);
        AWAIT_INTO(self->server,
                   thrum_create_unix_server_with(factory, &told.server, self->about->address, &self->serving));
        AWAIT_CATCH_INTO(
            self->error, self->client,
            thrum_create_unix_connection_with(factory, &told.client, self->about->address, &self->connecting));
    } else {
        AWAIT_INTO(self->server, thrum_create_server_with(factory, &told.server, "127.0.0.1", "0", &self->serving));
        faulty_port(self->about, self->server);
        AWAIT_CATCH_INTO(
            self->error, self->client,
            thrum_create_connection_with(factory, &told.client, "127.0.0.1", self->about->address, &self->connecting));
    }
    if (self->client)
        AWAIT(until_over(self->client, self->passes, self->about->parted));
    thrum_server_close(self->server);
    AWAIT(thrum_server_wait_closed(self->server));
    check_sides(self->about);
    if (self->error)
        ASYNC_RAISE(self->error);
FINALLY:
    thrum_transport_release(self->client);
    thrum_server_release(self->server);
    ASYNC_END;
}
