/* through COMMAND... cat N: N megabytes through a pipe into the command, and out of it through another one.
 *
 * The command has the first core that may be used; who writes and who reads have the last one. Prints the CPU time of
 * the command and the time for a megabyte. What starting the command takes is taken off: it runs once without any
 * bytes. The first megabytes are compared with what was sent. */
#include "../support/bench.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { BLOCK = 131072, COMPARED = 16 };

static unsigned char block[BLOCK], got[BLOCK];
static size_t first_core = CPU_SETSIZE, last_core;

static void stay_on(size_t core)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    bench_must(!sched_setaffinity(0, sizeof one, &one), "sched_setaffinity");
}

static void find_cores(void)
{
    cpu_set_t may;
    bench_must(!sched_getaffinity(0, sizeof may, &may), "sched_getaffinity");
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &may)) {
            first_core = i < first_core ? i : first_core;
            last_core = i;
        }
}

/* A child with these two descriptors as its input and output: the command, or who writes the blocks. */
static pid_t start(int in, int out, const int *others, char **command, long long blocks)
{
    pid_t child = fork();
    bench_must(child >= 0, "fork");
    if (child)
        return child;
    if (command)
        stay_on(first_core);
    bench_must(dup2(in, 0) == 0 && dup2(out, 1) == 1, "dup2");
    for (int i = 0; i < 4; i++)
        close(others[i]);
    if (command) {
        execv(command[0], command);
        bench_must(0, command[0]);
    }
    for (; blocks > 0; blocks--)
        for (size_t done = 0; done < BLOCK;) {
            ssize_t n = write(1, block + done, BLOCK - done);
            bench_must(n > 0, "write");
            done += (size_t)n;
        }
    _exit(0);
}

struct used {
    uint64_t wall, cpu;
};

static struct used run(char **command, long long blocks)
{
    int ends[4], status;
    struct rusage usage;
    long long total = 0;
    ssize_t n;
    uint64_t began = bench_now();

    bench_must(!pipe(ends) && !pipe(ends + 2), "pipe");
    pid_t cat = start(ends[0], ends[3], ends, command, 0), writer = start(0, ends[1], ends, NULL, blocks);
    close(ends[0]), close(ends[1]), close(ends[3]);
    for (; (n = read(ends[2], got, BLOCK)) > 0; total += n) {
        size_t at = (size_t)(total % BLOCK), first = (size_t)n < BLOCK - at ? (size_t)n : BLOCK - at;
        bench_must(total / BLOCK >= COMPARED ||
                       !(memcmp(got, block + at, first) || memcmp(got + first, block, (size_t)n - first)),
                   "the same bytes");
    }
    close(ends[2]);
    bench_must(wait4(cat, &status, 0, &usage) == cat && !status, "the command");
    bench_must(waitpid(writer, &status, 0) == writer && !status, "the writer");
    bench_must(total == blocks * BLOCK, "all bytes");
    return (struct used){bench_now() - began, (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u +
                                                  (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u};
}

int main(int argc, char **argv)
{
    if (argc < 4 || strcmp(argv[argc - 2], "cat") || atol(argv[argc - 1]) <= 0)
        return 2;
    long count = atol(argv[argc - 1]);
    argv[argc - 2] = NULL;
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = (unsigned char)(i * 7 + (i >> 8) * 13);
    find_cores();
    stay_on(last_core);
    struct used idle = run(argv + 1, 0), used = run(argv + 1, (long long)count * (1048576 / BLOCK));
    printf("{\"ns\":%.3f,\"cpu_ns\":%.3f,\"n\":%ld}\n", ((double)used.wall - (double)idle.wall) / (double)count,
           ((double)used.cpu - (double)idle.cpu) / (double)count, count);
    return 0;
}
