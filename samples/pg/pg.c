/* libpq is a state machine that says what its socket is to be watched for; the loop watches, and calls again. */
#include "pg.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { READ = 1, WRITE = 2 };

/* ---- the socket ---- */

static void on_ready(thrum_handle *handle)
{
    (void)thrum_future_set_result((thrum_future *)handle->context, 0);
}

/* Wait until the socket is ready for one of these. libpq may close it and open another one, so it is watched anew each
 * time, and not longer than the wait. */
static ASYNC(ready, ARGS((int, descriptor), (int, what)), LOCALS(thrum_future ready; int error;))
{
    ASYNC_BEGIN;
    if (self->what & READ)
        self->error = thrum_add_reader(self->descriptor, on_ready, &self->ready);
    if (!self->error && self->what & WRITE)
        self->error = thrum_add_writer(self->descriptor, on_ready, &self->ready);
    if (self->error)
        ASYNC_RAISE(self->error);
    AWAIT(&self->ready);
FINALLY:
    (void)thrum_remove_reader(self->descriptor);
    (void)thrum_remove_writer(self->descriptor);
    ASYNC_END;
}

/* libpq's words for what went wrong last: the first line, and of that what the server said, where it did. */
static int refused(const struct pg *pg, const char *operation)
{
    char text[512];
    bool lost = pg->open && PQstatus(pg->connection) == CONNECTION_BAD;
    (void)snprintf(text, sizeof text, "%s", PQerrorMessage(pg->connection));
    text[strcspn(text, "\n")] = '\0';
    const char *server = strstr(text, "FATAL:");
    return thrum_error_set(lost ? THRUM_ECLOSED : PG_REFUSED, 0, operation, 0, server ? server : text);
}

/* ---- connecting ---- */

/* The name that has to be looked up, or "". */
static void host_of(const char *conninfo, char *host, size_t room)
{
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    host[0] = '\0';
    for (PQconninfoOption *option = options; option && option->keyword; option++) {
        if (!strcmp(option->keyword, "host") && option->val && option->val[0] != '/' && !strchr(option->val, ','))
            (void)snprintf(host, room, "%s", option->val);
        if (!strcmp(option->keyword, "hostaddr") && option->val)
            host[0] = '\0';
    }
    PQconninfoFree(options);
}

/* libpq would look a name up as well, but the whole program would wait for it. Of several addresses it gets the first
 * one. */
static ASYNC(look_up, ARGS((const char *, host), (char *, numeric), (size_t, room)), LOCALS(thrum_address_list found;))
{
    static const thrum_name_hints hints = {.size = sizeof hints, .type = SOCK_STREAM};
    ASYNC_BEGIN;
    AWAIT(thrum_getaddrinfo(&self->found, self->host, NULL, &hints));
    AWAIT(thrum_getnameinfo(&self->found.list[0].address, self->numeric, self->room, NULL, 0, NI_NUMERICHOST));
FINALLY:
    thrum_address_list_free(&self->found);
    ASYNC_END;
}

static PGconn *begin(const char *conninfo, const char *numeric)
{
    const char *const names[] = {"dbname", numeric[0] ? "hostaddr" : NULL, NULL};
    const char *const values[] = {conninfo, numeric, NULL};
    return PQconnectStartParams(names, values, 1); /* 1: what stands for the dbname is a whole conninfo */
}

ASYNC(pg_open, ARGS((struct pg *, pg), (const char *, conninfo)),
      LOCALS(char host[256]; char numeric[64]; PostgresPollingStatusType next;))
{
    ASYNC_BEGIN;
    host_of(self->conninfo, self->host, sizeof self->host);
    if (self->host[0])
        AWAIT(look_up(self->host, self->numeric, sizeof self->numeric));
    self->pg->connection = begin(self->conninfo, self->numeric);
    if (!self->pg->connection)
        ASYNC_RAISE(THRUM_ENOMEM);
    self->next = PGRES_POLLING_WRITING;
    while (self->next != PGRES_POLLING_OK) {
        if (self->next == PGRES_POLLING_FAILED || PQstatus(self->pg->connection) == CONNECTION_BAD)
            ASYNC_RAISE(refused(self->pg, "connect"));
        AWAIT(ready(PQsocket(self->pg->connection), self->next == PGRES_POLLING_READING ? READ : WRITE));
        self->next = PQconnectPoll(self->pg->connection);
    }
    (void)PQsetnonblocking(self->pg->connection, 1);
    self->pg->open = true;
    ASYNC_END;
}

void pg_close(struct pg *pg)
{
    if (pg->connection)
        PQfinish(pg->connection);
    pg->connection = NULL;
    pg->open = false;
}

