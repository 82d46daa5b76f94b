/* What the tests of files share: a folder of their own, and which descriptors are open. */
#ifndef THRUM_TEST_FILES_H
#define THRUM_TEST_FILES_H

#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder_name[64];

static int remove_one(const char *path, const struct stat *found, int flag, struct FTW *where)
{
    (void)found, (void)flag, (void)where;
    return remove(path);
}

static inline void remove_folder(void)
{
    nftw(folder_name, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    folder_name[0] = '\0';
}

/* A path in a folder that is removed when the test's process ends; good for the next three calls. */
static inline const char *in_folder(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    if (!folder_name[0]) {
        strcpy(folder_name, "/tmp/thrum-files-XXXXXX");
        CHECK_NOT_NULL(mkdtemp(folder_name));
        atexit(remove_folder);
    }
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder_name, name);
    return path;
}

static inline void make_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    CHECK_NOT_NULL(file);
    CHECK(fputs(text, file) >= 0);
    CHECK_EQ(fclose(file), 0);
}

/* The text of a small file; "?" where there is none. */
static inline const char *text_of(const char *path)
{
    static char text[4096];
    FILE *file = fopen(path, "r");
    if (!file)
        return "?";
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* How many descriptors are open. */
static inline int descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 256; i++)
        count += fcntl(i, F_GETFD) >= 0;
    return count;
}

static inline void run_until_done(thrum_loop *loop, thrum_task *task)
{
    while (!thrum_task_done(task))
        CHECK_EQ(thrum_loop_step(loop, THRUM_NEVER), 0);
}

#endif
