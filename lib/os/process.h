/* A child process with streams, as the files of this folder see it. */
#ifndef THRUM_OS_PROCESS_H
#define THRUM_OS_PROCESS_H

#include <thrum/awaitables.h>
#include <thrum/handles.h>

#include "os/launch.h"

/* A task in the middle of what it does with a handle. Another one may release that meanwhile, and what it had is gone:
 * looked at after every wait. */
typedef struct handle_user {
    struct handle_user *next, **at;
    bool gone;
} handle_user;

void handle_enter(handle_user **users, handle_user *user);
void handle_leave(handle_user *user); /* also of one that never entered, and when the handle is gone */
void handle_gone(handle_user **users);

struct thrum_process {
    exit_watch watch;
    thrum_stream *streams[LAUNCH_STDIO]; /* NULL: no pipe */
    thrum_waiters waiters;               /* for the end */
    handle_user *users;
    thrum_handle farewell; /* frees what was released before its end */
    bool released;
    bool detached; /* and left running */
    thrum_loop_closer closer;
};

/* Start a program; 0, or an error with its detail. */
int process_open(thrum_process **made, const char *const *arguments, const thrum_subprocess_options *options);

/* thrum_process_communicate() with the input of one process, and output and error of another, and without waiting for
 * the end of either; THRUM_ECLOSED when the handle that `user` uses is gone meanwhile, and the streams with it. */
thrum_awaitable communicate_streams(const handle_user *user, thrum_process *in, thrum_process *out, const void *input,
                                    size_t size, thrum_process_output *output) THRUM_MUST_USE_;

#endif
