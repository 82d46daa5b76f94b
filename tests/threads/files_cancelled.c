/* Files whose users are cancelled, whose loop closes, for which there is no memory. Runs under ThreadSanitizer. What
 * blocks is a FIFO, so that nothing depends on time. */
#include "support_files.h"

/* ---- a thread that has begun: an open that waits for the other end of a FIFO ---- */

static ASYNC(opens, ARGS((const char *, path), (int, flags)), LOCALS(thrum_file *file;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->file, thrum_file_open(self->path, self->flags, 0600));
    CHECK_GE(thrum_file_descriptor(self->file), 0);
    ASYNC_RETURN(1);
FINALLY:
    AWAIT(thrum_file_close(self->file));
    ASYNC_END;
}

static thrum_executor *executor_of(thrum_loop *loop, unsigned threads)
{
    const thrum_executor_options options = {.size = sizeof options, .threads = threads};
    thrum_executor *executor;
    CHECK_EQ(thrum_executor_new(&executor, &options), 0);
    CHECK_EQ(thrum_loop_set_default_executor(loop, executor), 0);
    return executor;
}

/* Wait until threads have begun all that is queued. */
static void await_begun(thrum_executor *executor)
{
    thrum_executor_stats stats;
    do {
        sched_yield();
        thrum_executor_stats_get(executor, &stats);
    } while (stats.queued);
}

static void opening(thrum_backend_kind kind, int uncancel)
{
    const char *path = in_folder("fifo");
    if (mkfifo(path, 0600))
        CHECK_EQ(errno, EEXIST);
    int before = descriptors();
    thrum_loop *loop = open_loop(kind);
    thrum_executor *executor = executor_of(loop, 2);
    thrum_task *task = thrum_spawn(opens(path, O_RDONLY));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    await_begun(executor);
    CHECK(thrum_task_cancel(task));
    for (int i = 0; i < 5; i++)
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK(!thrum_task_done(task));
    if (uncancel)
        CHECK_EQ(thrum_task_uncancel(task), 0);
    int other = open(path, O_WRONLY);
    CHECK_GE(other, 0);
    run_until_done(loop, task);
    CHECK_EQ(thrum_task_cancelled(task), !uncancel);
    thrum_task_release(task);
    close(other);
    thrum_executor_release(executor);
    close_loop(loop);
    CHECK_EQ(descriptors(), before);
}

/* Law 3, and no file is lost. */
TEST(cancelled, open_waits_for_its_thread_and_closes)
{
    opening(THRUM_BACKEND_LIBEV, false);
    opening(THRUM_BACKEND_SIM, false);
}

TEST(cancelled, open_whose_cancellation_is_taken_back)
{
    opening(THRUM_BACKEND_LIBEV, true);
    opening(THRUM_BACKEND_SIM, true);
}

/* Cancelled when the thread is through, but before the task has run. */
TEST(cancelled, after_the_thread)
{
    make_file(in_folder("a"), "text");
    int before = descriptors();
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_task *task = thrum_spawn(opens(in_folder("a"), O_RDONLY));
    while (!thrum_task_woken(task) || !thrum_task_done(task)) {
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
        if (thrum_task_woken(task))
            break;
        sched_yield();
    }
    thrum_task_cancel(task);
    run_until_done(loop, task);
    CHECK(thrum_task_cancelled(task));
    thrum_task_release(task);
    close_loop(loop);
    CHECK_EQ(descriptors(), before);
}

/* ---- a long read stops in the middle ---- */

static ASYNC(reads_all, ARGS((const char *, path)), LOCALS(char *data; size_t size; char first;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->size, thrum_read_file(self->path, &self->data, SIZE_MAX));
    self->first = self->data[0];
    free(self->data);
    ASYNC_RETURN(self->first);
FINALLY:
    CHECK(self->first || !self->data);
    ASYNC_END;
}

static void await_empty(int fifo)
{
    int unread;
    do {
        sched_yield();
        CHECK_EQ(ioctl(fifo, FIONREAD, &unread), 0);
    } while (unread);
}

