/* The load generator: a closed loop. Every connection sends one message, waits for the whole echo, sends the next.
 * The first echo of each connection is compared byte by byte, with bytes that differ from connection to connection.
 *
 *   load -p PORT -P SERVER_PID [-c CONNECTIONS] [-s BYTES] [-w WARM_MS] [-d MEASURED_MS] [-n REQUESTS] [-S]
 *        [-f FLOODERS]
 *
 * -n makes exactly so many requests, and then holds the connections open until standard input ends; -S polls without
 * sleeping, so that with one connection the generator's own wake-up is not part of the latency; -f adds connections
 * that send without pause and are not counted. One JSON line comes out; the server's CPU time is read from its own
 * clock. */
#include "support/client.h"
#include "support/histogram.h"

struct connection {
    int fd;
    size_t sent, received;
    uint64_t since; /* when the request began */
    int floods;     /* sends without waiting for the echo */
};

static struct client client = {.connections = 1, .bytes = 64, .warm_ms = 200, .measured_ms = 1000};

static struct {
    int spin, flooders;
    long requests;
} option;

static struct histogram latency;

static void watch(struct connection *connection, uint32_t events)
{
    client_watch(&client, EPOLL_CTL_MOD, connection->fd, events, connection);
}

static void send_more(struct connection *connection)
{
    while (connection->sent < client.bytes) {
        ssize_t n =
            send(connection->fd, client.message + connection->sent, client.bytes - connection->sent, MSG_NOSIGNAL);
        if (n < 0) {
            bench_must(errno == EAGAIN, "send");
            watch(connection, EPOLLIN | EPOLLOUT);
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

/* Takes what has come; true when the echo is complete. */
static int receive(struct connection *connection)
{
    connection->received += client_take(connection->fd);
    return connection->received >= client.bytes;
}

/* A flooder's turn: as much as fits, and what came back is thrown away. */
static void flood(struct connection *connection)
{
    static char block[65536];
    bench_must(send(connection->fd, block, sizeof block, MSG_NOSIGNAL) >= 0 || errno == EAGAIN, "send");
    receive(connection);
}

struct totals {
    uint64_t requests, wall, server, own;
};

static struct totals drive(struct connection *connections)
{
    struct epoll_event events[512];
    struct totals totals = {0, 0, 0, 0};
    uint64_t now = bench_now(), begun = (uint64_t)client.connections;
    uint64_t start = option.requests ? now : now + (uint64_t)client.warm_ms * 1000000u;
    uint64_t stop = option.requests ? now + 120000000000u : UINT64_MAX;
    int measuring = 0;

    for (int i = 0; i < client.connections; i++)
        next_request(&connections[i], now);
    while (now < stop && !(option.requests && totals.requests >= (uint64_t)option.requests)) {
        int n = epoll_wait(client.poller, events, 512, option.spin ? 0 : 100);
        now = bench_now();
        if (!measuring && now >= start) {
            measuring = 1;
            if (!option.requests) /* however late it begins, on a busy machine */
                stop = now + (uint64_t)client.measured_ms * 1000000u;
            memset(&latency, 0, sizeof latency);
            totals = (struct totals){0, now, client_server_cpu(&client), bench_clock(CLOCK_PROCESS_CPUTIME_ID)};
        }
        for (int i = 0; i < n; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection->floods) {
                flood(connection);
                continue;
            }
            if (events[i].events & EPOLLOUT) {
                watch(connection, EPOLLIN);
                send_more(connection);
            }
            if (!(events[i].events & ~(uint32_t)EPOLLOUT) || !receive(connection))
                continue;
            totals.requests++;
            histogram_add(&latency, now - connection->since);
            if (!option.requests || begun++ < (uint64_t)option.requests)
                next_request(connection, now);
        }
    }
    totals.wall = now - totals.wall;
    totals.server = client_server_cpu(&client) - totals.server;
    totals.own = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - totals.own;
    return totals;
}

int main(int argc, char **argv)
{
    struct connection *connections;
    struct totals totals;
    double seconds, requests;
    int letter;

    while ((letter = getopt(argc, argv, CLIENT_OPTIONS "n:f:S")) > 0) {
        if (letter == 'n')
            option.requests = atol(optarg);
        else if (letter == 'f')
            option.flooders = atoi(optarg);
        else if (letter == 'S')
            option.spin = 1;
        else if (!client_option(&client, letter))
            return 2;
    }
    client_prepare(&client);
    connections = calloc((size_t)(client.connections + option.flooders), sizeof *connections);
    bench_must(connections != NULL, "calloc");
    for (int i = 0; i < client.connections + option.flooders; i++) {
        connections[i].fd = client_connect(&client, i, &connections[i]);
        if (i >= client.connections) {
            connections[i].floods = 1;
            watch(&connections[i], EPOLLIN | EPOLLOUT);
        }
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
           (double)totals.own / seconds / 1e7, histogram_us(&latency, 0.5), histogram_us(&latency, 0.99));
    fflush(stdout);
    while (option.requests && getchar() != EOF) {
    }
    return 0;
}