/* ---- a query ---- */

/* Send what is left. The server may have to be read from before it takes more. */
static ASYNC(flush, ARGS((struct pg *, pg)), LOCALS(int left;))
{
    ASYNC_BEGIN;
    while ((self->left = PQflush(self->pg->connection)) == 1) {
        AWAIT(ready(PQsocket(self->pg->connection), READ | WRITE));
        if (!PQconsumeInput(self->pg->connection))
            break;
    }
    if (self->left)
        ASYNC_RAISE(refused(self->pg, "send"));
    ASYNC_END;
}

/* Read up to the end of a query. Its last result is the one that counts, as with PQexec(). */
static ASYNC(receive, ARGS((struct pg *, pg), (PGresult **, result)), LOCALS_NONE)
{
    PGresult *next;
    ASYNC_BEGIN;
    do {
        while (PQisBusy(self->pg->connection)) {
            AWAIT(ready(PQsocket(self->pg->connection), READ));
            if (!PQconsumeInput(self->pg->connection))
                ASYNC_RAISE(refused(self->pg, "receive"));
        }
        next = PQgetResult(self->pg->connection);
        if (next) {
            PQclear(*self->result);
            *self->result = next;
        }
    } while (next);
    ASYNC_END;
}

/* PQcancel() makes a connection of its own, and blocks: it runs in a thread. */
static int cancel_in_thread(void *cancel, thrum_value *value)
{
    char reason[256];
    (void)value;
    return PQcancel((PGcancel *)cancel, reason, sizeof reason) ? 0 : -EPROTO;
}

/* End a query that nobody waits for any more: ask the server to stop, and read what it still sends. */
static ASYNC(give_up, ARGS((struct pg *, pg)), LOCALS(PGcancel *cancel; PGresult * result;))
{
    ASYNC_BEGIN;
    self->cancel = PQgetCancel(self->pg->connection);
    if (!self->cancel)
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(thrum_to_thread(cancel_in_thread, self->cancel));
    AWAIT(flush(self->pg)); /* it may not even have left */
    AWAIT(receive(self->pg, &self->result));
FINALLY:
    PQclear(self->result);
    PQfreeCancel(self->cancel);
    ASYNC_END;
}

static ASYNC(in_turn,
             ARGS((struct pg *, pg), (PGresult **, result), (const char *, query), (int, count),
                  (const char *const *, values)),
             LOCALS(PGresult *got; bool sent; bool over; int error;))
{
    ASYNC_BEGIN;
    if (!self->pg->open)
        ASYNC_RAISE(THRUM_ECLOSED);
    if (!PQsendQueryParams(self->pg->connection, self->query, self->count, NULL, self->values, NULL, NULL, 0))
        ASYNC_RAISE(refused(self->pg, "query"));
    self->sent = true;
    AWAIT(flush(self->pg));
    AWAIT(receive(self->pg, &self->got));
    self->over = true;
    if (PQresultStatus(self->got) != PGRES_TUPLES_OK && PQresultStatus(self->got) != PGRES_COMMAND_OK)
        ASYNC_RAISE(refused(self->pg, "query"));
    *self->result = self->got;
    self->got = NULL;
FINALLY: /* on the way out of a query that goes on, this waits for its end */
    if (self->sent && !self->over) {
        self->pg->open = false; /* unless we come to the end of this */
        AWAIT_CATCH(self->error, thrum_timeout(SECONDS(5), give_up(self->pg)));
        self->pg->open = !self->error;
    }
    PQclear(self->got);
    ASYNC_END;
}

ASYNC(pg_query,
      ARGS((struct pg *, pg), (PGresult **, result), (const char *, query), (int, count),
           (const char *const *, values)),
      LOCALS(thrum_lock_hold hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_lock_hold(&self->hold, &self->pg->turn))
        AWAIT(in_turn(self->pg, self->result, self->query, self->count, self->values));
    ASYNC_END;
}

/* ---- notifications ---- */

ASYNC(pg_notification, ARGS((struct pg *, pg), (PGnotify **, notify)), LOCALS(thrum_lock_hold hold;))
{
    ASYNC_BEGIN;
    WITH (self->hold, thrum_lock_hold(&self->hold, &self->pg->turn)) {
        if (!self->pg->open)
            ASYNC_RAISE(THRUM_ECLOSED);
        while (!(*self->notify = PQnotifies(self->pg->connection))) {
            AWAIT(ready(PQsocket(self->pg->connection), READ));
            if (!PQconsumeInput(self->pg->connection))
                ASYNC_RAISE(refused(self->pg, "receive"));
        }
    }
    ASYNC_END;
}
