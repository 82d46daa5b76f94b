/* Context variables inside. The values of a context stand in a map, which is never changed while it is shared: to
 * inherit is to take a reference. What has variables (a task, a call that runs, a context by handle, the thread outside
 * of both) has a slot, which holds the map. */
#ifndef THRUM_CORE_CONTEXTVARS_H
#define THRUM_CORE_CONTEXTVARS_H

#include <thrum/contextvars.h>

#include "core/state.h"

#if THRUM_CONTEXTS

typedef struct context_pair {
    const thrum_context_var *var;
    thrum_value value;
} context_pair;

struct context_map {
    uint32_t references;
    uint16_t count, room;
    context_pair pairs[];
};

struct thrum_context {
    context_slot slot;
    uint32_t references;
};

static inline context_slot *task_slot(thrum_task_extension *extension)
{
    return extension->shared ? &extension->shared->slot : &extension->variables;
}

/* The current slot; NULL in a task that has no variables and no slot yet. */
static inline context_slot *context_slot_here(const thrum_state *state)
{
    if (state->entered)
        return state->entered;
    const thrum_task *task = state->current;
    if (!task)
        return (context_slot *)(uintptr_t)&state->outside;
    return extension_of(task) ? task_slot(task->extension) : NULL;
}

static inline context_map *context_map_here(const thrum_state *state)
{
    const context_slot *slot = context_slot_here(state);
    return slot ? slot->map : NULL;
}

void thrum_context_map_release(context_map *map);

static inline context_map *context_again(context_map *map)
{
    if (map)
        map->references++;
    return map;
}

static inline void context_forget(context_map *map)
{
    if (THRUM_UNLIKELY_(map != NULL))
        thrum_context_map_release(map);
}

/* The current map: a reference, or NULL for one in which nothing is set. */
static inline context_map *context_capture(const thrum_state *state)
{
    return is_unusual(state, UNUSUAL_CONTEXTS) ? context_again(context_map_here(state)) : NULL;
}

/* Handles: the context of the next call is kept in handle->variables, in one of two forms. */
enum {
    HANDLE_CAPTURED = 0x20, /* a map */
    HANDLE_GIVEN = 0x40,    /* a context by handle */
    HANDLE_MARKED = 0x80    /* and in debug mode: `count` is a mark of the thread */
};

void thrum_handle_capture_slow(thrum_state *state, thrum_handle *handle);

/* What is left of its last use goes. */
static inline void handle_clean(thrum_handle *handle)
{
    handle->waiter.node.flags &= HANDLE_GIVEN;
}

/* A handle gets into use. */
static inline void handle_capture(thrum_state *state, thrum_handle *handle)
{
    handle_clean(handle);
    if (THRUM_UNLIKELY_(is_unusual(state, UNUSUAL_CONTEXTS | UNUSUAL_DEBUG)))
        thrum_handle_capture_slow(state, handle);
}

/* It is out of use, without a call. */
void thrum_handle_forget_slow(thrum_handle *handle);

static inline void handle_forget(thrum_handle *handle)
{
    if (THRUM_UNLIKELY_(handle->waiter.node.flags & (HANDLE_CAPTURED | HANDLE_GIVEN)))
        thrum_handle_forget_slow(handle);
}

void thrum_handle_call(thrum_state *state, thrum_handle *handle);

/* The rest of a synchronous call happens in a context of its own, with what is in `map`, a reference that it takes
 * over. */
typedef struct context_entry {
    context_slot slot, *outer;
} context_entry;

static inline void context_enter(thrum_state *state, context_entry *entry, context_map *map)
{
    entry->slot.map = map;
    entry->slot.serial = 0;
    entry->outer = state->entered;
    state->entered = &entry->slot;
}

static inline void context_leave(thrum_state *state, context_entry *entry)
{
    state->entered = entry->outer;
    context_forget(entry->slot.map);
}

/* The same in the context of a task, or else of a handle that is in use; of neither: in the current one. */
void thrum_context_enter_of(thrum_state *state, context_entry *entry, thrum_task *task, thrum_handle *handle);

/* A task begins with a context: the one that is given, or what its maker has. False: no memory. */
bool thrum_context_dress(thrum_state *state, thrum_task *task, thrum_context *given);

/* The variables of a task that is freed. */
void thrum_context_undress(thrum_task_extension *extension);

#else

typedef struct context_entry {
    char nothing;
} context_entry;

#define context_capture(state) (NULL)
#define context_again(map) (NULL)
#define context_forget(map) ((void)(map))
#define context_enter(state, entry, map) ((void)(entry))
#define thrum_context_enter_of(state, entry, task, handle) ((void)(entry))
#define context_leave(state, entry) ((void)(entry))
#define handle_clean(handle) ((void)((handle)->waiter.node.flags = 0))
#define handle_capture(state, handle) handle_clean(handle)
#define handle_forget(handle) ((void)(handle))

static inline void thrum_handle_call(thrum_state *state, thrum_handle *handle)
{
    (void)state;
    handle->call(handle);
}

#endif

#endif
