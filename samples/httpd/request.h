/* A request as it comes in, piece by piece. */
#ifndef HTTPD_REQUEST_H
#define HTTPD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <http_parser.h>

enum { REQUEST_TARGET = 2048, REQUEST_NAME = 24, REQUEST_VALUE = 128, REQUEST_HEADERS = 16384, REQUEST_BODY = 65536 };

struct request {
    http_parser parser;
    bool begun;      /* a byte has come */
    bool complete;   /* nothing is to come any more */
    int status;      /* what is wrong with it, as an HTTP status; 0: nothing */
    bool keep_alive; /* the client will send another one */

    /* Headers that matter. A date of -1 was not there, or is none. */
    int hosts;
    bool none_match;
    time_t modified_since, if_range;
    bool has_if_range;
    char range[REQUEST_VALUE];
    bool websocket; /* the connection shall go over to it */
    int websocket_version;
    char websocket_key[REQUEST_VALUE];

    /* The header that is being read: a name too long to matter is "". */
    char name[REQUEST_NAME], value[REQUEST_VALUE];
    size_t name_length, value_length;
    bool in_value;

    size_t body; /* bytes of it, which are of no interest */
    size_t target_length;
    char target[REQUEST_TARGET]; /* as it was sent */
    char path[REQUEST_TARGET];   /* decoded, relative to the folder: "", "a/b", "a/b/" */
};

void request_begin(struct request *request);

/* Take bytes in, up to the end of the request: gives how many of them it took. Then look at `complete` and `status`. */
size_t request_take(struct request *request, const char *data, size_t size);

/* "Not Found" for 404. */
const char *status_text(int status);

/* "GET", or "-" when there was no method that is known. */
const char *request_method(const struct request *request);

#endif
