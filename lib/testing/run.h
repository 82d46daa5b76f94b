/* One run of a program under test, for those that make many. This folder stands on the public headers alone. */
#ifndef THRUM_TESTING_RUN_H
#define THRUM_TESTING_RUN_H

#include <thrum/testing.h>

/* Options filled in: 0 or THRUM_EINVAL. */
int run_options(const thrum_test_options *given, thrum_test_options *options);

/* Blocks come one by one from now on, and are counted: 0 or THRUM_ESTATE. They come as ever when it ends, unless some
 * are in use still. */
int run_allocator_begin(void);
void run_allocator_end(void);

/* One run; the allocator may have begun. `what` is spent. */
void run_once(thrum_test_program *program, void *context, thrum_awaitable what, const thrum_test_options *options,
              thrum_test_result *result);

/* How a run is replayed: "seed=3 waiting=7"; "" when nothing is special in it. */
enum { RUN_NAME = 80 };
void run_name(char *name, const thrum_test_options *options);

/* Text, a line at a time. */
void run_say(const thrum_test_options *options, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

#endif
