/* Open files, whole files and paths. Numbers are asyncio's corner semantics; asyncio has no tests of files. Runs under
 * ThreadSanitizer. */
#include "support_files.h"

/* ---- what each call does ---- */

static ASYNC(uses_a_file, ARGS((const char *, path)),
             LOCALS(thrum_file *file; char buffer[32]; size_t size; int error; thrum_file_info info;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->file, thrum_file_open(self->path, O_RDWR | O_CREAT | O_EXCL, 0640));
    CHECK(fcntl(thrum_file_descriptor(self->file), F_GETFD) & FD_CLOEXEC);
    AWAIT_INTO(self->size, thrum_file_write_at(self->file, "hello, world", 12, 0));
    CHECK_EQ(self->size, 12);
    AWAIT_INTO(self->size, thrum_file_write_at(self->file, "W", 1, 7));
    CHECK_EQ(self->size, 1);
    AWAIT_INTO(self->size, thrum_file_read_at(self->file, self->buffer, sizeof self->buffer, 7));
    CHECK_EQ(self->size, 5);
    CHECK_MEM(self->buffer, "World", 5);
    AWAIT_INTO(self->size, thrum_file_read_at(self->file, self->buffer, sizeof self->buffer, 12));
    CHECK_EQ(self->size, 0);
    AWAIT_INTO(self->size, thrum_file_read_exactly_at(self->file, self->buffer, 5, 0));
    CHECK_EQ(self->size, 5);
    AWAIT_CATCH(self->error, thrum_file_read_exactly_at(self->file, self->buffer, 9, 7));
    CHECK_EQ(self->error, THRUM_EINCOMPLETE);
    CHECK_EQ(thrum_error_last()->number, 5);
    CHECK_STR(thrum_error_last()->text, self->path);
    CHECK_MEM(self->buffer, "World", 5);
    AWAIT_CATCH(self->error, thrum_file_append(self->file, "x", 1));
    CHECK_EQ(self->error, THRUM_ESTATE);
    AWAIT(thrum_file_truncate(self->file, 5));
    AWAIT(thrum_file_sync(self->file));
    AWAIT(thrum_file_datasync(self->file));
    AWAIT(thrum_file_stat(self->file, &self->info));
    CHECK_EQ(self->info.type, THRUM_FILE_REGULAR);
    CHECK_EQ(self->info.size, 5);
    CHECK_EQ(self->info.mode & 0700, 0600);
    CHECK_EQ(self->info.user, geteuid());
    CHECK_GT(self->info.modified, 0);
FINALLY:
    AWAIT(thrum_file_close(self->file));
    ASYNC_END;
}

LOOP_TEST(files, do_what_they_say)
{
    const char *path = in_folder("one");
    unlink(path);
    CHECK_EQ(thrum_loop_run_until_complete(loop, uses_a_file(path), NULL), 0);
    CHECK_STR(text_of(path), "hello");
}

static ASYNC(appends, ARGS((thrum_file *, file), (char, letter)), LOCALS(char line[8192]; int i;))
{
    ASYNC_BEGIN;
    memset(self->line, self->letter, sizeof self->line);
    self->line[sizeof self->line - 1] = '\n';
    for (self->i = 0; self->i < 20; self->i++)
        AWAIT(thrum_file_append(self->file, self->line, sizeof self->line));
    ASYNC_END;
}

static ASYNC(append_at_once, ARGS((const char *, path)), LOCALS(thrum_file *file; thrum_group group; int i;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->file, thrum_file_open(self->path, O_WRONLY | O_CREAT | O_APPEND, 0600));
    WITH (self->group, thrum_group_open(&self->group)) {
        for (self->i = 0; self->i < 4; self->i++)
            thrum_group_spawn_detached(&self->group, appends(self->file, (char)('a' + self->i)));
    }
FINALLY:
    AWAIT(thrum_file_close(self->file));
    ASYNC_END;
}

TEST(files, what_several_append_does_not_mix)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_loop_run_until_complete(loop, append_at_once(in_folder("log")), NULL), 0);
    close_loop(loop);
    FILE *file = fopen(in_folder("log"), "r");
    int counts[4] = {0}, count;
    for (int line = 0; line < 80; line++) {
        int first = getc(file), byte;
        for (count = 1; (byte = getc(file)) == first; count++)
            continue;
        CHECK_EQ(byte, '\n');
        CHECK_EQ(count, 8191);
        counts[first - 'a']++;
    }
    CHECK_EQ(getc(file), EOF);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(counts[i], 20);
    fclose(file);
}

