/* The access log: a line a request, on the standard output. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "request.h"
#include "response.h"
#include "site.h"

enum { LINES = 65536, LINE = REQUEST_TARGET + 256 };

static char lines[LINES];
static size_t used;

void log_flush(void)
{
    (void)fwrite(lines, 1, used, stdout);
    (void)fflush(stdout);
    used = 0;
}

static void flush_handle(thrum_handle *handle)
{
    (void)handle;
    log_flush();
}

/* Quotes and bytes that would confuse a terminal or a line reader are escaped. */
static void put_target(char *to, const char *from)
{
    for (; *from; from++)
        *to++ = (char)(*from > ' ' && *from < 0x7f && *from != '"' && *from != '\\' ? *from : '?');
    *to = '\0';
}

void log_request(const struct site *site, const char *peer, const struct request *request,
                 const struct response *response)
{
    static thrum_handle flush;
    static time_t second = -1;
    static char when[32];
    char target[REQUEST_TARGET];
    time_t now = time(NULL);
    if (site->quiet)
        return;
    if (now != second) {
        struct tm parts;
        second = now;
        gmtime_r(&now, &parts);
        (void)strftime(when, sizeof when, "%d/%b/%Y:%H:%M:%S +0000", &parts);
    }
    put_target(target, request->target);
    if (sizeof lines - used < LINE)
        log_flush();
    int size = snprintf(lines + used, sizeof lines - used, "%.*s - - [%s] \"%s %s HTTP/%d.%d\" %d %" PRIu64 "\n",
                        (int)(strrchr(peer, ':') ? strrchr(peer, ':') - peer : 0), peer, when, request_method(request),
                        target[0] ? target : "-", request->parser.http_major, request->parser.http_minor,
                        response->status, response->sent);
    used += (size_t)size;
    /* Written in the loop's next pass: the requests of one pass share a system call. */
    if (!thrum_handle_pending(&flush)) {
        thrum_handle_init(&flush, flush_handle, NULL);
        (void)thrum_call_soon(&flush);
    }
}
