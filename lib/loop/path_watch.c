/* Watching paths. The backend says when to look; what is compared is what we see ourselves.
 *
 * libev compares times by the second, and so misses a second change within the same one. So as long as the last change
 * is not older than that, a waiting task has us look once more when the second is over. */
#include <stdlib.h>
#include <string.h>

#include <thrum/handles.h>
#include <thrum/watches.h>

#include "core/checks.h"
#include "loop/file_info.h"
#include "loop/loop.h"

static const thrum_time GRAIN = THRUM_TICKS_PER_SECOND + THRUM_TICKS_PER_SECOND / 50;

struct thrum_watch {
    thrum_watched_path path;
    thrum_loop *loop;
    thrum_task *task; /* that waits */
    thrum_path_change *change;
    bool items; /* it loops over changes */
    thrum_handle again;
    thrum_time settled; /* when to look again at the latest */
    thrum_file_info seen;
    bool closed; /* and freed by the task that waits */
    thrum_loop_closer closer;
    char name[];
};

static void look(const thrum_watch *watch, thrum_file_info *info)
{
    struct stat found;
    if (lstat(watch->name, &found))
        memset(info, 0, sizeof *info);
    else
        file_info_fill(info, &found);
}

static bool differ(const thrum_file_info *a, const thrum_file_info *b)
{
    return a->type != b->type || a->inode != b->inode || a->device != b->device || a->size != b->size ||
           a->modified != b->modified || a->changed != b->changed || a->mode != b->mode || a->user != b->user ||
           a->group != b->group || a->links != b->links;
}

/* ---- the backend tells ---- */

static void wake(thrum_watch *watch)
{
    if (watch->task)
        thrum_wake(&watch->task->waiter, 0, 0);
}

static void may_have_changed(thrum_watched_path *path)
{
    thrum_watch *watch = (thrum_watch *)(void *)((char *)path - offsetof(thrum_watch, path));
    watch->settled = thrum_now() + GRAIN;
    wake(watch);
}

static void look_again(thrum_handle *handle)
{
    wake((thrum_watch *)handle->context);
}

/* ---- waiting ---- */

static void leave(thrum_watch *watch)
{
    watch->task = NULL;
    thrum_handle_cancel(&watch->again);
    loop_unhold(watch->loop);
    if (watch->closed)
        free(watch);
}

static thrum_path_event event_of(const thrum_file_info *before, const thrum_file_info *now)
{
    if (before->type == THRUM_FILE_NONE)
        return THRUM_PATH_APPEARED;
    return now->type == THRUM_FILE_NONE ? THRUM_PATH_GONE : THRUM_PATH_CHANGED;
}

/* Is there a change? */
static bool take(thrum_watch *watch, thrum_path_change *change)
{
    thrum_file_info now;
    look(watch, &now);
    if (!differ(&watch->seen, &now))
        return false;
    change->what = event_of(&watch->seen, &now);
    change->before = watch->seen;
    change->now = watch->seen = now;
    watch->settled = thrum_now() + GRAIN;
    return true;
}

static thrum_step taken(thrum_task *task, thrum_path_change *change, bool items)
{
    return thrum_done(task, 0, items ? (thrum_value)(intptr_t)change : (thrum_value)change->what);
}

static thrum_step wait_on(thrum_task *task, thrum_watch *watch)
{
    thrum_handle_cancel(&watch->again);
    if (thrum_now() < watch->settled)
        (void)thrum_call_at(watch->settled, &watch->again);
    return thrum_parked(task);
}

static thrum_step watch_start(thrum_task *task, thrum_record *record)
{
    thrum_watch *watch = (thrum_watch *)record->object;
    thrum_path_change *change = (thrum_path_change *)(intptr_t)record->a;
    if (watch->task)
        return thrum_done(task, THRUM_EBUSY, 0);
    if (take(watch, change))
        return taken(task, change, record->b);
    watch->task = task;
    watch->change = change;
    watch->items = record->b;
    loop_hold(watch->loop);
    return wait_on(task, watch);
}

static thrum_step watch_resume(thrum_task *task)
{
    thrum_watch *watch = (thrum_watch *)task->object;
    thrum_path_change *change = watch->change;
    bool items = watch->items, closed = watch->closed;
    if (!closed && !take(watch, change))
        return wait_on(task, watch);
    leave(watch);
    return closed ? thrum_done(task, items ? THRUM_ESTOP : THRUM_ECLOSED, 0) : taken(task, change, items);
}

static thrum_cancel_result watch_cancel(thrum_task *task)
{
    leave((thrum_watch *)task->object);
    return THRUM_DETACHED;
}

static const thrum_operations watch_operations = {watch_start, watch_resume, watch_cancel, NULL, "watch", NULL};

thrum_awaitable thrum_watch_next(thrum_watch *watch, thrum_path_change *change)
{
    return thrum_awaitable_make(&watch_operations, watch, (thrum_value)(intptr_t)change, false);
}

thrum_iterable thrum_watch_changes(thrum_watch *watch, thrum_path_change *change)
{
    return thrum_iterable_make(&watch_operations, watch, (thrum_value)(intptr_t)change, true);
}

/* ---- opening and closing ---- */

static void stop(thrum_watch *watch)
{
    watch->loop->verbs.path_stop(loop_own(watch->loop), &watch->path);
    watch->closed = true;
    if (watch->task)
        wake(watch);
    else
        free(watch);
}

static void loop_closes(thrum_loop_closer *closer)
{
    thrum_watch *watch = (thrum_watch *)(void *)((char *)closer - offsetof(thrum_watch, closer));
    loop_tell_unclosed("watch", watch);
    stop(watch);
}

int thrum_watch_open(thrum_watch **made, const char *path, thrum_time interval)
{
    thrum_loop *loop = loop_here();
    *made = NULL;
    if (!loop)
        return THRUM_ESTATE;
    if (!path || interval < 0)
        return THRUM_EINVAL;
    if (!loop->verbs.path_start)
        return THRUM_EUNSUPPORTED;
    size_t size = strlen(path) + 1;
    thrum_watch *watch = (thrum_watch *)calloc(1, sizeof *watch + size);
    if (!watch)
        return THRUM_ENOMEM;
    memcpy(watch->name, path, size);
    watch->loop = loop;
    watch->path.name = watch->name;
    watch->path.changed = may_have_changed;
    thrum_handle_init(&watch->again, look_again, watch);
    int error = loop->verbs.path_start(loop_own(loop), &watch->path, interval);
    if (error) {
        free(watch);
        return error;
    }
    look(watch, &watch->seen);
    watch->settled = thrum_loop_time(loop) + GRAIN;
    watch->closer.close = loop_closes;
    thrum_loop_remember(&watch->closer);
    thrum_made_note(watch);
    *made = watch;
    return 0;
}

void thrum_watch_close(thrum_watch *watch)
{
    if (!watch)
        return;
    thrum_loop_forget(&watch->closer);
    stop(watch);
}
