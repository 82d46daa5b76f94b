/* Open files: how they begin and end. One that is being used by a thread is not closed before that has come back, since
 * its number may stand for another file then. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/checks.h"
#include "loop/loop.h"
#include "threads/file_call.h"

static thrum_file *file_of(file_call *call)
{
    return (thrum_file *)(void *)((char *)call - offsetof(thrum_file, call));
}

static thrum_file *file_new(const char *path)
{
    size_t size = strlen(path) + 1;
    thrum_file *file = (thrum_file *)calloc(1, sizeof *file + size);
    if (!file)
        return NULL;
    memcpy(file->path, path, size);
    file->call.path = file->path;
    file->descriptor = -1;
    file->references = 1;
    file->owned = true;
    return file;
}

static int close_descriptor(thrum_file *file)
{
    int descriptor = file->descriptor;
    file->descriptor = -1;
    /* Interrupted, it is closed on nearly every system, and elsewhere nobody can tell: so never twice. */
    return descriptor < 0 || !close(descriptor) || errno == EINTR ? 0 : -errno;
}

static void forget(thrum_file *file)
{
    if (file->remembered)
        thrum_loop_forget(&file->closer);
    file->remembered = false;
}

void file_unhold(thrum_file *file)
{
    if (--file->references)
        return;
    forget(file);
    (void)close_descriptor(file);
    free(file);
}

/* The owner's reference goes. */
static void disown(thrum_file *file)
{
    if (!file->owned)
        return;
    file->owned = false;
    file_unhold(file);
}

/* ---- the loop closes ---- */

/* Its calls have ended with the tasks; the memory stays for awaitables that were never awaited. */
static void loop_closes(thrum_loop_closer *closer)
{
    thrum_file *file = (thrum_file *)(void *)((char *)closer - offsetof(thrum_file, closer));
    file->remembered = false;
    if (!file->spent)
        loop_tell_unclosed("file", file);
    file->closing = true;
    (void)close_descriptor(file);
    disown(file);
}

static void remember(thrum_file *file)
{
    file->closer.close = loop_closes;
    thrum_loop_remember(&file->closer);
    file->remembered = true;
    thrum_made_note(file);
}

/* ---- open ---- */

static int open_work(file_call *call)
{
    int descriptor;
    do
        descriptor = open(call->path, call->flags | O_CLOEXEC | O_NOCTTY, (mode_t)call->mode);
    while (descriptor < 0 && errno == EINTR && !atomic_load_explicit(&call->stop, memory_order_relaxed));
    file_of(call)->descriptor = descriptor;
    return descriptor < 0 ? -errno : 0;
}

static void open_end(file_call *call, bool taken)
{
    thrum_file *file = file_of(call);
    if (taken)
        remember(file);
    else
        disown(file);
}

static const file_kind open_kind = FILE_KIND("open", open_work, open_end);

thrum_awaitable thrum_file_open(const char *path, int flags, unsigned mode)
{
    thrum_file *file = path ? file_new(path) : NULL;
    if (!file)
        return thrum_awaitable_failing(path ? THRUM_ENOMEM : THRUM_EINVAL);
    file_call_init(&file->call, &open_kind);
    file->call.flags = flags;
    file->call.mode = mode;
    file->call.value = (thrum_value)(intptr_t)file;
    return file_call_make(&file->call);
}

int thrum_file_adopt(thrum_file **file, int descriptor)
{
    *file = NULL;
    if (!loop_here())
        return THRUM_ESTATE;
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    *file = file_new("");
    if (!*file)
        return THRUM_ENOMEM;
    (*file)->descriptor = descriptor;
    remember(*file);
    return 0;
}

int thrum_file_descriptor(const thrum_file *file)
{
    return file->descriptor;
}

/* ---- close ---- */

static int close_work(file_call *call)
{
    return close_descriptor(file_of(call));
}

/* However it comes here, the file is closed. */
static void close_end(file_call *call, bool taken)
{
    thrum_file *file = file_of(call);
    (void)taken;
    file->closing = true;
    if (!file->busy)
        (void)close_descriptor(file);
    disown(file);
}

/* In a thread if there is one, else here. False: it is closed. */
static bool begin_close(thrum_file *file)
{
    if (file_call_begin(&file->call) == 0)
        return true;
    file->call.error = close_descriptor(file);
    return false;
}

static thrum_step close_start(thrum_task *task, thrum_record *record)
{
    file_call *call = (file_call *)record->object;
    thrum_file *file = file_of(call);
    call->task = task;
    file->closing = true;
    if (file->busy)
        file->waiting = true;
    else if (!begin_close(file))
        return file_call_finish(task, call);
    return thrum_parked(task);
}

/* It goes on: only who has begun to wait is kept from going on without it. */
static thrum_cancel_result close_cancel(thrum_task *task)
{
    file_call *call = (file_call *)task->object;
    if (!thrum_task_woken(task))
        return THRUM_REFUSED;
    close_end(call, false);
    return THRUM_DETACHED;
}

static const file_kind close_kind = {
    {close_start, file_call_resume, close_cancel, file_call_drop, "close", NULL}, close_work, close_end};

void file_idle(thrum_file *file)
{
    if (!file->waiting) {
        (void)close_descriptor(file); /* released meanwhile */
        return;
    }
    file->waiting = false;
    if (!begin_close(file))
        thrum_wake(&file->call.task->waiter, 0, 0);
}

static thrum_step nothing_start(thrum_task *task, thrum_record *record)
{
    (void)record;
    return thrum_done(task, 0, 0);
}

static const thrum_operations nothing = {nothing_start, NULL, NULL, NULL, "close", NULL};

thrum_awaitable thrum_file_close(thrum_file *file)
{
    if (!file)
        return thrum_awaitable_make(&nothing, NULL, 0, 0);
    if (file->spent)
        return thrum_awaitable_failing(THRUM_ECLOSED);
    file->spent = true;
    file_call_init(&file->call, &close_kind);
    file->call.value = 0;
    file->call.error = 0;
    return file_call_make(&file->call);
}

void thrum_file_release(thrum_file *file)
{
    if (!file || file->spent)
        return;
    file->spent = true;
    close_end(&file->call, false);
}
