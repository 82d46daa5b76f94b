/* Paths that are watched for changes: on libev, in a loop of its own and as a guest. Nothing here counts on when a
 * change is noticed, but that it is. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>

#include <ev.h>

#include "support.h"

static char folder_name[64];

static int remove_one(const char *path, const struct stat *found, int flag, struct FTW *where)
{
    (void)found, (void)flag, (void)where;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder_name, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path in a folder of the test's own. */
static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    if (!folder_name[0]) {
        strcpy(folder_name, "/tmp/thrum-watch-XXXXXX");
        CHECK_NOT_NULL(mkdtemp(folder_name));
        atexit(remove_folder);
    }
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder_name, name);
    return path;
}

static void make_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CHECK_NOT_NULL(file);
    CHECK(fputs(text, file) >= 0);
    CHECK_EQ(fclose(file), 0);
}

static thrum_path_change seen;

static ASYNC(waits, ARGS((thrum_watch *, watch)), LOCALS(int what;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->what, thrum_watch_next(self->watch, &seen));
    CHECK_EQ(self->what, seen.what);
    ASYNC_RETURN(self->what);
    ASYNC_END;
}

/* Wait in the loop until a task has ended. */
static int outcome_of(thrum_loop *loop, thrum_task *task)
{
    thrum_value value = 0;
    while (!thrum_task_done(task))
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    int error = thrum_task_result(task, &value);
    thrum_task_release(task);
    return error ? error : (int)value;
}

static thrum_task *begin_waiting(thrum_loop *loop, thrum_watch *watch)
{
    thrum_task *task = thrum_spawn(waits(watch));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    CHECK(!thrum_task_done(task));
    return task;
}

/* While a task waits. */
static void changes_are_seen(thrum_loop *loop)
{
    thrum_watch *watch;
    const char *path = in_folder("a");
    CHECK_EQ(thrum_watch_open(&watch, path, MILLISECONDS(200)), 0);
    thrum_task *task = begin_waiting(loop, watch);
    make_file(path, "one");
    CHECK_EQ(outcome_of(loop, task), THRUM_PATH_APPEARED);
    CHECK_EQ(seen.before.type, THRUM_FILE_NONE);
    CHECK_EQ(seen.now.type, THRUM_FILE_REGULAR);
    thrum_file_info now = seen.now;

    /* That the file was made and that it was written may be two changes. */
    if (now.size != 3) {
        CHECK_EQ(thrum_loop_run_until_complete(loop, waits(watch), NULL), 0);
        CHECK_EQ(seen.now.size, 3);
        now = seen.now;
    }
    task = begin_waiting(loop, watch);
    CHECK_EQ(truncate(path, 1000), 0);
    CHECK_EQ(outcome_of(loop, task), THRUM_PATH_CHANGED);
    CHECK_MEM(&seen.before, &now, sizeof now);
    CHECK_EQ(seen.now.size, 1000);

    make_file(in_folder("b"), "other");
    task = begin_waiting(loop, watch);
    CHECK_EQ(rename(in_folder("b"), path), 0);
    CHECK_EQ(outcome_of(loop, task), THRUM_PATH_CHANGED);
    CHECK_NE(seen.now.inode, seen.before.inode);
    CHECK_EQ(seen.now.size, 5);

    task = begin_waiting(loop, watch);
    CHECK_EQ(unlink(path), 0);
    CHECK_EQ(outcome_of(loop, task), THRUM_PATH_GONE);
    CHECK_EQ(seen.before.size, 5);
    CHECK_EQ(seen.now.type, THRUM_FILE_NONE);
    thrum_watch_close(watch);
}

TEST_LIMIT(path_watch, sees_changes, 60)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    changes_are_seen(loop);
    close_loop(loop);
}

TEST_LIMIT(path_watch, sees_changes_as_a_guest, 60)
{
    struct ev_loop *ev = ev_loop_new(0);
    thrum_loop *loop;
    CHECK_EQ(thrum_loop_from_ev(&loop, ev), 0);
    changes_are_seen(loop);
    thrum_watch *watch;
    CHECK_EQ(thrum_watch_open(&watch, in_folder("a"), 0), 0);
    ev_run(ev, 0); /* a watch alone does not keep it going */
    thrum_watch_close(watch);
    close_loop(loop);
    ev_loop_destroy(ev);
}

/* Set both times as they were: of what is told by the second nothing differs then. libev would not notice. */
TEST_LIMIT(path_watch, sees_the_second_change_within_a_second, 60)
{
    thrum_watch *watch;
    struct timespec now;
    const char *path = in_folder("a");
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    do /* a second that has just begun */
        clock_gettime(CLOCK_REALTIME, &now);
    while (now.tv_nsec > 300000000);
    make_file(path, "one");
    CHECK_EQ(thrum_watch_open(&watch, path, 0), 0);
    thrum_task *task = begin_waiting(loop, watch);
    do { /* the clock of file systems ticks slowly */
        make_file(in_folder("b"), "x");
        struct stat a, b;
        CHECK_EQ(stat(path, &a), 0);
        CHECK_EQ(stat(in_folder("b"), &b), 0);
        if (a.st_mtim.tv_nsec != b.st_mtim.tv_nsec)
            break;
    } while (1);
    int file = open(path, O_WRONLY);
    CHECK_EQ(write(file, "two", 3), 3);
    close(file);
    CHECK_EQ(outcome_of(loop, task), THRUM_PATH_CHANGED);
    CHECK_EQ(seen.now.size, 3);
    CHECK_GT(seen.now.modified, seen.before.modified);
    thrum_watch_close(watch);
    close_loop(loop);
}

