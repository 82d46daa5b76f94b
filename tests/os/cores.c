/* The same program on every core. Runs under ThreadSanitizer. */
#include "../threads/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CORES = 4 };

static const thrum_cores_options options = {.size = sizeof options, .threads = CORES};

static atomic_int begun, ended;
static thrum_loop *loops[CORES];

static void clear(void)
{
    atomic_store(&begun, 0);
    atomic_store(&ended, 0);
    memset(loops, 0, sizeof loops);
}

typedef struct plan {
    int fails;    /* this core gives THRUM_EAPP(2), when all have begun; -1: none */
    int finishes; /* this one ends by itself, with a result; -1: none */
    bool all_finish, signal, stubborn;
} plan;

static void await_begun(void)
{
    while (atomic_load(&begun) < CORES)
        sched_yield();
}

static ASYNC(work, ARGS((plan *, plan_), (unsigned, number)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    loops[self->number] = thrum_loop_running();
    atomic_fetch_add(&begun, 1);
    await_begun();
    if (self->plan_->all_finish || self->plan_->finishes == (int)self->number)
        ASYNC_RETURN(1);
    if (self->plan_->fails == (int)self->number)
        ASYNC_RAISE(THRUM_EAPP(2));
    if (self->plan_->signal && self->number == 1)
        kill(getpid(), SIGINT);
    if (self->plan_->stubborn && self->number == 0) {
        AWAIT_CATCH_ALL(self->error, thrum_sleep(SECONDS(1000)));
        CHECK_EQ(self->error, THRUM_ECANCELED);
        thrum_uncancel();
        ASYNC_RETURN(0); /* a graceful end */
    }
    AWAIT(thrum_sleep(SECONDS(1000)));
FINALLY:
    if (self->plan_->finishes != (int)self->number) /* that one may be stopped right here */
        AWAIT(thrum_sleep(MILLISECONDS(1)));
    atomic_fetch_add(&ended, 1);
    ASYNC_END;
}

static thrum_awaitable start(unsigned number, void *argument)
{
    return work(argument, number);
}

TEST(cores, each_has_a_loop_of_its_own)
{
    plan all = {.all_finish = true, .finishes = -1};
    clear();
    CHECK_EQ(thrum_run_on_every_core(start, &all, &options), 0);
    CHECK_EQ(atomic_load(&ended), CORES);
    for (int i = 0; i < CORES; i++)
        for (int j = 0; j < i; j++)
            CHECK(loops[i] != loops[j]);
    CHECK(!thrum_stop_every_core());
    CHECK_NULL(thrum_loop_current());
}

static atomic_int counted;

static ASYNC(counts, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    atomic_fetch_add(&counted, 1);
    ASYNC_END;
}

static thrum_awaitable start_counting(unsigned number, void *argument)
{
    (void)number;
    (void)argument;
    return counts();
}

TEST(cores, as_many_as_processors_by_default)
{
    cpu_set_t set;
    CHECK_EQ(sched_getaffinity(0, sizeof set, &set), 0);
    atomic_store(&counted, 0);
    CHECK_EQ(thrum_run_on_every_core(start_counting, NULL, NULL), 0);
    CHECK_EQ(atomic_load(&counted), CPU_COUNT(&set));
}

TEST(cores, first_error_stops_all)
{
    for (int which = 0; which < CORES; which += CORES - 1) {
        plan one_fails = {.fails = which, .finishes = -1};
        clear();
        log_begin();
        CHECK_EQ(thrum_run_on_every_core(start, &one_fails, &options), 1);
        CHECK_EQ(atomic_load(&ended), CORES);
        CHECK(log_has("EAPP"));
        CHECK(log_has("work"));
        thrum_log_set(NULL, NULL);
    }
}

static void *stop(void *argument)
{
    await_begun();
    while (!thrum_stop_every_core())
        sched_yield();
    return argument;
}

/* One has ended by itself before; it is not the first error that ends the rest, but the stop. */
TEST(cores, are_stopped_from_any_thread)
{
    for (int round = 0; round < 10; round++) {
        plan wait = {.fails = -1, .finishes = round % CORES};
        pthread_t thread;
        clear();
        CHECK_EQ(pthread_create(&thread, NULL, stop, NULL), 0);
        CHECK_EQ(thrum_run_on_every_core(start, &wait, &options), 0);
        pthread_join(thread, NULL);
        CHECK_EQ(atomic_load(&ended), CORES);
    }
}

static void *stop_early(void *argument)
{
    while (!atomic_load((atomic_bool *)argument))
        thrum_stop_every_core();
    return NULL;
}

/* At any time: before threads and loops are there, and when they are gone. */
TEST(cores, may_be_stopped_at_any_time)
{
    plan wait = {.all_finish = true};
    atomic_bool over = false;
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, stop_early, &over), 0);
    for (int round = 0; round < 20; round++) {
        clear();
        atomic_store(&begun, CORES);
        CHECK_EQ(thrum_run_on_every_core(start, &wait, &options), 0);
    }
    atomic_store(&over, true);
    pthread_join(thread, NULL);
}