static ASYNC(uses_paths, ARGS_NONE, LOCALS(thrum_file_info info; int error; struct stat found;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_mkdir(in_folder("sub"), 0700));
    AWAIT_CATCH(self->error, thrum_mkdir(in_folder("sub"), 0700));
    CHECK_EQ(self->error, -EEXIST);
    make_file(in_folder("sub/a"), "abc");
    CHECK_EQ(symlink("sub/a", in_folder("link")), 0);
    AWAIT(thrum_stat(in_folder("link"), &self->info));
    CHECK_EQ(self->info.type, THRUM_FILE_REGULAR);
    CHECK_EQ(stat(in_folder("link"), &self->found), 0);
    CHECK_EQ(self->info.inode, self->found.st_ino);
    CHECK_EQ(self->info.device, self->found.st_dev);
    CHECK_EQ(self->info.links, 1);
    CHECK_EQ(self->info.modified / 1000000000, self->found.st_mtime);
    AWAIT(thrum_lstat(in_folder("link"), &self->info));
    CHECK_EQ(self->info.type, THRUM_FILE_LINK);
    AWAIT(thrum_stat(in_folder("sub"), &self->info));
    CHECK_EQ(self->info.type, THRUM_FILE_FOLDER);
    AWAIT_CATCH(self->error, thrum_rmdir(in_folder("sub")));
    CHECK(self->error == -ENOTEMPTY || self->error == -EEXIST);
    AWAIT(thrum_rename(in_folder("sub/a"), in_folder("b")));
    CHECK_STR(text_of(in_folder("b")), "abc");
    AWAIT(thrum_rmdir(in_folder("sub")));
    AWAIT(thrum_unlink(in_folder("link")));
    AWAIT(thrum_unlink(in_folder("b")));
    AWAIT_CATCH(self->error, thrum_stat(in_folder("b"), &self->info));
    CHECK_EQ(self->error, -ENOENT);
    ASYNC_END;
}

LOOP_TEST(files, paths)
{
    CHECK_EQ(thrum_loop_run_until_complete(loop, uses_paths(), NULL), 0);
}

/* ---- errors ---- */

static ASYNC(fails_to_open, ARGS((const char *, path), (int, flags), (int, expected)),
             LOCALS(int error; thrum_file * file;))
{
    ASYNC_BEGIN;
    AWAIT_CATCH_INTO(self->error, self->file, thrum_file_open(self->path, self->flags, 0));
    CHECK_EQ(self->error, self->expected);
    CHECK_EQ(thrum_error_last()->code, self->expected);
    CHECK_EQ(thrum_error_last()->system, -self->expected);
    CHECK_STR(thrum_error_last()->operation, "open");
    CHECK_STR(thrum_error_last()->text, self->path);
    ASYNC_END;
}

LOOP_TEST(files, errors_name_the_file)
{
    CHECK_EQ(thrum_loop_run_until_complete(loop, fails_to_open(in_folder("none"), O_RDONLY, -ENOENT), NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, fails_to_open(in_folder(""), O_WRONLY, -EISDIR), NULL), 0);
    thrum_file_info info;
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_file_open(NULL, 0, 0), NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_stat(NULL, &info), NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_rename("a", NULL), NULL), THRUM_EINVAL);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_file_close(NULL), NULL), 0);
    thrum_file_release(NULL);
}

TEST(files, no_descriptor_left)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    struct rlimit limit;
    make_file(in_folder("a"), "a");
    CHECK_EQ(thrum_loop_run_until_complete(loop, fails_to_open(in_folder("none"), O_RDONLY, -ENOENT), NULL), 0);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 3;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, fails_to_open(in_folder("a"), O_RDONLY, -EMFILE), NULL), 0);
    limit.rlim_cur = before;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    close_loop(loop);
}

/* ---- large and changing files ---- */

