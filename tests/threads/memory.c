/* The n-th malloc() fails, for every n: in executors, in futures between threads, in files, in thread queues, in loops.
 * Each call gives THRUM_ENOMEM or does what it always does; nothing is lost, left or half done. The linker leads the
 * library's calls here; those of the C library itself go their way. */
#include "support_files.h"

#include <dirent.h>
#include <sched.h>
#include <time.h>

/* ---- malloc ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

enum { MOST = 4096 };

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static size_t calls, fail_at, live;
static const void *blocks[MOST];
static bool counting;

/* Whether the next block may be had. */
static bool may_have(void)
{
    pthread_mutex_lock(&guard);
    bool yes = !counting || ++calls != fail_at;
    pthread_mutex_unlock(&guard);
    return yes;
}

static void *keep(void *memory)
{
    pthread_mutex_lock(&guard);
    if (counting && memory && live < MOST)
        blocks[live++] = memory;
    pthread_mutex_unlock(&guard);
    return memory;
}

/* What was not noted is of the C library, or was there before. */
static void forget(const void *memory)
{
    pthread_mutex_lock(&guard);
    for (size_t i = 0; i < live; i++)
        if (blocks[i] == memory) {
            blocks[i] = blocks[--live];
            break;
        }
    pthread_mutex_unlock(&guard);
}

void *__wrap_malloc(size_t size)
{
    return may_have() ? keep(__real_malloc(size)) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_have() ? keep(__real_calloc(count, size)) : NULL;
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (!may_have())
        return NULL;
    forget(memory);
    return keep(__real_realloc(memory, size));
}

void __wrap_free(void *memory)
{
    forget(memory);
    __real_free(memory);
}

/* Blocks that are left. A thread whose end was waited for may be about to free what it ran on. */
static size_t left(void)
{
    const time_t limit = time(NULL) + 5;
    for (;;) {
        pthread_mutex_lock(&guard);
        size_t count = live;
        pthread_mutex_unlock(&guard);
        if (!count || time(NULL) > limit)
            return count;
        sched_yield();
    }
}

/* ---- trying ---- */

static size_t open_descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

/* With a runner, since that waits for threads at its end. */
static int run_once(thrum_awaitable (*program)(void))
{
    static const thrum_runner_options options = {.size = sizeof options, .no_signals = true};
    thrum_runner runner;
    CHECK_EQ(thrum_runner_init(&runner, &options), 0);
    int error = thrum_runner_run(&runner, program(), NULL);
    thrum_runner_close(&runner);
    return error;
}

/* Gives how often it failed. */
static size_t every_malloc_fails(thrum_awaitable (*program)(void))
{
    size_t all = 0, failed = 0;
    CHECK_EQ(run_once(program), 0); /* what the C library takes once and keeps */
    thrum_pool_clear();
    for (size_t n = 0; n <= all; n++) {
        size_t before = open_descriptors();
        calls = live = 0;
        fail_at = n;
        counting = true;
        int error = run_once(program);
        fail_at = 0;
        thrum_pool_clear();
        counting = false;
        if (n == 0)
            all = calls;
        CHECK(error == 0 || (n && error == THRUM_ENOMEM));
        failed += error != 0;
        CHECK_EQ(left(), 0);
        CHECK_EQ(open_descriptors(), before);
    }
    return failed;
}

/* ---- executors ---- */

static atomic_int ran;

static int doubles(void *argument, thrum_value *value)
{
    atomic_fetch_add(&ran, 1);
    *value = 2 * *(int *)argument;
    return *value == 6 ? thrum_error_set(THRUM_EAPP(6), 0, "six", 6, NULL) : 0;
}

static ASYNC(uses_executors, ARGS_NONE,
             LOCALS(thrum_executor *executor; int number; int error; int done; thrum_value value;))
{
    ASYNC_BEGIN;
    const thrum_executor_options options = {.size = sizeof options, .threads = 2, .name = "short"};
    atomic_store(&ran, 0);
    self->error = thrum_executor_new(&self->executor, &options);
    if (self->error)
        ASYNC_RAISE(self->error);
    for (self->number = 1; self->number <= 4; self->number++) {
        AWAIT_CATCH_INTO(self->error, self->value,
                         self->number == 2 ? thrum_to_thread(doubles, &self->number)
                                           : thrum_run_in_executor(self->executor, doubles, &self->number));
        /* It has run and given its result, or it has not run. */
        self->done += self->error != THRUM_ENOMEM;
        CHECK_EQ(atomic_load(&ran), self->done);
        if (self->error == THRUM_ENOMEM)
            ASYNC_RAISE(self->error);
        CHECK_EQ(self->error, self->number == 3 ? THRUM_EAPP(6) : 0);
        CHECK(self->error || self->value == 2 * self->number);
    }
FINALLY:
    if (self->executor) {
        thrum_executor_shutdown(self->executor, false);
        AWAIT_CATCH(self->error, thrum_executor_join(self->executor));
        thrum_executor_release(self->executor);
        if (self->error)
            ASYNC_RAISE(self->error);
    }
    ASYNC_END;
}

static thrum_awaitable executors(void)
{
    return uses_executors();
}

TEST_LIMIT(memory, executors, 60)
{
    CHECK_GE(every_malloc_fails(executors), 3);
}

/* ---- futures between threads ---- */

