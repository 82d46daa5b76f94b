/* The load generator with an open loop: requests are due at times that were fixed beforehand, whatever the server does.
 *
 *   openload -p PORT -P SERVER_PID -r REQUESTS_PER_S [-c CONNECTIONS] [-s BYTES] [-w WARM_MS] [-d MEASURED_MS]
 *
 * A request's latency counts from when it was due, not from when it could be sent: who waits because the server had its
 * hands full waits in the figures, too (with a closed loop such a request is simply not made, and a stall of a
 * hundred requests is a single sample: "coordinated omission").
 *
 * The times between requests are random as those of many clients that know nothing of one another are (exponential),
 * from a fixed seed: every server gets the same bursts. The connections take turns; each has one request on its way,
 * and what is due on it meanwhile waits. The generator polls without sleeping, so that its own wake-up is in no figure;
 * how late it was itself, it tells. One JSON line comes out. */
#include "support/client.h"
#include "support/histogram.h"

#include <math.h>

struct connection {
    int fd, busy;
    size_t request, received; /* the next to be answered */
    size_t owed;              /* requests that are due, with the one on its way */
};

static struct {
    int port, server, connections;
    size_t bytes;
    double rate;
    long warm_ms, measured_ms;
} option = {.connections = 64, .bytes = 64, .warm_ms = 200, .measured_ms = 1000};

static const uint64_t patience = 20000000000u; /* ns behind the last time that was due */

static char *message;
static struct histogram latency, lateness;

/* When the requests are due, in nanoseconds from the first one on; `count` at least, and those of the warm-up
 * before. */
static uint64_t *schedule(size_t count)
{
    uint64_t *due = malloc(count * sizeof *due);
    double at = 0;
    if (!due)
        client_fail("malloc");
    for (size_t i = 0; i < count; i++) {
        due[i] = (uint64_t)at;
        at -= log((double)bench_random(1 << 30) / (1 << 30)) * 1e9 / option.rate;
    }
    return due;
}

/* A message is small beside the socket's buffer, which is empty: it goes at once. */
static void send_one(struct connection *connection)
{
    connection->busy = 1;
    connection->received = 0;
    if (send(connection->fd, message, option.bytes, MSG_NOSIGNAL) != (ssize_t)option.bytes)
        client_fail("send");
}

/* Makes all requests. Gives the CPU time that the server took for those behind the first `warm`. */
static uint64_t drive(struct connection *connections, int poller, uint64_t *due, size_t count, size_t warm)
{
    struct epoll_event events[256];
    size_t next = 0, answered = 0;
    uint64_t now, start = bench_now() + 1000000, cpu = 0;

    for (size_t i = 0; i < count; i++)
        due[i] += start;
    while (answered < count) {
        int n = epoll_wait(poller, events, 256, 0);
        now = bench_now();
        for (int i = 0; i < n; i++) {
            struct connection *connection = events[i].data.ptr;
            connection->received += client_take(connection->fd);
            if (connection->received < option.bytes)
                continue;
            if (connection->request >= warm)
                histogram_add(&latency, now - due[connection->request]);
            answered++;
            connection->request += (size_t)option.connections;
            connection->busy = 0;
            if (--connection->owed)
                send_one(connection);
        }
        for (; next < count && due[next] <= now; next++, now = bench_now()) {
            struct connection *connection = &connections[next % (size_t)option.connections];
            if (next == warm)
                cpu = client_server_cpu(option.server);
            connection->owed++;
            if (connection->busy)
                continue;
            if (next >= warm)
                histogram_add(&lateness, now - due[next]);
            send_one(connection);
        }
        if (now > due[count - 1] + patience) {
            fprintf(stderr, "%zu requests were not answered in time\n", count - answered);
            exit(1);
        }
    }
    return client_server_cpu(option.server) - cpu;
}

int main(int argc, char **argv)
{
    struct connection *connections;
    int letter, poller = epoll_create1(EPOLL_CLOEXEC);
    char *room;

    while ((letter = getopt(argc, argv, "p:P:r:c:s:w:d:")) > 0) {
        switch (letter) {
        case 'p':
            option.port = atoi(optarg);
            break;
        case 'P':
            option.server = atoi(optarg);
            break;
        case 'r':
            option.rate = atof(optarg);
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
        default:
            return 2;
        }
    }
    if (option.rate <= 0 || option.connections <= 0 || option.bytes == 0 || option.bytes > 65536) {
        fprintf(stderr, "a rate, and connections and bytes that can be\n");
        return 2;
    }
    size_t warm = (size_t)(option.rate * (double)option.warm_ms / 1e3);
    size_t measured = (size_t)(option.rate * (double)option.measured_ms / 1e3) + 1;
    connections = calloc((size_t)option.connections, sizeof *connections);
    message = malloc(option.bytes);
    room = malloc(option.bytes);
    if (!connections || !message || !room)
        client_fail("malloc");
    for (int i = 0; i < option.connections; i++) {
        connections[i].fd = client_connect(option.port, i, message, room, option.bytes);
        connections[i].request = (size_t)i;
        client_watch(poller, EPOLL_CTL_ADD, connections[i].fd, EPOLLIN, &connections[i]);
    }

    uint64_t cpu = drive(connections, poller, schedule(warm + measured), warm + measured, warm);
    printf(
        "{\"requests\":%zu,\"server_ns\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"late_p99_us\":%.1f}\n",
        measured, (double)cpu / (double)measured, histogram_us(&latency, 0.5), histogram_us(&latency, 0.99),
        histogram_us(&latency, 0.999), histogram_us(&lateness, 0.99));
    return 0;
}
