/* The sample supervise, with everything that can come in between: it keeps real programs, and gets real signals. */
#include "samples_children.h"

#include "../../samples/supervise.c"
#undef main

static struct supervise all;
static char name[] = "/tmp/thrum-supervise-XXXXXX";

/* SIGHUP, which finds the same file again, and then SIGTERM, as often as it takes. */
static ASYNC(is_told, ARGS((void *, context)), LOCALS(thrum_group group; thrum_task * app; int i;))
{
    ASYNC_BEGIN;
    memset(&all, 0, sizeof all);
    all = (struct supervise){.path = name, .grace = SECONDS(20), .first = MILLISECONDS(3), .last = SECONDS(1)};
    WITH (self->group, thrum_group_open(&self->group)) {
        self->app = thrum_group_spawn(&self->group, app(&all));
        for (self->i = 0; self->app && !thrum_task_done(self->app); self->i++) {
            AWAIT(thrum_sleep(MILLISECONDS(3)));
            raise(self->i ? SIGTERM : SIGHUP);
        }
    }
    ASYNC_END;
}

/* Where the sample does not listen yet, or no more. To ignore them would have its programs ignore them, too. */
static void nobody_listens(int number)
{
    (void)number;
}

TEST_LIMIT(testing_samples, supervise, 60)
{
    static const char text[] = "once never :\nlong always exec sleep 1000\nbad failure exit 1\n";
    int file = mkstemp(name);
    CHECK_EQ(write(file, text, sizeof text - 1), (ssize_t)sizeof text - 1);
    CHECK_EQ(close(file), 0);
    signal(SIGTERM, nobody_listens);
    signal(SIGHUP, nobody_listens);
    children_begin();
    explore_children(is_told, 0, 6);
    CHECK_EQ(unlink(name), 0);
}
