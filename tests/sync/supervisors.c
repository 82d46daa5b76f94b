/* Supervising groups, and children that report when they are ready. asyncio has neither; a name in a comment is the
 * test of trio whose behaviour is checked. */
/* Cancellations are swallowed on purpose. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <sim.h>
#include <stdlib.h>

static char trace[256];

static void put(const char *text)
{
    CHECK_LT(strlen(trace) + strlen(text), sizeof trace);
    strcat(trace, text);
}

static void put_number(long long n)
{
    char digits[24], *at = digits + sizeof digits;
    *--at = '\0';
    do
        *--at = (char)('0' + n % 10);
    while ((n /= 10) != 0);
    put(at);
}

static void run(thrum_awaitable what, int error, thrum_time time, const char *expected)
{
    trace[0] = '\0';
    sim_open();
    CHECK_EQ(sim_run(what, NULL), error);
    CHECK_EQ(sim_time(), time);
    sim_finish();
    CHECK_EQ(sim.reports, 0);
    sim_close();
    CHECK_STR(trace, expected);
}

/* ---- supervisors ---- */

typedef struct worker {
    int lives, fails_until; /* it fails in its first so many lives */
    thrum_time takes;
    int error;
} worker;

static ASYNC(work, ARGS((worker *, w)), LOCALS(int life;))
{
    ASYNC_BEGIN;
    self->life = ++self->w->lives;
    put("<");
    put_number(sim_time());
    AWAIT(thrum_sleep(self->w->takes));
    if (self->life <= self->w->fails_until)
        ASYNC_RAISE(thrum_error_set(self->w->error, 0, "work", self->life, NULL));
    put(">");
FINALLY:
    put(".");
    ASYNC_END;
}

static thrum_awaitable start_work(void *context)
{
    return work((worker *)context);
}

static void report(const thrum_failure *failure, void *context)
{
    CHECK_STR((const char *)context, "context");
    CHECK_STR(failure->name, "w");
#if THRUM_DETAILS
    CHECK_NOT_NULL(failure->detail);
    CHECK_EQ(failure->detail->number, ((worker *)failure->context)->lives);
#endif
    put(failure->again ? "r" : failure->escalates ? "E" : "t");
    if (failure->again)
        put_number(failure->delay);
}

static char context[] = "context";

