/* A relay between a client and a server of a test, both on this machine: what the network does to connections and to
 * datagrams. It forwards to a port of 127.0.0.1 and runs in a thread of its own, over poll() and nothing of thrum's.
 *
 *     relay *between = relay_open(&(relay_plan){.port = server_port, .fragment = 1});
 *     ... connect to relay_port(between) ...
 *     relay_close(between);
 *
 * What is random follows the seed; when it comes follows the machine. */
#ifndef THRUM_TEST_RELAY_H
#define THRUM_TEST_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct relay relay;

typedef struct relay_plan {
    int port; /* of the server, on 127.0.0.1 */
    uint64_t seed;
    bool ipv6;        /* listen on ::1 in place of 127.0.0.1 */
    int listen_port;  /* on this port; 0: any */
    bool deaf;        /* the queue of connections is full: who connects gets no answer */
    size_t fragment;  /* at most so many bytes go on at a time, and each piece by itself; 0: as they come */
    unsigned delay;   /* each piece waits for up to so many microseconds, by seed */
    unsigned pace;    /* and at least so many: a slow line */
    size_t cut_after; /* so many bytes, of both ways together, end a connection; 0: never */
    bool reset;       /* it ends by a reset; else by an end of file at both sides */
    bool half_open;   /* it does not end: it says nothing any more, to nobody */
    bool datagrams;   /* UDP, from one client. Of the plan only the next three matter then, and the delay */
    unsigned lose;    /* of so many datagrams one is lost; 0: none */
    unsigned repeat;  /* one comes twice */
    unsigned hold;    /* one is overtaken by the next one */
} relay_plan;

typedef struct relay_counts {
    unsigned long connections, bytes, datagrams, lost, repeated, held;
} relay_counts;

relay *relay_open(const relay_plan *plan);

/* Where clients connect, or send to. */
int relay_port(const relay *which);

/* Every connection ends there and then, as the plan says. */
void relay_cut(relay *which);

/* Ends it, and gives what it did. */
relay_counts relay_close(relay *which);

#endif
