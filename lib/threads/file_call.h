/* A call of the file system that is made in a thread: what the files of this folder share that make such calls. */
#ifndef THRUM_THREADS_FILE_CALL_H
#define THRUM_THREADS_FILE_CALL_H

#include <stdatomic.h>

#include <thrum/files.h>

#include "threads/job.h"

/* After so many bytes a thread looks whether they are wanted still. */
enum { FILE_PIECE = 1024 * 1024 };

/* What `work` gives when it stopped for that. Who waits may have changed his mind meanwhile: then it is begun again. */
enum { FILE_STOPPED = 1 };

typedef struct file_call file_call;

/* Stands in static storage; its operations are those of the awaitable. */
typedef struct file_kind {
    thrum_operations operations;
    int (*work)(file_call *call);             /* in the thread: 0, an error, FILE_STOPPED */
    void (*end)(file_call *call, bool taken); /* in the loop, once: `taken` when the outcome is handed over and good */
} file_kind;

#define FILE_KIND(name, work, end)                                                                                     \
    {                                                                                                                  \
        {file_call_start, file_call_resume, file_call_cancel, file_call_drop, name, NULL}, work, end                   \
    }

struct file_call {
    thrum_job job;
    const file_kind *kind;
    thrum_task *task;
    thrum_file *file; /* that it is about, held; or NULL */
    atomic_bool stop; /* it is not wanted any more */
    int error;
    thrum_value value;
    const char *path; /* for the error's detail, and where there is no file */

    /* What `work` needs of these. */
    const char *to;
    void *memory;
    char **out;
    size_t size, done;
    uint64_t offset;
    int flags;
    unsigned mode;
};

struct thrum_file {
    file_call call; /* that opens it and, later, closes it */
    int descriptor;
    unsigned references; /* the owner's, and of calls */
    unsigned busy;       /* calls that threads are making */
    bool owned;          /* one of those references is the owner's */
    bool spent;          /* who has given it back */
    bool closing;        /* no more calls */
    bool waiting;        /* thrum_file_close() waits for those that are being made */
    bool remembered;     /* by its loop */
    thrum_loop_closer closer;
    char path[];
};

/* The verbs. */
thrum_step file_call_start(thrum_task *task, thrum_record *record);
thrum_step file_call_resume(thrum_task *task);
thrum_cancel_result file_call_cancel(thrum_task *task);
void file_call_drop(thrum_record *record);

/* The outcome is there: hand it over, and end the call. */
thrum_step file_call_finish(thrum_task *task, file_call *call);

/* Prepare a call whose memory is zeroed. */
void file_call_init(file_call *call, const file_kind *kind);

/* A call of its own, zeroed but for this; about a file, or with copies of the paths, of which `to` may be NULL. NULL:
 * no memory, or no path. file_call_free() is its `end`. */
file_call *file_call_new(const file_kind *kind, thrum_file *file, const char *path, const char *to);
void file_call_free(file_call *call, bool taken);

/* As an awaitable; one that fails where `call` is NULL. */
thrum_awaitable file_call_make(file_call *call);

/* Have the thread begin. 0; or an error, which is the call's then. */
int file_call_begin(file_call *call);

/* What is about the file itself (files.c): no call on a file that is being closed is left; a reference goes. */
void file_idle(thrum_file *file);
void file_unhold(thrum_file *file);

/* Read or write `call`'s bytes from `done` on. 0, -errno or FILE_STOPPED; reading also ends where the file does. */
int file_read(file_call *call, int descriptor);
int file_write(file_call *call, int descriptor);

#endif
