/* Signals: what interrupts say to the loop. They stand in a list that interrupts push to, newest first, each at most
 * once; the loop takes all of it at a time. Masked is only what both sides touch, and never a walk. */
#include "loop/bare/bare.h"
#include "loop/bare/mask.h"
#include "sync/waitqueue.h"

/* The end of the lists is no null pointer: that says of a signal that it is in none. */
static thrum_signal *volatile newest = (thrum_signal *)(void *)&newest;
#define END ((thrum_signal *)(void *)&newest)

/* Those that were taken, oldest first, and whose turn has not come. Only the loop is at it; to interrupts they still
 * count as posted. */
static thrum_signal *volatile taken = (thrum_signal *)(void *)&newest;

static void take_posts(void);

void thrum_signal_post_from_isr(thrum_signal *signal)
{
#if !THRUM_PORT_LOCKS
    bare_posts = take_posts; /* the loop does not run before this is over, so that the mask need not cover it */
#endif
    uintptr_t was = mask();
    signal->posted++;
    if (!signal->next) {
        signal->next = newest;
        newest = signal;
#if THRUM_PORT_LOCKS
        bare_posts = take_posts;
#endif
#if THRUM_PORT_WAKES
        thrum_port_wake();
#endif
    }
    unmask(was);
}

/* All that were posted, oldest first, to the end of those that were taken before. */
static void take_all(void)
{
    uintptr_t was = mask();
    thrum_signal *signal = newest;
    newest = END;
    bare_posts = NULL;
    unmask(was);
    thrum_signal *first = END;
    while (signal != END) {
        thrum_signal *next = signal->next;
        signal->next = first;
        first = signal;
        signal = next;
    }
    thrum_signal *volatile *link = &taken;
    while (*link != END)
        link = &(*link)->next;
    *link = first;
}

/* From here on it may be posted anew. */
static unsigned take_posts_of(thrum_signal *signal)
{
    uintptr_t was = mask();
    unsigned count = signal->posted;
    signal->posted = 0;
    signal->next = NULL;
    unmask(was);
    return count;
}

/* What is called may cancel any signal, also one whose turn would come next. */
static void take_posts(void)
{
    take_all();
    while (taken != END) {
        thrum_signal *signal = taken;
        taken = signal->next;
        signal->call(signal, take_posts_of(signal));
    }
}

/* Nothing is searched behind the mask. An interrupt that is still on may post it anew in the middle of this, and has it
 * looked for once more. */
bool thrum_signal_cancel(thrum_signal *signal)
{
    unsigned posts = signal->pending;
    signal->pending = 0;
    for (bool out = false; !out;) {
        take_all();
        for (thrum_signal *volatile *link = &taken; *link != END; link = &(*link)->next)
            if (*link == signal) {
                *link = signal->next;
                out = true;
                break;
            }
        uintptr_t was = mask();
        out = out || !signal->next;
        if (out) {
            posts += signal->posted;
            signal->posted = 0;
            signal->next = NULL;
        }
        unmask(was);
    }
    if (taken != END)
        bare_posts = take_posts;
    return posts > 0;
}
