/* What the cases use: async functions and plain ones to have something to await and to call. */
#ifndef TRAP_H
#define TRAP_H

#include <thrum/async.h>
#include <thrum/generators.h>
#include <thrum/taskgroups.h>
#include <thrum/timeouts.h>
#include <thrum/typedchannels.h>

THRUM_BEGIN_DECLS

thrum_awaitable read_some(void *buffer, size_t size) THRUM_MUST_USE_;
thrum_awaitable write_all(const void *buffer, size_t size) THRUM_MUST_USE_;
thrum_awaitable work(int number) THRUM_MUST_USE_;
int compute(int number);
void use(int number);
void fill(char *text, size_t size);
void show(const char *text);

THRUM_END_DECLS

#endif
