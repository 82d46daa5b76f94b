/* Whole files, read and written in one call. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "threads/file_call.h"

/* ---- reading ---- */

/* `to` is where the caller wants the memory; `offset` is the most that it may be. */

enum { FIRST_ROOM = 4096 };

/* Room for one byte more than has come, so that a file that has no more is seen to end, and for the 0. */
static bool grow(file_call *call)
{
    if (call->done < call->size)
        return true;
    size_t room = call->size * 2 > FIRST_ROOM ? call->size * 2 : FIRST_ROOM;
    if (room >= SIZE_MAX / 2)
        return false;
    char *memory = (char *)realloc(call->memory, room + 1);
    if (!memory)
        return false;
    call->memory = memory;
    call->size = room;
    return true;
}

static int read_all(file_call *call, int descriptor)
{
    struct stat found;
    if (fstat(descriptor, &found))
        return -errno;
    if (S_ISREG(found.st_mode) && (uint64_t)found.st_size > call->offset)
        return THRUM_ELIMIT;
    call->size = S_ISREG(found.st_mode) && (uint64_t)found.st_size < SIZE_MAX / 4 ? (size_t)found.st_size + 1 : 0;
    call->memory = call->size ? malloc(call->size + 1) : NULL;
    if (call->size && !call->memory)
        return THRUM_ENOMEM;
    for (;;) {
        if (atomic_load_explicit(&call->stop, memory_order_relaxed))
            return FILE_STOPPED;
        if (!grow(call))
            return THRUM_ENOMEM;
        size_t room = call->size - call->done < FILE_PIECE ? call->size - call->done : FILE_PIECE;
        ssize_t got = read(descriptor, (char *)call->memory + call->done, room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        call->done += (size_t)got;
        if (call->done > call->offset)
            return THRUM_ELIMIT;
    }
    ((char *)call->memory)[call->done] = '\0';
    call->value = (thrum_value)call->done;
    return 0;
}

static int read_file_work(file_call *call)
{
    int descriptor;
    call->done = 0;
    do
        descriptor = open(call->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (descriptor < 0 && errno == EINTR && !atomic_load_explicit(&call->stop, memory_order_relaxed));
    if (descriptor < 0)
        return -errno;
    int error = read_all(call, descriptor);
    (void)close(descriptor);
    if (error) {
        free(call->memory);
        call->memory = NULL;
    }
    return error;
}

static void read_file_end(file_call *call, bool taken)
{
    if (taken)
        *call->out = (char *)call->memory;
    else
        free(call->memory);
    file_call_free(call, taken);
}

static const file_kind read_file_kind = FILE_KIND("read file", read_file_work, read_file_end);

thrum_awaitable thrum_read_file(const char *path, char **data, size_t most)
{
    if (!path || !data)
        return thrum_awaitable_failing(THRUM_EINVAL);
    *data = NULL;
    file_call *call = file_call_new(&read_file_kind, NULL, path, NULL);
    if (call) {
        call->out = data;
        call->offset = most;
    }
    return file_call_make(call);
}

/* ---- writing ---- */

/* The folder's entry has to reach the disk as well. Not every file system can be asked for that. */
static void sync_folder(const char *path)
{
    char *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    if (!folder)
        return;
    if (slash)
        slash[slash == folder] = '\0';
    int descriptor = open(slash ? folder : ".", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    free(folder);
    if (descriptor < 0)
        return;
    (void)fsync(descriptor);
    (void)close(descriptor);
}

/* A name that nothing has. The number need not be a secret: what is there is never opened. */
static int open_beside(const file_call *call, char *name, size_t room)
{
    struct timespec now;
    int descriptor = -1;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    unsigned number = (unsigned)now.tv_nsec ^ (unsigned)getpid() << 12 ^ (unsigned)((uintptr_t)call >> 4);
    for (int tries = 0; tries < 100 && descriptor < 0; tries++) {
        (void)snprintf(name, room, "%s.%08x~", call->path, number + (unsigned)tries * 2654435761u);
        descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, (mode_t)call->mode);
        if (descriptor < 0 && errno != EEXIST && errno != EINTR)
            break;
    }
    return descriptor < 0 ? -errno : descriptor;
}

static int write_and_sync(file_call *call, int descriptor)
{
    int error = file_write(call, descriptor);
    while (!error && fsync(descriptor))
        if (errno != EINTR)
            error = -errno;
    if (close(descriptor) && !error && errno != EINTR)
        error = -errno;
    if (!error && atomic_load_explicit(&call->stop, memory_order_relaxed))
        error = FILE_STOPPED;
    return error;
}

static int write_file_work(file_call *call)
{
    size_t room = strlen(call->path) + sizeof ".01234567~";
    char *name = (char *)malloc(room);
    if (!name)
        return THRUM_ENOMEM;
    call->done = 0;
    int descriptor = open_beside(call, name, room), error = descriptor < 0 ? descriptor : 0;
    if (!error) {
        error = write_and_sync(call, descriptor);
        if (!error && rename(name, call->path))
            error = -errno;
        if (error)
            (void)unlink(name);
        else
            sync_folder(call->path);
    }
    free(name);
    call->value = (thrum_value)call->size;
    return error;
}

static const file_kind write_file_kind = FILE_KIND("write file", write_file_work, file_call_free);

thrum_awaitable thrum_write_file(const char *path, const void *data, size_t size, unsigned mode)
{
    if (!path || size > INT64_MAX)
        return thrum_awaitable_failing(THRUM_EINVAL);
    file_call *call = file_call_new(&write_file_kind, NULL, path, NULL);
    if (call) {
        call->memory = (void *)(uintptr_t)data;
        call->size = size;
        call->mode = mode;
    }
    return file_call_make(call);
}