static ASYNC(answers, ARGS((int, number)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RETURN(self->number + 1);
    ASYNC_END;
}

static thrum_awaitable start_answer(void *argument)
{
    return answers(*(int *)argument);
}

typedef struct question {
    thrum_loop *loop;
    int number;
} question;

static int asks(void *argument, thrum_value *value)
{
    question *self = argument;
    thrum_thread_future *future = thrum_run_threadsafe(self->loop, start_answer, &self->number);
    if (!future)
        return THRUM_ENOMEM;
    int error = thrum_thread_future_result(future, THRUM_NEVER, value);
    thrum_thread_future_release(future);
    return error;
}

static int completes(void *argument, thrum_value *value)
{
    (void)value;
    return thrum_thread_future_set_result(argument, 9);
}

static ASYNC(uses_futures, ARGS_NONE, LOCALS(question question; thrum_thread_future * future; thrum_value value;))
{
    ASYNC_BEGIN;
    self->question = (question){thrum_loop_running(), 4};
    AWAIT_INTO(self->value, thrum_to_thread(asks, &self->question));
    CHECK_EQ(self->value, 5);
    self->future = thrum_thread_future_new();
    if (!self->future)
        ASYNC_RAISE(THRUM_ENOMEM);
    AWAIT(thrum_to_thread(completes, self->future));
    AWAIT_INTO(self->value, thrum_wrap_future(self->future));
    CHECK_EQ(self->value, 9);
FINALLY:
    thrum_thread_future_release(self->future);
    ASYNC_END;
}

static thrum_awaitable futures(void)
{
    return uses_futures();
}

TEST_LIMIT(memory, futures_between_threads, 60)
{
    CHECK_GE(every_malloc_fails(futures), 3);
}

/* ---- files ---- */

static const char *old_text = "the old text", *new_text = "the new one";

static ASYNC(uses_files, ARGS_NONE,
             LOCALS(thrum_file *file; char *data; size_t size; thrum_iteration each; thrum_entry * entry; int seen;
                    thrum_file_info info;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->file, thrum_file_open(in_folder("a"), O_RDWR | O_CREAT | O_TRUNC, 0600));
    AWAIT_INTO(self->size, thrum_file_write_at(self->file, old_text, strlen(old_text), 0));
    CHECK_EQ(self->size, strlen(old_text));
    AWAIT(thrum_file_stat(self->file, &self->info));
    AWAIT(thrum_rename(in_folder("a"), in_folder("b")));
    AWAIT(thrum_write_file(in_folder("b"), new_text, strlen(new_text), 0));
    AWAIT_INTO(self->size, thrum_read_file(in_folder("b"), &self->data, 100));
    CHECK_EQ(self->size, strlen(new_text));
    CHECK_MEM(self->data, new_text, self->size);
    ASYNC_FOR (self->entry, self->each, thrum_scan(folder_name))
        self->seen++;
    CHECK_EQ(self->seen, 1);
FINALLY:
    free(self->data);
    thrum_file_release(self->file);
    ASYNC_END;
}

/* What is in the folder is whole, and nothing else is there. */
static void look_into_the_folder(void)
{
    DIR *folder = opendir(folder_name);
    CHECK_NOT_NULL(folder);
    for (struct dirent *one = readdir(folder); one; one = readdir(folder)) {
        if (one->d_name[0] == '.')
            continue;
        const char *text = text_of(in_folder(one->d_name));
        CHECK(strcmp(one->d_name, "a") == 0 || strcmp(one->d_name, "b") == 0);
        CHECK(strcmp(text, "") == 0 || strcmp(text, old_text) == 0 || strcmp(text, new_text) == 0);
        CHECK_EQ(unlink(in_folder(one->d_name)), 0);
    }
    closedir(folder);
}

static thrum_awaitable files(void)
{
    look_into_the_folder();
    return uses_files();
}

TEST_LIMIT(memory, files, 60)
{
    in_folder("");
    CHECK_GE(every_malloc_fails(files), 5);
    look_into_the_folder();
}

/* ---- thread queues ---- */

static int drains(void *argument, thrum_value *value)
{
    int item, next = 0;
    while (thrum_thread_queue_get_blocking(argument, &item, THRUM_NEVER) == 0)
        if (item != next++)
            return THRUM_EAPP(1);
    *value = next;
    return 0;
}

/* What could not be put for want of memory is put again. */
static ASYNC(uses_queues, ARGS_NONE, LOCALS(thrum_thread_queue *queue; int item; int error; thrum_value value;))
{
    ASYNC_BEGIN;
    self->error = thrum_thread_queue_new(&self->queue, 0, sizeof(int));
    if (self->error)
        ASYNC_RAISE(self->error);
    while (self->item < 40) {
        AWAIT_CATCH(self->error, thrum_thread_queue_put(self->queue, &self->item));
        CHECK(!self->error || self->error == THRUM_ENOMEM);
        if (!self->error)
            self->item++;
        CHECK_EQ(thrum_thread_queue_size(self->queue), self->item);
    }
    thrum_thread_queue_shutdown(self->queue, false);
    AWAIT_INTO(self->value, thrum_to_thread(drains, self->queue));
    CHECK_EQ(self->value, 40);
FINALLY:
    thrum_thread_queue_free(self->queue);
    ASYNC_END;
}

static thrum_awaitable queues(void)
{
    return uses_queues();
}

TEST_LIMIT(memory, thread_queues, 60)
{
    CHECK_GE(every_malloc_fails(queues), 3);
}
