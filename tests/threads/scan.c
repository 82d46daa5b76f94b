/* Folders, entry by entry. Runs under ThreadSanitizer. */
#include "support_files.h"

#include <sys/socket.h>
#include <sys/un.h>

enum { MANY = 10000 };

static ASYNC(counts, ARGS((const char *, path)),
             LOCALS(thrum_iteration each; const thrum_entry *entry; char seen[MANY]; int count;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->entry, self->each, thrum_scan(self->path)) {
        int number = atoi(self->entry->name);
        CHECK(number >= 0 && number < MANY && !self->seen[number]);
        CHECK_EQ(self->entry->type, THRUM_FILE_REGULAR);
        CHECK_NE(self->entry->inode, 0);
        self->seen[number] = 1;
        self->count++;
    }
    ASYNC_RETURN(self->count);
    ASYNC_END;
}

TEST_LIMIT(scan, ten_thousand_entries, 30)
{
    char name[32];
    thrum_value count = 0;
    CHECK_EQ(mkdir(in_folder("many"), 0700), 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "many/%d", i);
        close(open(in_folder(name), O_WRONLY | O_CREAT, 0600));
    }
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_loop_run_until_complete(loop, counts(in_folder("many")), &count), 0);
    CHECK_EQ(count, MANY);
    close_loop(loop);
}

static ASYNC(knows_types, ARGS_NONE, LOCALS(thrum_iteration each; const thrum_entry *entry; int count;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->entry, self->each, thrum_scan(in_folder(""))) {
        switch (self->entry->name[0]) {
        case 'f':
            CHECK_EQ(self->entry->type, THRUM_FILE_REGULAR);
            break;
        case 'd':
            CHECK_EQ(self->entry->type, THRUM_FILE_FOLDER);
            break;
        case 'l':
            CHECK_EQ(self->entry->type, THRUM_FILE_LINK);
            break;
        case 'p':
            CHECK_EQ(self->entry->type, THRUM_FILE_FIFO);
            break;
        default:
            FAIL(self->entry->name);
        }
        self->count++;
    }
    CHECK_EQ(self->count, 4);
    self->count = 0;
    ASYNC_FOR (self->entry, self->each, thrum_scan(in_folder("d")))
        self->count++;
    ASYNC_RETURN(self->count);
    ASYNC_END;
}

static ASYNC(looks_at, ARGS((const char *, path), (int, type)), LOCALS(thrum_file_info info;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_lstat(self->path, &self->info));
    CHECK_EQ(self->info.type, self->type);
    ASYNC_END;
}

TEST(scan, types_of_what_is_no_file)
{
    const char *fifo = in_folder("fifo"), *link = in_folder("link"), *path = in_folder("socket");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strcpy(at.sun_path, path);
    int made = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(mkfifo(fifo, 0600), 0);
    CHECK_EQ(symlink("nowhere", link), 0);
    CHECK_EQ(bind(made, (const struct sockaddr *)&at, sizeof at), 0);
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_loop_run_until_complete(loop, looks_at(fifo, THRUM_FILE_FIFO), NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, looks_at(link, THRUM_FILE_LINK), NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, looks_at(path, THRUM_FILE_SOCKET), NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, looks_at("/dev/null", THRUM_FILE_CHARACTER), NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, looks_at("/", THRUM_FILE_FOLDER), NULL), 0);
    close_loop(loop);
    close(made);
}

static ASYNC(leaves, ARGS((int, after)), LOCALS(thrum_iteration each; const thrum_entry *entry; int count;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->entry, self->each, thrum_scan(in_folder("")))
        if (self->count++ == self->after)
            break;
    ASYNC_END;
}

