/* Every interleaving of what tasks do with locks, events, semaphores, conditions, limiters, reader-writer locks and
 * barriers: see model.h. model_mutants breaks the primitives, one line at a time, and wants each found by this. */
#include "model.h"

static bool is_waited_for(const thrum_waiters *line)
{
    return line->first != NULL;
}

static uint32_t in_line(const thrum_waiters *line)
{
    uint32_t count = 0;
    const thrum_node *first = line->first ? &line->first->node : NULL;
    for (const thrum_node *node = first; node; node = node->next == first ? NULL : node->next)
        count++;
    return count;
}

static unsigned holders(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < model.actors; i++)
        count += world.actors[i].holding;
    return count;
}

static bool when_idle(unsigned me, unsigned how)
{
    (void)how;
    return !world.actors[me].holding;
}

/* ---- lock ---- */

static thrum_lock the_lock;

static void lock_init(void)
{
    thrum_lock_init(&the_lock);
}

static thrum_awaitable lock_wait(unsigned me, unsigned how)
{
    (void)me;
    (void)how;
    return thrum_lock_acquire(&the_lock);
}

static void lock_release(unsigned me)
{
    (void)me;
    HOLDS(thrum_lock_release(&the_lock) == 0);
}

static void lock_always(void)
{
    HOLDS(holders() == (thrum_lock_locked(&the_lock) ? 1u : 0u));
}

static void lock_quiet(void)
{
    HOLDS(the_lock.state <= THRUM_LOCK_HELD_);
    HOLDS(thrum_lock_locked(&the_lock) || !is_waited_for(&the_lock.waiters));
}

static void lock_describe(struct key *key)
{
    key_line(key, &the_lock.waiters);
    key_number(key, the_lock.state);
}

static const struct subject lock_subject = {
    .name = "lock",
    .own = &the_lock,
    .size = sizeof the_lock,
    .hows = 1,
    .keeps = true,
    .init = lock_init,
    .may_wait = when_idle,
    .wait = lock_wait,
    .release = lock_release,
    .always = lock_always,
    .quiet = lock_quiet,
    .describe = lock_describe,
};

/* ---- event: its own steps set and clear it ---- */

enum { NOT_LET, LET_AT_ONCE, LET_BY_SET };

static struct {
    thrum_event event;
    bool set;
    uint8_t let[ACTORS]; /* whether each may go on, and why */
} the_event;

static void event_init(void)
{
    thrum_event_init(&the_event.event);
}

static bool event_may_wait(unsigned me, unsigned how)
{
    (void)how;
    return !world.actors[me].task;
}

static thrum_awaitable event_wait(unsigned me, unsigned how)
{
    (void)how;
    the_event.let[me] = the_event.set ? LET_AT_ONCE : NOT_LET;
    return thrum_event_wait(&the_event.event);
}

/* Nobody goes on unless it was set meanwhile, a clear that followed takes nothing back, and those whom one set woke go
 * on in the order of their coming. */
static void event_ended(unsigned me, int error)
{
    const struct actor *actor = &world.actors[me];
    HOLDS(!error || actor->canceled || actor->fired);
    HOLDS(error || the_event.let[me]);
    for (unsigned i = 0; i < model.actors; i++) {
        const struct actor *other = &world.actors[i];
        bool woken = i != me && other->task && the_event.let[i] == LET_BY_SET && !other->canceled && !other->fired;
        HOLDS(error || the_event.let[me] != LET_BY_SET || !woken || other->ticket > actor->ticket);
    }
    the_event.let[me] = NOT_LET;
}

static unsigned event_extras(unsigned me)
{
    (void)me;
    return the_event.set ? 2 : 1;
}

static void event_extra(unsigned me, unsigned which)
{
    (void)me;
    the_event.set = which == 0;
    if (which) {
        thrum_event_clear(&the_event.event);
        return;
    }
    for (unsigned i = 0; i < model.actors; i++)
        if (world.actors[i].task && !the_event.let[i])
            the_event.let[i] = LET_BY_SET;
    thrum_event_set(&the_event.event);
}

static void event_always(void)
{
    HOLDS(thrum_event_is_set(&the_event.event) == the_event.set);
    HOLDS(!the_event.set || !is_waited_for(&the_event.event.waiters));
}

/* Who is let go has gone, and everybody else stands in line. */
static void event_quiet(void)
{
    uint32_t waiting = 0;
    for (unsigned i = 0; i < model.actors; i++) {
        waiting += world.actors[i].task != NULL;
        HOLDS(!world.actors[i].task || !the_event.let[i]);
    }
    HOLDS(in_line(&the_event.event.waiters) == waiting);
}

static void event_describe(struct key *key)
{
    key_line(key, &the_event.event.waiters);
    key_number(key, the_event.event.set);
    for (unsigned i = 0; i < model.actors; i++)
        key_number(key, the_event.let[i]);
}