/* The other end stays open: it is not the end of the file that ends it. */
TEST(cancelled, long_read_stops)
{
    const char *path = in_folder("fifo");
    CHECK_EQ(mkfifo(path, 0600), 0);
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_task *task = thrum_spawn(reads_all(path));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    int other = open(path, O_WRONLY);
    CHECK_EQ(write(other, "a", 1), 1);
    await_empty(other);
    thrum_task_cancel(task);
    CHECK_EQ(write(other, "b", 1), 1);
    run_until_done(loop, task);
    CHECK(thrum_task_cancelled(task));
    thrum_task_release(task);
    close(other);
    close_loop(loop);
}

/* It stops, and then it is wanted after all: it is begun again. */
TEST(cancelled, long_read_that_stopped_begins_again)
{
    const char *path = in_folder("fifo");
    thrum_value value = 0;
    CHECK_EQ(mkfifo(path, 0600), 0);
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_executor *executor = executor_of(loop, 1);
    thrum_executor_stats stats;
    thrum_task *task = thrum_spawn(reads_all(path));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    int other = open(path, O_WRONLY);
    CHECK_EQ(write(other, "a", 1), 1);
    await_empty(other);
    thrum_task_cancel(task);
    CHECK_EQ(write(other, "b", 1), 1);
    do { /* until it has stopped */
        sched_yield();
        thrum_executor_stats_get(executor, &stats);
    } while (!stats.idle);
    close(other);
    CHECK_EQ(thrum_task_uncancel(task), 0);
    while (thrum_executor_stats_get(executor, &stats), stats.idle)
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    other = open(path, O_WRONLY);
    CHECK_EQ(write(other, "c", 1), 1);
    close(other);
    run_until_done(loop, task);
    CHECK_EQ(thrum_task_result(task, &value), 0);
    CHECK_EQ(value, 'c');
    thrum_task_release(task);
    thrum_executor_release(executor);
    close_loop(loop);
}

/* ---- closing while others use it ---- */

enum { MUCH = 1024 * 1024 };

static char much[MUCH];

static ASYNC(fills, ARGS((thrum_file *, file)), LOCALS(size_t size;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->size, thrum_file_append(self->file, much, MUCH));
    CHECK_EQ(self->size, MUCH);
    note('w');
    ASYNC_END;
}

static ASYNC(closes, ARGS((thrum_file *, file)), LOCALS_NONE, ON_DROP(thrum_file_release(self->file);))
{
    ASYNC_BEGIN;
    AWAIT(thrum_file_close(self->file));
    note('c');
    ASYNC_END;
}

static int pipe_end;

static void *drain(void *unused)
{
    char bytes[4096];
    while (read(pipe_end, bytes, sizeof bytes) > 0)
        continue;
    return unused;
}

/* A pipe takes so much only when somebody reads it: until then a thread writes. */
static thrum_file *open_pipe(void)
{
    thrum_file *file;
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    pipe_end = ends[0];
    CHECK_EQ(fcntl(ends[1], F_SETFL, O_APPEND), 0);
    CHECK_EQ(thrum_file_adopt(&file, ends[1]), 0);
    CHECK(fcntl(ends[1], F_GETFD) & FD_CLOEXEC);
    return file;
}

/* `how`: c close, r release, x close that is cancelled, l the loop closes. */
static void close_in_use(thrum_backend_kind kind, char how)
{
    pthread_t thread;
    int before = descriptors();
    note_clear();
    thrum_loop *loop = open_loop(kind);
    thrum_file *file = open_pipe();
    thrum_task *writer = thrum_spawn(fills(file)), *closer = NULL;
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    thrum_awaitable late = thrum_file_append(file, "x", 1);
    if (how == 'r')
        thrum_file_release(file);
    else
        closer = thrum_spawn(closes(file));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, late, NULL), THRUM_ECLOSED);
    if (how == 'x')
        CHECK(thrum_task_cancel(closer));
    for (int i = 0; i < 5; i++)
        CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_STR(noted.text, "");
    CHECK_EQ(pthread_create(&thread, NULL, drain, NULL), 0);
    if (how != 'l') {
        run_until_done(loop, writer);
        if (closer) {
            run_until_done(loop, closer);
            CHECK_EQ(thrum_task_cancelled(closer), how == 'x');
        }
        CHECK_STR(noted.text, how == 'c' ? "wc" : "w");
    }
    thrum_task_release(writer);
    thrum_task_release(closer);
    log_begin();
    close_loop(loop); /* in the thread that writes, or here, the other end is closed */
    pthread_join(thread, NULL);
    close(pipe_end);
    CHECK_EQ(descriptors(), before);
}

