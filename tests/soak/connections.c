/* Thousands of connections at once on one loop, opened, idle, talking and killed at random, for a while; then
 * everything has to be back: memory, descriptors, tasks, and of every question either the answer or an error.
 *
 *     build/tests/soak/soak-connections [CONNECTIONS [SECONDS [SEED]]]        10000 60 1
 *
 * Server and client are processes of their own, each of which raises its limit of descriptors; with a hard limit that
 * is too low there are fewer connections, and it says how many. */
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thrum.h>

enum { QUESTION = 2000, KILLS = 300, SPARE = 60 };

/* By so many KiB a process may have grown. */
#ifdef THRUM_TEST_SCALE /* sanitizers keep what was freed */
enum { GROWN = 1 << 30 };
#else
enum { GROWN = 4096 };
#endif

/* A question: how long it is, and bytes that follow from its number. The answer is the same. */
typedef struct head {
    uint32_t size, number;
} head;

typedef struct counts {
    long opened, most, closed, aborted, questions, answered, failed, killed, deserted, wrong, bytes;
    int first_wrong;
} counts;

/* What a process looks like from outside. */
typedef struct footprint {
    long descriptors, resident; /* KiB */
    size_t blocks, heap;
} footprint;

static counts count;
static uint64_t row;

static size_t choose(size_t among)
{
    uint64_t z = row += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (size_t)((z ^ z >> 31) % among);
}

static void must(bool fine, const char *what)
{
    if (fine)
        return;
    perror(what);
    exit(1);
}

/* What is left at an end is compared with what was there before the first connection. */
static footprint look(void)
{
    footprint seen = {0};
    thrum_pool_stats stats;
    DIR *folder = opendir("/proc/self/fd");
    must(folder != NULL, "/proc/self/fd");
    while (readdir(folder))
        seen.descriptors++;
    closedir(folder);
    FILE *file = fopen("/proc/self/statm", "r");
    long whole = 0, resident = 0;
    must(file && fscanf(file, "%ld %ld", &whole, &resident) == 2, "/proc/self/statm");
    (void)fclose(file);
    seen.resident = resident * (sysconf(_SC_PAGESIZE) / 1024);
    seen.heap = mallinfo2().uordblks;
    thrum_pool_stats_get(&stats);
    seen.blocks = stats.blocks;
    return seen;
}

/* The same once nothing is in use any more: the pool gives its memory back, and malloc() what it kept of it. */
static footprint left_over(void)
{
    must(!thrum_pool_clear(), "thrum_pool_clear");
    (void)malloc_trim(0);
    return look();
}

/* A few KiB of malloc() are the library's and stdio's for good, and of descriptors the control's copy is closed. Of the
 * memory that the system counts, code that ran for the first time is a part: so much for that. */
static bool is_back(const footprint *before, const footprint *after)
{
    return after->descriptors <= before->descriptors && !after->blocks && after->heap < before->heap + 64 * 1024 &&
           after->resident < before->resident + GROWN;
}

static void say(const char *who, const footprint *before, const footprint *after)
{
    printf("%s descriptors %ld, %ld afterwards; heap %zu KiB, %zu KiB; resident %ld KiB, %ld KiB\n", who,
           before->descriptors, after->descriptors, before->heap / 1024, after->heap / 1024, before->resident,
           after->resident);
}

