/* What thrum_loop_new() makes of a backend of one's own. */
#include "contract.h"

static struct {
    unsigned opened, closed;
    bool zeroed;
    uintptr_t place;
    void *context;
    thrum_loop *loop;
} seen;

enum { KEPT = 1000 };

static int note_open(void *own, thrum_loop *loop, const thrum_loop_options *options)
{
    const unsigned char *bytes = (const unsigned char *)own;
    seen.opened++;
    seen.zeroed = true;
    for (int i = 0; i < KEPT; i++)
        seen.zeroed = seen.zeroed && bytes[i] == 0;
    memset(own, 7, KEPT);
    seen.place = (uintptr_t)own;
    seen.context = options->custom_context;
    seen.loop = loop;
    return options->custom_context == &seen ? -EIO : 0;
}

static void note_close(void *own)
{
    CHECK_EQ((uintptr_t)own, seen.place);
    seen.closed++;
}

static thrum_time stand_still(const void *own)
{
    (void)own;
    return SECONDS(5);
}

static int never_wait(void *own, thrum_time until, thrum_time *woke)
{
    (void)own, (void)until;
    *woke = SECONDS(5);
    return until == THRUM_NEVER ? THRUM_ESTATE : 0;
}

static const thrum_backend noted_backend = {
    .size = sizeof(thrum_backend),
    .storage = KEPT,
    .stepwise = true,
    .open = note_open,
    .close = note_close,
    .now = stand_still,
    .wait = never_wait,
    .wake = note_close,
};

static int make(thrum_loop **loop, const thrum_backend *backend, void *context)
{
    const thrum_loop_options options = {.size = sizeof options, .custom = backend, .custom_context = context};
    return thrum_loop_new(loop, &options);
}

TEST(custom, storage_is_zeroed_and_aligned_each_time)
{
    thrum_loop *loop;
    int context;
    for (unsigned i = 1; i <= 3; i++) {
        CHECK_EQ(make(&loop, &noted_backend, &context), 0);
        CHECK_EQ(seen.opened, i);
        CHECK(seen.zeroed);
        CHECK_EQ(seen.place % _Alignof(max_align_t), 0);
        CHECK_PTR(seen.context, &context);
        CHECK_PTR(seen.loop, loop);
        CHECK_PTR(thrum_backend_storage(loop, &noted_backend), (void *)seen.place);
        CHECK_NULL(thrum_backend_storage(loop, &poll_backend));
        CHECK_NULL(thrum_backend_storage(NULL, &noted_backend));
        CHECK_NULL(thrum_loop_ev(loop));
        CHECK_EQ(thrum_loop_time(loop), SECONDS(5));
        CHECK_EQ(thrum_loop_resolution(loop), 1);
        CHECK_EQ(thrum_loop_descriptor(loop), THRUM_EUNSUPPORTED);
        close_loop(loop);
        CHECK_EQ(seen.closed, i);
    }
}

TEST(custom, what_open_refuses_is_not_closed)
{
    thrum_loop *loop;
    CHECK_EQ(make(&loop, &noted_backend, &seen), -EIO);
    CHECK_NULL(loop);
    CHECK_EQ(seen.opened, 1);
    CHECK_EQ(seen.closed, 0);
    CHECK_NULL(thrum_loop_current());
}

TEST(custom, a_missing_verb_is_refused)
{
    thrum_loop *loop;
    thrum_loop_options options = {.size = sizeof options, .backend = THRUM_BACKEND_SIM, .custom = &noted_backend};
    CHECK_EQ(thrum_loop_new(&loop, &options), THRUM_EINVAL); /* one or the other */
#define WITHOUT(verb)                                                                                                  \
    do {                                                                                                               \
        thrum_backend broken = poll_backend;                                                                           \
        broken.verb = NULL;                                                                                            \
        CHECK_EQ(make(&loop, &broken, NULL), THRUM_EINVAL);                                                            \
    } while (0)
    WITHOUT(open);
    WITHOUT(close);
    WITHOUT(now);
    WITHOUT(wait);
    WITHOUT(wake);
    WITHOUT(io_start);
    WITHOUT(io_stop);
#undef WITHOUT
    thrum_backend longer = poll_backend;
    longer.size++;
    CHECK_EQ(make(&loop, &longer, NULL), THRUM_EINVAL);
    longer.size = offsetof(thrum_backend, wake);
    CHECK_EQ(make(&loop, &longer, NULL), THRUM_EINVAL);
}

/* One that was compiled when there was less: what it does not say is not looked at. */
TEST(custom, a_shorter_one_has_what_it_says)
{
    struct {
        size_t size, storage;
        bool drives, stepwise;
        int (*open)(void *own, thrum_loop *loop, const thrum_loop_options *options);
        void (*close)(void *own);
        thrum_time (*now)(const void *own);
        int (*wait)(void *own, thrum_time until, thrum_time *woke);
        void (*wake)(void *own);
    } *first = malloc(sizeof *first); /* on the heap: tools see who reads beyond */
    thrum_loop *loop;
    unsigned calls = 0;
    CHECK_EQ(sizeof *first, offsetof(thrum_backend, resolution));
    memcpy(first, &noted_backend, sizeof *first);
    first->size = sizeof *first;
    CHECK_EQ(make(&loop, (const thrum_backend *)(const void *)first, NULL), 0);
    free(first); /* its verbs are copied */
    CHECK_EQ(thrum_add_reader(0, count, &calls), THRUM_EUNSUPPORTED);
    CHECK_EQ(thrum_loop_run_until_complete(loop, thrum_yield(), NULL), 0);
    close_loop(loop);
}

static ASYNC(waits_for, ARGS((thrum_event *, event)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(self->event);
    ASYNC_END;
}

/* It says that nothing will come any more, and that is told of. */
TEST(custom, a_deadlock_is_reported)
{
    thrum_event event = THRUM_EVENT_INIT;
    thrum_loop *loop;
    log_begin();
    CHECK_EQ(make(&loop, &noted_backend, NULL), 0);
    CHECK_EQ(thrum_loop_run_until_complete(loop, waits_for(&event), NULL), THRUM_ESTATE);
    CHECK(log_has("waits_for"));
    log_begin();
    CHECK_EQ(thrum_loop_close(loop), 0);
}
