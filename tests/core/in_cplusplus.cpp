// Async functions written in C++17, called from C and from C++.
/* Every macro is used once, whatever it swallows. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <thrum.h>

#include "plain.h"

namespace {

enum class color { red, green = 5 };
enum plain_color { RED, BLUE = 9 };

struct point {
    int x, y;
};

int twice(int n)
{
    return 2 * n;
}

ASYNC(cxx_inner, ARGS((int, n), (const point, at), (point *, out)), LOCALS(int sum; char room[16];),
      BUFFERS(char big[100];), ON_DROP((void)self->n;))
{
    ASYNC_BEGIN;
    for (self->sum = 0; self->sum < self->n; self->sum++)
        AWAIT(thrum_yield());
    if (self->at.x < 0)
        ASYNC_RAISE(THRUM_EAPP(self->n));
    self->out->x = self->sum;
    ASYNC_RETURN(self->out);
FINALLY:
    AWAIT(thrum_sleep(MILLISECONDS(1)));
    ASYNC_END;
}

ASYNC(cxx_enum, ARGS((color, c)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RETURN(self->c);
    ASYNC_END;
}

ASYNC_GEN(cxx_items, ARGS((const int, n), (point *, at)), LOCALS(int i; color got;), ON_DROP(self->at->y = 1;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < self->n; self->i++) {
        AWAIT(thrum_yield());
        YIELD_INTO(self->got, self->at);
        if (self->got == color::green)
            ASYNC_RAISE(THRUM_EAPP(106));
        YIELD(self->i);
    }
FINALLY:
    AWAIT(thrum_yield());
    self->at->y += 10;
    ASYNC_END;
}

} // namespace

ASYNC(cxx_everything, ARGS((int, n), (const char *, text)),
      LOCALS(int err; bool flag; color c; plain_color p; point at; point * out; long long wide; thrum_task * task;
             thrum_future future; thrum_event event; thrum_try attempt; thrum_group group; thrum_lock lock;
             thrum_lock_hold hold; thrum_deadline limit; thrum_iteration each, inner;))
{
    ASYNC_BEGIN;
    self->at.x = 1;
    AWAIT_INTO(self->out, cxx_inner(self->n, self->at, &self->at));
    if (self->out != &self->at || self->at.x != self->n)
        ASYNC_RAISE(THRUM_EAPP(100));
    AWAIT_INTO(self->c, cxx_enum(color::green));
    if (self->c != color::green)
        ASYNC_RAISE(THRUM_EAPP(101));
    AWAIT_INTO(self->p, plain_gives(BLUE));
    AWAIT_INTO(self->flag, plain_gives(1));
    if (self->p != BLUE || !self->flag)
        ASYNC_RAISE(THRUM_EAPP(102));
    self->task = thrum_spawn(plain_gives(7));
    AWAIT_INTO(self->wide, self->task);
    thrum_future_set_result(&self->future, 8);
    AWAIT_CATCH_INTO(self->err, self->wide, &self->future);
    if (self->wide != 8)
        ASYNC_RAISE(THRUM_EAPP(103));
    thrum_event_set(&self->event);
    AWAIT(&self->event);
    AWAIT_UNTIL(thrum_event_is_set(&self->event), &self->event);
    AWAIT_LOCK(&self->lock);
    thrum_lock_release(&self->lock);
    WITH (self->hold, thrum_lock_hold(&self->hold, &self->lock)) {
        TRY (self->attempt) {
            self->at.x = -1;
            AWAIT(cxx_inner(3, self->at, &self->at));
        }
        CATCH (self->err, self->attempt) {
            AWAIT(thrum_yield());
        }
    }
    if (self->err != THRUM_EAPP(3))
        ASYNC_RAISE(THRUM_EAPP(104));
    TRY (self->attempt) {
        WITH (self->limit, thrum_deadline_after(&self->limit, SECONDS(1)))
            WITH (self->group, thrum_group_open(&self->group)) {
                thrum_group_spawn(&self->group, plain_gives(1));
                AWAIT(thrum_sleep(SECONDS(2)));
            }
    }
    CATCH_ALL (self->err, self->attempt) {
        AWAIT(thrum_yield());
    }
    AWAIT_CATCH(self->err, thrum_timeout(1, thrum_sleep(5)));
    AWAIT_CATCH_ALL(self->err, thrum_timeout(1, thrum_sleep(5)));
    AWAIT_CATCH_ALL_INTO(self->err, self->wide, plain_gives(twice(self->n)));
    if (self->err != 0)
        ASYNC_RAISE(THRUM_EAPP(105));
    self->at.y = 0;
    ASYNC_FOR (self->out, self->each, cxx_items(3, &self->at)) {
        if (self->out != &self->at)
            continue;
        ASYNC_FOR (self->err, self->inner, cxx_items(3, self->out))
            break;
    }
    if (self->at.y != 40)
        ASYNC_RAISE(THRUM_EAPP(106));
    self->err = thrum_iteration_open(&self->each, cxx_items(1, &self->at));
    AWAIT_INTO(self->out, thrum_iteration_next(&self->each));
    AWAIT_CATCH(self->err, thrum_iteration_send(&self->each, static_cast<int>(color::green)));
    if (self->err != THRUM_EAPP(106))
        ASYNC_RAISE(THRUM_EAPP(107));
    ASYNC_RETURN(self->wide + self->text[0]);
FINALLY:
    thrum_task_release(self->task);
    AWAIT(thrum_yield());
    ASYNC_END;
}
