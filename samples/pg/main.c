/* Ask a PostgreSQL server.
 *
 *     pg [--timeout SECONDS] [--each] CONNINFO QUERY [PARAMETER]...
 *     pg --listen CHANNEL CONNINFO         prints what NOTIFY says there, until Ctrl-C
 *
 * CONNINFO is libpq's: "host=/run/postgresql dbname=postgres". Rows are printed with tabs between their columns. After
 * the timeout (30 s) the query is cancelled at the server. With --each the query runs once for each parameter, all on
 * one connection. What the server says on the way goes to the standard error. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg.h"

struct options {
    const char *conninfo, *query, *channel;
    const char *const *values;
    int count;
    bool each;
    thrum_time timeout;
};

static void print_rows(const PGresult *result)
{
    for (int row = 0; row < PQntuples(result); row++)
        for (int column = 0; column < PQnfields(result); column++)
            printf("%s%s", PQgetisnull(result, row, column) ? "(null)" : PQgetvalue(result, row, column),
                   column + 1 < PQnfields(result) ? "\t" : "\n");
    fflush(stdout);
}

static void print_notice(void *context, const char *message)
{
    (void)context;
    fputs(message, stderr);
}

static ASYNC(ask, ARGS((struct pg *, pg), (const struct options *, options), (int, first), (int, count)),
             LOCALS(PGresult *result;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_timeout(self->options->timeout, pg_query(self->pg, &self->result, self->options->query, self->count,
                                                         self->options->values + self->first)));
    print_rows(self->result);
FINALLY:
    PQclear(self->result);
    ASYNC_END;
}

/* The query for each parameter. One that fails is said, and the next one has its turn: the connection is in order. */
static ASYNC(ask_each, ARGS((struct pg *, pg), (const struct options *, options)),
             LOCALS(int i; int error; int failed;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->options->count; self->i++) {
        AWAIT_CATCH(self->error, ask(self->pg, self->options, self->i, 1));
        if (self->error && self->error != PG_REFUSED && self->error != THRUM_ETIMEDOUT)
            ASYNC_RAISE(self->error);
        if (self->error)
            printf("(%s)\n", self->error == PG_REFUSED && thrum_error_last() ? thrum_error_last()->text
                                                                             : thrum_error_text(self->error));
        fflush(stdout);
        self->failed += self->error != 0;
    }
    if (self->failed)
        ASYNC_RAISE(thrum_error_set(THRUM_EEXIT, 0, "exit", 1, NULL));
    ASYNC_END;
}

static ASYNC(listen, ARGS((struct pg *, pg), (const char *, channel)),
             LOCALS(char *name; char query[256]; PGresult * result; PGnotify * notify;))
{
    ASYNC_BEGIN;
    self->name = PQescapeIdentifier(self->pg->connection, self->channel, strlen(self->channel));
    if (!self->name)
        ASYNC_RAISE(THRUM_EINVAL);
    (void)snprintf(self->query, sizeof self->query, "LISTEN %s", self->name);
    AWAIT(pg_query(self->pg, &self->result, self->query, 0, NULL));
    printf("listening\n");
    for (;;) {
        fflush(stdout);
        AWAIT(pg_notification(self->pg, &self->notify));
        printf("%s\n", self->notify->extra);
        PQfreemem(self->notify);
        self->notify = NULL;
    }
FINALLY:
    PQfreemem(self->name);
    PQfreemem(self->notify);
    PQclear(self->result);
    ASYNC_END;
}

static ASYNC(app, ARGS((const struct options *, options)), LOCALS(struct pg pg;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_timeout(self->options->timeout, pg_open(&self->pg, self->options->conninfo)));
    (void)PQsetNoticeProcessor(self->pg.connection, print_notice, NULL);
    if (self->options->channel)
        AWAIT(listen(&self->pg, self->options->channel));
    else if (self->options->each)
        AWAIT(ask_each(&self->pg, self->options));
    else
        AWAIT(ask(&self->pg, self->options, 0, self->options->count));
FINALLY:
    pg_close(&self->pg);
    ASYNC_END;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {{"timeout", required_argument, NULL, 't'},
                                          {"each", no_argument, NULL, 'e'},
                                          {"listen", required_argument, NULL, 'l'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.timeout = SECONDS(30)};
    int option;
    bool wrong = false;
    while ((option = getopt_long(argc, argv, "+", names, NULL)) != -1) {
        if (option == 't')
            options.timeout = (thrum_time)(atof(optarg) * (double)SECONDS(1));
        else if (option == 'e')
            options.each = true;
        else if (option == 'l')
            options.channel = optarg;
        else
            wrong = true;
    }
    if (wrong || argc - optind < (options.channel ? 1 : 2)) {
        fprintf(stderr,
                "usage: %s [--timeout SECONDS] [--each] CONNINFO QUERY [PARAMETER]... | --listen CHANNEL CONNINFO\n",
                argv[0]);
        return 2;
    }
    options.conninfo = argv[optind];
    options.query = argv[optind + 1];
    options.values = (const char *const *)argv + optind + 2;
    options.count = argc - optind - 2;
    return thrum_run(app(&options));
}
