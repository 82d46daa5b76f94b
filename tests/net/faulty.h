/* Conversations under the fault layer: both ends of a connection in one loop, by real sockets, and what either end may
 * say afterwards. One seed is one conversation: how much goes each way and in which pieces, how the ends part, what
 * comes in between, and which faults. */
#ifndef TEST_NET_FAULTY_H
#define TEST_NET_FAULTY_H

#include <faults.h>

#include "support.h"

/* A conversation, and what its checks have to know of it. */
typedef struct talk {
    thrum_tls_context *ours, *theirs; /* of client and server; NULL: no TLS */
    bool parted;                      /* an end left in the middle, as it was told to: errors are right then */
    bool unix_socket;
    char address[108]; /* the port, or the path */
} talk;

/* How a test of one kind of conversation begins; gives 0 or an error. */
typedef thrum_awaitable conversation(talk *about);

/* Runs it with so many seeds, half of them with soft faults alone, which nobody may notice. TEST_SEEDS in the
 * environment sets another number, TEST_FIRST_SEED where to begin; TEST_SHOW has it say what there was. Each must end
 * in time, with no block, task or descriptor left. */
void faulty_seeds(conversation *what, thrum_tls_context *ours, thrum_tls_context *theirs, unsigned seeds);

/* Runs it with each of its calls disturbed alone, in turn: by something that can be borne, a break, a refusal, a
 * descriptor that cannot be watched. Every one of them, but where tests are slow only the first; TEST_SEEDS says how
 * many. */
void faulty_nth(conversation *what, thrum_tls_context *ours, thrum_tls_context *theirs);

/* Conversations: over streams, over transports, with datagrams and by plain calls on sockets. */
thrum_awaitable stream_talk(talk *about);
thrum_awaitable transport_talk(talk *about);
thrum_awaitable datagram_talk(talk *about);
thrum_awaitable socket_talk(talk *about);

/* Whether a connection under hard faults may give this. */
bool faulty_expected(int error);

/* The seed goes with what failed. */
void faulty_fail(const char *what, long long value);
#define EXPECT(condition, value)                                                                                       \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            faulty_fail(#condition, (long long)(value));                                                               \
    } while (0)

/* Where the server is: a path without a file, or a port. */
static inline void faulty_path(talk *about)
{
    snprintf(about->address, sizeof about->address, "@thrum-faults-%d", (int)getpid());
}

static inline void faulty_port(talk *about, const thrum_server *server)
{
    snprintf(about->address, sizeof about->address, "%d", thrum_server_port(server));
}

/* ---- bytes, that say where they belong ---- */

static inline unsigned char faulty_byte(int end, size_t at)
{
    return (unsigned char)(at * 7 + (at >> 8) * 13 + (size_t)end * 101);
}

static inline void faulty_fill(void *to, int end, size_t at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)to)[i] = faulty_byte(end, at + i);
}

static inline void faulty_check(const void *from, int end, size_t at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        EXPECT(((const unsigned char *)from)[i] == faulty_byte(end, at + i), at + i);
}

/* Mostly little, now and then much. */
static inline size_t faulty_size(size_t most)
{
    static const size_t bounds[] = {2, 100, 5000, 70000, 400000};
    size_t bound = bounds[faults_choose(sizeof bounds / sizeof bounds[0])];
    return faults_choose((bound < most ? bound : most) + 1);
}

#endif