TEST(closing, waits_for_those_who_use_it)
{
    close_in_use(THRUM_BACKEND_LIBEV, 'c');
    close_in_use(THRUM_BACKEND_SIM, 'c');
}

TEST(closing, cancelled_closes)
{
    close_in_use(THRUM_BACKEND_LIBEV, 'x');
}

TEST(closing, released_while_in_use)
{
    close_in_use(THRUM_BACKEND_LIBEV, 'r');
    close_in_use(THRUM_BACKEND_SIM, 'r');
}

TEST(closing, the_loop_closes_while_in_use)
{
    close_in_use(THRUM_BACKEND_LIBEV, 'l');
    close_in_use(THRUM_BACKEND_SIM, 'l');
}

static ASYNC(leaves_open, ARGS((const char *, path)), LOCALS(thrum_file *file;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->file, thrum_file_open(self->path, O_RDONLY, 0));
    ASYNC_RETURN(self->file);
    ASYNC_END;
}

TEST(closing, left_open)
{
    int before = descriptors();
    make_file(in_folder("a"), "a");
    log_begin();
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_loop_set_debug(loop, true);
    CHECK_EQ(thrum_loop_run_until_complete(loop, leaves_open(in_folder("a")), NULL), 0);
    close_loop(loop);
    CHECK(log_has("unclosed file, made in leaves_open"));
    CHECK_EQ(descriptors(), before);
}

/* Never awaited, dropped, or spent twice. */
TEST(closing, in_odd_ways)
{
    int before = descriptors();
    thrum_value file = 0;
    make_file(in_folder("a"), "a");
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_drop(thrum_file_open(in_folder("a"), O_RDONLY, 0));
    CHECK_EQ(thrum_loop_run_until_complete(loop, leaves_open(in_folder("a")), &file), 0);
    thrum_drop(thrum_file_close((thrum_file *)(intptr_t)file));
    CHECK_EQ(thrum_loop_run_until_complete(loop, leaves_open(in_folder("a")), &file), 0);
    thrum_awaitable closing = thrum_file_close((thrum_file *)(intptr_t)file);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_file_close((thrum_file *)(intptr_t)file), NULL), THRUM_ECLOSED);
    CHECK_EQ(thrum_loop_run_until_complete(loop, closing, NULL), 0);
    /* Without threads it is closed by the loop's own. */
    CHECK_EQ(thrum_loop_run_until_complete(loop, leaves_open(in_folder("a")), &file), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_loop_shutdown_default_executor(THRUM_NEVER), NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_file_sync((thrum_file *)(intptr_t)file), NULL), THRUM_ESHUTDOWN);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_file_close((thrum_file *)(intptr_t)file), NULL), 0);
    close_loop(loop);
    CHECK_EQ(descriptors(), before);
}

/* ---- every await cancelled, at every pass ---- */

static ASYNC(does_all, ARGS((const char *, path)),
             LOCALS(thrum_file *file; char buffer[8]; char *data; size_t size; thrum_file_info info;
                    thrum_iteration each; const thrum_entry *entry;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_write_file(self->path, "12345678", 8, 0600));
    AWAIT_INTO(self->size, thrum_read_file(self->path, &self->data, 100));
    free(self->data);
    self->data = NULL;
    AWAIT_INTO(self->file, thrum_file_open(self->path, O_RDWR, 0));
    AWAIT(thrum_file_write_at(self->file, "abc", 3, 8));
    AWAIT(thrum_file_read_exactly_at(self->file, self->buffer, 8, 0));
    AWAIT(thrum_file_stat(self->file, &self->info));
    AWAIT(thrum_rename(self->path, self->path));
    ASYNC_FOR (self->entry, self->each, thrum_scan(in_folder("")))
        self->size++;
FINALLY:
    CHECK_NULL(self->data);
    AWAIT(thrum_file_close(self->file));
    ASYNC_END;
}

