/**
 * @file contextvars.h
 * Context variables: values that a task inherits from whoever spawned it, and a callback from whoever queued it,
 * without being passed along. Each task and each call has a context of its own: what it sets is seen by itself and by
 * what it spawns and queues from then on, not by others.
 *
 *     static thrum_context_var request_id = THRUM_CONTEXT_VAR("request_id", 0);
 *
 *     thrum_context_set(&request_id, 17, NULL);
 *     thrum_log("request %d", (int)thrum_context_get(&request_id));
 *
 * To inherit costs a pointer and a count. The values are copied when a context is changed that somebody else shares.
 * Outside of tasks and calls a thread has a context of its own, which what is spawned and queued there inherits.
 */
#ifndef THRUM_CONTEXTVARS_H
#define THRUM_CONTEXTVARS_H

#include <thrum/tasks.h>

#if THRUM_CONTEXTS

THRUM_BEGIN_DECLS

/** A variable, in static storage: known by its address. */
typedef struct thrum_context_var {
    const char *name;
    thrum_value value; /**< where nobody set it */
} thrum_context_var;

/** The initialiser of a variable: its name, and its value where nobody set it. */
#define THRUM_CONTEXT_VAR(name, value)                                                                                 \
    {                                                                                                                  \
        (name), (value)                                                                                                \
    }

/** What thrum_context_set() gives to set a variable back. Fields are private. */
typedef struct thrum_context_token {
    const thrum_context_var *var;
    thrum_value value;
    uint32_t context;
    bool was_set;
} thrum_context_token;

/** A context that is held by handle: a snapshot that can be run in, or a context that tasks share. */
typedef struct thrum_context thrum_context;

/**
 * The value of a variable in the current context.
 * [never waits · no allocation · any thread]
 *
 * @param var  any
 * @return gives what was set, or the variable's own value
 *
 * asyncio: ContextVar.get
 */
THRUM_API thrum_value thrum_context_get(const thrum_context_var *var);

/**
 * Set a variable in the current context.
 * [never waits · may take a block of the pool · this loop's thread only]
 *
 * @param var    any
 * @param value  an integer or a pointer as one; what it points to stays the caller's
 * @param token  where to remember what was there, for thrum_context_reset(); may be NULL
 * @return gives 0; THRUM_ENOMEM, and then nothing has changed
 *
 * asyncio: ContextVar.set
 */
THRUM_API int thrum_context_set(const thrum_context_var *var, thrum_value value, thrum_context_token *token);

/**
 * Set a variable back to what it was before a thrum_context_set(). Each token once, in the context where it was made.
 * [never waits · may take a block of the pool · this loop's thread only]
 *
 * @param token  filled in by thrum_context_set()
 * @return gives 0; THRUM_ESTATE when the token was used before or comes from another context; THRUM_ENOMEM, and then
 *         nothing has changed
 *
 * asyncio: ContextVar.reset
 */
THRUM_API int thrum_context_reset(thrum_context_token *token);

/**
 * Take a snapshot of the current context, as a context of its own.
 * [never waits · one block of the pool · this loop's thread only]
 *
 * @return gives a reference, to be given back with thrum_context_release(); NULL when the pool is used up
 *
 * asyncio: contextvars.copy_context
 */
THRUM_API thrum_context *thrum_context_copy(void) THRUM_MUST_USE_;

/**
 * Make a context in which nothing is set.
 * [never waits · one block of the pool · this loop's thread only]
 *
 * @return gives a reference; NULL when the pool is used up
 *
 * asyncio: contextvars.Context
 */
THRUM_API thrum_context *thrum_context_new(void) THRUM_MUST_USE_;

/**
 * Give a reference to a context back.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param context  NULL does nothing
 *
 * asyncio: the last reference going away
 */
THRUM_API void thrum_context_release(thrum_context *context);

/**
 * Call something in a context: what it sets stays in that, and is not seen by the caller. A context may be entered
 * while it is entered already (contextvars refuses that).
 * [never waits · no allocation · runs other code · this loop's thread only]
 *
 * @param context   any
 * @param call      is called once, before this returns
 * @param argument  for it
 *
 * asyncio: Context.run
 */
THRUM_API void thrum_context_run(thrum_context *context, void (*call)(void *argument), void *argument);

/**
 * Look a variable up in a context that is not the current one.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param context  any; NULL is the current one
 * @param var      any
 * @param value    where its value goes; untouched when it is not set; may be NULL
 * @return gives whether it is set there
 *
 * asyncio: Context.get, `var in context`
 */
THRUM_API bool thrum_context_find(const thrum_context *context, const thrum_context_var *var, thrum_value *value);

/**
 * How many variables are set in a context.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param context  any; NULL is the current one
 * @return gives a count
 *
 * asyncio: len(context)
 */
THRUM_API size_t thrum_context_size(const thrum_context *context);

/**
 * The context of a task, by handle: what the task sets is seen in it.
 * [never waits · may take two blocks of the pool · this loop's thread only]
 *
 * @param task  any
 * @return gives a reference, to be given back with thrum_context_release(); NULL when the pool is used up
 *
 * asyncio: Task.get_context
 */
THRUM_API thrum_context *thrum_task_context(thrum_task *task) THRUM_MUST_USE_;

/**
 * Say in which context a handle is called the next time: in this one as it is, not in a copy of the one where it is
 * queued. The handle keeps a reference until it was called or cancelled, or is told something else.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param handle   initialised, idle
 * @param context  any; NULL is the default again
 * @return gives 0; THRUM_ESTATE when the handle is in use
 *
 * asyncio: call_soon(context=), call_later(context=), call_at(context=), add_done_callback(context=)
 */
THRUM_API int thrum_handle_set_context(thrum_handle *handle, thrum_context *context);

/**
 * The context that a handle which is queued, timed or waiting will be called in.
 * [never waits · may take a block of the pool · this loop's thread only]
 *
 * @param handle  in use
 * @return gives a reference, to be given back with thrum_context_release(); NULL when the pool is used up or the handle
 *         is idle
 *
 * asyncio: Handle.get_context
 */
THRUM_API thrum_context *thrum_handle_context(thrum_handle *handle) THRUM_MUST_USE_;

THRUM_END_DECLS

#endif

#endif
