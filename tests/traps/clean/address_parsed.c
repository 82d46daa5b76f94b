#include "../trap.h"

struct address {
    unsigned char bytes[4];
    int port;
};
struct address parse(const char *text);
thrum_awaitable reach(struct address address);

struct span {
    void *base;
    size_t size;
};

/* What holds no pointer cannot carry an address; and of what does, only the pointer. */
ASYNC(parsed, ARGS_NONE, LOCALS_NONE)
{
    char line[16];
    struct span span;
    ASYNC_BEGIN;
    fill(line, sizeof line);
    AWAIT(reach(parse(line)));
    span.base = line;
    span.size = 3;
    AWAIT(work((int)span.size));
    ASYNC_END;
}
