/* The load generator: a closed loop. Every connection sends one message, waits for the whole echo, sends the next.
 * The first echo of each connection is compared byte by byte, with bytes that differ from connection to connection.
 *
 *   load -p PORT -P SERVER_PID [-c CONNECTIONS] [-s BYTES] [-w WARM_MS] [-d MEASURED_MS] [-n REQUESTS] [-S] [-f
 * FLOODERS]
 *
 * -n makes exactly so many requests, and then holds the connections open until standard input ends; -S polls without
 * sleeping, so that with one connection the generator's own wake-up is not part of the latency; -f adds connections
 * that send without pause and are not counted. One JSON line comes out; the server's CPU time is read from its own
 * clock. */
#include "support/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct connection {
    int fd;
    size_t sent, received;
    uint64_t since; /* when the request began */
    int floods;     /* sends without waiting for the echo */
};

static struct {
    int port, server, connections, spin, flooders;
    size_t bytes;
    long warm_ms, measured_ms, requests;
} option = {.connections = 1, .bytes = 64, .warm_ms = 200, .measured_ms = 1000};

static int poller;
static char *message, *received;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Latencies: 32 buckets to a power of two, so a percentile is right within 3 %. */
enum { BUCKETS = 2048, STEP_BITS = 5, STEPS = 1 << STEP_BITS };
static uint32_t histogram[BUCKETS];

static unsigned bucket_of(uint64_t ns)
{
    unsigned power = ns < STEPS ? 0 : 63u - (unsigned)__builtin_clzll(ns) - (STEP_BITS - 1);
    unsigned bucket = power ? power * STEPS + (unsigned)(ns >> (power - 1) & (STEPS - 1)) : (unsigned)ns;
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static double percentile_us(double part)
{
    uint64_t total = 0, seen = 0;
    unsigned bucket = 0, power;

    for (unsigned i = 0; i < BUCKETS; i++)
        total += histogram[i];
    while (bucket < BUCKETS - 1 && (double)(seen += histogram[bucket]) < part * (double)total)
        bucket++;
    power = bucket / STEPS;
    return (power ? (double)((uint64_t)(STEPS + bucket % STEPS) << (power - 1)) : (double)bucket) / 1e3;
}

static void watch(struct connection *connection, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(poller, operation, connection->fd, &event))
        fail("epoll_ctl");
}

/* Connects, and has one message echoed and compared while the socket still blocks. */
static void open_checked(struct connection *connection, int number)
{
    struct sockaddr_in address;
    int on = 1, room = 1 << 18;
    size_t done;
    ssize_t n;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)option.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->fd < 0)
        fail("socket");
    setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address))
        fail("connect");

    for (size_t i = 0; i < option.bytes; i++)
        message[i] = (char)((size_t)number * 131 + i * 7 + (i >> 8));
    for (done = 0; done < option.bytes; done += (size_t)n)
        if ((n = send(connection->fd, message + done, option.bytes - done, MSG_NOSIGNAL)) <= 0)
            fail("send");
    for (done = 0; done < option.bytes; done += (size_t)n)
        if ((n = recv(connection->fd, received + done, option.bytes - done, 0)) <= 0)
            fail("recv");
    if (memcmp(message, received, option.bytes)) {
        fprintf(stderr, "connection %d: the echo differs\n", number);
        exit(1);
    }
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    watch(connection, EPOLL_CTL_ADD, EPOLLIN);
}

static void send_more(struct connection *connection)
{
    while (connection->sent < option.bytes) {
        ssize_t n = send(connection->fd, message + connection->sent, option.bytes - connection->sent, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN)
                fail("send");
            watch(connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return;
        }
        connection->sent += (size_t)n;
    }
}

static void next_request(struct connection *connection, uint64_t now)
{
    connection->sent = connection->received = 0;
    connection->since = now;
    send_more(connection);
}

/* Takes what has come, without copying it (MSG_TRUNC); true when the echo is complete. */
static int receive(struct connection *connection)
{
    ssize_t n = recv(connection->fd, NULL, 1 << 20, MSG_TRUNC);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        fprintf(stderr, "the server closed a connection\n");
        exit(1);
    }
    connection->received += n > 0 ? (size_t)n : 0;
    return connection->received >= option.bytes;
}

