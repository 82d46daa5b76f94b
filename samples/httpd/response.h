/* What a request is answered with. */
#ifndef HTTPD_RESPONSE_H
#define HTTPD_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "request.h"
#include "site.h"

enum { RESPONSE_HEAD = 1536, RESPONSE_NOTE = 64 };

struct response {
    int status;
    bool keep_alive;  /* the connection goes on after it */
    const char *type; /* of the body */
    int file;         /* whose bytes are the body, or -1 */
    int folder;       /* that is to be listed, or -1 */
    char *page;       /* or this memory is the body, from malloc(), or NULL */
    const char *body; /* which is here, when there is no file */
    uint64_t first;   /* where in the file the body begins */
    uint64_t length;  /* of the body */
    uint64_t size;    /* of the whole file */
    time_t modified;  /* -1: nobody knows */
    uint64_t sent;    /* bytes of the body that have gone */
    size_t head_length;
    char note[RESPONSE_NOTE]; /* an error in words */
    char head[RESPONSE_HEAD];
};

/* Find out what to answer, and write the head. The body is left to the caller; a HEAD request has none to be sent.
 * Where that takes longer, `folder` is set, and the rest is for response_list(). */
void response_make(struct response *response, const struct request *request, const struct site *site);

/* List the folder, in a thread: it may be a large one. */
thrum_awaitable response_list(struct response *response, const struct request *request);

/* The same for a status that no request is needed for. */
void response_refuse(struct response *response, int status);

/* Give files and memory back. Doing it twice does nothing. */
void response_end(struct response *response);

#endif
