/* Signals as calls of a loop. The signal handler posts to the loop, which queues the call like any other. */
#include <thrum/signals.h>

#include <stdlib.h>

#include <thrum/contextvars.h>

#include "loop/io.h"
#include "loop/loop.h"
#include "os/dispositions.h"

typedef struct signal_call {
    signal_listener listener; /* stands first; its owner is the loop */
    int number;
    thrum_post post;
    thrum_handle handle;
    thrum_loop_closer closer;
#if THRUM_CONTEXTS
    thrum_context *context; /* of every call, with what earlier ones have set */
#endif
} signal_call;

static void heard(signal_listener *listener, int number)
{
    (void)number;
    thrum_call_soon_threadsafe((thrum_loop *)(uintptr_t)listener->owner, &((signal_call *)(void *)listener)->post);
}

/* In the loop. */
static void arrived(thrum_post *post)
{
    signal_call *mine = (signal_call *)post->context;
#if THRUM_CONTEXTS
    if (!thrum_handle_pending(&mine->handle))
        thrum_handle_set_context(&mine->handle, mine->context);
#endif
    thrum_call_soon(&mine->handle);
}

static void discard(signal_call *mine)
{
    thrum_loop *loop = (thrum_loop *)(uintptr_t)mine->listener.owner;
    disposition_leave(&mine->listener);
    thrum_post_cancel(loop, &mine->post);
#if THRUM_CONTEXTS
    thrum_context_release(mine->context);
#endif
    free(mine);
}

/* Its calls have been dropped with all others. */
static void loop_closes(thrum_loop_closer *closer)
{
    discard((signal_call *)(void *)((char *)closer - offsetof(signal_call, closer)));
}

static signal_call *find(const thrum_loop *loop, int number)
{
    return (signal_call *)(void *)disposition_find(heard, loop, number);
}

static int listen_to(signal_call *mine)
{
#if THRUM_CONTEXTS
    mine->context = thrum_context_copy();
    if (!mine->context)
        return THRUM_ENOMEM;
#endif
    return disposition_listen(&mine->listener, mine->number, DISPOSITION_REPLACE);
}

int thrum_add_signal_handler(int number, thrum_callback *call, void *context)
{
    thrum_loop *loop = loop_here();
    if (!loop)
        return THRUM_ESTATE;
    if (!call)
        return THRUM_EINVAL;
    signal_call *old = find(loop, number), *mine = (signal_call *)calloc(1, sizeof *mine);
    if (!mine)
        return THRUM_ENOMEM;
    mine->listener.heard = heard;
    mine->listener.owner = loop;
    mine->number = number;
    mine->post = (thrum_post){.call = arrived, .context = mine};
    mine->closer.close = loop_closes;
    thrum_handle_init(&mine->handle, call, context);
    int error = listen_to(mine);
    if (error) {
        discard(mine);
        return error;
    }
    thrum_loop_remember(&mine->closer);
    if (old) {
        /* What it has heard and not called yet is for the new one. */
        bool heard_already = thrum_handle_cancel(&old->handle), posted = thrum_post_cancel(loop, &old->post);
        if (heard_already || posted)
            arrived(&mine->post);
        thrum_loop_forget(&old->closer);
        discard(old);
    }
    return 0;
}

bool thrum_remove_signal_handler(int number)
{
    thrum_loop *loop = loop_here();
    signal_call *mine = loop ? find(loop, number) : NULL;
    if (!mine)
        return false;
    thrum_handle_cancel(&mine->handle);
    thrum_loop_forget(&mine->closer);
    discard(mine);
    return true;
}