static long raise_limit(long wanted)
{
    struct rlimit limit;
    must(!getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    if (limit.rlim_cur < (rlim_t)wanted + SPARE) {
        limit.rlim_cur = limit.rlim_max < (rlim_t)wanted + SPARE ? limit.rlim_max : (rlim_t)wanted + SPARE;
        must(!setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    }
    long room = (long)limit.rlim_cur - SPARE;
    return room < wanted ? room : wanted;
}

static unsigned char byte_at(head asked, size_t at)
{
    return (unsigned char)(asked.number * 31 + at);
}

static void went_wrong(int error)
{
    count.first_wrong = count.wrong++ ? count.first_wrong : error;
}

/* ---- the server ---- */

/* Now and then it kills the connection in place of an answer, which the client's question has to find out. */
static ASYNC(serve, ARGS((thrum_stream *, stream), (void *, context)), LOCALS(head asked; int error; size_t got, part;),
             BUFFERS(char bytes[256];))
{
    ASYNC_BEGIN;
    count.opened++;
    for (;;) {
        AWAIT_CATCH_INTO(self->error, self->got,
                         thrum_stream_read_exactly(self->stream, &self->asked, sizeof self->asked));
        if (self->error)
            break;
        count.questions++;
        if (!choose(KILLS)) {
            count.killed++;
            thrum_stream_abort(self->stream);
            ASYNC_RETURN(0);
        }
        AWAIT_CATCH(self->error, thrum_stream_write(self->stream, &self->asked, sizeof self->asked));
        for (self->got = 0; !self->error && self->got < self->asked.size; self->got += self->part) {
            self->part =
                self->asked.size - self->got < sizeof self->bytes ? self->asked.size - self->got : sizeof self->bytes;
            AWAIT_CATCH(self->error, thrum_stream_read_exactly(self->stream, self->bytes, self->part));
            if (!self->error)
                AWAIT_CATCH(self->error, thrum_stream_write(self->stream, self->bytes, self->part));
        }
        if (self->error)
            break;
    }
    /* Clients end as they please, but only between questions. */
    count.closed += self->error == THRUM_EINCOMPLETE;
    count.aborted += self->error == -ECONNRESET || self->error == -EPIPE;
    if (self->error != THRUM_EINCOMPLETE && self->error != -ECONNRESET && self->error != -EPIPE)
        went_wrong(self->error);
    ASYNC_END;
}

static ASYNC(server, ARGS((int, control)),
             LOCALS(thrum_server *server; thrum_server_options options; thrum_stream * orders; int port; char byte;
                    size_t got;))
{
    ASYNC_BEGIN;
    self->options.size = sizeof self->options;
    self->options.backlog = 4096;
    AWAIT_INTO(self->server, thrum_start_server_with(serve, NULL, "127.0.0.1", "0", &self->options));
    if (thrum_stream_adopt(&self->orders, self->control, NULL))
        ASYNC_RAISE(THRUM_ENOMEM);
    self->port = thrum_server_port(self->server);
    AWAIT(thrum_stream_write(self->orders, &self->port, sizeof self->port));
    AWAIT(thrum_stream_flush(self->orders));
    AWAIT_INTO(self->got, thrum_stream_read(self->orders, &self->byte, 1)); /* the client has ended */
    thrum_server_close(self->server);
    AWAIT(thrum_server_wait_closed(self->server));
    AWAIT(thrum_stream_close(self->orders));
FINALLY:
    thrum_stream_release(self->orders);
    thrum_server_release(self->server);
    ASYNC_END;
}

/* ---- the client ---- */

static struct {
    char port[8];
    long wanted, open;
    size_t silence; /* at most so many milliseconds before a question */
    thrum_time until;
    uint32_t number;
} world;

static thrum_time some_time(size_t milliseconds)
{
    return MILLISECONDS(1) * (thrum_time)(1 + choose(milliseconds));
}

static ASYNC(ask, ARGS((thrum_stream *, stream), (head, question)), LOCALS(head answer; unsigned char bytes[QUESTION];))
{
    ASYNC_BEGIN;
    for (size_t i = 0; i < self->question.size; i++)
        self->bytes[i] = byte_at(self->question, i);
    AWAIT(thrum_stream_write(self->stream, &self->question, sizeof self->question));
    AWAIT(thrum_stream_write(self->stream, self->bytes, self->question.size));
    AWAIT(thrum_stream_read_exactly(self->stream, &self->answer, sizeof self->answer));
    AWAIT(thrum_stream_read_exactly(self->stream, self->bytes, self->question.size));
    for (size_t i = 0; i < self->question.size; i++)
        if (self->bytes[i] != byte_at(self->question, i))
            ASYNC_RAISE(THRUM_EAPP(1));
    if (memcmp(&self->answer, &self->question, sizeof self->answer))
        ASYNC_RAISE(THRUM_EAPP(2));
    ASYNC_END;
}

/* One connection after the other: each asks, is silent, and leaves in one of several ways. */
static ASYNC(caller, ARGS_NONE, LOCALS(thrum_stream *stream; int error; unsigned left; head question;))
{
    ASYNC_BEGIN;
    while (thrum_now() < world.until) {
        AWAIT_INTO(self->stream, thrum_open_connection("127.0.0.1", world.port));
        count.opened++;
        world.open++;
        count.most = world.open > count.most ? world.open : count.most;
        self->error = 0;
        for (self->left = 1 + (unsigned)choose(8); self->left && thrum_now() < world.until && !self->error;
             self->left--) {
            AWAIT(thrum_sleep(some_time(world.silence)));
            self->question = (head){.size = (uint32_t)choose(QUESTION), .number = world.number++};
            count.questions++;
            count.bytes += (long)self->question.size;
            AWAIT_CATCH(self->error, ask(self->stream, self->question));
            count.answered += !self->error;
            count.failed += self->error != 0;
            if (self->error && self->error != -ECONNRESET && self->error != -EPIPE && self->error != THRUM_EINCOMPLETE)
                went_wrong(self->error);
        }
        if (!self->error && !choose(4)) {
            /* Gone in the middle of a question. */
            count.deserted++;
            self->question.size = QUESTION;
            AWAIT_CATCH(self->error, thrum_stream_write(self->stream, &self->question, sizeof self->question));
            AWAIT_CATCH(self->error, thrum_stream_flush(self->stream));
        } else if (!self->error && choose(2)) {
            AWAIT_CATCH(self->error, thrum_stream_close(self->stream));
        }
        thrum_stream_release(self->stream);
        self->stream = NULL;
        world.open--;
        AWAIT(thrum_sleep(some_time(50)));
    }
FINALLY:
    thrum_stream_release(self->stream);
    ASYNC_END;
}

static ASYNC(caller_noted, ARGS_NONE, LOCALS(int error;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH(self->error, caller());
    if (self->error)
        went_wrong(self->error);
    ASYNC_END;
}

static ASYNC(client, ARGS((thrum_time, duration)), LOCALS(thrum_group group; long i;))
{
    ASYNC_BEGIN;
    world.until = thrum_now() + self->duration;
    WITH (self->group, thrum_group_open(&self->group)) {
        for (self->i = 0; self->i < world.wanted; self->i++) {
            if (thrum_group_spawn_detached(&self->group, caller_noted()))
                went_wrong(THRUM_ENOMEM);
            if (self->i % 200 == 199) /* the server's queue is not endless */
                AWAIT(thrum_sleep(MILLISECONDS(5)));
        }
    }
    ASYNC_END;
}

/* ---- both ---- */

/* Looked at from outside of the loop, with the pool's memory given back. */
static int run_server(int control, long wanted)
{
    struct {
        counts count;
        footprint before, after;
    } said;
    (void)raise_limit(wanted);
    int own = dup(control);
    said.before = look();
    int error = thrum_run(server(control));
    said.after = left_over();
    said.count = count;
    must(write(own, &said, sizeof said) == sizeof said, "write");
    return error != 0;
}

static int run_client(thrum_time duration)
{
    footprint before = look();
    int error = thrum_run(client(duration));
    footprint after = left_over();
    printf("client: %ld connections at once, %ld in all; %ld questions, %ld answered, %ld not; %ld left in the middle "
           "of one; "
           "%ld bytes there and back\n",
           count.most, count.opened, count.questions, count.answered, count.failed, count.deserted, count.bytes);
    say("       ", &before, &after);
    if (count.wrong)
        printf("client: %ld things went wrong, the first with %s\n", count.wrong, thrum_error_name(count.first_wrong));
    return error || count.wrong || !is_back(&before, &after) || count.questions != count.answered + count.failed;
}

int main(int argc, char **argv)
{
    int ends[2], status = 0, port;
    struct {
        counts count;
        footprint before, after;
    } server_said;
    const counts *served = &server_said.count;
    world.wanted = argc > 1 ? atol(argv[1]) : 10000;
    thrum_time duration = SECONDS(1) * (thrum_time)(argc > 2 ? atol(argv[2]) : 60);
    world.silence = (size_t)(duration / MILLISECONDS(20));
    row = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    must(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
    pid_t child = fork();
    must(child >= 0, "fork");
    if (!child) {
        close(ends[0]);
        _exit(run_server(ends[1], world.wanted));
    }
    close(ends[1]);
    world.wanted = raise_limit(world.wanted);
    must(read(ends[0], &port, sizeof port) == sizeof port, "the server");
    (void)snprintf(world.port, sizeof world.port, "%d", port);
    int error = run_client(duration);
    must(!shutdown(ends[0], SHUT_WR), "shutdown");
    must(recv(ends[0], &server_said, sizeof server_said, MSG_WAITALL) == sizeof server_said, "the server");
    close(ends[0]);
    must(waitpid(child, &status, 0) == child, "waitpid");
    printf("server: %ld connections, %ld questions, of which it killed %ld; %ld were closed, %ld reset\n",
           served->opened, served->questions, served->killed, served->closed, served->aborted);
    say("       ", &server_said.before, &server_said.after);
    if (served->wrong)
        printf("server: %ld things went wrong, the first with %s\n", served->wrong,
               thrum_error_name(served->first_wrong));
    /* Each question that was not answered is one that was killed; nobody waits for those that were left. */
    bool fine = !error && !status && !served->wrong && is_back(&server_said.before, &server_said.after) &&
                count.failed <= served->killed && count.failed + count.deserted >= served->killed &&
                count.opened == served->opened && served->opened == served->closed + served->aborted + served->killed &&
                count.most > world.wanted * 9 / 10;
    puts(fine ? "everything is back" : "SOMETHING IS WRONG");
    return fine ? 0 : 1;
}
