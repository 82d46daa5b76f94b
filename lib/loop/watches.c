/* What is watched by the number of a descriptor: thrum_add_reader() and thrum_add_writer(), and which descriptors
 * streams use. A table with a place for each number; what was watched once keeps its memory until the loop closes. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <thrum/contextvars.h>

#include "loop/loop.h"

typedef struct watch {
    thrum_io io;
    thrum_handle handle; /* queued by the poll, so that it can be taken back in the same pass */
    bool active;
#if THRUM_CONTEXTS
    thrum_context *context; /* of every call, with what earlier ones have set */
#endif
} watch;

typedef struct entry {
    unsigned used;   /* watchers: of streams and the like, ours, and those that share */
    unsigned shared; /* those of awaited calls, which leave the descriptor to others */
} entry;

/* Of a number that is watched here, which those of most connections never are. */
typedef struct watch_pair {
    watch *reader, *writer;
} watch_pair;

typedef struct thrum_descriptors {
    size_t room, watched; /* places in both tables */
    watch_pair *watches;
    entry entries[];
} thrum_descriptors;

static entry *find(const thrum_loop *loop, int descriptor)
{
    thrum_descriptors *table = loop->descriptors;
    return table && descriptor >= 0 && (size_t)descriptor < table->room ? &table->entries[descriptor] : NULL;
}

static entry *find_or_make(thrum_loop *loop, int descriptor)
{
    size_t old = loop->descriptors ? loop->descriptors->room : 0, room = old ? old : 32;
    while (room <= (size_t)descriptor)
        room *= 2;
    if (room > old) {
        thrum_descriptors *table =
            (thrum_descriptors *)realloc(loop->descriptors, sizeof *table + room * sizeof table->entries[0]);
        if (!table)
            return NULL;
        if (!old)
            memset(table, 0, sizeof *table);
        memset(table->entries + old, 0, (room - old) * sizeof table->entries[0]);
        table->room = room;
        loop->descriptors = table;
    }
    return &loop->descriptors->entries[descriptor];
}

static watch **of_pair(watch_pair *pair, uint8_t events)
{
    return events == THRUM_IO_READ ? &pair->reader : &pair->writer;
}

static watch *find_watch(const thrum_loop *loop, int descriptor, uint8_t events)
{
    const thrum_descriptors *table = loop->descriptors;
    bool any = table && descriptor >= 0 && (size_t)descriptor < table->watched;
    return any ? *of_pair(&table->watches[descriptor], events) : NULL;
}

/* Where the watch of a number stands that has a place in the first table. NULL: no memory. */
static watch **watch_place(thrum_descriptors *table, int descriptor, uint8_t events)
{
    if ((size_t)descriptor >= table->watched) {
        watch_pair *watches = (watch_pair *)realloc(table->watches, table->room * sizeof *watches);
        if (!watches)
            return NULL;
        memset(watches + table->watched, 0, (table->room - table->watched) * sizeof *watches);
        table->watches = watches;
        table->watched = table->room;
    }
    return of_pair(&table->watches[descriptor], events);
}

int loop_descriptor_used(thrum_loop *loop, int descriptor)
{
    if (descriptor < 0)
        return THRUM_EINVAL;
    entry *place = find_or_make(loop, descriptor);
    if (!place)
        return THRUM_ENOMEM;
    place->used++;
    return 0;
}

void loop_descriptor_unused(thrum_loop *loop, int descriptor)
{
    entry *place = find(loop, descriptor);
    if (place && place->used)
        place->used--;
}

void loop_descriptor_shared(thrum_loop *loop, int descriptor, bool more)
{
    entry *place = find(loop, descriptor);
    if (place)
        place->shared += more ? 1 : -1u;
}

/* How many of the watchers are those of thrum_add_reader() and thrum_add_writer(). */
static unsigned own(const thrum_loop *loop, int descriptor)
{
    const watch *reader = find_watch(loop, descriptor, THRUM_IO_READ);
    const watch *writer = find_watch(loop, descriptor, THRUM_IO_WRITE);
    return (reader && reader->active ? 1u : 0u) + (writer && writer->active ? 1u : 0u);
}

