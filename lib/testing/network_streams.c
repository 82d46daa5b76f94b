/* Connections over a network in memory: asking for them, taking them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <thrum/async.h>
#include <thrum/tasks.h>

#include "network.h"
#include "random.h"

/* As Linux's: the first question is repeated after 1, 2, 4 s and so on, and after 127 s there was no answer. */
enum { FIRST_PAUSE = 1, LAST_PAUSE = 64, IN_ALL = 1000 };

/* ---- one connection ---- */

static test_connection *of(const test_pair *pair)
{
    return (test_connection *)(uintptr_t)pair;
}

static const test_place *place_of(const test_end *end, bool other)
{
    return &of(end->pair)->places[(end == &end->pair->ends[1]) != other];
}

static void address(const test_end *end, bool peer, char *text, size_t room)
{
    thrum_address_text(&place_of(end, peer)->address, text, room);
}

void simnet_break(test_connection *connection, int error)
{
    for (int i = 0; i < 2; i++)
        pair_break(&connection->pair.ends[i], thrum_now(), error);
}

static void sent(test_end *end, size_t size)
{
    test_connection *connection = of(end->pair);
    if (!connection->network)
        return;
    test_route *route = connection->routes[end == &end->pair->ends[1]];
    if (size)
        simnet_tell(connection->network, place_of(end, false), place_of(end, true), "%zu bytes", size);
    else
        simnet_tell(connection->network, place_of(end, false), place_of(end, true), "end");
    if (route->path.reset && random_below(&route->seed, IN_ALL) < route->path.reset) {
        simnet_tell(connection->network, place_of(end, false), place_of(end, true), "reset");
        simnet_break(connection, -ECONNRESET);
    }
}

static void leave(test_connection *connection)
{
    if (!connection->network)
        return;
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    connection->network = NULL;
}

static void gone(test_pair *pair)
{
    leave(of(pair));
    free(of(pair));
}

static const test_pair_kind connection_kind = {address, sent, gone};

void simnet_part(test_connection *connection)
{
    leave(connection);
    simnet_break(connection, -ENETDOWN);
}

static void link_of(thrum_test_link *link, const thrum_test_path *path)
{
    memset(link, 0, sizeof *link);
    link->fragment = path->fragment;
    link->random = true;
    link->window = path->window;
    link->latency = path->latency;
    link->jitter = path->jitter;
    link->rate = path->rate;
}

void simnet_set_ways(test_connection *connection)
{
    for (int i = 0; i < 2; i++) {
        test_way *way = &connection->pair.ways[i];
        size_t window = way->link.window;
        link_of(&way->link, &connection->routes[i]->path);
        way->lost = connection->routes[i]->path.lost;
        if (!way->link.window)
            way->link.window = window;
    }
}

/* ---- asking for one ---- */

/* Who asks, and whom. */
static int find_places(thrum_test_network *network, const thrum_address *local, const thrum_address *to,
                       test_place places[2])
{
    test_host *here = simnet_here(network), *there = simnet_owner(network, here, to);
    thrum_address *from = &places[0].address;
    if (here->down)
        return -ENETDOWN;
    if (!there)
        return -EHOSTUNREACH;
    places[0].host = here;
    places[1].host = there;
    places[1].address = *to;
    if (thrum_address_family(to) == AF_UNIX) {
        memset(from, 0, sizeof *from);
        return 0;
    }
    *from = *local;
    if (!local->size && !simnet_source(here, to, from))
        return -ENETUNREACH;
    if (simnet_owner(network, here, from) != here)
        return -EADDRNOTAVAIL;
    if (!local->size || !thrum_address_port(from))
        simnet_set_port(from, simnet_free_port(network, here, from, false));
    return thrum_address_port(from) ? 0 : -EADDRNOTAVAIL;
}

/* A connection that nobody knows of yet: its second end counts as closed. */
static int make(thrum_test_network *network, const thrum_address *local, const thrum_address *to,
                test_connection **made)
{
    test_place places[2];
    thrum_test_link links[2];
    int error = find_places(network, local, to, places);
    if (error)
        return error;
    test_route *there = simnet_route(network, places[0].host, places[1].host);
    test_route *back = simnet_route(network, places[1].host, places[0].host);
    test_connection *connection = there && back ? (test_connection *)calloc(1, sizeof *connection) : NULL;
    if (!connection)
        return THRUM_ENOMEM;
    link_of(&links[0], &there->path);
    link_of(&links[1], &back->path);
    pair_begin(&connection->pair, &links[0], &links[1], random_next(&there->seed));
    connection->pair.kind = &connection_kind;
    connection->pair.give_up = network->give_up;
    connection->pair.open = 1;
    memcpy(connection->places, places, sizeof places);
    connection->routes[0] = there;
    connection->routes[1] = back;
    connection->pair.ways[0].lost = there->path.lost;
    connection->pair.ways[1].lost = back->path.lost;
    connection->network = network;
    connection->link = &network->connections;
    connection->next = network->connections;
    if (connection->next)
        connection->next->link = &connection->next;
    network->connections = connection;
    *made = connection;
    return 0;
}

