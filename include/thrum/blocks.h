/**
 * @file blocks.h
 * Blocks that clean up after themselves: `WITH` and `TRY`. This is what stands behind the macros of async.h; read it to
 * make a scope of your own.
 *
 * A scope is a struct that begins with `thrum_scope scope;` and lives in the LOCALS of the function that opens it.
 * `WITH (self->hold, enter)` awaits `enter`, which must have stored the scope's exit in it, runs the block, and then
 * awaits what that exit gives, once, on every way out: inner before outer.
 */
#ifndef THRUM_BLOCKS_H
#define THRUM_BLOCKS_H

#include <thrum/tasks.h>

THRUM_BEGIN_DECLS

typedef struct thrum_scope thrum_scope;

/**
 * Leave a block: make what is awaited then, or do it at once and give THRUM_NOTHING. `scope->error` is the error in
 * flight, or 0: the exit may set it to 0, and the program goes on after the block, or to another error. An error of the
 * exit itself replaces it. asyncio: `__aexit__`
 */
typedef thrum_awaitable thrum_scope_exit(thrum_scope *scope);

/** For a scope's exit: there is nothing to await. */
#define THRUM_NOTHING (thrum_nothing_())
static inline thrum_awaitable thrum_nothing_(void)
{
    thrum_awaitable nothing = {0};
    return nothing;
}

/** An open block. An `enter` operation fills in `exit`; the rest is private but for `error`. */
struct thrum_scope {
    thrum_scope *outer;
    thrum_coro *owner;
    thrum_scope_exit *exit; /**< set by the enter operation; NULL: nothing to do */
    int32_t error;          /**< for the exit: the error in flight, or 0 */
    uint16_t label;
    uint8_t phase;
    uint8_t flags;
};

/** The scope of a `TRY`. */
typedef struct thrum_try {
    thrum_scope scope;
} thrum_try;

THRUM_END_DECLS

#endif
