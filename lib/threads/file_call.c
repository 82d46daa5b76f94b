/* How a call of the file system is begun, waited for and cancelled. The thread uses memory of the caller, so nobody
 * goes on before it has come back. */
#include "threads/file_call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static file_call *call_of(thrum_job *job)
{
    return (file_call *)(void *)((char *)job - offsetof(file_call, job));
}

/* ---- in the thread ---- */

static void work(thrum_job *job)
{
    file_call *call = call_of(job);
    call->error = call->kind->work(call);
}

static size_t piece_of(const file_call *call)
{
    return call->size - call->done < FILE_PIECE ? call->size - call->done : FILE_PIECE;
}

int file_read(file_call *call, int descriptor)
{
    while (call->done < call->size) {
        if (atomic_load_explicit(&call->stop, memory_order_relaxed))
            return FILE_STOPPED;
        ssize_t got =
            pread(descriptor, (char *)call->memory + call->done, piece_of(call), (off_t)(call->offset + call->done));
        if (got == 0)
            break;
        if (got > 0)
            call->done += (size_t)got;
        else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

int file_write(file_call *call, int descriptor)
{
    while (call->done < call->size) {
        if (atomic_load_explicit(&call->stop, memory_order_relaxed))
            return FILE_STOPPED;
        ssize_t put = pwrite(descriptor, (const char *)call->memory + call->done, piece_of(call),
                             (off_t)(call->offset + call->done));
        if (put >= 0)
            call->done += (size_t)put;
        else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

/* ---- in the loop ---- */

/* The thread is through with it. */
static void over(file_call *call)
{
    if (call->job.cancelled)
        call->error = THRUM_ESHUTDOWN;
    if (call->file && --call->file->busy == 0 && call->file->closing)
        file_idle(call->file);
}

static void done(thrum_job *job)
{
    file_call *call = call_of(job);
    over(call);
    thrum_wake(&call->task->waiter, 0, 0);
}

/* The loop closes: the task and its memory have gone, and the file comes after its calls. */
static void discard(thrum_job *job)
{
    file_call *call = call_of(job);
    if (call->file)
        call->file->busy--;
    call->kind->end(call, false);
}

void file_call_init(file_call *call, const file_kind *kind)
{
    call->job.work = work;
    call->job.done = done;
    call->job.discard = discard;
    call->job.keeps = true;
    call->kind = kind;
    atomic_init(&call->stop, false);
}

/* From thrum_job_start() on, the call is the thread's. */
int file_call_begin(file_call *call)
{
    atomic_store_explicit(&call->stop, false, memory_order_relaxed);
    int error = call->file && call->file->closing ? THRUM_ECLOSED : thrum_job_start(&call->job, NULL);
    if (error)
        call->error = error;
    else if (call->file)
        call->file->busy++;
    return error;
}

/* An error of the system, or one that says how far it came, goes with what is known of it. */
static int told(const file_call *call)
{
    int error = call->error;
    if (error > THRUM_ECANCELED || error == THRUM_EINCOMPLETE || error == THRUM_ELIMIT)
        thrum_error_set(error, error > THRUM_ECANCELED ? -error : 0, call->kind->operations.name, (int64_t)call->done,
                        call->file ? call->file->path : call->path);
    return error;
}

thrum_step file_call_finish(thrum_task *task, file_call *call)
{
    int error = call->error ? told(call) : 0;
    thrum_value value = error ? 0 : call->value;
    call->kind->end(call, !error);
    return thrum_done(task, error, value);
}

thrum_step file_call_start(thrum_task *task, thrum_record *record)
{
    file_call *call = (file_call *)record->object;
    call->task = task;
    return file_call_begin(call) ? file_call_finish(task, call) : thrum_parked(task);
}

thrum_step file_call_resume(thrum_task *task)
{
    file_call *call = (file_call *)task->object;
    if (call->error == FILE_STOPPED && !file_call_begin(call)) /* the cancellation was taken back */
        return thrum_parked(task);
    return file_call_finish(task, call);
}

thrum_cancel_result file_call_cancel(thrum_task *task)
{
    file_call *call = (file_call *)task->object;
    if (!thrum_task_woken(task)) {
        if (!thrum_job_withdraw(&call->job)) {
            atomic_store_explicit(&call->stop, true, memory_order_relaxed);
            return THRUM_REFUSED;
        }
        over(call);
    }
    call->kind->end(call, false);
    return THRUM_DETACHED;
}

void file_call_drop(thrum_record *record)
{
    file_call *call = (file_call *)record->object;
    call->kind->end(call, false);
}

/* ---- calls of their own ---- */

file_call *file_call_new(const file_kind *kind, thrum_file *file, const char *path, const char *to)
{
    size_t path_size = path ? strlen(path) + 1 : 0, to_size = to ? strlen(to) + 1 : 0;
    file_call *call = (file_call *)calloc(1, sizeof *call + path_size + to_size);
    if (!call)
        return NULL;
    file_call_init(call, kind);
    if (path)
        call->path = (const char *)memcpy(call + 1, path, path_size);
    if (to)
        call->to = (const char *)memcpy((char *)(call + 1) + path_size, to, to_size);
    call->file = file;
    if (file)
        file->references++;
    return call;
}

void file_call_free(file_call *call, bool taken)
{
    (void)taken;
    if (call->file)
        file_unhold(call->file);
    free(call);
}

thrum_awaitable file_call_make(file_call *call)
{
    return call ? thrum_awaitable_make(&call->kind->operations, call, 0, 0) : thrum_awaitable_failing(THRUM_ENOMEM);
}