/* Nothing of what is written beside the file is left. */
static void check_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "test $(ls -A %s | wc -l) -le 1", folder_name);
    CHECK_EQ(system(command), 0);
}

static void cancel_everywhere(thrum_backend_kind kind)
{
    bool ended = false;
    const char *path = in_folder("all");
    for (int after = 0; !ended; after++) {
        int before = descriptors();
        thrum_loop *loop = open_loop(kind);
        thrum_task *task = thrum_spawn(does_all(path));
        /* So many steps that do something: a step that waits for a thread is one of them, or two. */
        for (int i = 0; i < after && !thrum_task_done(task); i++)
            CHECK_EQ(thrum_loop_step(loop, i % 2 ? 0 : THRUM_NEVER), 0);
        ended = !thrum_task_cancel(task);
        run_until_done(loop, task);
        CHECK_EQ(thrum_task_cancelled(task), !ended);
        thrum_task_release(task);
        close_loop(loop);
        CHECK_EQ(descriptors(), before);
    }
    check_folder();
}

TEST_LIMIT(cancelled, everywhere, 60)
{
    cancel_everywhere(THRUM_BACKEND_LIBEV);
    cancel_everywhere(THRUM_BACKEND_SIM);
}

/* The loop is closed after so many passes, with all that is going on. */
TEST_LIMIT(closing, the_loop_everywhere, 60)
{
    bool ended = false;
    const char *path = in_folder("all");
    log_begin();
    for (int after = 0; !ended; after++) {
        int before = descriptors();
        thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
        thrum_task *task = thrum_spawn(does_all(path));
        for (int i = 0; i < after && !thrum_task_done(task); i++)
            CHECK_EQ(thrum_loop_step(loop, i % 2 ? 0 : THRUM_NEVER), 0);
        ended = thrum_task_done(task);
        thrum_task_release(task);
        close_loop(loop);
        CHECK_EQ(descriptors(), before);
    }
    check_folder();
}

/* ---- no memory ---- */

static size_t refuse_after;

static void *limited_allocate(void *context, size_t size)
{
    (void)context;
    return refuse_after > 0 ? refuse_after--, malloc(size) : NULL;
}

static void limited_release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

/* More awaitables than one at a time need memory of the pool. */
static ASYNC(holds_some, ARGS((const char *, path)),
             LOCALS(thrum_awaitable held[3]; thrum_file * file; thrum_value unused; thrum_iteration each; char *data;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->file, thrum_file_open(self->path, O_RDWR | O_CREAT, 0600));
    self->held[0] = thrum_file_write_at(self->file, "abc", 3, 8);
    self->held[1] = thrum_read_file(self->path, &self->data, 100);
    self->held[2] = thrum_file_close(self->file);
    AWAIT_CATCH_INTO(self->unused, self->unused, self->held[1]);
    free(self->data);
    thrum_drop(self->held[0]);
    AWAIT(self->held[2]);
    AWAIT(does_all(self->path));
    ASYNC_END;
}

TEST(files, without_memory_fail_and_lose_nothing)
{
    const thrum_allocator allocator = {limited_allocate, limited_release, NULL, true};
    int succeeded = 0, failed = 0, before = descriptors();
    CHECK_EQ(thrum_pool_use_allocator(&allocator), 0);
    for (size_t n = 0; n < 60 && succeeded < 3; n++) {
        thrum_loop_options options = {.size = sizeof options};
        thrum_loop *loop;
        refuse_after = 100;
        CHECK_EQ(thrum_loop_new(&loop, &options), 0);
        refuse_after = n;
        int error = thrum_loop_run_until_complete(loop, holds_some(in_folder("all")), NULL);
        CHECK(error == THRUM_ENOMEM || error == 0);
        succeeded += error == 0;
        failed += error != 0;
        refuse_after = 100;
        close_loop(loop);
        CHECK_EQ(descriptors(), before);
    }
    CHECK_EQ(succeeded, 3);
    CHECK_GT(failed, 0);
    check_folder();
    thrum_pool_clear();
}
