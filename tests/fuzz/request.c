/* Fuzzes the request reader of the sample httpd: whatever comes, in whichever pieces, it takes the same bytes and finds
 * the same request in them.
 *
 * The first byte of the input says how the rest is cut. */
#include "../../samples/httpd/request.h"
#include "check.h"

static size_t read_one(struct request *request, const char *bytes, size_t size, size_t piece)
{
    size_t at = 0;
    request_begin(request);
    while (at < size && !request->complete && !request->status) {
        size_t rest = size - at, part = piece && piece < rest ? piece : rest;
        size_t took = request_take(request, bytes + at, part);
        MUST(took <= part);
        MUST(took == part || request->complete || request->status);
        at += took;
    }
    return at;
}

static void check(const struct request *request)
{
    MUST(request->target_length < REQUEST_TARGET && request->name_length <= REQUEST_NAME &&
         request->value_length <= REQUEST_VALUE);
    MUST(strlen(request->path) < REQUEST_TARGET && memchr(request->range, '\0', sizeof request->range));
    MUST(request_method(request));
    if (!request->status)
        return;
    MUST(request->status >= 400 && request->status < 600 && !request->keep_alive);
    MUST(status_text(request->status));
}

/* What a request asks of the file server: something in the folder, never beside or above it. */
static void check_path(const char *path)
{
    MUST(path[0] != '/');
    for (const char *at = path; at; at = strchr(at, '/')) {
        at += *at == '/';
        MUST(strncmp(at, "../", 3) != 0 && strcmp(at, "..") != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct request whole, cut;
    if (!size)
        return 0;
    const char *bytes = (const char *)data + 1;
    size_t at = 0, left = size - 1;
    /* Several requests in a row, as on one connection. */
    for (int i = 0; i < 8 && left; i++) {
        size_t took = read_one(&whole, bytes + at, left, 0),
               again = read_one(&cut, bytes + at, left, 1 + data[0] % 64u);
        check(&whole);
        check(&cut);
        MUST(whole.complete == cut.complete && !whole.status == !cut.status);
        if (whole.status || !whole.complete)
            break;
        MUST(took == again && whole.body == cut.body && whole.keep_alive == cut.keep_alive);
        MUST(!strcmp(whole.target, cut.target) && !strcmp(whole.path, cut.path) && !strcmp(whole.range, cut.range));
        MUST(whole.hosts == cut.hosts && whole.none_match == cut.none_match && whole.if_range == cut.if_range &&
             whole.modified_since == cut.modified_since);
        check_path(whole.path);
        at += took;
        left -= took;
    }
    return 0;
}