/* The supervised worker beside one that sleeps for 100 and never fails. */
static ASYNC(supervises, ARGS((thrum_supervised, how), (worker *, w), (thrum_time, cancel_after)),
             LOCALS(thrum_supervisor sup; thrum_supervised other; worker quiet; thrum_supervisor_counts counts;
                    thrum_task * task; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    self->how.size = sizeof self->how;
    self->how.start = start_work;
    self->how.context = self->w;
    self->how.name = "w";
    self->other = self->how;
    self->other.policy = THRUM_RESTART_NEVER;
    self->quiet.takes = 100;
    self->other.context = &self->quiet;
    TRY (self->attempt) {
        WITH (self->sup, thrum_supervisor_open(&self->sup, report, context)) {
            CHECK_NOT_NULL(thrum_supervisor_spawn(&self->sup, &self->other));
            self->task = thrum_supervisor_spawn(&self->sup, &self->how);
            CHECK_NOT_NULL(self->task);
            CHECK_EQ(thrum_supervisor_error(&self->sup), 0);
            thrum_supervisor_counts_get(&self->sup, &self->counts);
            CHECK_EQ(self->counts.children, 2);
            if (self->cancel_after) {
                AWAIT(thrum_sleep(self->cancel_after));
                if (self->how.policy == THRUM_RESTART_ALWAYS)
                    thrum_supervisor_cancel(&self->sup);
                else
                    thrum_task_cancel(self->task);
            }
        }
        put("e");
    }
    CATCH (self->error, self->attempt) {
#if THRUM_DETAILS
        if (self->error == THRUM_EGROUP) {
            CHECK_EQ(thrum_error_last()->errors->code, self->w->error);
            CHECK_NULL(thrum_error_last()->errors->next);
        }
#endif
        put("G");
    }
    thrum_supervisor_counts_get(&self->sup, &self->counts);
    CHECK_EQ(self->counts.children, 0);
    put(" ");
    put_number(self->counts.failures);
    put("/");
    put_number(self->counts.restarts);
    CHECK_EQ(thrum_task_cancelling(thrum_current_task()), 0);
    if (self->error)
        ASYNC_RAISE(self->error);
    ASYNC_END;
}

#define SUPERVISE(error, time, expected, cancel_after, w, ...)                                                         \
    do {                                                                                                               \
        worker w_ = w;                                                                                                 \
        thrum_supervised how_ = {__VA_ARGS__};                                                                         \
        run(supervises(how_, &w_, cancel_after), error, time, expected);                                               \
    } while (0)
#define WORKER(fails_until, takes)                                                                                     \
    {                                                                                                                  \
        0, fails_until, takes, -5                                                                                      \
    }

static const worker fails_once = WORKER(1, 10), fails_thrice = WORKER(3, 10), fails_always = WORKER(1000, 10);
static const worker interrupted = {0, 1, 10, THRUM_EINTERRUPTED};

/* A failure does not disturb the others. */
TEST(supervisors, tolerates)
{
    SUPERVISE(0, 100, "<0<0.t>.e 1/0", 0, fails_always, .policy = THRUM_RESTART_NEVER);
}

TEST(supervisors, restarts)
{
    SUPERVISE(0, 100, "<0<0.r0<10>.>.e 1/1", 0, fails_once, .policy = THRUM_RESTART_ON_FAILURE, .restarts = 1);
    SUPERVISE(0, 100, "<0<0.r5<15.r5<30.r5<45>.>.e 3/3", 0, fails_thrice, .policy = THRUM_RESTART_ON_FAILURE,
              .restarts = 3, .delay = 5);
    SUPERVISE(0, 100, "<0<0.r1<11.r3<24.r7<41>.>.e 3/3", 0, fails_thrice, .policy = THRUM_RESTART_ON_FAILURE,
              .restarts = 5, .delay = 1, .factor = 3, .delay_limit = 7);
    SUPERVISE(0, 100, "<0<0.r0<10.r0<20.r0<30>.>.e 3/3", 0, fails_thrice, .policy = THRUM_RESTART_ON_FAILURE,
              .restarts = 3, .delay = -5, .factor = 3, .delay_limit = -7);
    SUPERVISE(0, 45, "<0<0.r0<10>.<20>.<30>.<40..e 1/4", 45, fails_once, .policy = THRUM_RESTART_ALWAYS,
              .restarts = THRUM_RESTARTS_UNLIMITED);
}

TEST(supervisors, escalates)
{
    SUPERVISE(THRUM_EGROUP, 10, "<0<0.E.G 1/0", 0, fails_always, .policy = THRUM_RESTART_ON_FAILURE);
    SUPERVISE(THRUM_EGROUP, 40, "<0<0.r5<15.r5<30.E.G 3/2", 0, fails_always, .policy = THRUM_RESTART_ON_FAILURE,
              .restarts = 2, .delay = 5);
    /* Counted anew: never more than two within 25. */
    SUPERVISE(0, 100, "<0<0.r5<15.r5<30.r5<45>.>.e 3/3", 0, fails_thrice, .policy = THRUM_RESTART_ON_FAILURE,
              .restarts = 2, .delay = 5, .within = 25);
    SUPERVISE(THRUM_EGROUP, 40, "<0<0.r5<15.r5<30.E.G 3/2", 0, fails_thrice, .policy = THRUM_RESTART_ON_FAILURE,
              .restarts = 2, .delay = 5, .within = 30);
    SUPERVISE(THRUM_EINTERRUPTED, 10, "<0<0.E.G 1/0", 0, interrupted, .policy = THRUM_RESTART_ALWAYS, .restarts = 9);
}

/* A child that is cancelled by itself ends for good; in its work, and while it waits to be started again. */
TEST(supervisors, cancelled_child)
{
    SUPERVISE(0, 100, "<0<0.>.e 0/0", 5, fails_always, .policy = THRUM_RESTART_ON_FAILURE, .restarts = 9);
    SUPERVISE(0, 100, "<0<0.r20>.e 1/1", 15, fails_always, .policy = THRUM_RESTART_ON_FAILURE, .restarts = 9,
              .delay = 20);
}

static void cancel_all(const thrum_failure *failure, void *unused)
{
    (void)unused;
    thrum_supervisor_cancel(failure->supervisor);
    put("c");
}

static ASYNC(cancels_from_report, ARGS((worker *, w)), LOCALS(thrum_supervisor sup; thrum_supervised how; int error;))
{
    ASYNC_BEGIN;
    self->how.size = sizeof self->how;
    self->how.context = self->w;
    self->how.policy = THRUM_RESTART_ALWAYS;
    self->how.restarts = 5;
    WITH (self->sup, thrum_supervisor_open(&self->sup, cancel_all, NULL)) {
        CHECK_NULL(thrum_supervisor_spawn(&self->sup, &self->how));
        CHECK_EQ(thrum_supervisor_error(&self->sup), THRUM_EINVAL);
        AWAIT_CATCH(self->error, thrum_supervisor_open(&self->sup, NULL, NULL));
        CHECK_EQ(self->error, THRUM_ESTATE);
        self->how.start = start_work;
        CHECK_NOT_NULL(thrum_supervisor_spawn(&self->sup, &self->how));
    }
    CHECK_NULL(thrum_supervisor_spawn(&self->sup, &self->how));
    CHECK_EQ(thrum_supervisor_error(&self->sup), THRUM_ESTATE);
    put("e");
    ASYNC_END;
}

TEST(supervisors, cancelled_by_the_report)
{
    worker w = fails_always;
    run(cancels_from_report(&w), 0, 10, "<0.ce");
}

/* ---- start ---- */

enum {
    READY = 1,
    TWICE = 2,
    FAILS = 4,
    FAILS_EARLY = 8,
    STUBBORN = 16,
    FAILS_IN_CLEAN_UP = 32,
    LATE_REPORT = 64,
    AT_ONCE = 128
};

static ASYNC(service, ARGS((thrum_started *, started), (void *, how_)),
             LOCALS(int how; int error; thrum_cancel_scope shield;))
{
    ASYNC_BEGIN;
    self->how = *(int *)self->how_;
    put("<");
    if (!(self->how & AT_ONCE))
        AWAIT(thrum_sleep(10));
    if (self->how & FAILS_EARLY)
        ASYNC_RAISE(thrum_error_set(-7, 0, "listen", 80, NULL));
    if (self->how & READY) {
        self->error = thrum_started_set(self->started, 42);
        CHECK(self->error == 0 || self->error == THRUM_ECANCELED);
    }
    if (self->how & TWICE)
        CHECK_EQ(thrum_started_set(self->started, 43), THRUM_ESTATE);
    put("r");
    if (self->how & READY && !(self->how & AT_ONCE))
        AWAIT(thrum_sleep(20));
    if (self->how & STUBBORN) {
        AWAIT_CATCH_ALL(self->error, thrum_sleep(1000));
        AWAIT(thrum_sleep(5));
        if (self->how & LATE_REPORT)
            CHECK_EQ(thrum_started_set(self->started, 44), THRUM_ECANCELED);
        put("s");
    }
    if (self->how & FAILS)
        ASYNC_RAISE(-8);
    put(">");
FINALLY:
    put(".");
    if (self->how & FAILS_IN_CLEAN_UP)
        ASYNC_RAISE(-9);
    ASYNC_END;
}

static ASYNC(starts, ARGS((int, how), (thrum_time, limit)),
             LOCALS(thrum_group group; int value; int error; thrum_cancel_scope scope;))
{
    ASYNC_BEGIN;
    WITH (self->group, thrum_group_open(&self->group)) {
        WITH (self->scope, thrum_move_on_after(&self->scope, self->limit)) {
            AWAIT_CATCH_INTO(self->error, self->value, thrum_group_start(&self->group, service, &self->how));
            CHECK_EQ(self->value, self->error ? 0 : 42);
            put_number(-self->error);
#if THRUM_DETAILS
            if (self->error == -7) {
                CHECK_EQ(thrum_error_last()->number, 80);
                CHECK_EQ(thrum_error_last()->code, -7);
            }
#endif
        }
        if (thrum_cancel_scope_caught(&self->scope))
            put("C");
        CHECK_EQ(thrum_group_size(&self->group), self->error || thrum_cancel_scope_caught(&self->scope) ? 0 : 1);
        AWAIT(thrum_sleep(5));
        put("b");
    }
    put("e");
    CHECK_NULL(thrum_group_spawn(&self->group, thrum_sleep(1)));
    AWAIT_CATCH(self->error, thrum_group_start(&self->group, service, &self->how));
    CHECK_EQ(self->error, THRUM_ESTATE);
    ASYNC_END;
}

/* test_nursery_start: returns with the value, and the child runs on. */
TEST(supervisors, start)
{
    run(starts(READY, THRUM_NEVER), 0, 30, "<r0b>.e");
    run(starts(READY | TWICE, THRUM_NEVER), 0, 30, "<r0b>.e");
    run(starts(0, THRUM_NEVER), 0, 15, "<r>.4505be"); /* it returned, without a word */
    run(starts(FAILS_EARLY, THRUM_NEVER), 0, 15, "<.7be");
    run(starts(FAILS, THRUM_NEVER), 0, 15, "<r.8be");
    run(starts(READY | FAILS, THRUM_NEVER), THRUM_EGROUP, 30, "<r0b."); /* that is the group's, then */
    run(starts(READY | FAILS_IN_CLEAN_UP, THRUM_NEVER), THRUM_EGROUP, 30, "<r0b>.");
    run(starts(AT_ONCE | FAILS_EARLY, THRUM_NEVER), 0, 5, "<.7be");
}

/* test_nursery_start_cancelled: the child is cancelled and joined. */
TEST(supervisors, start_cancelled)
{
    run(starts(READY, 5), 0, 10, "<.Cbe");
    run(starts(STUBBORN | LATE_REPORT, 15), 0, 25, "<rs>.Cbe");
    run(starts(FAILS_IN_CLEAN_UP, 5), 0, 10, "<.9be");
    run(starts(READY, 0), 0, 5, sim_eager() ? "<.Cbe" : "<.Cbe");
}

/* At every pass, and whatever else happens then: nothing is left, and it is joined. */
static ASYNC(starter_of, ARGS((thrum_group *, group), (int *, how)), LOCALS(int value;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->value, thrum_group_start(self->group, service, self->how));
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(elsewhere, ARGS((int *, how), (thrum_task **, starter), (thrum_task **, owner)),
             LOCALS(thrum_group group;))
{
    ASYNC_BEGIN;
    *self->owner = thrum_current_task();
    WITH (self->group, thrum_group_open(&self->group)) {
        *self->starter = thrum_spawn(starter_of(&self->group, self->how));
        AWAIT(thrum_yield());
    }
    put("e");
    ASYNC_END;
}

TEST(supervisors, start_from_elsewhere)
{
    static const int kinds[] = {
        READY, READY | AT_ONCE,       AT_ONCE,  AT_ONCE | FAILS,  READY | AT_ONCE | FAILS,
        FAILS, AT_ONCE | FAILS_EARLY, STUBBORN, READY | STUBBORN, READY | AT_ONCE | FAILS_IN_CLEAN_UP};
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
        for (int who = 0; who < 4; who++)
            for (int pass = 0; pass < 12; pass++) {
                int how = kinds[kind];
                thrum_task *starter = NULL, *owner = NULL;
                trace[0] = '\0';
                sim_open();
                thrum_task *task = thrum_spawn(elsewhere(&how, &starter, &owner));
                for (int i = 0; i < pass; i++)
                    sim_pass();
                if (pass > 6)
                    sim_step_(true);
                if (who & 1)
                    thrum_task_cancel(task);
                if (who & 2 && starter)
                    thrum_task_cancel(starter);
                CHECK_EQ(sim_until(task), 0);
                if (starter)
                    CHECK_EQ(sim_until(starter), 0);
                thrum_task_result(task, NULL);
                if (starter)
                    thrum_task_result(starter, NULL);
                thrum_task_release(task);
                thrum_task_release(starter);
                sim_close();
            }
}

/* ---- out of memory ---- */

/* Allocations until one fails, or from there on all. */
static size_t until;
static bool for_good;

static void *scarce(void *unused, size_t size)
{
    (void)unused;
    if (until && --until == 0) {
        until = for_good;
        return NULL;
    }
    return malloc(size);
}

static void give_back(void *unused, void *block, size_t size)
{
    (void)unused, (void)size;
    free(block);
}

static ASYNC(all_of_it, ARGS_NONE,
             LOCALS(thrum_group group; thrum_supervisor sup; thrum_supervised how; worker w; int kind;
                    thrum_cancel_scope scope; thrum_cancel_scope inner; int value; int error;))
{
    ASYNC_BEGIN;
    self->kind = READY;
    self->w = fails_once;
    self->how.size = sizeof self->how;
    self->how.start = start_work;
    self->how.context = &self->w;
    self->how.policy = THRUM_RESTART_ON_FAILURE;
    self->how.restarts = 3;
    WITH (self->scope, thrum_move_on_after(&self->scope, 1000)) {
        WITH (self->inner, thrum_shield_for(&self->inner, 500)) {
            WITH (self->group, thrum_group_open(&self->group)) {
                AWAIT_INTO(self->value, thrum_group_start(&self->group, service, &self->kind));
                CHECK_EQ(self->value, 42);
            }
            WITH (self->sup, thrum_supervisor_open(&self->sup, NULL, NULL)) {
                if (!thrum_supervisor_spawn(&self->sup, &self->how))
                    ASYNC_RAISE(thrum_supervisor_error(&self->sup));
            }
        }
    }
    CHECK(self->w.lives > 0);
    ASYNC_END;
}

TEST(supervisors, no_memory)
{
    const thrum_allocator allocator = {scarce, give_back, NULL, true};
    CHECK_EQ(thrum_pool_use_allocator(&allocator), 0);
    size_t failed = 0, nth = 0;
    int error = -1;
    for (for_good = false; nth < 200; nth++) {
        trace[0] = '\0';
        sim_open();
        until = nth + 1;
        error = sim_run(all_of_it(), NULL);
        bool all = until > 1;
        until = 0;
        sim_close();
        if (all && for_good)
            break;
        CHECK(error == 0 || error == THRUM_ENOMEM || error == THRUM_EGROUP);
        failed += error != 0;
        for_good = !for_good;
        nth -= for_good; /* both ways for each */
    }
    CHECK_EQ(error, 0);
    CHECK_GT(failed, 8);
}
