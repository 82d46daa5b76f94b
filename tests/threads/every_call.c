/* Each call of the C library that executors, futures between threads, files and thread queues make fails once
 * (support/refuse.h). Nothing is lost, left or half done. */
#include "support_files.h"

#include <dirent.h>
#include <refuse.h>

/* ---- executors ---- */

static atomic_int ran;

static int doubles(void *argument, thrum_value *value)
{
    atomic_fetch_add(&ran, 1);
    *value = 2 * *(int *)argument;
    return *value == 6 ? thrum_error_set(THRUM_EAPP(6), 0, "six", 6, NULL) : 0;
}

static ASYNC(executors, ARGS_NONE,
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
        bool gave = self->error == (self->number == 3 ? THRUM_EAPP(6) : 0);
        self->done += gave;
        CHECK_EQ(atomic_load(&ran), self->done);
        if (!gave)
            ASYNC_RAISE(self->error);
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

TEST_LIMIT(every_call, executors, 60)
{
    refuse_each_kind(&(refuse_program){.run = executors}, 1, 3);
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

static ASYNC(futures, ARGS_NONE, LOCALS(question question; thrum_thread_future * future; thrum_value value;))
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

TEST_LIMIT(every_call, futures_between_threads, 60)
{
    refuse_each_kind(&(refuse_program){.run = futures}, 1, 3);
}

/* ---- files ---- */

static const char *old_text = "the old text", *new_text = "the new one";

static ASYNC(files, ARGS_NONE,
             LOCALS(thrum_file *file; char *data, text[32]; size_t size; thrum_iteration each; thrum_entry * entry;
                    int seen; thrum_file_info info;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->file, thrum_file_open(in_folder("a"), O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600));
    AWAIT(thrum_file_append(self->file, "!!", 2));
    AWAIT(thrum_file_truncate(self->file, 0));
    AWAIT(thrum_file_write_at(self->file, old_text, strlen(old_text), 0));
    AWAIT(thrum_file_datasync(self->file));
    AWAIT(thrum_file_sync(self->file));
    AWAIT_INTO(self->size, thrum_file_read_at(self->file, self->text, sizeof self->text, 0));
    CHECK_EQ(self->size, strlen(old_text));
    AWAIT(thrum_file_stat(self->file, &self->info));
    AWAIT(thrum_rename(in_folder("a"), in_folder("b")));
    AWAIT(thrum_stat(in_folder("b"), &self->info));
    AWAIT(thrum_lstat(in_folder("b"), &self->info));
    AWAIT(thrum_write_file(in_folder("b"), new_text, strlen(new_text), 0));
    AWAIT_INTO(self->size, thrum_read_file(in_folder("b"), &self->data, 100));
    CHECK_EQ(self->size, strlen(new_text));
    CHECK_MEM(self->data, new_text, self->size);
    ASYNC_FOR (self->entry, self->each, thrum_scan(folder_name))
        self->seen++;
    CHECK_EQ(self->seen, 1);
    AWAIT(thrum_mkdir(in_folder("c"), 0700));
    AWAIT(thrum_rmdir(in_folder("c")));
    thrum_file *file = self->file;
    self->file = NULL; /* spent, whatever comes of it */
    AWAIT(thrum_file_close(file));
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
        const char *path = in_folder(one->d_name);
        if (strcmp(one->d_name, "c") == 0) {
            CHECK_EQ(rmdir(path), 0);
            continue;
        }
        const char *text = text_of(path);
        CHECK(strcmp(one->d_name, "a") == 0 || strcmp(one->d_name, "b") == 0);
        CHECK(!*text || strcmp(text, "!!") == 0 || strcmp(text, old_text) == 0 || strcmp(text, new_text) == 0);
        CHECK_EQ(unlink(path), 0);
    }
    closedir(folder);
}

TEST_LIMIT(every_call, files, 60)
{
    in_folder("");
    refuse_each_kind(&(refuse_program){.run = files, .after = look_into_the_folder}, 10, 10);
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
static ASYNC(queues, ARGS_NONE, LOCALS(thrum_thread_queue *queue; int item; int error; thrum_value value;))
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

TEST_LIMIT(every_call, thread_queues, 60)
{
    refuse_each_kind(&(refuse_program){.run = queues}, 1, 3);
}
