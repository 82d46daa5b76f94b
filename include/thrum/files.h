/**
 * @file files.h
 * Files and folders. Systems have no call that waits for a disk as one waits for a socket, so each call here is made in
 * a thread of the loop's default executor (threads.h), and awaited.
 *
 *     AWAIT_INTO(self->file, thrum_file_open("notes.txt", O_RDWR | O_CREAT, 0666));
 *     AWAIT_INTO(self->size, thrum_file_read_at(self->file, self->buffer, sizeof self->buffer, 0));
 *     ...
 * FINALLY:
 *     AWAIT(thrum_file_close(self->file));
 *
 * A file has no position: reads and writes say where, so any number of tasks may use one at once.
 *
 * What a cancellation does is the same everywhere. A call that no thread has begun is not made. One that has begun
 * uses the caller's buffer itself, and nothing is copied; so the cancellation is delivered when the thread has let the
 * buffer go. Long reads and writes look for it after every megabyte. Paths are copied: they need not outlive the call.
 *
 * An error is that of the system, as -errno. Its detail says what was being done, to which file, and how many bytes had
 * been read or written. Every call may give THRUM_ENOMEM, THRUM_ECANCELED, what thrum_to_thread() gives when there is
 * no thread for it, and THRUM_ECLOSED when the file is closed by then.
 */
#ifndef THRUM_FILES_H
#define THRUM_FILES_H

#include <thrum/awaitables.h>
#include <thrum/generators.h>

THRUM_BEGIN_DECLS

/** An open file. thrum_loop_close() closes those that are left, and says so in debug mode. */
typedef struct thrum_file thrum_file;

/** What a path names. */
typedef enum thrum_file_type {
    THRUM_FILE_NONE, /**< nothing */
    THRUM_FILE_REGULAR,
    THRUM_FILE_FOLDER,
    THRUM_FILE_LINK,
    THRUM_FILE_FIFO,
    THRUM_FILE_SOCKET,
    THRUM_FILE_CHARACTER, /**< a device */
    THRUM_FILE_BLOCK,     /**< a device */
    THRUM_FILE_OTHER
} thrum_file_type;

/** What is known of a file. Times are nanoseconds since 1970. */
typedef struct thrum_file_info {
    thrum_file_type type;
    uint32_t mode; /**< permissions, 07777 at most */
    uint32_t user, group;
    uint64_t size;
    uint64_t device, inode, links;
    int64_t accessed, modified, changed;
} thrum_file_info;

/* ---- open files ---- */

/**
 * Open a file. It is close-on-exec and never becomes the controlling terminal. An open that is cancelled leaves nothing
 * open; what O_CREAT and O_TRUNC did stays.
 * [awaits · cancel-safe: waits for a call that has begun, and closes the file · allocates · this loop's thread only]
 *
 * @param path   copied
 * @param flags  as for open(2): O_RDONLY, O_RDWR | O_CREAT, ... A FIFO keeps a thread until it has another end, unless
 *               O_NONBLOCK is among them
 * @param mode   permissions of a file that is made, less the umask; else not looked at
 * @return gives a thrum_file *, owned, for thrum_file_close() or thrum_file_release(); -errno (-ENOENT, -EACCES,
 *         -EMFILE, ...); THRUM_EINVAL without a path; THRUM_ENOMEM
 *
 * asyncio: none; to_thread(open, ...)
 */
THRUM_API thrum_awaitable thrum_file_open(const char *path, int flags, unsigned mode) THRUM_MUST_USE_;

/**
 * Make a file of a descriptor, which becomes close-on-exec.
 * [never waits · allocates · this loop's thread only]
 *
 * @param file        where it goes; owned, as from thrum_file_open()
 * @param descriptor  open; the file's from then on, the caller's still on an error
 * @return gives 0; THRUM_ENOMEM; THRUM_ESTATE without a loop; -EBADF
 *
 * asyncio: none; os.fdopen
 */
THRUM_API int thrum_file_adopt(thrum_file **file, int descriptor);

/**
 * The descriptor of a file, which stays the file's. thrum_stream_sendfile() takes it.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param file  open
 * @return gives the descriptor
 *
 * asyncio: none; fileno
 */
THRUM_API int thrum_file_descriptor(const thrum_file *file);

/**
 * Close a file, in a thread: some file systems write only now, and say what went wrong. Waits for calls on it that
 * other tasks wait for; those that come later get THRUM_ECLOSED. The file is spent by this call, and is closed whatever
 * this gives, also when it is never awaited or there is no thread. A close is not fsync: see thrum_file_sync().
 * [awaits · cancel-safe: the file is closed first · no allocation · this loop's thread only]
 *
 * @param file  owned; NULL does nothing
 * @return gives 0; -errno (-EIO, -EDQUOT, -ENOSPC: something was not written); THRUM_ECANCELED
 *
 * asyncio: none; to_thread(file.close)
 */
THRUM_API thrum_awaitable thrum_file_close(thrum_file *file) THRUM_MUST_USE_;

