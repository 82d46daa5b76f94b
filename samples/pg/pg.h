/* PostgreSQL, awaited: libpq's calls that do not block. */
#ifndef PG_PG_H
#define PG_PG_H

#include <libpq-fe.h>
#include <thrum.h>

/* The server, or libpq, refused something; the detail has its words. */
#define PG_REFUSED THRUM_EAPP(1)

/* A connection, in memory of the caller's own: zeroed, and in place until pg_close(). Queries of several tasks take
 * turns. */
struct pg {
    PGconn *connection;
    bool open; /* in order: a query that cannot be ended leaves it so that nothing works any more */
    thrum_lock turn;
};

/* Connect, as PQconnectdb() does; `conninfo` is good until the end. Whatever this gives, pg_close() comes after it. */
thrum_awaitable pg_open(struct pg *pg, const char *conninfo);

/* Zeroed memory is closed already. */
void pg_close(struct pg *pg);

/* Run one query with `count` parameters, all of them text, and NULL for NULL. The result goes to `*result`, owned, for
 * PQclear(); the pointer is NULL before. One that is cancelled is cancelled at the server as well, and the connection
 * is ready for the next one when the await ends. Errors: PG_REFUSED; THRUM_ECLOSED when the connection is lost;
 * THRUM_ENOMEM. */
thrum_awaitable pg_query(struct pg *pg, PGresult **result, const char *query, int count, const char *const *values);

/* Wait for what somebody says with NOTIFY on a channel that this connection has heard LISTEN for. It goes to `*notify`,
 * owned, for PQfreemem(). Cancel-safe: it stays. */
thrum_awaitable pg_notification(struct pg *pg, PGnotify **notify);

#endif
