/* What is done with open files, and with paths: one function for the thread each. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop/file_info.h"
#include "threads/file_call.h"

static int result_of(int returned)
{
    return returned < 0 ? -errno : 0;
}

/* ---- reading and writing ---- */

static int read_work(file_call *call)
{
    int error = file_read(call, call->file->descriptor);
    call->value = (thrum_value)call->done;
    return error;
}

static int read_exactly_work(file_call *call)
{
    int error = read_work(call);
    return error || call->done == call->size ? error : THRUM_EINCOMPLETE;
}

static int write_work(file_call *call)
{
    call->value = (thrum_value)call->size;
    return file_write(call, call->file->descriptor);
}

/* In one call, or others would come in between; what is left of it then must follow. */
static int append_work(file_call *call)
{
    int flags = fcntl(call->file->descriptor, F_GETFL);
    if (flags < 0)
        return -errno;
    if (!(flags & O_APPEND))
        return THRUM_ESTATE;
    while (call->done < call->size) {
        ssize_t put = write(call->file->descriptor, (const char *)call->memory + call->done, call->size - call->done);
        if (put >= 0)
            call->done += (size_t)put;
        else if (errno != EINTR)
            return -errno;
    }
    call->value = (thrum_value)call->size;
    return 0;
}

static const file_kind read_kind = FILE_KIND("read", read_work, file_call_free);
static const file_kind read_exactly_kind = FILE_KIND("read exactly", read_exactly_work, file_call_free);
static const file_kind write_kind = FILE_KIND("write", write_work, file_call_free);
static const file_kind append_kind = FILE_KIND("append", append_work, file_call_free);

static thrum_awaitable move(const file_kind *kind, thrum_file *file, const void *memory, size_t size, uint64_t offset)
{
    if (!file || offset > INT64_MAX || size > INT64_MAX - offset)
        return thrum_awaitable_failing(THRUM_EINVAL);
    file_call *call = file_call_new(kind, file, NULL, NULL);
    if (call) {
        call->memory = (void *)(uintptr_t)memory;
        call->size = size;
        call->offset = offset;
    }
    return file_call_make(call);
}

thrum_awaitable thrum_file_read_at(thrum_file *file, void *buffer, size_t size, uint64_t offset)
{
    return move(&read_kind, file, buffer, size, offset);
}

thrum_awaitable thrum_file_read_exactly_at(thrum_file *file, void *buffer, size_t size, uint64_t offset)
{
    return move(&read_exactly_kind, file, buffer, size, offset);
}

thrum_awaitable thrum_file_write_at(thrum_file *file, const void *data, size_t size, uint64_t offset)
{
    return move(&write_kind, file, data, size, offset);
}

thrum_awaitable thrum_file_append(thrum_file *file, const void *data, size_t size)
{
    return move(&append_kind, file, data, size, 0);
}

/* ---- the rest of open files ---- */

static int fstat_work(file_call *call)
{
    struct stat found;
    int error = result_of(fstat(call->file->descriptor, &found));
    if (!error)
        file_info_fill((thrum_file_info *)call->memory, &found);
    return error;
}

static int truncate_work(file_call *call)
{
    int error;
    do
        error = result_of(ftruncate(call->file->descriptor, (off_t)call->offset));
    while (error == -EINTR);
    return error;
}

static int sync_work(file_call *call)
{
    int error;
    do
        error = result_of(fsync(call->file->descriptor));
    while (error == -EINTR);
    return error;
}

#if defined(_POSIX_SYNCHRONIZED_IO) && _POSIX_SYNCHRONIZED_IO > 0
static int datasync_work(file_call *call)
{
    int error;
    do
        error = result_of(fdatasync(call->file->descriptor));
    while (error == -EINTR);
    return error;
}
#else
#define datasync_work sync_work
#endif

static const file_kind fstat_kind = FILE_KIND("stat", fstat_work, file_call_free);
static const file_kind truncate_kind = FILE_KIND("truncate", truncate_work, file_call_free);
static const file_kind sync_kind = FILE_KIND("fsync", sync_work, file_call_free);
static const file_kind datasync_kind = FILE_KIND("fdatasync", datasync_work, file_call_free);

thrum_awaitable thrum_file_stat(thrum_file *file, thrum_file_info *info)
{
    return move(&fstat_kind, file, info, 0, 0);
}

thrum_awaitable thrum_file_truncate(thrum_file *file, uint64_t size)
{
    return move(&truncate_kind, file, NULL, 0, size);
}

thrum_awaitable thrum_file_sync(thrum_file *file)
{
    return move(&sync_kind, file, NULL, 0, 0);
}

thrum_awaitable thrum_file_datasync(thrum_file *file)
{
    return move(&datasync_kind, file, NULL, 0, 0);
}

/* ---- paths ---- */

static int stat_work(file_call *call)
{
    struct stat found;
    int error = result_of(call->flags ? lstat(call->path, &found) : stat(call->path, &found));
    if (!error)
        file_info_fill((thrum_file_info *)call->memory, &found);
    return error;
}

static int rename_work(file_call *call)
{
    return result_of(rename(call->path, call->to));
}

static int unlink_work(file_call *call)
{
    return result_of(unlink(call->path));
}

static int mkdir_work(file_call *call)
{
    return result_of(mkdir(call->path, (mode_t)call->mode));
}

static int rmdir_work(file_call *call)
{
    return result_of(rmdir(call->path));
}

static const file_kind stat_kind = FILE_KIND("stat", stat_work, file_call_free);
static const file_kind rename_kind = FILE_KIND("rename", rename_work, file_call_free);
static const file_kind unlink_kind = FILE_KIND("unlink", unlink_work, file_call_free);
static const file_kind mkdir_kind = FILE_KIND("mkdir", mkdir_work, file_call_free);
static const file_kind rmdir_kind = FILE_KIND("rmdir", rmdir_work, file_call_free);

static thrum_awaitable call_path(const file_kind *kind, const char *path, const char *to, unsigned mode)
{
    if (!path || !to)
        return thrum_awaitable_failing(THRUM_EINVAL);
    file_call *call = file_call_new(kind, NULL, path, to);
    if (call)
        call->mode = mode;
    return file_call_make(call);
}

static thrum_awaitable ask(const char *path, thrum_file_info *info, int link)
{
    file_call *call = path ? file_call_new(&stat_kind, NULL, path, NULL) : NULL;
    if (!path)
        return thrum_awaitable_failing(THRUM_EINVAL);
    if (call) {
        call->memory = info;
        call->flags = link;
    }
    return file_call_make(call);
}

thrum_awaitable thrum_stat(const char *path, thrum_file_info *info)
{
    return ask(path, info, 0);
}

thrum_awaitable thrum_lstat(const char *path, thrum_file_info *info)
{
    return ask(path, info, 1);
}

thrum_awaitable thrum_rename(const char *from, const char *to)
{
    return call_path(&rename_kind, from, to, 0);
}

thrum_awaitable thrum_unlink(const char *path)
{
    return call_path(&unlink_kind, path, "", 0);
}

thrum_awaitable thrum_mkdir(const char *path, unsigned mode)
{
    return call_path(&mkdir_kind, path, "", mode);
}

thrum_awaitable thrum_rmdir(const char *path)
{
    return call_path(&rmdir_kind, path, "", 0);
}