/**
 * Close a file here and now, or when the last call on it has ended. For ON_DROP, and where nobody may wait.
 * [never waits, but the system may · no allocation · this loop's thread only]
 *
 * @param file  owned; NULL does nothing
 *
 * asyncio: none
 */
THRUM_API void thrum_file_release(thrum_file *file);

/**
 * Read a part of a file.
 * [awaits · cancel-safe: waits for a call that has begun; what it read is dropped · allocates · this loop's thread
 * only]
 *
 * @param file    open
 * @param buffer  where the bytes go; in memory that outlives the await
 * @param size    its size, in bytes
 * @param offset  where in the file they begin, in bytes
 * @return gives the number of bytes, fewer than `size` only at the end of the file, 0 behind it; -errno: of what can
 *         only be read in order (a pipe) -ESPIPE
 *
 * asyncio: none; os.pread
 */
THRUM_API thrum_awaitable thrum_file_read_at(thrum_file *file, void *buffer, size_t size,
                                             uint64_t offset) THRUM_MUST_USE_;

/**
 * Read a part of a file that must be there.
 * [awaits · cancel-safe: as thrum_file_read_at() · allocates · this loop's thread only]
 *
 * @param file    open
 * @param buffer  where the bytes go; in memory that outlives the await
 * @param size    how many
 * @param offset  where in the file they begin, in bytes
 * @return gives `size`; THRUM_EINCOMPLETE when the file ends before (the number of the detail says after how many
 *         bytes, which are in the buffer); -errno
 *
 * asyncio: none; StreamReader.readexactly
 */
THRUM_API thrum_awaitable thrum_file_read_exactly_at(thrum_file *file, void *buffer, size_t size,
                                                     uint64_t offset) THRUM_MUST_USE_;

/**
 * Write bytes at a place in a file, all of them.
 * [awaits · cancel-safe: waits for a call that has begun, which may stop half way · allocates · this loop's thread
 * only]
 *
 * @param file    open for writing, without O_APPEND (Linux would append)
 * @param data    in memory that outlives the await
 * @param size    bytes
 * @param offset  where in the file they go; what lies between its end and that reads as zeros
 * @return gives `size`; -errno (-ENOSPC, ...): the number of the detail says after how many bytes
 *
 * asyncio: none; os.pwrite
 */
THRUM_API thrum_awaitable thrum_file_write_at(thrum_file *file, const void *data, size_t size,
                                              uint64_t offset) THRUM_MUST_USE_;

/**
 * Write bytes at the end of a file, all of them. What several tasks or processes append does not mix, unless the disk
 * gets full in the middle. A pipe takes it, too.
 * [awaits · cancel-safe: waits for a call that has begun, and that writes all · allocates · this loop's thread only]
 *
 * @param file  open with O_APPEND
 * @param data  in memory that outlives the await
 * @param size  bytes
 * @return gives `size`; THRUM_ESTATE without O_APPEND; -errno as thrum_file_write_at()
 *
 * asyncio: none; os.write
 */
THRUM_API thrum_awaitable thrum_file_append(thrum_file *file, const void *data, size_t size) THRUM_MUST_USE_;

/**
 * Ask what is known of an open file.
 * [awaits · cancel-safe: waits for a call that has begun · allocates · this loop's thread only]
 *
 * @param file  open
 * @param info  where it goes; in memory that outlives the await
 * @return gives 0; -errno
 *
 * asyncio: none; os.fstat
 */
THRUM_API thrum_awaitable thrum_file_stat(thrum_file *file, thrum_file_info *info) THRUM_MUST_USE_;

/**
 * Cut a file off, or make it longer by zeros.
 * [awaits · cancel-safe: waits for a call that has begun · allocates · this loop's thread only]
 *
 * @param file  open for writing
 * @param size  bytes that it has afterwards
 * @return gives 0; -errno
 *
 * asyncio: none; os.ftruncate
 */
THRUM_API thrum_awaitable thrum_file_truncate(thrum_file *file, uint64_t size) THRUM_MUST_USE_;

/**
 * Wait until what was written to a file, and all that is known of it, is on the disk.
 * [awaits · cancel-safe: waits for a call that has begun · allocates · this loop's thread only]
 *
 * @param file  open
 * @return gives 0; -errno: -EIO comes once, and what could not be written is lost then
 *
 * asyncio: none; os.fsync
 */
THRUM_API thrum_awaitable thrum_file_sync(thrum_file *file) THRUM_MUST_USE_;

/**
 * The same without times and permissions: what is needed to read the bytes again.
 * [awaits · cancel-safe: waits for a call that has begun · allocates · this loop's thread only]
 *
 * @param file  open
 * @return gives as thrum_file_sync()
 *
 * asyncio: none; os.fdatasync
 */
THRUM_API thrum_awaitable thrum_file_datasync(thrum_file *file) THRUM_MUST_USE_;

/* ---- whole files ---- */