/* SIGINT stops all of them. */
TEST(cores, are_stopped_by_a_signal)
{
    plan wait = {.fails = -1, .finishes = -1, .signal = true};
    clear();
    CHECK_EQ(thrum_run_on_every_core(start, &wait, &options), 130);
    CHECK_EQ(atomic_load(&ended), CORES);
}

/* What thread 0 runs makes of it a graceful end. */
TEST(cores, signal_that_is_caught_gives_the_result)
{
    plan wait = {.fails = -1, .finishes = -1, .signal = true, .stubborn = true};
    clear();
    CHECK_EQ(thrum_run_on_every_core(start, &wait, &options), 0);
    CHECK_EQ(atomic_load(&ended), CORES);
}

/* ---- what does not end when it is told to ---- */

static ASYNC(ignores, ARGS((unsigned, number)), LOCALS(int error;))
{
    ASYNC_BEGIN;
    atomic_fetch_add(&begun, 1);
    while (self->number == 1)
        AWAIT_CATCH_ALL(self->error, thrum_sleep(SECONDS(1000))); /* thrum-check: ignore thrum-cancellation-swallowed */
    AWAIT(thrum_sleep(SECONDS(1000)));
FINALLY:
    atomic_fetch_add(&ended, 1);
    ASYNC_END;
}

static thrum_awaitable start_ignoring(unsigned number, void *argument)
{
    (void)argument;
    return ignores(number);
}

TEST(cores, what_ignores_a_stop_is_waited_for_no_longer_than_told)
{
    const thrum_runner_options runner = {.size = sizeof runner, .shutdown = MILLISECONDS(1)};
    const thrum_cores_options impatient = {
        .size = sizeof impatient, .threads = CORES, .runner = &runner, .shutdown = MILLISECONDS(1)};
    pthread_t thread;
    clear();
    log_begin();
    CHECK_EQ(pthread_create(&thread, NULL, stop, NULL), 0);
    CHECK_EQ(thrum_run_on_every_core(start_ignoring, NULL, &impatient), 1);
    pthread_join(thread, NULL);
    CHECK_EQ(atomic_load(&ended), CORES - 1); /* the one that ignores it never comes to its FINALLY */
    CHECK(log_has("it did not end when it was told to"));
    CHECK(log_has("ignores"));
    thrum_log_set(NULL, NULL);
}

static ASYNC(exits, ARGS((unsigned, number)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    if (self->number == 2)
        ASYNC_RAISE(thrum_error_set(THRUM_EEXIT, 0, "exit", 7, NULL));
    AWAIT(thrum_sleep(SECONDS(1000)));
    ASYNC_END;
}

static thrum_awaitable start_exiting(unsigned number, void *argument)
{
    (void)argument;
    return exits(number);
}

TEST(cores, exit_code_of_any_of_them_is_the_programs)
{
    CHECK_EQ(thrum_run_on_every_core(start_exiting, NULL, &options), 7);
}

static int nested_code;

static ASYNC(nests, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    nested_code = thrum_run_on_every_core(start_counting, NULL, NULL);
    ASYNC_END;
}

static thrum_awaitable start_nesting(unsigned number, void *argument)
{
    (void)argument;
    return number ? counts() : nests();
}

TEST(cores, within_one_another_and_wrong_options_are_refused)
{
    thrum_cores_options wrong = {.size = sizeof wrong + 1};
    log_begin();
    CHECK_EQ(thrum_run_on_every_core(start_counting, NULL, &wrong), 1);
    CHECK_EQ(thrum_run_on_every_core(NULL, NULL, NULL), 1);
    CHECK_EQ(thrum_run_on_every_core(start_nesting, NULL, &options), 0);
    CHECK_EQ(nested_code, 1);
    CHECK(log_has("THRUM_ESTATE"));
    thrum_log_set(NULL, NULL);
}

/* ---- pinned ---- */

static atomic_int pinned;

static ASYNC(looks_at_processors, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    cpu_set_t set;
    /* The thread may be pinned just after it began. */
    while (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) != 1)
        sched_yield();
    atomic_fetch_add(&pinned, 1);
    ASYNC_END;
}

