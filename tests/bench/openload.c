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

static struct client client = {.connections = 64, .bytes = 64, .warm_ms = 200, .measured_ms = 1000};

static const uint64_t patience = 20000000000u; /* ns behind the last time that was due */

static struct histogram latency, lateness;

/* When so many requests are due, in nanoseconds from the first one on. */
static uint64_t *schedule(size_t count, double rate)
{
    uint64_t *due = malloc(count * sizeof *due);
    double at = 0;
    bench_must(due != NULL, "malloc");
    for (size_t i = 0; i < count; i++) {
        due[i] = (uint64_t)at;
        at -= log((double)bench_random(1 << 30) / (1 << 30)) * 1e9 / rate;
    }
    return due;
}

/* A message is small beside the socket's buffer, which is empty: it goes at once. */
static void send_one(struct connection *connection)
{
    connection->busy = 1;
    connection->received = 0;
    bench_must(send(connection->fd, client.message, client.bytes, MSG_NOSIGNAL) == (ssize_t)client.bytes, "send");
}

/* Makes all requests. Gives the CPU time that the server took for those behind the first `warm`. */
static uint64_t drive(struct connection *connections, uint64_t *due, size_t count, size_t warm)
{
    struct epoll_event events[256];
    size_t next = 0, answered = 0;
    uint64_t now, start = bench_now() + 1000000, cpu = 0;

    for (size_t i = 0; i < count; i++)
        due[i] += start;
    while (answered < count) {
        int n = epoll_wait(client.poller, events, 256, 0);
        now = bench_now();
        for (int i = 0; i < n; i++) {
            struct connection *connection = events[i].data.ptr;
            connection->received += client_take(connection->fd);
            if (connection->received < client.bytes)
                continue;
            if (connection->request >= warm)
                histogram_add(&latency, now - due[connection->request]);
            answered++;
            connection->request += (size_t)client.connections;
            connection->busy = 0;
            if (--connection->owed)
                send_one(connection);
        }
        for (; next < count && due[next] <= now; next++, now = bench_now()) {
            struct connection *connection = &connections[next % (size_t)client.connections];
            if (next == warm)
                cpu = client_server_cpu(&client);
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
    return client_server_cpu(&client) - cpu;
}

int main(int argc, char **argv)
{
    struct connection *connections;
    double rate = 0;
    int letter;

    while ((letter = getopt(argc, argv, CLIENT_OPTIONS "r:")) > 0) {
        if (letter == 'r')
            rate = atof(optarg);
        else if (!client_option(&client, letter))
            return 2;
    }
    if (rate <= 0 || client.connections <= 0 || client.bytes == 0 || client.bytes > 65536) {
        fprintf(stderr, "a rate, and connections and bytes that can be\n");
        return 2;
    }
    size_t warm = (size_t)(rate * (double)client.warm_ms / 1e3);
    size_t measured = (size_t)(rate * (double)client.measured_ms / 1e3) + 1;
    client_prepare(&client);
    connections = calloc((size_t)client.connections, sizeof *connections);
    bench_must(connections != NULL, "calloc");
    for (int i = 0; i < client.connections; i++) {
        connections[i].fd = client_connect(&client, i, &connections[i]);
        connections[i].request = (size_t)i;
    }

    uint64_t cpu = drive(connections, schedule(warm + measured, rate), warm + measured, warm);
    printf(
        "{\"requests\":%zu,\"server_ns\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"late_p99_us\":%.1f}\n",
        measured, (double)cpu / (double)measured, histogram_us(&latency, 0.5), histogram_us(&latency, 0.99),
        histogram_us(&latency, 0.999), histogram_us(&lateness, 0.99));
    return 0;
}
