/* Each call that the library makes to the C library fails once: the linker leads its calls here (`refuse_links` in
 * tests/meson.build), those that the C library makes itself go their way. Unlike faults.h this knows no sockets:
 * whatever takes memory, opens, asks or sets something may say no, in every thread, and nothing of it goes through in
 * part.
 *
 * What a test shows with it: an error comes from the call that met it, or the call does without; nothing is lost or
 * left. */
#ifndef THRUM_TEST_REFUSE_H
#define THRUM_TEST_REFUSE_H

#include <thrum.h>

typedef enum refusal {
    REFUSE_MEMORY,    /* malloc() and what else takes memory: THRUM_ENOMEM */
    REFUSE_BLOCK,     /* the same, and each block of the pool comes from malloc() */
    REFUSE_SYSTEM,    /* a call of the system: EIO, after close() has closed; a thread, a child: EAGAIN */
    REFUSE_INTERRUPT, /* EINTR, where that may come: nobody may notice */
} refusal;

/* Something that a program does. It must end by itself, whatever fails. */
typedef struct refuse_program {
    thrum_awaitable (*run)(void); /* in a loop of its own */
    int (*plain)(void);           /* without one, instead */
    const int *also;              /* further errors that it may give when something failed, to 0 */
    void (*after)(void);          /* looks at what must hold after each run, or NULL */
} refuse_program;

/* Runs it once as it is, then once for each call of this kind, which fails. Each run must give 0, what the call gave or
 * one of `also`, and leave no block, descriptor or task. Gives how often there was an error. */
size_t refuse_each(const refuse_program *program, refusal kind);

/* The same for each kind. So often at least there must be an error when a call of the system fails, and when there is
 * no memory; more often when blocks of the pool count, too; and never when a call is interrupted. */
void refuse_each_kind(const refuse_program *program, size_t system, size_t memory);

/* How long to wait in such a program for what may never come because a call failed; where nothing may be lost, for as
 * long as a busy machine takes. */
thrum_time refuse_patience(void);

#endif
