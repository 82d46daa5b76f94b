/* A relay between a client and a server of a test. It receives and sends by calls that tests do not count: send(),
 * recv() and accept() may be theirs (net/calls.c), of one thread. */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 64, HELD = 65536, DEAF = 4 };

/* One direction: what was taken from one side and has not gone to the other. */
typedef struct way {
    int from, to;
    size_t at, size;
    int64_t when; /* the next piece goes on; microseconds */
    bool ended, end_told;
    unsigned char bytes[HELD];
} way;

typedef struct pairing {
    way ways[2]; /* there, back */
    size_t passed;
    bool silent, over;
} pairing;

struct relay {
    relay_plan plan;
    uint64_t row;
    int listener, port, wake[2], deaf[DEAF];
    bool stop, cut; /* guarded by the lock */
    pthread_mutex_t lock;
    pthread_t thread;
    pairing *links[MOST];
    size_t count;
    relay_counts counts;
};

static int64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* splitmix64 */
static uint64_t draw(relay *self)
{
    uint64_t z = self->row += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static bool one_in(relay *self, unsigned count)
{
    return count && draw(self) % count == 0;
}

static void must(bool fine)
{
    if (!fine)
        abort();
}

static int64_t next_time(relay *self)
{
    return now() + self->plan.pace + (self->plan.delay ? (int64_t)(draw(self) % self->plan.delay) : 0);
}

/* ---- sockets ---- */

static int connected(int port, int type)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int made = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    must(made >= 0);
    if (connect(made, (const struct sockaddr *)&to, sizeof to)) {
        close(made);
        return -1;
    }
    return made;
}