/* Who listens to it: 0; -ECONNREFUSED; THRUM_CARRIER_LATER: it has no room. */
static int find_listener(const test_connection *connection, test_socket **listener)
{
    const test_place *from = &connection->places[0], *to = &connection->places[1];
    *listener = simnet_find(connection->network, to->host, &to->address, false);
    if (*listener)
        return (*listener)->waiting < (*listener)->backlog ? 0 : THRUM_CARRIER_LATER;
    simnet_tell(connection->network, from, to, "refused");
    return thrum_address_family(&to->address) == AF_UNIX ? -ENOENT : -ECONNREFUSED;
}

/* It stands: its second end waits to be taken. */
static int enqueue(test_connection *connection)
{
    test_socket *listener;
    int error = find_listener(connection, &listener);
    if (error)
        return error;
    simnet_tell(connection->network, &connection->places[0], &connection->places[1], "connection");
    connection->pair.open++;
    connection->after = NULL;
    if (listener->first)
        listener->last->after = connection;
    else
        listener->first = connection;
    listener->last = connection;
    listener->waiting++;
    simnet_look(listener);
    return 0;
}

static bool passes(const test_connection *connection, int i)
{
    return connection->network && simnet_passes(connection->routes[i]);
}

/* How long until something has come over a route, or -1: it is lost. */
static thrum_time way_of(const test_connection *connection, int i)
{
    return passes(connection, i) ? simnet_delay(connection->routes[i]) : -1;
}

/* One question: gives 0, and the connection stands; -ECONNREFUSED; THRUM_CARRIER_LATER when no answer came. As with
 * Linux, who listens has it only when the answer has arrived, so that what was lost costs nobody's patience there. */
static ASYNC(ask, ARGS((test_connection *, connection)), LOCALS(thrum_time delay; int answer;))
{
    test_socket *listener;
    ASYNC_BEGIN;
    self->delay = way_of(self->connection, 0);
    if (self->delay < 0)
        ASYNC_RETURN(THRUM_CARRIER_LATER);
    AWAIT(thrum_sleep(self->delay));
    if (!passes(self->connection, 0))
        ASYNC_RETURN(THRUM_CARRIER_LATER);
    self->answer = find_listener(self->connection, &listener);
    self->delay = self->answer == THRUM_CARRIER_LATER ? -1 : way_of(self->connection, 1);
    if (self->delay < 0)
        ASYNC_RETURN(THRUM_CARRIER_LATER);
    AWAIT(thrum_sleep(self->delay));
    if (!passes(self->connection, 1))
        ASYNC_RETURN(THRUM_CARRIER_LATER);
    ASYNC_RETURN(self->answer ? self->answer : enqueue(self->connection));
    ASYNC_END;
}

static ASYNC(connect_to,
             ARGS((thrum_test_network *, network), (const thrum_address *, local), (const thrum_address *, to),
                  (const thrum_stream_options *, options)),
             LOCALS(test_connection *connection; thrum_time pause, asked; int answer;))
{
    thrum_stream *stream;
    test_end *end;
    int error;
    ASYNC_BEGIN;
    error = make(self->network, self->local, self->to, &self->connection);
    if (error)
        ASYNC_RAISE(error);
    for (self->pause = FIRST_PAUSE;; self->pause *= 2) {
        self->asked = thrum_now();
        AWAIT_INTO(self->answer, ask(self->connection));
        if (self->connection->pair.ends[0].broken_at <= thrum_now())
            ASYNC_RAISE(self->connection->pair.ends[0].broken);
        if (self->answer == -ECONNREFUSED || self->answer == -ENOENT)
            ASYNC_RAISE(self->answer);
        if (!self->answer)
            break;
        AWAIT(thrum_sleep(self->asked + self->pause * THRUM_SECONDS(1) - thrum_now()));
        if (self->pause == LAST_PAUSE)
            ASYNC_RAISE(-ETIMEDOUT);
    }
    end = &self->connection->pair.ends[0];
    error = thrum_stream_carry(&end->stream, &pair_carrier, end, self->options);
    if (error) {
        end->stream = NULL;
        ASYNC_RAISE(error);
    }
    stream = end->stream;
    self->connection = NULL;
    ASYNC_RETURN(stream);
FINALLY:
    if (self->connection)
        pair_carrier.close(&self->connection->pair.ends[0], false);
    ASYNC_END;
}

thrum_awaitable simnet_connect(void *own, const thrum_address *local, const thrum_address *to,
                               const thrum_stream_options *options)
{
    return connect_to((thrum_test_network *)own, local, to, options);
}

/* ---- taking one ---- */

static test_connection *take(test_socket *listener)
{
    test_connection *first = listener->first;
    if (first) {
        listener->first = first->after;
        listener->waiting--;
    }
    return first;
}

int simnet_accept(void *link, thrum_stream **stream, thrum_address *peer, const thrum_stream_options *options)
{
    test_connection *connection = take((test_socket *)link);
    if (!connection)
        return THRUM_CARRIER_LATER;
    test_end *end = &connection->pair.ends[1];
    *peer = connection->places[0].address;
    int error = thrum_stream_carry(&end->stream, &pair_carrier, end, options);
    if (error) {
        end->stream = NULL;
        pair_reset(end, false);
        return error;
    }
    *stream = end->stream;
    return 0;
}

void simnet_refuse_all(test_socket *socket, bool late)
{
    test_connection *connection;
    while ((connection = take(socket)))
        pair_reset(&connection->pair.ends[1], late);
}
