/* spawn wait|pipe N by hand: posix_spawn() and waitpid(), and read(2) as cat does. */
#include "../support/bench.h"

#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static int wait_for_each(long count)
{
    char *arguments[] = {"/bin/true", NULL};
    bench_begin();
    for (long i = 0; i < count; i++) {
        pid_t child;
        int status;
        if (posix_spawn(&child, arguments[0], NULL, NULL, arguments, environ) || waitpid(child, &status, 0) != child ||
            status)
            return 1;
    }
    bench_end(count);
    return 0;
}

static int read_all(long count)
{
    static char bytes[131072];
    char size[32], *arguments[] = {"/usr/bin/head", "-c", size, "/dev/zero", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int ends[2], status;
    long long total = 0;
    ssize_t got;
    snprintf(size, sizeof size, "%ldM", count);
    if (pipe(ends))
        return 1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    if (posix_spawn(&child, arguments[0], &actions, NULL, arguments, environ))
        return 1;
    close(ends[1]);
    bench_begin();
    while ((got = read(ends[0], bytes, sizeof bytes)) > 0)
        total += got;
    bench_end(count);
    waitpid(child, &status, 0);
    return total != (long long)count << 20;
}

int main(int argc, char **argv)
{
    if (argc != 3 || atol(argv[2]) <= 0)
        return 2;
    return strcmp(argv[1], "pipe") == 0 ? read_all(atol(argv[2])) : wait_for_each(atol(argv[2]));
}
