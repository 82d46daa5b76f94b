/* Asking a server, over UDP and, where the answer has no room there, over TCP. */
#ifndef DNS_QUERY_H
#define DNS_QUERY_H

#include <thrum.h>

#include "message.h"

struct dns_server {
    const char *address, *port; /* numeric: nothing is looked up to look something up */
};

/* How to ask. */
struct dns_how {
    const struct dns_server *servers; /* which take turns */
    int server_count;
    int tries;           /* all in all */
    thrum_time patience; /* for each */
    bool tcp;            /* at once */
};

/* A question, and later its answer. It takes 64 KiB: a message over TCP may. */
struct dns_question {
    const char *name;
    uint16_t type;
    struct dns_reply reply;
    unsigned char query[DNS_QUERY], bytes[DNS_MESSAGE];
    size_t query_size, size;
};

/* Ask. Gives 0 when a server has answered, whatever it says; THRUM_EINVAL for what is no name; THRUM_ETIMEDOUT,
 * -ECONNREFUSED and the like when the last try ended so. */
thrum_awaitable dns_ask(struct dns_question *question, const struct dns_how *how);

#endif
