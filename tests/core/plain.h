/* Async functions of other files: to their callers they are plain C functions. */
#ifndef TEST_CORE_PLAIN_H
#define TEST_CORE_PLAIN_H

#include <thrum/types.h>

THRUM_BEGIN_DECLS

/* plain.c */
thrum_awaitable plain_gives(int n);
thrum_awaitable plain_twice(thrum_awaitable (*function)(int n), int n);

/* long_names.c */
thrum_awaitable long_names(int n);

/* in_cplusplus.cpp */
thrum_awaitable cxx_everything(int n, const char *text);

THRUM_END_DECLS

#endif
