/* What the whole server shares: its settings, what runs, and the functions that need both. */
#ifndef HTTPD_SITE_H
#define HTTPD_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include <thrum.h>

struct request;
struct response;

/* A connection that waits for a request stands in one of the site's lists. In each of them all are as patient, so that
 * they stand there in the order in which their time is up, and one timer does for the list: a thrum_timeout() around
 * every wait would be simpler, and take 128 bytes of each connection that does nothing. */
typedef struct idle_link {
    struct idle_link *next, *previous;
    thrum_task *task;
    thrum_time until;
} idle_link;

typedef struct idle_list {
    idle_link links;    /* a circle, which begins and ends here */
    thrum_handle timer; /* for the first one, or somewhat early; idle while there is none */
} idle_list;

struct site {
    int root;           /* the folder, opened */
    bool portable;      /* open files without openat2() */
    bool quiet;         /* no access log */
    bool echo;          /* answer at /echo, which need not be a file (echo.h) */
    size_t most;        /* connections at a time */
    size_t connections; /* there are now */
    thrum_time idle;    /* how long a connection may wait for its next request, or take no byte of a struct response */
    thrum_time header;  /* how long a request may take to arrive */
    thrum_time grace;   /* how long requests in flight may take after Ctrl-C */
    bool stopping;      /* after Ctrl-C */
    idle_list silent;   /* connections that have not asked for anything yet; these wait as long as for a header */
    idle_list kept;     /* that wait for their next request */
    idle_list talking;  /* over a WebSocket, which looks at the clock by itself */
};

/* connection.c: serves one connection; `context` is the site. */
thrum_awaitable connection(thrum_stream *client, void *context);

/* idle.c: before the first connection. */
void idle_open(struct site *site);

/* idle.c: put the connection that the current task serves among those that wait, until it has done so for `patience`:
 * then its task is cancelled. And take it off again; taking off what is not there does nothing. */
void idle_begin(idle_list *list, idle_link *link, thrum_time patience);
void idle_end(idle_link *link);

/* idle.c: whether any connection waits. */
bool idle_any(const struct site *site);

/* idle.c: no request will be waited for any more; those in flight go on. */
void connections_stop(struct site *site);

/* log.c: one line a request, in the Common Log Format. Lines are collected and leave together. */
void log_request(const struct site *site, const char *peer, const struct request *request,
                 const struct response *response);
void log_flush(void);

#endif
