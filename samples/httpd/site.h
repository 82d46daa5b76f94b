/* What the whole server shares: its settings, what runs, and the functions that need both. */
#ifndef HTTPD_SITE_H
#define HTTPD_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include <thrum.h>

struct request;
struct response;

/* A connection that waits for its next request stands in the site's list of idle ones. */
typedef struct idle_link {
    struct idle_link *next, *previous;
    thrum_task *task;
} idle_link;

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
    idle_link idle_connections; /* a circle */
};

/* connection.c: serves one connection; `context` is the site. */
thrum_awaitable connection(thrum_stream *client, void *context);

/* connection.c: put the connection that the current task serves among those that wait, and take it off again; taking
 * off what is not there does nothing. */
void idle_begin(struct site *site, idle_link *link);
void idle_end(idle_link *link);

/* connection.c: no request will be waited for any more; those in flight go on. */
void connections_stop(struct site *site);

/* log.c: one line a request, in the Common Log Format. Lines are collected and leave together. */
void log_request(const struct site *site, const char *peer, const struct request *request,
                 const struct response *response);
void log_flush(void);

#endif