static thrum_awaitable start_looking(unsigned number, void *argument)
{
    (void)number;
    (void)argument;
    return looks_at_processors();
}

TEST(cores, may_be_pinned)
{
#if !defined(__linux__) || defined(THRUM_PORTABLE)
    SKIP("threads are not pinned here");
#endif
    const thrum_cores_options pins = {.size = sizeof pins, .threads = 3, .pin = true};
    cpu_set_t before, after;
    CHECK_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    CHECK_EQ(thrum_run_on_every_core(start_looking, NULL, &pins), 0);
    CHECK_EQ(atomic_load(&pinned), 3);
    CHECK_EQ(sched_getaffinity(0, sizeof after, &after), 0);
    CHECK(CPU_EQUAL(&before, &after));
}

/* ---- a server ---- */

static int port;
static atomic_int served;

static ASYNC(echo, ARGS((thrum_stream *, client), (void *, context)), LOCALS(char buffer[64]; size_t size;))
{
    ASYNC_BEGIN;
    atomic_fetch_add(&served, 1);
    for (;;) {
        AWAIT_INTO(self->size, thrum_stream_read(self->client, self->buffer, sizeof self->buffer));
        if (!self->size)
            break;
        AWAIT(thrum_stream_write(self->client, self->buffer, self->size));
    }
    ASYNC_END;
}

static ASYNC(serve, ARGS_NONE, LOCALS(thrum_server *server; char name[8];))
{
    ASYNC_BEGIN;
    const thrum_server_options listen_options = {.size = sizeof listen_options, .reuse_port = true};
    snprintf(self->name, sizeof self->name, "%d", port);
    AWAIT_INTO(self->server, thrum_start_server_with(echo, NULL, "127.0.0.1", self->name, &listen_options));
    atomic_fetch_add(&begun, 1);
    AWAIT(thrum_server_serve_forever(self->server));
FINALLY:
    thrum_server_close(self->server);
    atomic_fetch_add(&ended, 1);
    ASYNC_END;
}

static thrum_awaitable start_server(unsigned number, void *argument)
{
    (void)number;
    (void)argument;
    return serve();
}

static struct sockaddr_in address_of(int number)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

enum { CLIENTS = 64 };

/* Talks with the servers, leaves half of the connections open, and has them all stop. */
static void *be_clients(void *argument)
{
    int *answered = argument, sockets[CLIENTS];
    struct sockaddr_in address = address_of(port);
    await_begun();
    for (int i = 0; i < CLIENTS; i++) {
        char buffer[8] = "";
        sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(sockets[i], (struct sockaddr *)&address, sizeof address) == 0 &&
            write(sockets[i], "hello", 5) == 5 && read(sockets[i], buffer, sizeof buffer) == 5 &&
            memcmp(buffer, "hello", 5) == 0)
            ++*answered;
        if (i % 2)
            close(sockets[i]);
    }
    thrum_stop_every_core();
    for (int i = 0; i < CLIENTS; i += 2)
        close(sockets[i]);
    return NULL;
}

TEST(cores, share_a_port)
{
    int answered = 0, keep = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = address_of(0);
    socklen_t size = sizeof address;
    pthread_t thread;
    clear();
    /* A number that is free, and stays so for those who share it. */
    CHECK_EQ(setsockopt(keep, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one), 0);
    CHECK_EQ(bind(keep, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(getsockname(keep, (struct sockaddr *)&address, &size), 0);
    port = ntohs(address.sin_port);
    CHECK_EQ(pthread_create(&thread, NULL, be_clients, &answered), 0);
    CHECK_EQ(thrum_run_on_every_core(start_server, NULL, &options), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(answered, CLIENTS);
    CHECK_EQ(atomic_load(&served), CLIENTS);
    CHECK_EQ(atomic_load(&ended), CORES);
    close(keep);
}