/* What comes while nobody waits is not lost: the last of it is told, at once. */
TEST(path_watch, tells_what_came_before)
{
    thrum_watch *watch;
    thrum_value what = 0;
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_watch_open(&watch, in_folder("a"), 0), 0);
    make_file(in_folder("a"), "1");
    make_file(in_folder("a"), "12");
    CHECK_EQ(thrum_loop_run_until_complete(loop, waits(watch), &what), 0);
    CHECK_EQ(what, THRUM_PATH_APPEARED);
    CHECK_EQ(seen.now.size, 2);
    CHECK_EQ(chmod(in_folder("a"), 0600), 0);
    CHECK_EQ(unlink(in_folder("a")), 0);
    make_file(in_folder("a"), "123");
    CHECK_EQ(thrum_loop_run_until_complete(loop, waits(watch), &what), 0);
    CHECK_EQ(what, THRUM_PATH_CHANGED);
    CHECK_EQ(seen.before.size, 2);
    CHECK_EQ(seen.now.size, 3);
    thrum_watch_close(watch);
    close_loop(loop);
}

/* A change that came, and then the cancellation: the next one who waits gets it. */
TEST(path_watch, cancelled_loses_nothing)
{
    thrum_watch *watch;
    thrum_value what = 0;
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_watch_open(&watch, in_folder("a"), 0), 0);
    thrum_task *task = begin_waiting(loop, watch);
    CHECK_EQ(thrum_loop_run_until_complete(loop, waits(watch), NULL), THRUM_EBUSY);
    CHECK(thrum_task_cancel(task)); /* parked */
    CHECK_EQ(outcome_of(loop, task), THRUM_ECANCELED);
    task = begin_waiting(loop, watch);
    make_file(in_folder("a"), "x");
    while (!thrum_task_woken(task) && !thrum_task_done(task))
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
    if (!thrum_task_done(task)) {
        CHECK(thrum_task_cancel(task));
        CHECK_EQ(outcome_of(loop, task), THRUM_ECANCELED);
        CHECK_EQ(thrum_loop_run_until_complete(loop, waits(watch), &what), 0);
        CHECK_EQ(what, THRUM_PATH_APPEARED);
    } else {
        thrum_task_release(task);
    }
    thrum_watch_close(watch);
    close_loop(loop);
}

static ASYNC(loops, ARGS((thrum_watch *, watch)),
             LOCALS(thrum_path_change *change; thrum_path_change memory; thrum_iteration each; int count;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->change, self->each, thrum_watch_changes(self->watch, &self->memory)) {
        CHECK_PTR(self->change, &self->memory);
        self->count++;
        if (self->change->what == THRUM_PATH_GONE)
            thrum_watch_close(self->watch);
        if (self->change->what == THRUM_PATH_GONE)
            break;
        CHECK_EQ(unlink(in_folder("a")), 0);
    }
    ASYNC_RETURN(self->count);
    ASYNC_END;
}

static ASYNC(loops_until_closed, ARGS((thrum_watch *, watch)),
             LOCALS(thrum_path_change *change; thrum_path_change memory; thrum_iteration each;))
{
    ASYNC_BEGIN;
    ASYNC_FOR (self->change, self->each, thrum_watch_changes(self->watch, &self->memory))
        FAIL("no change");
    ASYNC_RETURN(7);
    ASYNC_END;
}

TEST(path_watch, is_iterated)
{
    thrum_watch *watch;
    thrum_value count = 0;
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_watch_open(&watch, in_folder("a"), 0), 0);
    make_file(in_folder("a"), "1");
    CHECK_EQ(thrum_loop_run_until_complete(loop, loops(watch), &count), 0);
    CHECK_EQ(count, 2);
    CHECK_EQ(thrum_watch_open(&watch, in_folder("a"), 0), 0);
    thrum_task *task = thrum_spawn(loops_until_closed(watch));
    CHECK_EQ(thrum_loop_step(loop, 0), 0);
    thrum_watch_close(watch);
    CHECK_EQ(outcome_of(loop, task), 7);
    close_loop(loop);
}

TEST(path_watch, closed_and_left)
{
    thrum_watch *watch, *left;
    log_begin();
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    thrum_loop_set_debug(loop, true);
    CHECK_EQ(thrum_watch_open(&watch, in_folder("a"), 0), 0);
    thrum_task *task = begin_waiting(loop, watch);
    thrum_watch_close(watch);
    CHECK_EQ(outcome_of(loop, task), THRUM_ECLOSED);
    CHECK_EQ(thrum_watch_open(&watch, in_folder("a"), 0), 0);
    task = begin_waiting(loop, watch);
    thrum_watch_close(watch);
    thrum_task_cancel(task); /* closed and cancelled */
    CHECK_EQ(outcome_of(loop, task), THRUM_ECANCELED);
    thrum_watch_close(NULL);
    CHECK_EQ(thrum_watch_open(&watch, NULL, 0), THRUM_EINVAL);
    CHECK_EQ(thrum_watch_open(&watch, "a", -1), THRUM_EINVAL);
    CHECK_NULL(watch);
    CHECK_EQ(thrum_watch_open(&left, in_folder("a"), 0), 0);
    task = begin_waiting(loop, left);
    thrum_task_release(task);
    close_loop(loop);
    CHECK(log_has("unclosed watch"));
    CHECK_EQ(thrum_watch_open(&watch, "a", 0), THRUM_ESTATE);
    loop = open_loop(THRUM_BACKEND_SIM);
    CHECK_EQ(thrum_watch_open(&watch, "a", 0), THRUM_EUNSUPPORTED);
    close_loop(loop);
}
