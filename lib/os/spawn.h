/* Making a child process run a program: what differs between systems is in here and in exits.h. */
#ifndef THRUM_OS_SPAWN_H
#define THRUM_OS_SPAWN_H

#include <thrum/subprocess.h>

/* A descriptor of the child's: `here` becomes `there`. */
typedef struct spawn_move {
    int here, there;
    int from; /* private: `here`, or a copy of it that is out of the way */
} spawn_move;

/* What the child does before it becomes the program, in this order. */
typedef enum spawn_step {
    SPAWN_FORK, /* it does not get that far */
    SPAWN_DESCRIPTORS,
    SPAWN_SESSION,
    SPAWN_GROUP,
    SPAWN_TERMINAL,
    SPAWN_DIRECTORY,
    SPAWN_LIMITS,
    SPAWN_GROUPS,
    SPAWN_GID,
    SPAWN_UID,
    SPAWN_EXEC
} spawn_step;

typedef struct spawn_request {
    const thrum_subprocess_options *options; /* all but the three and `executable` */
    const char *const *arguments;
    const char *file;   /* to run */
    const char *search; /* a PATH to look for it in; NULL: it is a path */
    char *candidate;    /* room for one of `search`, '/', `file` and a 0 */
    spawn_move *moves;
    size_t move_count;

    /* What came of it. */
    int pid;
    int pidfd; /* close-on-exec; -1 where the system has none */
    spawn_step failed;
} spawn_request;

/* Start it. 0: it runs the program; or -errno, and `failed` says at what: then nothing is left of the child. */
int spawn_process(spawn_request *request);

/* For tests: without what only Linux has. */
extern bool spawn_portable;

/* Two ends of a pipe, close-on-exec, neither of them one of the first three descriptors. 0 or -errno. */
int spawn_pipe(int ends[2]);

#endif