static void by_itself(int descriptor)
{
    must(!fcntl(descriptor, F_SETFL, O_NONBLOCK));
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

static void listen_at(relay *self)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)self->plan.listen_port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)self->plan.listen_port)};
    const struct sockaddr *at = self->plan.ipv6 ? (const struct sockaddr *)&six : (const struct sockaddr *)&four;
    socklen_t size = self->plan.ipv6 ? sizeof six : sizeof four;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    six.sin6_addr = in6addr_loopback;
    self->listener = socket(at->sa_family, (self->plan.datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    must(self->listener >= 0);
    (void)setsockopt(self->listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    must(!bind(self->listener, at, size));
    must(self->plan.datagrams || !listen(self->listener, self->plan.deaf ? 0 : MOST));
    must(!getsockname(self->listener, self->plan.ipv6 ? (struct sockaddr *)&six : (struct sockaddr *)&four, &size));
    self->port = ntohs(self->plan.ipv6 ? six.sin6_port : four.sin_port);
    /* Nobody takes these, so nobody else comes in. */
    for (int i = 0; i < DEAF; i++) {
        self->deaf[i] = -1;
        if (!self->plan.deaf)
            continue;
        self->deaf[i] = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        must(self->deaf[i] >= 0);
        (void)connect(self->deaf[i], self->plan.ipv6 ? (struct sockaddr *)&six : (struct sockaddr *)&four, size);
    }
}

/* ---- connections ---- */

static void take_connection(relay *self)
{
    int client = (int)syscall(SYS_accept4, self->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return;
    int server = self->count < MOST ? connected(self->plan.port, SOCK_STREAM) : -1;
    if (server < 0) {
        close(client);
        return;
    }
    by_itself(client);
    by_itself(server);
    pairing *made = calloc(1, sizeof *made);
    must(made != NULL);
    made->ways[0].from = made->ways[1].to = client;
    made->ways[0].to = made->ways[1].from = server;
    self->links[self->count++] = made;
    self->counts.connections++;
}

static void drop(pairing *which, bool reset)
{
    const struct linger at_once = {.l_onoff = 1};
    for (int i = 0; i < 2; i++) {
        if (reset)
            (void)setsockopt(which->ways[i].from, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(which->ways[i].from);
    }
    which->over = true;
}

static void cut(relay *self, pairing *which)
{
    if (self->plan.half_open)
        which->silent = true;
    else
        drop(which, self->plan.reset);
}

/* Bytes in, up to what is held; a piece out. False: the connection is broken, and the other side is to know. */
static bool move(relay *self, pairing *on, way *which, bool readable, bool writable)
{
    if (readable && !which->ended && which->at == which->size) {
        ssize_t got = recvfrom(which->from, which->bytes, sizeof which->bytes, 0, NULL, NULL);
        if (got < 0)
            return errno == EAGAIN;
        which->at = 0;
        which->size = (size_t)got;
        which->ended = got == 0;
        which->when = next_time(self);
    }
    if (writable && which->at < which->size && now() >= which->when) {
        size_t part = which->size - which->at;
        if (self->plan.fragment && part > self->plan.fragment)
            part = self->plan.fragment;
        if (self->plan.cut_after && part > self->plan.cut_after - on->passed)
            part = self->plan.cut_after - on->passed;
        ssize_t sent = sendto(which->to, which->bytes + which->at, part, MSG_NOSIGNAL, NULL, 0);
        if (sent < 0)
            return errno == EAGAIN;
        which->at += (size_t)sent;
        on->passed += (size_t)sent;
        self->counts.bytes += (size_t)sent;
        which->when = next_time(self);
        if (self->plan.cut_after && on->passed == self->plan.cut_after) {
            cut(self, on);
            return true;
        }
    }
    if (which->ended && which->at == which->size && !which->end_told) {
        which->end_told = true;
        (void)shutdown(which->to, SHUT_WR);
    }
    return true;
}

static void sweep(relay *self)
{
    size_t left = 0;
    for (size_t i = 0; i < self->count; i++) {
        pairing *one = self->links[i];
        if (!one->over && one->ways[0].end_told && one->ways[1].end_told)
            drop(one, false);
        if (one->over)
            free(one);
        else
            self->links[left++] = one;
    }
    self->count = left;
}

/* ---- the thread of TCP ---- */

static int64_t soonest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool told_to_stop(relay *self)
{
    char byte[16];
    (void)!read(self->wake[0], byte, sizeof byte);
    pthread_mutex_lock(&self->lock);
    bool stop = self->stop, cuts = self->cut;
    self->cut = false;
    pthread_mutex_unlock(&self->lock);
    for (size_t i = 0; cuts && i < self->count; i++)
        cut(self, self->links[i]);
    return stop;
}

static void *relay_connections(void *context)
{
    relay *self = (relay *)context;
    do {
        struct pollfd polled[2 + 2 * MOST] = {{.fd = self->wake[0], .events = POLLIN}};
        int64_t time = now(), wait = INT64_MAX;
        size_t count = self->count;
        polled[1] = (struct pollfd){.fd = self->plan.deaf ? -1 : self->listener, .events = POLLIN};
        for (size_t i = 0; i < count; i++) {
            /* The descriptor of `from` is read for this way and written for the other one. */
            for (int side = 0; side < 2; side++) {
                way *in = &self->links[i]->ways[side], *out = &self->links[i]->ways[1 - side];
                struct pollfd *entry = &polled[2 + 2 * i + (size_t)side];
                bool pending = out->at < out->size;
                *entry = (struct pollfd){.fd = self->links[i]->silent ? -1 : in->from};
                entry->events |= !in->ended && in->at == in->size ? POLLIN : 0;
                entry->events |= pending && out->when <= time ? POLLOUT : 0;
                if (!entry->events)
                    entry->fd = -1;
                if (pending && !self->links[i]->silent && out->when > time)
                    wait = soonest(wait, out->when - time);
            }
        }
        (void)poll(polled, 2 + 2 * count, wait == INT64_MAX ? -1 : (int)(wait / 1000 + 1));
        for (size_t i = 0; i < count; i++) {
            pairing *one = self->links[i];
            for (int side = 0; side < 2 && !one->over && !one->silent; side++)
                if (!move(self, one, &one->ways[side], polled[2 + 2 * i + (size_t)side].revents != 0,
                          polled[2 + 2 * i + (size_t)(1 - side)].revents != 0))
                    drop(one, true);
        }
        if (polled[1].revents)
            take_connection(self);
        sweep(self);
    } while (!told_to_stop(self));
    for (size_t i = 0; i < self->count; i++)
        if (!self->links[i]->over)
            drop(self->links[i], false);
    sweep(self);
    return NULL;
}

/* ---- the thread of UDP: one client, whose address is learnt from its first datagram ---- */

typedef struct post {
    ssize_t size; /* 0: none is held */
    unsigned char bytes[HELD];
} post;

static void pass_datagram(relay *self, int from, int to, const struct sockaddr_in *client, post *held, bool back)
{
    static _Thread_local unsigned char bytes[HELD];
    const struct sockaddr *where = back ? (const struct sockaddr *)client : NULL;
    socklen_t size = back ? sizeof *client : 0;
    ssize_t got = recvfrom(from, bytes, sizeof bytes, 0, NULL, NULL);
    if (got < 0)
        return;
    self->counts.datagrams++;
    if (one_in(self, self->plan.lose)) {
        self->counts.lost++;
        return;
    }
    if (!held->size && one_in(self, self->plan.hold)) {
        self->counts.held++;
        held->size = got;
        memcpy(held->bytes, bytes, (size_t)got);
        return;
    }
    if (self->plan.pace || self->plan.delay)
        (void)poll(NULL, 0, (int)((next_time(self) - now()) / 1000 + 1));
    bool twice = one_in(self, self->plan.repeat);
    self->counts.repeated += twice;
    for (int i = 0; i < 1 + twice; i++)
        (void)sendto(to, bytes, (size_t)got, MSG_NOSIGNAL, where, size);
    if (held->size)
        (void)sendto(to, held->bytes, (size_t)held->size, MSG_NOSIGNAL, where, size);
    held->size = 0;
}

static void *relay_datagrams(void *context)
{
    relay *self = (relay *)context;
    struct sockaddr_in client;
    socklen_t size = sizeof client;
    post *held = calloc(2, sizeof *held);
    int server = connected(self->plan.port, SOCK_DGRAM);
    must(held && server >= 0);
    by_itself(server);
    do {
        struct pollfd polled[] = {{self->wake[0], POLLIN, 0}, {self->listener, POLLIN, 0}, {server, POLLIN, 0}};
        (void)poll(polled, 3, -1);
        if (polled[1].revents) {
            (void)recvfrom(self->listener, NULL, 0, MSG_PEEK, (struct sockaddr *)&client, &size);
            pass_datagram(self, self->listener, server, &client, &held[0], false);
        }
        if (polled[2].revents)
            pass_datagram(self, server, self->listener, &client, &held[1], true);
    } while (!told_to_stop(self));
    close(server);
    free(held);
    return NULL;
}

/* ---- from outside ---- */

relay *relay_open(const relay_plan *plan)
{
    relay *self = calloc(1, sizeof *self);
    must(self != NULL);
    self->plan = *plan;
    self->row = plan->seed;
    listen_at(self);
    by_itself(self->listener);
    must(!pipe2(self->wake, O_CLOEXEC | O_NONBLOCK));
    must(!pthread_mutex_init(&self->lock, NULL));
    must(!pthread_create(&self->thread, NULL, plan->datagrams ? relay_datagrams : relay_connections, self));
    return self;
}

int relay_port(const relay *which)
{
    return which->port;
}

static void tell(relay *self, bool *what)
{
    pthread_mutex_lock(&self->lock);
    *what = true;
    pthread_mutex_unlock(&self->lock);
    must(write(self->wake[1], "", 1) == 1);
}

void relay_cut(relay *which)
{
    tell(which, &which->cut);
}

relay_counts relay_close(relay *which)
{
    relay_counts counts;
    tell(which, &which->stop);
    must(!pthread_join(which->thread, NULL));
    counts = which->counts;
    close(which->listener);
    close(which->wake[0]);
    close(which->wake[1]);
    for (int i = 0; i < DEAF; i++)
        if (which->deaf[i] >= 0)
            close(which->deaf[i]);
    pthread_mutex_destroy(&which->lock);
    free(which);
    return counts;
}