static ASYNC(fails, ARGS((const char *, path), (int, expected)),
             LOCALS(thrum_iteration each; const thrum_entry *entry; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    TRY (self->attempt) {
        ASYNC_FOR (self->entry, self->each, thrum_scan(self->path))
            FAIL("no entry");
    }
    CATCH (self->error, self->attempt) {
        CHECK_STR(thrum_error_last()->text, self->path);
    }
    CHECK_EQ(self->error, self->expected);
    ASYNC_END;
}

LOOP_TEST(scan, types_and_ends)
{
    thrum_value count = -1;
    make_file(in_folder("f"), "");
    mkdir(in_folder("d"), 0700);
    if (symlink("f", in_folder("l")) || mkfifo(in_folder("p"), 0600))
        CHECK_EQ(errno, EEXIST);
    CHECK_EQ(thrum_loop_run_until_complete(loop, knows_types(), &count), 0);
    CHECK_EQ(count, 0);
    for (int after = 0; after < 6; after++)
        CHECK_EQ(thrum_loop_run_until_complete(loop, leaves(after), NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, fails(in_folder("none"), -ENOENT), NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, fails(in_folder("f"), -ENOTDIR), NULL), 0);
    thrum_iterable_drop(thrum_scan("/"));
}

TEST(scan, leaves_no_descriptor)
{
    int before = descriptors();
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    scan_types_and_ends_on(loop);
    close_loop(loop);
    CHECK_EQ(descriptors(), before);
}

/* ---- by hand, and while the thread does not come to it ---- */

static gate door = GATE_INIT;

static int pass_door(void *argument, thrum_value *value)
{
    (void)argument;
    (void)value;
    gate_pass(&door);
    return 0;
}

/* The loop's only thread stands before the door. */
static thrum_loop *open_blocked(void)
{
    const thrum_executor_options options = {.size = sizeof options, .threads = 1};
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_executor *executor;
    CHECK_EQ(thrum_executor_new(&executor, &options), 0);
    CHECK_EQ(thrum_loop_set_default_executor(loop, executor), 0);
    thrum_executor_release(executor);
    CHECK_EQ(thrum_spawn_detached(thrum_to_thread_abandon(pass_door, NULL, NULL)), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    gate_await_waiting(&door, 1);
    return loop;
}

static thrum_iteration by_hand;

static ASYNC(takes_one, ARGS_NONE, LOCALS(const thrum_entry *entry;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->entry, thrum_iteration_next(&by_hand));
    ASYNC_RETURN(self->entry->name[0]);
    ASYNC_END;
}

TEST(scan, one_task_at_a_time_and_cancelled_loses_none)
{
    thrum_value value = 0;
    make_file(in_folder("x"), "");
    thrum_loop *loop = open_blocked();
    CHECK_EQ(thrum_iteration_open(&by_hand, thrum_scan(in_folder(""))), 0);
    thrum_task *first = thrum_spawn(takes_one());
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, takes_one(), NULL), THRUM_EBUSY);
    thrum_task_cancel(first); /* before a thread has begun */
    run_until_done(loop, first);
    CHECK(thrum_task_cancelled(first));
    thrum_task_release(first);
    first = thrum_spawn(takes_one());
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    gate_open(&door, 1);
    gate_await_passed(&door, 1);
    /* Wait until the entry has come, but not until the task has run. */
    while (!thrum_task_woken(first) && !thrum_task_done(first))
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    if (!thrum_task_done(first)) {
        thrum_task_cancel(first);
        run_until_done(loop, first);
        CHECK(thrum_task_cancelled(first));
        CHECK_EQ(thrum_loop_run_until_complete(loop, takes_one(), &value), 0);
        CHECK_EQ(value, 'x');
    }
    thrum_task_release(first);
    CHECK_EQ(thrum_loop_run_until_complete(loop, takes_one(), NULL), THRUM_ESTOP);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_iteration_close(&by_hand), NULL), 0);
    close_loop(loop);
}

/* Closed by another task: who waits finds no more. */
TEST(scan, closed_while_a_task_waits)
{
    int before = descriptors();
    thrum_loop *loop = open_blocked();
    CHECK_EQ(thrum_iteration_open(&by_hand, thrum_scan(in_folder(""))), 0);
    thrum_task *task = thrum_spawn(takes_one());
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_iteration_close(&by_hand), NULL), 0);
    gate_open(&door, 1);
    run_until_done(loop, task);
    CHECK_EQ(thrum_task_result(task, NULL), THRUM_ESTOP);
    thrum_task_release(task);
    close_loop(loop);
    CHECK_EQ(descriptors(), before);
}

/* The loop closes what is open, and says so. */
TEST(scan, left_open)
{
    int before = descriptors();
    log_begin();
    make_file(in_folder("x"), "");
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_loop_set_debug(loop, true);
    CHECK_EQ(thrum_iteration_open(&by_hand, thrum_scan(in_folder(""))), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, takes_one(), NULL), 0);
    close_loop(loop);
    CHECK(log_has("unclosed scan, made in takes_one"));
    CHECK_EQ(descriptors(), before);
}
