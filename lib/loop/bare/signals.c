/* Signals: what interrupts say to the loop. They stand in a line, each at most once, at whose end interrupts enter; the
 * loop takes all of it at a time, and then one after the other. Masked is only what both sides touch, and never a
 * walk. */
#include "loop/bare/bare.h"
#include "loop/bare/mask.h"
#include "sync/waitqueue.h"

/* The end of the lists is no null pointer: that says of a signal that it is in none. */
#define END ((thrum_signal *)(void *)&posted)

static struct {
    thrum_signal *first;
    thrum_signal **end;  /* the link that the next one goes to */
    thrum_signal *taken; /* those that the loop has, and whose turn has not come; to it alone */
} posted = {END, &posted.first, END};

static void take_posts(void);

void thrum_signal_post_from_isr(thrum_signal *signal)
{
#if !THRUM_PORT_LOCKS
    bare_posts = take_posts; /* the loop does not run before this is over, so that the mask need not cover it */
#endif
    uintptr_t was = mask();
    signal->posted++;
    if (!signal->next) {
        signal->next = END;
        *posted.end = signal;
        posted.end = &signal->next;
#if THRUM_PORT_LOCKS
        bare_posts = take_posts;
#endif
#if THRUM_PORT_WAKES
        thrum_port_wake();
#endif
    }
    unmask(was);
}

/* All that stand in line. That may be nobody: where a post sets bare_posts before it masks, it does so for a signal too
 * that still waits for its turn below, and is counted with that. What is posted from here on is the next pass's. What
 * is called for a signal may cancel any other, also the one whose turn comes next. */
static void take_posts(void)
{
    uintptr_t was = mask();
    thrum_signal *signal = posted.first;
    bare_posts = NULL;
    posted.first = END;
    posted.end = &posted.first;
    if (signal == END) {
        unmask(was);
        return;
    }
    for (;;) {
        unsigned count = signal->posted;
        posted.taken = signal->next;
        signal->posted = 0;
        signal->next = NULL; /* from here on it may be posted anew */
        unmask(was);
        signal->call(signal, count);
        signal = posted.taken;
        if (signal == END)
            return;
        was = mask();
    }
}

/* The link that leads to a signal in one of the lists, or NULL. Only the loop takes signals out, so that what was
 * passed stays; the mask is for the last link, which an interrupt may be about to set. */
static thrum_signal **link_to(const thrum_signal *signal, thrum_signal **link)
{
    for (;;) {
        uintptr_t was = mask();
        thrum_signal *at = *link;
        unmask(was);
        if (at == signal)
            return link;
        if (at == END)
            return NULL;
        link = &at->next;
    }
}

bool thrum_signal_cancel(thrum_signal *signal)
{
    not_for_interrupts();
    thrum_signal **link = link_to(signal, &posted.taken);
    if (!link)
        link = link_to(signal, &posted.first);
    unsigned posts = signal->pending;
    signal->pending = 0;
    if (!link)
        return posts > 0;
    uintptr_t was = mask();
    *link = signal->next;
    if (posted.end == &signal->next)
        posted.end = link;
    if (posted.first == END)
        bare_posts = NULL;
    posts += signal->posted;
    signal->posted = 0;
    signal->next = NULL;
    unmask(was);
    return posts > 0;
}
