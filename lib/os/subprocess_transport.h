/* A child process whose protocol is told of it, as two files of this folder see it. */
#ifndef THRUM_OS_SUBPROCESS_TRANSPORT_H
#define THRUM_OS_SUBPROCESS_TRANSPORT_H

#include <thrum/awaitables.h>
#include <thrum/handles.h>
#include <thrum/subprocess_protocols.h>

#include "os/launch.h"

enum {
    SUBPROCESS_MADE = 1,       /* connection_made was told */
    SUBPROCESS_EXIT_TOLD = 2,  /* process_exited was */
    SUBPROCESS_CLOSING = 4,    /* it was closed */
    SUBPROCESS_LOST = 8,       /* connection_lost was told, or nobody is there who would be */
    SUBPROCESS_ABANDONED = 16, /* it was given up before connection_made: nothing is told */
};

/* One of the three, whose protocol tells ours. */
typedef struct subprocess_pipe {
    thrum_subprocess_transport *owner;
    int descriptor;
    thrum_transport *transport; /* a reference; NULL: there is no pipe */
    bool open;
    bool lost; /* before connection_made: to be told after it */
    int error;
} subprocess_pipe;

struct thrum_subprocess_transport {
    exit_watch watch;
    const thrum_subprocess_protocol *protocol;
    void *context;
    uint32_t references;
    uint32_t flags;
    int error; /* that connection_lost is told */
    subprocess_pipe pipes[LAUNCH_STDIO];
    thrum_handle turn; /* tells of what has happened */
    thrum_waiters enders;
    thrum_loop_closer closer;
};

/* Memory for one, whose one reference is the loop's. NULL: there is none. */
thrum_subprocess_transport *subprocess_transport_new(void);

/* Told of by the pipes' own transports: a factory for thrum_connect_read_pipe() and its kin, whose context is one of
 * `pipes`. Those that are read wait for connection_made. */
thrum_protocol_factory subprocess_pipe_factory;

/* It runs, and its pipes are connected: ask for the protocol and tell it. 0, or its error. */
int subprocess_transport_begin(thrum_subprocess_transport *transport, thrum_subprocess_protocol_factory *factory,
                               void *context);

/* It will not be begun: it ends, and what runs is killed. */
void subprocess_transport_abandon(thrum_subprocess_transport *transport);

#endif
