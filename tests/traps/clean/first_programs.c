#include <thrum.h>

/* What a reader of the documents meets first. */

static ASYNC(echo, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char buf[4096]; size_t n;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_INTO(self->n, thrum_timeout(SECONDS(30), thrum_stream_read(self->client, self->buf, sizeof self->buf)));
        if (self->n == 0)
            break;
        AWAIT(thrum_stream_write(self->client, self->buf, self->n));
    }
FINALLY:
    AWAIT(thrum_stream_close(self->client));
    ASYNC_END;
}

static ASYNC(app, ARGS((const char *, port)), LOCALS(thrum_server *server;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(echo, NULL, "127.0.0.1", self->port));
    AWAIT(thrum_server_serve_forever(self->server));
FINALLY:
    thrum_server_close(self->server);
    ASYNC_END;
}

int main(int argc, char **argv) { return thrum_run(app(argc > 1 ? argv[1] : "7777")); }

struct response {
    long length;
};
struct db {
    thrum_lock lock;
};
thrum_awaitable http_get(const char *url, struct response *out);
thrum_awaitable db_store(struct db *db, const struct response *response);
thrum_awaitable db_note_failure(struct db *db, int error);
thrum_awaitable refresh(struct db *db, const char *url);
thrum_awaitable both(const char *a, const char *b);

ASYNC(refresh, ARGS((struct db *, db), (const char *, url)),
      LOCALS(thrum_lock_hold hold; thrum_deadline limit; thrum_try attempt; int error; struct response r;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_lock_hold(&self->hold, &self->db->lock)) {
        TRY (self->attempt) {
            WITH (self->limit, thrum_deadline_after(&self->limit, SECONDS(5))) {
                AWAIT(http_get(self->url, &self->r));
                AWAIT(db_store(self->db, &self->r));
            }
        } CATCH (self->error, self->attempt) {
            AWAIT(db_note_failure(self->db, self->error));
        }
    }
    ASYNC_END;
}

ASYNC(both, ARGS((const char *, a), (const char *, b)), LOCALS(thrum_group group; struct response ra, rb;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        thrum_group_spawn(&self->group, http_get(self->a, &self->ra));
        thrum_group_spawn(&self->group, http_get(self->b, &self->rb));
    }
    ASYNC_RETURN(self->ra.length + self->rb.length);
    ASYNC_END;
}

void gpio_toggle(uint32_t pin);
thrum_awaitable blink(uint32_t pin, thrum_time period);

ASYNC(blink, ARGS((uint32_t, pin), (thrum_time, period)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    for (;;) {
        gpio_toggle(self->pin);
        AWAIT(thrum_sleep(self->period));
    }
    ASYNC_END;
}
