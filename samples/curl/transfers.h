/* Transfers of libcurl, awaited: its multi interface on the loop's watchers and timers. */
#ifndef CURL_TRANSFERS_H
#define CURL_TRANSFERS_H

#include <curl/curl.h>
#include <thrum.h>

/* A transfer failed; the detail has libcurl's number and text. */
#define TRANSFER_FAILED THRUM_EAPP(1)

/* Transfers that share connections, look-ups and sessions; in memory of the caller's own, in place until the end. */
struct transfers {
    CURLM *multi;
    thrum_handle timer; /* when libcurl wants to be called again */
};

/* Gives 0 or THRUM_ENOMEM. Zeroed memory may be ended as well. */
int transfers_begin(struct transfers *transfers);

/* No transfer may be under way. */
void transfers_end(struct transfers *transfers);

/* Do what an easy handle is set to, and wait for its end. CURLOPT_PRIVATE and CURLOPT_ERRORBUFFER are taken for
 * that. When the await ends, cancelled or not, libcurl has let go of the handle, and calls none of its functions any
 * more. Errors: TRANSFER_FAILED; THRUM_EBUSY for a handle that is under way; THRUM_ENOMEM. */
thrum_awaitable transfer(struct transfers *transfers, CURL *easy);

#endif
