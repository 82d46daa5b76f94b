/* Who hears which signal. A process has one disposition a signal, and many may want to hear of it: handlers and
 * receivers of every loop, the runner's Ctrl-C, the dump of all tasks. While somebody listens to a signal ours is the
 * handler, and what stood there before comes back with the last one who leaves. */
#ifndef THRUM_OS_DISPOSITIONS_H
#define THRUM_OS_DISPOSITIONS_H

#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

/* One more than the greatest number of a signal. */
#if defined(NSIG)
enum { DISPOSITIONS = NSIG };
#elif defined(_NSIG)
enum { DISPOSITIONS = _NSIG };
#else
enum { DISPOSITIONS = 129 };
#endif

/* A set of signals that a handler may look at while others change it. */
enum { SIGNAL_BITS = sizeof(unsigned) * CHAR_BIT, SIGNAL_WORDS = (DISPOSITIONS + SIGNAL_BITS - 1) / SIGNAL_BITS };
typedef struct signal_bits {
    atomic_uint words[SIGNAL_WORDS];
} signal_bits;

static inline bool signal_bits_have(signal_bits *bits, int number)
{
    return atomic_load(&bits->words[(unsigned)number / SIGNAL_BITS]) >> ((unsigned)number % SIGNAL_BITS) & 1u;
}

static inline void signal_bits_add(signal_bits *bits, int number)
{
    atomic_fetch_or(&bits->words[(unsigned)number / SIGNAL_BITS], 1u << ((unsigned)number % SIGNAL_BITS));
}

/* Gives whether it was there. */
static inline bool signal_bits_take(signal_bits *bits, int number)
{
    const unsigned bit = 1u << ((unsigned)number % SIGNAL_BITS);
    return atomic_fetch_and(&bits->words[(unsigned)number / SIGNAL_BITS], ~bit) & bit;
}

/* Zeroed, with the first three set, before it listens; stays in place until it has left. */
typedef struct signal_listener signal_listener;
struct signal_listener {
    void (*heard)(signal_listener *listener, int number); /* in the signal handler, in any thread */
    const void *owner;                                    /* for disposition_find() */
    bool last;                                            /* hears only what nobody else listens to */
    bool linked;
    signal_bits numbers;
    _Atomic(signal_listener *) next;
};

/* What listening does where somebody who is not of the library handles the signal, or ignores it. */
typedef enum disposition_manner { DISPOSITION_REPLACE, DISPOSITION_REFUSE } disposition_manner;

/* Listen to one more signal. 0; THRUM_EINVAL: no signal; THRUM_EUNSUPPORTED: one that no program can handle, or that
 * says that the program itself cannot go on; THRUM_EBUSY: refused. */
int disposition_listen(signal_listener *listener, int number, disposition_manner manner);

/* Listen no more. When this returns `heard` is not running, and will not run. Does nothing to one that has left. */
void disposition_leave(signal_listener *listener);

/* The one that listens to a signal with this `heard` for this owner, or NULL. */
signal_listener *disposition_find(void (*heard)(signal_listener *, int), const void *owner, int number);

/* From `heard`: the next one of these does what it does by default, whoever listens. */
void disposition_default_next(int number);

#endif
