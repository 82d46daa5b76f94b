/* A program on the bare loop over its port for POSIX systems, whose interrupts are signals. */
#ifndef BARE_SUPPORT_H
#define BARE_SUPPORT_H

#include <signal.h>
#include <test.h>
#include <thrum.h>

static uint64_t bare_memory[4096];

static inline void bare_memory_use(size_t bytes)
{
    CHECK_EQ(thrum_pool_use_memory(bare_memory, bytes), 0);
}

/* Runs a program to its end, and gives how it ended. */
static inline int bare_run(thrum_awaitable (*app)(void))
{
    bare_memory_use(sizeof bare_memory);
    return thrum_bare_run(app(), NULL);
}

/* SIGUSR1 becomes an interrupt. */
static inline void bare_interrupt(void (*handler)(int signal))
{
    struct sigaction action = {0};
    action.sa_handler = handler;
    sigfillset(&action.sa_mask);
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
}

#endif
