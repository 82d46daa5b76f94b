/* libcurl says which descriptors it wants watched and when it wants to be called; that is all that a loop has to do for
 * it. Its calls end transfers, whose tasks then have their turn in the next pass, outside of libcurl. */
#include "transfers.h"

#include <stdlib.h>
#include <string.h>

/* One transfer, in the frame of the function that waits for it. */
struct under_way {
    thrum_future done;
    char reason[CURL_ERROR_SIZE];
};

/* ---- what libcurl has to say ---- */

/* The end of one: with a result, or with an error of ours. */
static void end(CURL *easy, int error, CURLcode result)
{
    char *owner = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
    if (owner && error)
        (void)thrum_future_set_error(&((struct under_way *)(void *)owner)->done, error);
    else if (owner)
        (void)thrum_future_set_result(&((struct under_way *)(void *)owner)->done, result);
}

static void take_ended(struct transfers *transfers)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(transfers->multi, &left)))
        end(message->easy_handle, 0, message->data.result);
}

static void act(struct transfers *transfers, curl_socket_t descriptor, int events)
{
    int running;
    (void)curl_multi_socket_action(transfers->multi, descriptor, events, &running);
    take_ended(transfers);
}

/* ---- what the loop has to say ---- */

/* A handle's context is one pointer, so the descriptor stands in what it points to. */
struct watched {
    struct transfers *transfers;
    curl_socket_t descriptor;
};

static void on_readable(thrum_handle *handle)
{
    const struct watched *watched = (const struct watched *)handle->context;
    act(watched->transfers, watched->descriptor, CURL_CSELECT_IN);
}

static void on_writable(thrum_handle *handle)
{
    const struct watched *watched = (const struct watched *)handle->context;
    act(watched->transfers, watched->descriptor, CURL_CSELECT_OUT);
}

static void on_time(thrum_handle *handle)
{
    act((struct transfers *)handle->context, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- what libcurl wants of the loop ---- */

/* When a descriptor cannot be watched its transfer ends. (To give -1 would end all of them, and libcurl says so to
 * none.) */
static int watch(CURL *easy, curl_socket_t descriptor, int what, void *context, void *known)
{
    struct transfers *transfers = (struct transfers *)context;
    struct watched *watched = (struct watched *)known;
    int error = 0;
    if (!watched && what != CURL_POLL_REMOVE) {
        watched = (struct watched *)malloc(sizeof *watched);
        if (!watched) {
            end(easy, THRUM_ENOMEM, CURLE_OK);
            return 0;
        }
        *watched = (struct watched){transfers, descriptor};
        (void)curl_multi_assign(transfers->multi, descriptor, watched);
    }
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        error = thrum_add_reader(descriptor, on_readable, watched);
    else
        (void)thrum_remove_reader(descriptor);
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        error = error ? error : thrum_add_writer(descriptor, on_writable, watched);
    else
        (void)thrum_remove_writer(descriptor);
    if (what == CURL_POLL_REMOVE)
        free(watched);
    if (error)
        end(easy, error, CURLE_OK);
    return 0;
}

static int call_later(CURLM *multi, long milliseconds, void *context)
{
    struct transfers *transfers = (struct transfers *)context;
    (void)multi;
    (void)thrum_handle_cancel(&transfers->timer);
    if (milliseconds >= 0)
        (void)thrum_call_later(MILLISECONDS(1) * milliseconds, &transfers->timer);
    return 0;
}

int transfers_begin(struct transfers *transfers)
{
    thrum_handle_init(&transfers->timer, on_time, transfers);
    transfers->multi = curl_multi_init();
    if (!transfers->multi)
        return THRUM_ENOMEM;
    (void)curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETFUNCTION, watch);
    (void)curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETDATA, transfers);
    (void)curl_multi_setopt(transfers->multi, CURLMOPT_TIMERFUNCTION, call_later);
    (void)curl_multi_setopt(transfers->multi, CURLMOPT_TIMERDATA, transfers);
    return 0;
}

void transfers_end(struct transfers *transfers)
{
    if (!transfers->multi)
        return;
    (void)curl_multi_cleanup(transfers->multi); /* closes idle connections, and may ask for a call once more */
    (void)thrum_handle_cancel(&transfers->timer);
    transfers->multi = NULL;
}

/* ---- a transfer ---- */

ASYNC(transfer, ARGS((struct transfers *, transfers), (CURL *, easy)), LOCALS(bool added; int result;),
      BUFFERS(struct under_way way;))
{
    CURLMcode code;
    ASYNC_BEGIN;
    code = curl_multi_add_handle(self->transfers->multi, self->easy); /* it begins when the loop calls, not here */
    if (code)
        ASYNC_RAISE(code == CURLM_ADDED_ALREADY ? THRUM_EBUSY : THRUM_ENOMEM);
    self->added = true;
    memset(&self->way, 0, sizeof self->way);
    (void)curl_easy_setopt(self->easy, CURLOPT_PRIVATE, &self->way);
    (void)curl_easy_setopt(self->easy, CURLOPT_ERRORBUFFER, self->way.reason);
    AWAIT_INTO(self->result, &self->way.done);
    if (self->result)
        ASYNC_RAISE(
            thrum_error_set(TRANSFER_FAILED, 0, "transfer", self->result,
                            self->way.reason[0] ? self->way.reason : curl_easy_strerror((CURLcode)self->result)));
FINALLY: /* a transfer that is cancelled stops here, in the middle */
    if (self->added) {
        (void)curl_multi_remove_handle(self->transfers->multi, self->easy);
        (void)curl_easy_setopt(self->easy, CURLOPT_ERRORBUFFER, NULL);
    }
    ASYNC_END;
}
