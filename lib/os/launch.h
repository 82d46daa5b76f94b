/* From arguments and options to a child process that runs: descriptors, where the program is, what went wrong. */
#ifndef THRUM_OS_LAUNCH_H
#define THRUM_OS_LAUNCH_H

#include "os/exits.h"
#include "os/spawn.h"

enum { LAUNCH_STDIO = 3 };

typedef struct launch {
    thrum_subprocess_options options;
    int ours[LAUNCH_STDIO]; /* our ends of the pipes, or -1: taken away by who uses them */
    int theirs[LAUNCH_STDIO];
    bool opened[LAUNCH_STDIO]; /* `theirs` is to be closed here */
} launch;

/* Check options, and open what the three standard descriptors are to be; `usual` is what THRUM_STDIO_DEFAULT means.
 * 0, or an error with its detail; then there is nothing to drop. */
int launch_open(launch *self, const thrum_subprocess_options *options, thrum_stdio_kind usual);

/* Start the program, and watch for its end: `ended` is set and the rest zero. 0, or an error with its detail: then the
 * watch is one of a child that is gone. */
int launch_run(launch *self, const char *const *arguments, exit_watch *watch);

/* Close what is left. */
void launch_drop(launch *self);

/* A copy of options of any version; 0 or THRUM_EINVAL. */
int launch_options_copy(const thrum_subprocess_options *given, thrum_subprocess_options *options);

/* What a shell is started with. */
enum { LAUNCH_WORDS = 4 };
void launch_shell(const char *command, const thrum_subprocess_options *options, const char *words[LAUNCH_WORDS]);

/* Copies of a program's name and arguments, in one block of the pool. */
typedef struct launch_words {
    size_t size;
    const char *words[]; /* the last one is NULL */
} launch_words;

/* NULL: no memory. */
launch_words *launch_words_copy(const char *const *arguments);
void launch_words_free(launch_words *copies); /* accepts NULL */

#endif