static ASYNC(goes_far, ARGS((const char *, path)),
             LOCALS(thrum_file *file; thrum_file_info info; size_t size; char *data; char byte;))
{
    static const uint64_t far = UINT64_C(5) << 30;
    enum { SIZE = 5 * 1024 * 1024 + 7 };
    ASYNC_BEGIN;
    self->data = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        self->data[i] = (char)(i * 31 >> 8);
    AWAIT_INTO(self->file, thrum_file_open(self->path, O_RDWR | O_CREAT, 0600));
    AWAIT_INTO(self->size, thrum_file_write_at(self->file, self->data, SIZE, far));
    CHECK_EQ(self->size, SIZE);
    AWAIT(thrum_file_stat(self->file, &self->info));
    CHECK_EQ(self->info.size, far + SIZE);
    memset(self->data, 1, SIZE);
    AWAIT_INTO(self->size, thrum_file_read_at(self->file, self->data, SIZE, far));
    CHECK_EQ(self->size, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        if (self->data[i] != (char)(i * 31 >> 8))
            FAIL("a byte is different");
    AWAIT(thrum_file_read_exactly_at(self->file, &self->byte, 1, far - 1));
    CHECK_EQ(self->byte, 0);
FINALLY:
    free(self->data);
    AWAIT(thrum_file_close(self->file));
    ASYNC_END;
}

TEST(files, large)
{
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(thrum_loop_run_until_complete(loop, goes_far(in_folder("far")), NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_unlink(in_folder("far")), NULL), 0);
    close_loop(loop);
}

enum { ROUNDS = 100, CHANGING = 3 * 1024 * 1024 };
static atomic_bool change_over;

static void *change_size(void *path)
{
    for (unsigned i = 0; !atomic_load(&change_over); i++)
        if (truncate((const char *)path, i % 2 ? CHANGING : 100) < 0)
            return path;
    return NULL;
}

static ASYNC(reads_what_changes, ARGS((const char *, path)),
             LOCALS(thrum_file *file; char *data; char *buffer; size_t size; int error; int i;))
{
    ASYNC_BEGIN;
    self->buffer = malloc(CHANGING);
    AWAIT_INTO(self->file, thrum_file_open(self->path, O_RDONLY, 0));
    for (self->i = 0; self->i < ROUNDS; self->i++) {
        AWAIT_INTO(self->size, thrum_read_file(self->path, &self->data, CHANGING));
        CHECK_LE(self->size, CHANGING);
        CHECK_EQ(self->data[self->size], 0);
        free(self->data);
        AWAIT_CATCH_INTO(self->error, self->size, thrum_file_read_exactly_at(self->file, self->buffer, CHANGING, 0));
        CHECK(self->error == THRUM_EINCOMPLETE || (!self->error && self->size == CHANGING));
    }
FINALLY:
    free(self->buffer);
    AWAIT(thrum_file_close(self->file));
    ASYNC_END;
}

/* A file that shrinks and grows while it is read. */
TEST_LIMIT(files, that_shrink_while_they_are_read, 30)
{
    static char path[512];
    pthread_t thread;
    void *failed;
    strcpy(path, in_folder("changing"));
    make_file(path, "x");
    thrum_loop *loop = open_loop(THRUM_BACKEND_LIBEV);
    CHECK_EQ(pthread_create(&thread, NULL, change_size, path), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, reads_what_changes(path), NULL), 0);
    atomic_store(&change_over, true);
    pthread_join(thread, &failed);
    CHECK_NULL(failed);
    close_loop(loop);
}

/* ---- whole files ---- */

static ASYNC(whole, ARGS((const char *, path)), LOCALS(char *data; size_t size; int error; thrum_file_info info;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->size, thrum_write_file(self->path, "first", 5, 0600));
    CHECK_EQ(self->size, 5);
    AWAIT_INTO(self->size, thrum_write_file(self->path, "the second", 10, 0640));
    AWAIT_INTO(self->size, thrum_read_file(self->path, &self->data, SIZE_MAX));
    CHECK_EQ(self->size, 10);
    CHECK_STR(self->data, "the second");
    free(self->data);
    AWAIT(thrum_stat(self->path, &self->info));
    CHECK_EQ(self->info.mode & 0700, 0600);
    AWAIT_INTO(self->size, thrum_read_file(self->path, &self->data, 10));
    free(self->data);
    AWAIT_CATCH(self->error, thrum_read_file(self->path, &self->data, 9));
    CHECK_EQ(self->error, THRUM_ELIMIT);
    CHECK_NULL(self->data);
    AWAIT_INTO(self->size, thrum_write_file(self->path, NULL, 0, 0600));
    AWAIT_INTO(self->size, thrum_read_file(self->path, &self->data, 0));
    CHECK_EQ(self->size, 0);
    CHECK_STR(self->data, "");
    free(self->data);
    AWAIT_CATCH(self->error, thrum_read_file(in_folder("none"), &self->data, SIZE_MAX));
    CHECK_EQ(self->error, -ENOENT);
    AWAIT_CATCH(self->error, thrum_read_file(in_folder(""), &self->data, SIZE_MAX));
    CHECK_EQ(self->error, -EISDIR);
#ifdef __linux__
    AWAIT_INTO(self->size, thrum_read_file("/proc/self/status", &self->data, SIZE_MAX)); /* whose size is 0 */
    CHECK_GT(self->size, 0);
    CHECK_EQ(strlen(self->data), self->size);
    free(self->data);
    AWAIT_CATCH(self->error, thrum_read_file("/proc/self/status", &self->data, 7));
    CHECK_EQ(self->error, THRUM_ELIMIT);
#endif
    /* Where it cannot be renamed to what was asked for, nothing is left of it. */
    AWAIT(thrum_mkdir(in_folder("in"), 0700));
    AWAIT(thrum_mkdir(in_folder("in/the way"), 0700));
    AWAIT_CATCH(self->error, thrum_write_file(in_folder("in/the way"), "x", 1, 0600));
    CHECK_EQ(self->error, -EISDIR);
    AWAIT(thrum_rmdir(in_folder("in/the way")));
    AWAIT(thrum_rmdir(in_folder("in")));
    ASYNC_END;
}

LOOP_TEST(files, whole)
{
    CHECK_EQ(thrum_loop_run_until_complete(loop, whole(in_folder("whole")), NULL), 0);
    unlink(in_folder("whole"));
}
