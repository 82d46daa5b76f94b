/* Context variables. The pairs of a map are sorted by the address of the variable. */
#include "core/contextvars.h"

#include "core/checks.h"
#include "core/details.h"
#include "core/inlining.h"
#include "core/memory.h"

#if THRUM_CONTEXTS

/* ---- maps ---- */

enum { FIRST_ROOM = 3 };

static size_t map_size(size_t room)
{
    return sizeof(context_map) + room * sizeof(context_pair);
}

static context_map *map_new(thrum_state *state, size_t room)
{
    context_map *map = room > UINT16_MAX ? NULL : (context_map *)pool_take(&state->pool, map_size(room), POOL_OTHER);
    if (map) {
        map->references = 1;
        map->count = 0;
        map->room = (uint16_t)room;
        if (state->maps++ == 0)
            set_unusual(state, UNUSUAL_CONTEXTS, true);
    }
    return map;
}

void thrum_context_map_release(context_map *map)
{
    thrum_state *state = thrum_state_here();
    if (!map || --map->references)
        return;
    pool_give(&state->pool, map, map_size(map->room), POOL_OTHER);
    if (--state->maps == 0)
        set_unusual(state, UNUSUAL_CONTEXTS, false);
}

/* Where a variable stands, or would. */
static size_t place_of(const context_map *map, const thrum_context_var *var)
{
    size_t low = 0, high = map ? map->count : 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if ((uintptr_t)map->pairs[middle].var < (uintptr_t)var)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool stands_at(const context_map *map, size_t place, const thrum_context_var *var)
{
    return map && place < map->count && map->pairs[place].var == var;
}

/* A map of the slot's own, with room for `more` others. */
static context_map *own_map(thrum_state *state, context_slot *slot, size_t more)
{
    context_map *map = slot->map;
    size_t count = map ? map->count : 0, room = map ? map->room : FIRST_ROOM;
    if (map && map->references == 1 && count + more <= room)
        return map;
    if (count + more > room)
        room = room * 2 + 1;
    context_map *own = map_new(state, room);
    if (!own)
        return NULL;
    for (size_t i = 0; i < count; i++)
        own->pairs[i] = map->pairs[i];
    own->count = (uint16_t)count;
    thrum_context_map_release(map);
    slot->map = own;
    return own;
}

static int put(thrum_state *state, context_slot *slot, const thrum_context_var *var, thrum_value value)
{
    size_t place = place_of(slot->map, var);
    bool there = stands_at(slot->map, place, var);
    context_map *map = own_map(state, slot, there ? 0 : 1);
    if (!map)
        return THRUM_ENOMEM;
    if (!there) {
        for (size_t i = map->count++; i > place; i--)
            map->pairs[i] = map->pairs[i - 1];
        map->pairs[place].var = var;
    }
    map->pairs[place].value = value;
    return 0;
}

static int take_out(thrum_state *state, context_slot *slot, const thrum_context_var *var)
{
    size_t place = place_of(slot->map, var);
    if (!stands_at(slot->map, place, var))
        return 0;
    if (slot->map->count == 1) {
        thrum_context_map_release(slot->map);
        slot->map = NULL;
        return 0;
    }
    context_map *map = own_map(state, slot, 0);
    if (!map)
        return THRUM_ENOMEM;
    map->count--;
    for (size_t i = place; i < map->count; i++)
        map->pairs[i] = map->pairs[i + 1];
    return 0;
}

/* ---- the current context ---- */

/* The current slot, to be changed; a task gets one here. NULL: no memory. */
static context_slot *slot_to_change(thrum_state *state)
{
    context_slot *slot = context_slot_here(state);
    if (slot)
        return slot;
    thrum_task_extension *extension = thrum_task_extend(state->current);
    return extension ? &extension->variables : NULL;
}

thrum_value thrum_context_get(const thrum_context_var *var)
{
    const context_map *map = context_map_here(thrum_state_here());
    size_t place = place_of(map, var);
    return stands_at(map, place, var) ? map->pairs[place].value : var->value;
}

int thrum_context_set(const thrum_context_var *var, thrum_value value, thrum_context_token *token)
{
    thrum_state *state = thrum_state_here();
    context_slot *slot = slot_to_change(state);
    if (!slot)
        return THRUM_ENOMEM;
    size_t place = place_of(slot->map, var);
    bool was_set = stands_at(slot->map, place, var);
    thrum_value before = was_set ? slot->map->pairs[place].value : 0;
    int error = put(state, slot, var, value);
    if (!error && token) {
        if (!slot->serial)
            slot->serial = ++state->serial;
        token->var = var;
        token->value = before;
        token->context = slot->serial;
        token->was_set = was_set;
    }
    return error;
}

int thrum_context_reset(thrum_context_token *token)
{
    thrum_state *state = thrum_state_here();
    context_slot *slot = context_slot_here(state);
    if (!token->var || !slot || slot->serial != token->context)
        return THRUM_ESTATE;
    int error = token->was_set ? put(state, slot, token->var, token->value) : take_out(state, slot, token->var);
    if (!error)
        token->var = NULL;
    return error;
}

/* ---- contexts by handle ---- */

static thrum_context *context_of(context_map *map)
{
    thrum_context *context = (thrum_context *)pool_take(&thrum_state_here()->pool, sizeof *context, POOL_OTHER);
    if (!context) {
        thrum_context_map_release(map);
        return NULL;
    }
    context->slot.map = map;
    context->slot.serial = 0;
    context->references = 1;
    return context;
}

thrum_context *thrum_context_copy(void)
{
    return context_of(context_capture(thrum_state_here()));
}

thrum_context *thrum_context_new(void)
{
    return context_of(NULL);
}

void thrum_context_release(thrum_context *context)
{
    not_for_interrupts();
    if (!context || --context->references)
        return;
    thrum_context_map_release(context->slot.map);
    pool_give(&thrum_state_here()->pool, context, sizeof *context, POOL_OTHER);
}

void thrum_context_run(thrum_context *context, void (*call)(void *argument), void *argument)
{
    thrum_state *state = thrum_state_here();
    context_slot *outer = state->entered;
    context->references++;
    state->entered = &context->slot;
    call(argument);
    state->entered = outer;
    thrum_context_release(context);
}

static const context_map *map_of(const thrum_context *context)
{
    return context ? context->slot.map : context_map_here(thrum_state_here());
}

bool thrum_context_find(const thrum_context *context, const thrum_context_var *var, thrum_value *value)
{
    const context_map *map = map_of(context);
    size_t place = place_of(map, var);
    if (!stands_at(map, place, var))
        return false;
    if (value)
        *value = map->pairs[place].value;
    return true;
}

size_t thrum_context_size(const thrum_context *context)
{
    const context_map *map = map_of(context);
    return map ? map->count : 0;
}

/* ---- of tasks ---- */

bool thrum_context_dress(thrum_state *state, thrum_task *task, thrum_context *given)
{
    context_map *map = given ? NULL : context_capture(state);
    if (!given && !map)
        return true;
    thrum_task_extension *extension = thrum_task_extend(task);
    if (!extension) {
        context_forget(map);
        return false;
    }
    if (given)
        given->references++;
    extension->shared = given;
    extension->variables.map = map;
    return true;
}

void thrum_context_undress(thrum_task_extension *extension)
{
    thrum_context_map_release(extension->variables.map);
    thrum_context_release(extension->shared);
}

thrum_context *thrum_task_context(thrum_task *task)
{
    not_for_interrupts();
    thrum_task_extension *extension = thrum_task_extend(task);
    if (!extension)
        return NULL;
    if (!extension->shared) {
        /* From now on its variables stand where others see them, too. */
        thrum_context *context = (thrum_context *)pool_take(&thrum_state_here()->pool, sizeof *context, POOL_OTHER);
        if (!context)
            return NULL;
        context->slot = extension->variables;
        context->references = 1;
        if (thrum_state_here()->entered == &extension->variables)
            thrum_state_here()->entered = &context->slot;
        extension->variables.map = NULL;
        extension->shared = context;
    }
    extension->shared->references++;
    return extension->shared;
}

/* ---- of calls ---- */

void thrum_handle_capture_slow(thrum_state *state, thrum_handle *handle)
{
    if (is_unusual(state, UNUSUAL_DEBUG)) {
        handle->waiter.node.flags |= HANDLE_MARKED;
        handle->waiter.node.count = thrum_check_mark();
    }
    if (handle->waiter.node.flags & HANDLE_GIVEN)
        return;
    context_map *map = context_capture(state);
    if (map) {
        handle->variables = map;
        handle->waiter.node.flags |= HANDLE_CAPTURED;
    }
}

void thrum_handle_forget_slow(thrum_handle *handle)
{
    uint8_t flags = handle->waiter.node.flags;
    handle->waiter.node.flags = 0;
    if (flags & HANDLE_GIVEN)
        thrum_context_release((thrum_context *)handle->variables);
    else if (flags & HANDLE_CAPTURED)
        thrum_context_map_release((context_map *)handle->variables);
}

void thrum_context_enter_of(thrum_state *state, context_entry *entry, thrum_task *task, thrum_handle *handle)
{
    context_slot *outer = state->entered, *slot = outer;
    context_enter(state, entry, NULL);
    if (task) {
        slot = task->extension ? task_slot(task->extension) : &entry->slot;
    } else if (handle && handle->waiter.node.state != NODE_IDLE) {
        uint8_t flags = handle->waiter.node.flags;
        slot = flags & HANDLE_GIVEN ? &((thrum_context *)handle->variables)->slot : &entry->slot;
        if (flags & HANDLE_CAPTURED) {
            entry->slot.map = (context_map *)handle->variables;
            entry->slot.map->references++;
        }
    }
    state->entered = slot;
}

static THRUM_COLD_ void call_in(thrum_state *state, thrum_handle *handle)
{
    thrum_context *context = (thrum_context *)handle->variables;
    handle->waiter.node.flags = 0;
    state->entered = &context->slot;
    handle->call(handle);
    state->entered = NULL;
    thrum_context_release(context);
}

void thrum_handle_call(thrum_state *state, thrum_handle *handle)
{
    uint8_t flags = handle->waiter.node.flags;
    if (THRUM_UNLIKELY_(flags & (HANDLE_GIVEN | HANDLE_ENTERS))) {
        if (flags & HANDLE_ENTERS)
            handle->call(handle);
        else
            call_in(state, handle);
        return;
    }
    context_entry entry;
    handle->waiter.node.flags = 0;
    context_enter(state, &entry, flags & HANDLE_CAPTURED ? (context_map *)handle->variables : NULL);
    handle->call(handle);
    context_leave(state, &entry);
}

int thrum_handle_set_context(thrum_handle *handle, thrum_context *context)
{
    not_for_interrupts();
    if (handle->waiter.node.state != NODE_IDLE)
        return THRUM_ESTATE;
    handle_forget(handle);
    if (context) {
        context->references++;
        handle->variables = context;
        handle->waiter.node.flags = HANDLE_GIVEN;
    }
    return 0;
}

thrum_context *thrum_handle_context(thrum_handle *handle)
{
    not_for_interrupts();
    thrum_node *node = &handle->waiter.node;
    if (node->state == NODE_IDLE)
        return NULL;
    if (!(node->flags & HANDLE_GIVEN)) {
        context_map *map = node->flags & HANDLE_CAPTURED ? (context_map *)handle->variables : NULL;
        thrum_context *context = (thrum_context *)pool_take(&thrum_state_here()->pool, sizeof *context, POOL_OTHER);
        if (!context)
            return NULL;
        context->slot.map = map;
        context->slot.serial = 0;
        context->references = 1;
        handle->variables = context;
        node->flags = HANDLE_GIVEN;
    }
    ((thrum_context *)handle->variables)->references++;
    return (thrum_context *)handle->variables;
}

#endif
