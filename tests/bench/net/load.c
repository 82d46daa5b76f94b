/* load WHAT WHERE N [TARGET]: N times the work, for servers whose CPU time, instructions and system calls are counted.
 *
 *   echo PORT|PATH N       a message of 64 bytes there and back, on 64 connections in turn
 *   pipelined PORT|PATH N  the same, 16 at a time on each connection
 *   accepts PORT N         a connection, one message on it, and its end
 *   datagrams PORT N       a datagram of 64 bytes there and back, 4 at a time from each of 16 sockets: no more than the
 *                        server's buffer holds
 *   http PORT N TARGET     GET TARGET, on 64 connections in turn
 *   idle PORT N            N connections that have said one message and do nothing, held until the standard input ends
 *   idle-http PORT N TARGET  the same, of an HTTP server
 *
 * All requests of a turn are sent, and then all answers are taken: a server finds many connections ready at once, as it
 * does under load. The sockets block. Prints "done". */
#include "../support/bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

enum { SMALL = 64, CONNECTIONS = 64, SOCKETS = 16, GRAMS = 4, DEEP = 16 };

static const char *where;
static char bytes[1 << 18];

static int dial(int type)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    int fd = socket(*where == '/' ? AF_UNIX : AF_INET, type | SOCK_CLOEXEC, 0);
    bench_must(fd >= 0, "socket");
    if (*where == '/') {
        strncpy(path.sun_path, where, sizeof path.sun_path - 1);
        bench_must(!connect(fd, (struct sockaddr *)&path, sizeof path), "connect");
        return fd;
    }
    address.sin_port = htons((unsigned short)atoi(where));
    bench_must(!connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
    if (type == SOCK_STREAM)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

static void put(int fd, const char *data, size_t size)
{
    bench_must(send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size, "send");
}

/* Take so many bytes, from TCP without copying them. */
static void take(int fd, size_t size)
{
    while (size) {
        size_t part = size < sizeof bytes ? size : sizeof bytes;
        ssize_t n = *where == '/' ? recv(fd, bytes, part, 0) : recv(fd, NULL, size, MSG_TRUNC);
        bench_must(n > 0, "recv");
        size -= (size_t)n;
    }
}

/* The size of a response, found by reading one: of its head, and of what that says. */
static size_t response_size(int fd, const char *request, size_t size)
{
    size_t have = 0;
    char *end = NULL, *length;
    put(fd, request, size);
    while (!end) {
        ssize_t n = recv(fd, bytes + have, sizeof bytes - 1 - have, 0);
        bench_must(n > 0, "recv");
        have += (size_t)n;
        bytes[have] = '\0';
        end = strstr(bytes, "\r\n\r\n");
    }
    length = strcasestr(bytes, "Content-Length:");
    bench_must(length && !strncmp(bytes, "HTTP/1.1 200", 12), "a good response");
    size_t whole = (size_t)(end + 4 - bytes) + strtoul(length + 15, NULL, 10);
    take(fd, whole - have);
    return whole;
}

/* Requests on connections in turn: `deep` of them together, so many bytes each, and so many come back. */
static void exchange(const int *fds, int connections, long count, int deep, const char *request, size_t size,
                     size_t back)
{
    for (long done = 0; done < count;) {
        int turn = 0;
        for (; turn < connections && done < count; turn++, done += deep)
            put(fds[turn], request, size * (size_t)deep);
        for (int i = 0; i < turn; i++)
            take(fds[i], back * (size_t)deep);
    }
}

static void datagrams(long count)
{
    int fds[SOCKETS];
    for (int i = 0; i < SOCKETS; i++) {
        fds[i] = dial(SOCK_DGRAM);
        (void)setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){20, 0},
                         sizeof(struct timeval)); /* one is lost */
    }
    for (long done = 0; done < count;) {
        for (int i = 0; i < SOCKETS * GRAMS; i++, done++)
            put(fds[i % SOCKETS], bytes, SMALL);
        for (int i = 0; i < SOCKETS * GRAMS; i++)
            bench_must(recv(fds[i % SOCKETS], bytes, sizeof bytes, 0) == SMALL, "recv");
    }
}

static void accepts(long count)
{
    int fds[CONNECTIONS];
    for (long done = 0; done < count; done += CONNECTIONS) {
        for (int i = 0; i < CONNECTIONS; i++)
            put(fds[i] = dial(SOCK_STREAM), bytes, SMALL);
        for (int i = 0; i < CONNECTIONS; i++) {
            take(fds[i], SMALL);
            /* A reset: the ports come back at once. */
            (void)setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
            (void)close(fds[i]);
        }
    }
}

int main(int argc, char **argv)
{
    char request[SMALL * DEEP] = "";
    size_t size = SMALL, back = SMALL;
    bench_must(argc >= 4, "what, where and how often");
    const char *what = argv[1];
    where = argv[2];
    long count = atol(argv[3]);
    if (!strcmp(what, "datagrams")) {
        datagrams(count);
    } else if (!strcmp(what, "accepts")) {
        accepts(count);
    } else {
        int idle = !strncmp(what, "idle", 4), connections = idle ? (int)count : CONNECTIONS;
        int *fds = calloc((size_t)connections, sizeof *fds);
        bench_must(fds != NULL, "memory");
        if (argc > 4)
            size = (size_t)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", argv[4]);
        for (int i = 0; i < connections; i++) {
            fds[i] = dial(SOCK_STREAM);
            if (argc > 4)
                back = response_size(fds[i], request, size);
            else
                put(fds[i], request, size), take(fds[i], back);
        }
        if (!idle)
            exchange(fds, connections, count, strcmp(what, "pipelined") ? 1 : DEEP, request, size, back);
    }
    printf("done\n");
    fflush(stdout);
    while (!strncmp(what, "idle", 4) && getchar() != EOF) {
    }
    return 0;
}
