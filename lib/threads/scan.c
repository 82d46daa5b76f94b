/* The entries of a folder: a thread reads some of them, and the loop hands them out. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/checks.h"
#include "loop/file_info.h"
#include "threads/file_call.h"

enum { ENTRIES = 128, NAMES = 8192 };

typedef struct scan {
    file_call call; /* for the next batch */
    DIR *folder;    /* NULL: not opened yet */
    size_t count, given;
    bool remembered, ended;
    bool busy;    /* a task waits for the thread */
    bool dropped; /* and meanwhile the iteration was closed */
    thrum_loop_closer closer;
    thrum_entry entries[ENTRIES];
    char names[NAMES];
} scan;

_Static_assert(NAMES > 2 * sizeof(((struct dirent *)NULL)->d_name), "a batch has room for a name");

/* ---- in the thread ---- */

static thrum_file_type type_of(const scan *self, const struct dirent *entry)
{
#ifdef DT_UNKNOWN
    static const struct {
        unsigned char system;
        thrum_file_type type;
    } types[] = {{DT_REG, THRUM_FILE_REGULAR}, {DT_DIR, THRUM_FILE_FOLDER},  {DT_LNK, THRUM_FILE_LINK},
                 {DT_FIFO, THRUM_FILE_FIFO},   {DT_SOCK, THRUM_FILE_SOCKET}, {DT_CHR, THRUM_FILE_CHARACTER},
                 {DT_BLK, THRUM_FILE_BLOCK}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].system == entry->d_type)
            return types[i].type;
#endif
    struct stat found;
    if (fstatat(dirfd(self->folder), entry->d_name, &found, AT_SYMLINK_NOFOLLOW))
        return THRUM_FILE_OTHER; /* gone already, or not ours to look at */
    return file_type_of(found.st_mode);
}

static bool is_dots(const char *name)
{
    return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static int scan_work(file_call *call)
{
    scan *self = (scan *)(void *)call;
    size_t used = 0;
    self->count = self->given = 0;
    if (!self->folder && !(self->folder = opendir(call->path)))
        return -errno;
    while (self->count < ENTRIES && NAMES - used >= sizeof(((struct dirent *)NULL)->d_name)) {
        errno = 0;
        const struct dirent *entry = readdir(self->folder);
        if (!entry) {
            self->ended = errno == 0;
            if (errno && !self->count)
                return -errno;
            break;
        }
        if (is_dots(entry->d_name))
            continue;
        size_t size = strlen(entry->d_name) + 1;
        if (size > NAMES - used)
            return -ENAMETOOLONG;
        thrum_entry *mine = &self->entries[self->count++];
        mine->name = (const char *)memcpy(self->names + used, entry->d_name, size);
        mine->type = type_of(self, entry);
        mine->inode = (uint64_t)entry->d_ino;
        used += size;
    }
    call->value = (thrum_value)(intptr_t)&self->entries[0];
    return self->count ? 0 : THRUM_ESTOP;
}

/* ---- in the loop ---- */

static void scan_free(scan *self)
{
    if (self->remembered)
        thrum_loop_forget(&self->closer);
    if (self->folder)
        (void)closedir(self->folder);
    free(self);
}

static void loop_closes(thrum_loop_closer *closer)
{
    scan *self = (scan *)(void *)((char *)closer - offsetof(scan, closer));
    self->remembered = false;
    loop_tell_unclosed("scan", self);
    scan_free(self);
}

/* The first of a batch was handed over; or the task was cancelled, and it is the next one's. */
static void scan_end(file_call *call, bool taken)
{
    scan *self = (scan *)(void *)call;
    self->given = taken ? 1 : 0;
    self->busy = false;
    if (self->dropped)
        scan_free(self);
}

static thrum_step scan_start(thrum_task *task, thrum_record *record)
{
    scan *self = (scan *)record->object;
    if (self->busy)
        return thrum_done(task, THRUM_EBUSY, 0);
    if (self->given < self->count)
        return thrum_done(task, 0, (thrum_value)(intptr_t)&self->entries[self->given++]);
    if (self->ended)
        return thrum_done(task, THRUM_ESTOP, 0);
    if (!self->remembered) {
        self->closer.close = loop_closes;
        thrum_loop_remember(&self->closer);
        self->remembered = true;
        thrum_made_note(self);
    }
    self->busy = true;
    return file_call_start(task, record);
}

static thrum_step scan_resume(thrum_task *task)
{
    scan *self = (scan *)task->object;
    if (self->dropped)
        self->call.error = THRUM_ESTOP;
    return file_call_resume(task);
}

static void scan_drop(thrum_record *record)
{
    scan *self = (scan *)record->object;
    if (self->busy)
        self->dropped = true;
    else
        scan_free(self);
}

static const file_kind scan_kind = {
    {scan_start, scan_resume, file_call_cancel, scan_drop, "scan", NULL}, scan_work, scan_end};

thrum_iterable thrum_scan(const char *path)
{
    size_t size = path ? strlen(path) + 1 : 0;
    scan *self = path ? (scan *)malloc(sizeof *self + size) : NULL;
    if (!self) {
        thrum_iterable failing = {thrum_awaitable_failing(path ? THRUM_ENOMEM : THRUM_EINVAL).word};
        return failing;
    }
    memset(self, 0, offsetof(scan, entries));
    file_call_init(&self->call, &scan_kind);
    self->call.path = (const char *)memcpy(self + 1, path, size);
    return thrum_iterable_make(&scan_kind.operations, self, 0, 0);
}