/**
 * Read a whole file. Files whose size nobody knows before, as in /proc, are read to their end.
 * [awaits · cancel-safe: waits for a call that has begun; the memory is freed · allocates · this loop's thread only]
 *
 * @param path  copied
 * @param data  where the bytes go: from malloc(), the caller's to free(), with a 0 behind the last; NULL on an error.
 *              It outlives the await
 * @param most  bytes that are read at most; SIZE_MAX for no limit
 * @return gives how many they are; THRUM_ELIMIT when there are more; -errno; THRUM_ENOMEM
 *
 * asyncio: none; pathlib.Path.read_bytes
 */
THRUM_API thrum_awaitable thrum_read_file(const char *path, char **data, size_t most) THRUM_MUST_USE_;

/**
 * Write a whole file, so that at any time, also after a crash, either the old one is there or the new one. It is
 * written beside the old one under a name that begins with the old one's, put on the disk and renamed. Hard links keep
 * the old file; a symbolic link is replaced.
 * [awaits · cancel-safe: waits for a call that has begun; the old file or the new one · allocates · this loop's thread
 * only]
 *
 * @param path  copied; its folder exists
 * @param data  in memory that outlives the await
 * @param size  bytes
 * @param mode  permissions, less the umask
 * @return gives `size`; -errno: the old file stays
 *
 * asyncio: none
 */
THRUM_API thrum_awaitable thrum_write_file(const char *path, const void *data, size_t size,
                                           unsigned mode) THRUM_MUST_USE_;

/* ---- paths ---- */

/**
 * Ask what is known of the file that a path names.
 * [awaits · cancel-safe: waits for a call that has begun · allocates · this loop's thread only]
 *
 * @param path  copied
 * @param info  where it goes; in memory that outlives the await
 * @return gives 0; -errno
 *
 * asyncio: none; os.stat
 */
THRUM_API thrum_awaitable thrum_stat(const char *path, thrum_file_info *info) THRUM_MUST_USE_;

/**
 * The same, of a symbolic link itself.
 * [awaits · cancel-safe: waits for a call that has begun · allocates · this loop's thread only]
 *
 * @param path  copied
 * @param info  where it goes; in memory that outlives the await
 * @return gives 0; -errno
 *
 * asyncio: none; os.lstat
 */
THRUM_API thrum_awaitable thrum_lstat(const char *path, thrum_file_info *info) THRUM_MUST_USE_;

/**
 * Rename a file or folder; what has the new name is replaced.
 * [awaits · cancel-safe: waits for a call that has begun · allocates · this loop's thread only]
 *
 * @param from, to  copied
 * @return gives 0; -errno: -EXDEV when they lie on different file systems
 *
 * asyncio: none; os.rename
 */
THRUM_API thrum_awaitable thrum_rename(const char *from, const char *to) THRUM_MUST_USE_;

/**
 * Take a name of a file away.
 * [awaits · cancel-safe: waits for a call that has begun · allocates · this loop's thread only]
 *
 * @param path  copied; no folder
 * @return gives 0; -errno
 *
 * asyncio: none; os.unlink
 */
THRUM_API thrum_awaitable thrum_unlink(const char *path) THRUM_MUST_USE_;

/**
 * Make a folder.
 * [awaits · cancel-safe: waits for a call that has begun · allocates · this loop's thread only]
 *
 * @param path  copied
 * @param mode  permissions, less the umask
 * @return gives 0; -errno
 *
 * asyncio: none; os.mkdir
 */
THRUM_API thrum_awaitable thrum_mkdir(const char *path, unsigned mode) THRUM_MUST_USE_;

/**
 * Take an empty folder away.
 * [awaits · cancel-safe: waits for a call that has begun · allocates · this loop's thread only]
 *
 * @param path  copied
 * @return gives 0; -errno
 *
 * asyncio: none; os.rmdir
 */
THRUM_API thrum_awaitable thrum_rmdir(const char *path) THRUM_MUST_USE_;

/* ---- folders ---- */

/** One entry of a folder. */
typedef struct thrum_entry {
    const char *name;     /**< without its folder */
    thrum_file_type type; /**< of the entry itself: a symbolic link is THRUM_FILE_LINK */
    uint64_t inode;
} thrum_entry;

/**
 * The entries of a folder, one after the other, in no order, without "." and "..":
 *
 *     ASYNC_FOR (self->entry, self->each, thrum_scan("/var/log"))
 *         puts(self->entry->name);
 *
 * The thread reads a hundred or so at a time, and all but the first of those come without waiting.
 * [awaits for each item · cancel-safe: waits for a call that has begun, and no entry is lost · allocates once · this
 * loop's thread only]
 *
 * @param path  copied
 * @return gives an iterable, each of whose items is a const thrum_entry *, good until the next item is asked for or the
 *         iteration is closed; an item fails with -errno. Entries that come or go meanwhile may be among them or not
 *
 * asyncio: none; os.scandir
 */
THRUM_API thrum_iterable thrum_scan(const char *path) THRUM_MUST_USE_;

THRUM_END_DECLS

#endif
