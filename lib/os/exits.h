/* Learning how a child process ended, each by itself: by its descriptor where the system has such, by libev where that
 * takes all of them from the system, else by a thread that waits. And sending signals to it, which this has to be right
 * about: a number is a child's only as long as nobody has taken its status. */
#ifndef THRUM_OS_EXITS_H
#define THRUM_OS_EXITS_H

#include "loop/io.h"

typedef struct exit_watch exit_watch;

struct exit_watch {
    void (*ended)(exit_watch *watch); /* called in the loop's poll, once: wakes tasks and queues calls, nothing else */
    int pid;
    int pidfd; /* or -1 */
    int returncode;
    bool whole; /* it leads a group, and signals go to all of that: the number is kept to the end */
    bool over;  /* it has ended, and `returncode` is known */
    bool taken; /* its status was taken from the system: the number may be somebody else's */

    /* private */
    thrum_loop *loop;
    thrum_io io;
    thrum_watched_child child;
    struct exit_thread *thread; /* NULL: it is not a thread that waits */
    bool by_backend;
};

/* Before one is started that is to be watched here: 0, or an error. THRUM_EUNSUPPORTED for the leader of a group
 * (`whole`) where the application's libev loop takes its status: what is left of the group could not be signalled then,
 * since the number may be another group's by now. */
int exit_watch_check(bool whole);

/* Watch a child that was just started; `ended`, `pid`, `pidfd` and `whole` are set, the rest is zero. The descriptor is
 * the watch's from then on. 0 or an error: then the child is killed and gone. */
int exit_watch_start(exit_watch *watch);

/* As thrum_process_send_signal(). */
int exit_watch_signal(exit_watch *watch, int signal);

/* It has ended: nothing is held any more. */
void exit_watch_end(exit_watch *watch);

/* The loop closes: one that runs is to be killed (`kill`), and its end waited for, but not long; or left. */
void exit_watch_leave(exit_watch *watch, bool kill);

#endif