static void event_finish(void)
{
    event_extra(0, 0);
}

static const struct subject event_subject = {
    .name = "event",
    .own = &the_event,
    .size = sizeof the_event,
    .hows = 1,
    .keeps = false,
    .init = event_init,
    .may_wait = event_may_wait,
    .wait = event_wait,
    .ended = event_ended,
    .extras = event_extras,
    .extra = event_extra,
    .always = event_always,
    .quiet = event_quiet,
    .describe = event_describe,
    .finish = event_finish,
};

/* ---- semaphore ---- */

static thrum_semaphore the_semaphore;
static uint32_t units; /* one or two */

static void semaphore_init(void)
{
    thrum_bounded_semaphore_init(&the_semaphore, units);
}

static thrum_awaitable semaphore_wait(unsigned me, unsigned how)
{
    (void)me;
    (void)how;
    return thrum_semaphore_acquire(&the_semaphore);
}

static void semaphore_release(unsigned me)
{
    (void)me;
    HOLDS(thrum_semaphore_release(&the_semaphore) == 0);
}

static void semaphore_always(void)
{
    HOLDS(holders() + the_semaphore.value + the_semaphore.woken == units);
}

static void semaphore_quiet(void)
{
    HOLDS(the_semaphore.woken == 0);
    HOLDS(the_semaphore.value == 0 || !is_waited_for(&the_semaphore.waiters));
}

static void semaphore_describe(struct key *key)
{
    key_line(key, &the_semaphore.waiters);
    key_number(key, the_semaphore.value);
    key_number(key, the_semaphore.woken);
}

static const struct subject semaphore_subject = {
    .name = "semaphore",
    .own = &the_semaphore,
    .size = sizeof the_semaphore,
    .hows = 1,
    .keeps = true,
    .init = semaphore_init,
    .may_wait = when_idle,
    .wait = semaphore_wait,
    .release = semaphore_release,
    .always = semaphore_always,
    .quiet = semaphore_quiet,
    .describe = semaphore_describe,
};

/* ---- condition: way 0 takes the lock, way 1 waits with it; its own steps notify ---- */

static struct {
    thrum_condition condition;
    uint32_t before; /* in line, before the step that runs */
    bool waiting[ACTORS];
} the_condition;

static thrum_lock *its_lock(void)
{
    return thrum_condition_lock(&the_condition.condition);
}

static void condition_init(void)
{
    thrum_condition_init(&the_condition.condition, NULL);
}

static bool condition_may_wait(unsigned me, unsigned how)
{
    return world.actors[me].holding == (how == 1);
}

static thrum_awaitable condition_wait(unsigned me, unsigned how)
{
    if (how == 0)
        return thrum_lock_acquire(its_lock());
    world.actors[me].holding = false;
    the_condition.waiting[me] = true;
    return thrum_condition_wait(&the_condition.condition);
}

/* However it ended, the lock is held again. Who was cancelled may have been notified before, so another one is now. */
static void condition_ended(unsigned me, int error)
{
    struct actor *actor = &world.actors[me];
    if (!the_condition.waiting[me]) {
        HOLDS(!error || !actor->holding);
        return;
    }
    uint32_t now = in_line(&the_condition.condition.waiters);
    HOLDS(now == the_condition.before - (error && the_condition.before));
    HOLDS(error || actor->holding);
    the_condition.waiting[me] = false;
    actor->holding = true;
}

static void condition_release(unsigned me)
{
    (void)me;
    HOLDS(thrum_lock_release(its_lock()) == 0);
}

static unsigned condition_extras(unsigned me)
{
    return world.actors[me].holding ? 3 : 0;
}

static void condition_extra(unsigned me, unsigned which)
{
    (void)me;
    uint32_t before = in_line(&the_condition.condition.waiters);
    HOLDS((which ? thrum_condition_notify_all(&the_condition.condition)
                 : thrum_condition_notify(&the_condition.condition, 1)) == 0);
    uint32_t woken = before - in_line(&the_condition.condition.waiters);
    HOLDS(woken == (which || before == 0 ? before : 1));
}

static void condition_always(void)
{
    bool held = thrum_lock_locked(its_lock());
    HOLDS(holders() <= 1);
    HOLDS(holders() == 0 || held);
    the_condition.before = in_line(&the_condition.condition.waiters);
}

static void condition_quiet(void)
{
    HOLDS(holders() == (thrum_lock_locked(its_lock()) ? 1u : 0u));
    HOLDS(thrum_lock_locked(its_lock()) || !is_waited_for(&its_lock()->waiters));
}

static void condition_describe(struct key *key)
{
    key_line(key, &the_condition.condition.waiters);
    key_line(key, &its_lock()->waiters);
    key_number(key, its_lock()->state);
    for (unsigned i = 0; i < model.actors; i++)
        key_number(key, the_condition.waiting[i]);
}