static uint64_t server_cpu(void)
{
    clockid_t clock;
    return option.server && !clock_getcpuclockid(option.server, &clock) ? bench_clock(clock) : 0;
}

/* A flooder's turn: as much as fits, and what came back is thrown away. */
static void flood(struct connection *connection)
{
    static char block[65536];
    if (send(connection->fd, block, sizeof block, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
        fail("send");
    receive(connection);
}

struct totals {
    uint64_t requests, wall, server, own;
};

static struct totals drive(struct connection *connections)
{
    struct epoll_event events[512];
    struct totals totals = {0, 0, 0, 0};
    uint64_t now = bench_now(), begun = (uint64_t)option.connections;
    uint64_t start = option.requests ? now : now + (uint64_t)option.warm_ms * 1000000u;
    uint64_t stop = option.requests ? now + 120000000000u : start + (uint64_t)option.measured_ms * 1000000u;
    int measuring = 0;

    for (int i = 0; i < option.connections; i++)
        next_request(&connections[i], now);
    while (now < stop && !(option.requests && totals.requests >= (uint64_t)option.requests)) {
        int n = epoll_wait(poller, events, 512, option.spin ? 0 : 100);
        now = bench_now();
        if (!measuring && now >= start) {
            measuring = 1;
            memset(histogram, 0, sizeof histogram);
            totals = (struct totals){0, now, server_cpu(), bench_clock(CLOCK_PROCESS_CPUTIME_ID)};
        }
        for (int i = 0; i < n; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection->floods) {
                flood(connection);
                continue;
            }
            if (events[i].events & EPOLLOUT) {
                watch(connection, EPOLL_CTL_MOD, EPOLLIN);
                send_more(connection);
            }
            if (!(events[i].events & ~(uint32_t)EPOLLOUT) || !receive(connection))
                continue;
            totals.requests++;
            histogram[bucket_of(now - connection->since)]++;
            if (!option.requests || begun++ < (uint64_t)option.requests)
                next_request(connection, now);
        }
    }
    totals.wall = now - totals.wall;
    totals.server = server_cpu() - totals.server;
    totals.own = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - totals.own;
    return totals;
}

int main(int argc, char **argv)
{
    struct connection *connections;
    struct totals totals;
    double seconds, requests;
    int letter;

    while ((letter = getopt(argc, argv, "p:P:c:s:w:d:n:f:S")) > 0) {
        switch (letter) {
        case 'p':
            option.port = atoi(optarg);
            break;
        case 'P':
            option.server = atoi(optarg);
            break;
        case 'c':
            option.connections = atoi(optarg);
            break;
        case 's':
            option.bytes = (size_t)atol(optarg);
            break;
        case 'w':
            option.warm_ms = atol(optarg);
            break;
        case 'd':
            option.measured_ms = atol(optarg);
            break;
        case 'n':
            option.requests = atol(optarg);
            break;
        case 'f':
            option.flooders = atoi(optarg);
            break;
        case 'S':
            option.spin = 1;
            break;
        default:
            return 2;
        }
    }
    poller = epoll_create1(EPOLL_CLOEXEC);
    connections = calloc((size_t)(option.connections + option.flooders), sizeof *connections);
    message = malloc(option.bytes);
    received = malloc(option.bytes);
    if (!connections || !message || !received)
        fail("malloc");
    for (int i = 0; i < option.connections; i++)
        open_checked(&connections[i], i);

    for (int i = option.connections; i < option.connections + option.flooders; i++) {
        open_checked(&connections[i], i);
        connections[i].floods = 1;
        watch(&connections[i], EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }

    totals = drive(connections);
    seconds = (double)totals.wall / 1e9;
    requests = (double)totals.requests;
    if (totals.requests == 0) {
        fprintf(stderr, "no request was answered\n");
        return 1;
    }
    printf("{\"requests\":%.0f,\"requests_per_s\":%.1f,\"server_ns\":%.1f,\"server_percent\":%.1f,\"own_percent\":%.1f,"
           "\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
           requests, requests / seconds, (double)totals.server / requests, (double)totals.server / seconds / 1e7,
           (double)totals.own / seconds / 1e7, percentile_us(0.5), percentile_us(0.99));
    fflush(stdout);
    while (option.requests && getchar() != EOF) {
    }
    return 0;
}