bool loop_descriptor_owned(const thrum_loop *loop, int descriptor)
{
    const entry *place = find(loop, descriptor);
    return place && place->used > place->shared + own(loop, descriptor);
}

static bool take_context(watch *mine)
{
#if THRUM_CONTEXTS
    mine->context = thrum_context_copy();
    return mine->context != NULL;
#else
    (void)mine;
    return true;
#endif
}

static void forget_context(watch *mine)
{
#if THRUM_CONTEXTS
    thrum_context_release(mine->context);
    mine->context = NULL;
#else
    (void)mine;
#endif
}

static void drop(watch *mine)
{
    if (!mine || !mine->active)
        return;
    thrum_io_close(&mine->io);
    thrum_handle_cancel(&mine->handle);
    mine->active = false;
    forget_context(mine);
}

void loop_close_watches(thrum_loop *loop)
{
    thrum_descriptors *table = loop->descriptors;
    if (!table)
        return;
    for (size_t i = 0; i < table->watched; i++) {
        watch *both[2] = {table->watches[i].reader, table->watches[i].writer};
        for (int k = 0; k < 2; k++) {
            if (both[k] && both[k]->active) {
                thrum_io_close(&both[k]->io);
                forget_context(both[k]);
            }
            free(both[k]);
        }
    }
    free(table->watches);
    free(table);
    loop->descriptors = NULL;
}

/* ---- public ---- */

/* The poll found it ready. Level triggered: one call in each pass in which it is. */
static void found(thrum_io *io)
{
    watch *mine = thrum_io_of(io, watch, io);
#if THRUM_CONTEXTS
    if (!thrum_handle_pending(&mine->handle))
        thrum_handle_set_context(&mine->handle, mine->context);
#endif
    thrum_call_soon(&mine->handle);
}

static int add(int descriptor, uint8_t events, thrum_callback *call, void *context)
{
    thrum_loop *loop = loop_here();
    if (!loop)
        return THRUM_ESTATE;
    if (!loop->verbs.io_open)
        return THRUM_EUNSUPPORTED;
    if (!call || descriptor < 0 || fcntl(descriptor, F_GETFD) < 0)
        return THRUM_EINVAL;
    watch **mine = find_or_make(loop, descriptor) ? watch_place(loop->descriptors, descriptor, events) : NULL;
    if (!mine)
        return THRUM_ENOMEM;
    if (loop_descriptor_owned(loop, descriptor))
        return THRUM_ESTATE;
    if (!*mine && !(*mine = (watch *)calloc(1, sizeof **mine)))
        return THRUM_ENOMEM;
    /* Begun anew also when there is one: the number may stand for another file by now, which the poller has
     * to learn. */
    drop(*mine);
    thrum_handle_init(&(*mine)->handle, call, context);
    if (!take_context(*mine))
        return THRUM_ENOMEM;
    int error = thrum_io_init(&(*mine)->io, descriptor, events, found);
    if (error) {
        forget_context(*mine);
        return error;
    }
    (*mine)->active = true;
    thrum_io_start(&(*mine)->io);
    return 0;
}

static bool remove_watch(int descriptor, uint8_t events)
{
    thrum_loop *loop = loop_here();
    watch *mine = loop ? find_watch(loop, descriptor, events) : NULL;
    bool was = mine && mine->active;
    drop(mine);
    return was;
}

int thrum_add_reader(int descriptor, thrum_callback *call, void *context)
{
    return add(descriptor, THRUM_IO_READ, call, context);
}

int thrum_add_writer(int descriptor, thrum_callback *call, void *context)
{
    return add(descriptor, THRUM_IO_WRITE, call, context);
}

bool thrum_remove_reader(int descriptor)
{
    return remove_watch(descriptor, THRUM_IO_READ);
}

bool thrum_remove_writer(int descriptor)
{
    return remove_watch(descriptor, THRUM_IO_WRITE);
}