static void condition_finish(void)
{
    if (!thrum_lock_try(its_lock()))
        return;
    HOLDS(thrum_condition_notify_all(&the_condition.condition) == 0);
    HOLDS(thrum_lock_release(its_lock()) == 0);
}

static const struct subject condition_subject = {
    .name = "condition",
    .own = &the_condition,
    .size = sizeof the_condition,
    .hows = 2,
    .keeps = true,
    .init = condition_init,
    .may_wait = condition_may_wait,
    .wait = condition_wait,
    .ended = condition_ended,
    .release = condition_release,
    .extras = condition_extras,
    .extra = condition_extra,
    .always = condition_always,
    .quiet = condition_quiet,
    .describe = condition_describe,
    .finish = condition_finish,
};

/* ---- limiter: its own steps make the total 1, and 2 ---- */

static struct {
    thrum_limiter limiter;
    thrum_limiter_hold holds[ACTORS];
} the_limiter;

static void limiter_init(void)
{
    thrum_limiter_init(&the_limiter.limiter, 1);
}

static thrum_awaitable limiter_wait(unsigned me, unsigned how)
{
    (void)how;
    return thrum_limiter_acquire_on_behalf(&the_limiter.limiter, &the_limiter.holds[me], &world.actors[me]);
}

static void limiter_release(unsigned me)
{
    HOLDS(thrum_limiter_release(&the_limiter.holds[me]) == 0);
}

static unsigned limiter_extras(unsigned me)
{
    (void)me;
    return the_limiter.limiter.total == 1 ? 2 : 1;
}

static void limiter_extra(unsigned me, unsigned which)
{
    (void)me;
    thrum_limiter_set_total(&the_limiter.limiter, which + 1);
}

static void limiter_always(void)
{
    uint32_t known = (uint32_t)thrum_limiter_borrowers(&the_limiter.limiter, NULL, 0);
    HOLDS(known == the_limiter.limiter.borrowed);
    HOLDS(known <= 2 && holders() <= known);
    HOLDS(known >= the_limiter.limiter.total || !is_waited_for(&the_limiter.limiter.waiters));
    for (unsigned i = 0; i < model.actors; i++)
        HOLDS(!world.actors[i].holding || the_limiter.holds[i].held);
}

static void limiter_quiet(void)
{
    HOLDS(the_limiter.limiter.borrowed == holders());
    for (unsigned i = 0; i < model.actors; i++)
        HOLDS(world.actors[i].holding || world.actors[i].task || !the_limiter.holds[i].limiter);
}

static void limiter_describe(struct key *key)
{
    key_line(key, &the_limiter.limiter.waiters);
    key_number(key, the_limiter.limiter.total);
    for (unsigned i = 0; i < model.actors; i++)
        key_number(key, (uint32_t)(the_limiter.holds[i].held | (the_limiter.holds[i].limiter ? 2 : 0)));
}

static const struct subject limiter_subject = {
    .name = "limiter",
    .own = &the_limiter,
    .size = sizeof the_limiter,
    .hows = 1,
    .keeps = true,
    .init = limiter_init,
    .may_wait = when_idle,
    .wait = limiter_wait,
    .release = limiter_release,
    .extras = limiter_extras,
    .extra = limiter_extra,
    .always = limiter_always,
    .quiet = limiter_quiet,
    .describe = limiter_describe,
};

/* ---- reader-writer lock: way 0 reads, way 1 writes; its own step goes from writing to reading ---- */

static struct {
    thrum_rwlock lock;
    bool reads[ACTORS];
} the_rwlock;

static void rwlock_init(void)
{
    thrum_rwlock_init(&the_rwlock.lock);
}

static thrum_awaitable rwlock_wait(unsigned me, unsigned how)
{
    the_rwlock.reads[me] = how == 0;
    return how ? thrum_rwlock_acquire_write(&the_rwlock.lock) : thrum_rwlock_acquire_read(&the_rwlock.lock);
}

static void rwlock_release(unsigned me)
{
    HOLDS((the_rwlock.reads[me] ? thrum_rwlock_release_read(&the_rwlock.lock)
                                : thrum_rwlock_release_write(&the_rwlock.lock)) == 0);
}

static unsigned rwlock_extras(unsigned me)
{
    return world.actors[me].holding && !the_rwlock.reads[me];
}

static void rwlock_extra(unsigned me, unsigned which)
{
    (void)which;
    HOLDS(thrum_rwlock_downgrade(&the_rwlock.lock) == 0);
    the_rwlock.reads[me] = true;
}

