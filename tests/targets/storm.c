/* No wake is lost, wherever an interrupt comes. Each round does the same work while two interrupts come, each of which
 * somebody waits for; from round to round they come one count of the timer later, which is less than one instruction.
 * A wake that got lost leaves the processor asleep for ever. A third interrupt, for which nobody waits, reaches what a
 * round does behind the second one, and the beginning of the next round. The runner sees (plugin.c) that an interrupt
 * came behind each instruction of the library that is executed and not masked. */
#include "oneshot.h"

#include <thrum.h>
#include <thrum/port.h>

static uint64_t memory[400];

/* ---- a port without a timer: its time is the number of interrupts ---- */

static volatile uint32_t interrupts;

void thrum_port_open(void)
{
    oneshot_open();
}

thrum_time thrum_port_now(void)
{
    return interrupts;
}

void thrum_port_arm(thrum_time when)
{
    (void)when;
}

static volatile unsigned idles;

void thrum_port_idle(void)
{
    idles++;
#if defined(__arm__)
    __asm volatile("dsb\n\twfi\n\tisb" ::: "memory");
#else
    __asm volatile("wfi" ::: "memory");
#endif
}

/* The runner builds it without a mask, too: then wakes have to get lost. */
#if THRUM_PORT_LOCKS
uintptr_t thrum_port_lock(void)
{
    return 0;
}

void thrum_port_unlock(uintptr_t token)
{
    (void)token;
}
#endif

bool thrum_port_in_isr(void)
{
    return false;
}

/* ---- the interrupt ---- */

static void set(thrum_signal *signal, unsigned count)
{
    (void)count;
    thrum_event_set((thrum_event *)signal->context);
}

static thrum_event event = THRUM_EVENT_INIT;
static thrum_signal waited = THRUM_SIGNAL_INIT, calling = THRUM_SIGNAL_CALLING(set, &event);

/* When the second and third interrupt of a round come after the one before (0: never), and which signals are posted. */
static volatile uint32_t after[2];
static thrum_signal *volatile posted[3];
static volatile unsigned number;

/* How often the processor had gone to sleep before each interrupt of a round, and the one before it or the start. */
static volatile unsigned slept[4];

void BOARD_TIMER_HANDLER(void);
void BOARD_TIMER_HANDLER(void)
{
    const unsigned now = number++;
    oneshot_stop();
    interrupts++;
    slept[now + 1] = idles;
    if (now < 2 && after[now])
        oneshot_arm(after[now]);
    thrum_signal_post_from_isr(posted[now]);
}

static unsigned stray;

static void count_stray(thrum_signal *signal, unsigned count)
{
    (void)signal;
    stray += count;
}

static thrum_signal third = THRUM_SIGNAL_CALLING(count_stray, NULL);

/* ---- the program ---- */

/* Marks for the runner. */
void storm_begins(void);
void storm_ends(void);
__attribute__((noinline)) void storm_begins(void)
{
    __asm volatile("");
}

__attribute__((noinline)) void storm_ends(void)
{
    __asm volatile("");
}

static unsigned rounds;

/* What is going on meanwhile. */
static ASYNC(works, ARGS((thrum_lock *, lock)), LOCALS(thrum_lock_hold hold;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    WITH (self->hold, thrum_lock_hold_enter(&self->hold, self->lock))
        AWAIT(thrum_yield());
    ASYNC_END;
}

static ASYNC(waits_for_event, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_event_wait(&event));
    thrum_event_clear(&event);
    ASYNC_END;
}

/* Both interrupts post what one task waits for: each post counts, however they come together. */
static ASYNC(waits_twice, ARGS_NONE, LOCALS(unsigned got; unsigned more;))
{
    ASYNC_BEGIN;
    while (self->got < 2) {
        AWAIT_INTO(self->more, thrum_signal_wait(&waited));
        self->got += self->more;
    }
    if (self->got != 2)
        board_exit(3);
    ASYNC_END;
}

static ASYNC(one_round, ARGS((uint32_t, first), (bool, same)),
             LOCALS(thrum_task *workers[2]; thrum_task * waiter; thrum_lock lock; unsigned got; int i;))
{
    ASYNC_BEGIN;
    oneshot_stop();
    number = 0;
    slept[0] = idles;
    posted[1] = self->same ? &waited : &calling;
    oneshot_arm(self->first);
    for (self->i = 0; self->i < 2; self->i++)
        self->workers[self->i] = thrum_spawn(works(&self->lock));
    if (self->same) {
        AWAIT(waits_twice());
    } else {
        self->waiter = thrum_spawn(waits_for_event());
        AWAIT_INTO(self->got, thrum_signal_wait(&waited));
        if (self->got != 1)
            board_exit(4);
        AWAIT(self->waiter);
        thrum_task_release(self->waiter);
    }
    for (self->i = 0; self->i < 2; self->i++) {
        AWAIT(self->workers[self->i]);
        thrum_task_release(self->workers[self->i]);
    }
    rounds++;
    ASYNC_END;
}

/* Counts of the timer: longer than a round takes; soon; a few instructions after the interrupt that arms it is over,
 * for what the loop only does when something was posted just then. */
#if defined(BOARD_VIRT)
enum { LONG = 40000, SOON = 80, CLOSE = 200 };
#else
enum { LONG = 40000, SOON = 50, CLOSE = 75 };
#endif

/* A sweep is over when the interrupt that moves has come a few times when the processor slept. */
enum { ENOUGH = 20 };

static unsigned late;

static bool all_swept(unsigned which)
{
    late += which == 2 ? number < 3 : slept[which + 1] != slept[which];
    return late >= ENOUGH;
}

static ASYNC(storm, ARGS_NONE, LOCALS(uint32_t when; int same;))
{
    ASYNC_BEGIN;
    posted[0] = &waited;
    posted[2] = &third;
    for (self->when = 0; self->when < 4; self->when++) {
        after[0] = SOON; /* the pool takes from its array for the last time */
        AWAIT(one_round(LONG, self->when % 2));
    }
    storm_begins();
    for (self->same = 0; self->same < 2; self->same++) {
        after[0] = self->same ? CLOSE : LONG;
        after[1] = 0;
        for (self->when = 1, late = 0; !all_swept(0); self->when++)
            AWAIT(one_round(self->when, self->same));
        for (self->when = 1, late = 0; !all_swept(1); self->when++) {
            after[0] = self->when;
            AWAIT(one_round(SOON, self->same));
        }
    }
    for (self->same = 0; self->same < 2; self->same++) {
        after[0] = self->same ? SOON : LONG;
        for (self->when = 1, late = 0, number = 3; !all_swept(2); self->when++) {
            after[1] = self->when;
            AWAIT(one_round(SOON, false));
        }
    }
    storm_ends();
    ASYNC_END;
}

int main(void)
{
    thrum_pool_use_memory(memory, sizeof memory);
    if (thrum_run(storm()) != 0)
        return 1;
    board_put_number(rounds);
    board_put(" rounds\n");
    return rounds > 4000 && stray > 400 ? 0 : 2;
}