static void rwlock_always(void)
{
    uint32_t readers = 0, writers = 0;
    for (unsigned i = 0; i < model.actors; i++) {
        readers += world.actors[i].holding && the_rwlock.reads[i];
        writers += world.actors[i].holding && !the_rwlock.reads[i];
    }
    HOLDS(readers <= the_rwlock.lock.readers);
    HOLDS(writers <= the_rwlock.lock.writing);
    HOLDS(!the_rwlock.lock.writing || the_rwlock.lock.readers == 0);
}

static void rwlock_quiet(void)
{
    const thrum_rwlock *lock = &the_rwlock.lock;
    HOLDS(holders() == lock->readers + lock->writing);
    if (!is_waited_for(&lock->waiters))
        return;
    uint32_t first = key_name(&lock->waiters.first->node);
    HOLDS(lock->writing || (!the_rwlock.reads[first] && lock->readers));
}

static void rwlock_describe(struct key *key)
{
    key_line(key, &the_rwlock.lock.waiters);
    key_number(key, the_rwlock.lock.readers);
    key_number(key, the_rwlock.lock.writing);
    for (unsigned i = 0; i < model.actors; i++)
        key_number(key, the_rwlock.reads[i]);
}

static const struct subject rwlock_subject = {
    .name = "reader-writer lock",
    .own = &the_rwlock,
    .size = sizeof the_rwlock,
    .hows = 2,
    .keeps = true,
    .init = rwlock_init,
    .may_wait = when_idle,
    .wait = rwlock_wait,
    .release = rwlock_release,
    .extras = rwlock_extras,
    .extra = rwlock_extra,
    .always = rwlock_always,
    .quiet = rwlock_quiet,
    .describe = rwlock_describe,
};

/* ---- barrier of two; its own steps reset and abort it ---- */

static thrum_barrier the_barrier;

static void barrier_init(void)
{
    CHECK_EQ(thrum_barrier_init(&the_barrier, 2), 0);
}

static thrum_awaitable barrier_wait(unsigned me, unsigned how)
{
    (void)me;
    (void)how;
    return thrum_barrier_wait(&the_barrier);
}

static void barrier_ended(unsigned me, int error)
{
    HOLDS(!error || error == THRUM_EBROKEN || world.actors[me].canceled || world.actors[me].fired);
}

static unsigned barrier_extras(unsigned me)
{
    (void)me;
    return 3;
}

static void barrier_extra(unsigned me, unsigned which)
{
    (void)me;
    if (which)
        thrum_barrier_abort(&the_barrier);
    else
        thrum_barrier_reset(&the_barrier);
}

static void barrier_always(void)
{
    HOLDS(the_barrier.count <= 2);
    HOLDS(thrum_barrier_waiting(&the_barrier) < 2);
}

/* Nobody waits but for it to fill, and each who does is counted. */
static void barrier_quiet(void)
{
    HOLDS(in_line(&the_barrier.waiters) == the_barrier.count);
    HOLDS(the_barrier.count == 0 || thrum_barrier_waiting(&the_barrier) == 1);
}

static void barrier_describe(struct key *key)
{
    key_line(key, &the_barrier.waiters);
    key_number(key, the_barrier.count);
    key_number(key, the_barrier.state);
}

static void barrier_finish(void)
{
    thrum_barrier_abort(&the_barrier);
}

static const struct subject barrier_subject = {
    .name = "barrier",
    .own = &the_barrier,
    .size = sizeof the_barrier,
    .hows = 1,
    .keeps = false,
    .init = barrier_init,
    .may_wait = when_idle,
    .wait = barrier_wait,
    .ended = barrier_ended,
    .extras = barrier_extras,
    .extra = barrier_extra,
    .always = barrier_always,
    .quiet = barrier_quiet,
    .describe = barrier_describe,
    .finish = barrier_finish,
};

/* ---- the runs ---- */

/* Four tasks with five steps in all; three with four steps each, states merged. One step less where a sanitizer slows
 * it. */
static void every_run(const struct subject *subject)
{
    enum { LESS = THRUM_TEST_SCALE > 1, EACH = 4 - LESS, ALL = 5 - LESS };
    model_check(subject, 4, ALL, ALL, false);
    model_check(subject, 3, EACH, 3 * EACH, true);
}

TEST_LIMIT(model, locks, 120)
{
    every_run(&lock_subject);
}

TEST_LIMIT(model, events, 120)
{
    every_run(&event_subject);
}

TEST_LIMIT(model, semaphores, 120)
{
    for (units = 1; units < 3; units++)
        every_run(&semaphore_subject);
}

TEST_LIMIT(model, conditions, 120)
{
    every_run(&condition_subject);
}

TEST_LIMIT(model, limiters, 120)
{
    every_run(&limiter_subject);
}

TEST_LIMIT(model, rwlocks, 120)
{
    every_run(&rwlock_subject);
}

TEST_LIMIT(model, barriers, 120)
{
    every_run(&barrier_subject);
}
