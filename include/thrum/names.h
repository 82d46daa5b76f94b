/**
 * @file names.h
 * From names to addresses and back, awaited. By default a thread of the loop's executor asks the C library, as asyncio
 * does; a loop can ask through c-ares instead (thrum_loop_set_resolver()), which takes no thread and ends at once when
 * it is cancelled. Both give the same.
 *
 * In debug mode a look-up that takes longer than thrum_loop_slow_callback_duration() is named in the log.
 */
#ifndef THRUM_NAMES_H
#define THRUM_NAMES_H

#include <thrum/addresses.h>
#include <thrum/awaitables.h>
#include <thrum/events.h>

THRUM_BEGIN_DECLS

/** What is looked for. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_name_hints {
    size_t size;  /**< sizeof(thrum_name_hints) */
    int family;   /**< AF_INET or AF_INET6 only; 0: both */
    int type;     /**< SOCK_STREAM or another one only; 0: each that the port has */
    int protocol; /**< IPPROTO_TCP or another one only; 0: each that goes with the type */
    int flags;    /**< AI_PASSIVE and others of getaddrinfo(3) */
} thrum_name_hints;

/** One address that was found, and how to make a socket for it. */
typedef struct thrum_address_info {
    int family;
    int type;
    int protocol;
    thrum_address address;
} thrum_address_info;

/** What was found. Zeroed memory is an empty one. */
typedef struct thrum_address_list {
    thrum_address_info *list; /**< best first */
    size_t count;             /**< how many */
    size_t room;              /* private */
    char *canonical;          /**< with AI_CANONNAME, the name that the host has by itself; else NULL */
} thrum_address_list;

/**
 * Look up the addresses of a host and a port. What is numeric needs no look-up, and no thread.
 * [awaits · does not suspend for what is numeric · cancel-safe: a thread at work is left behind with what it uses, one
 * of c-ares ends · allocates · this loop's thread only]
 *
 * @param list   where the addresses are added, in memory that outlives the await; to be given to
 *               thrum_address_list_free(), whatever this gives
 * @param host   a name or a numeric address; NULL: this machine, with AI_PASSIVE each of its
 *               interfaces; good until this is awaited
 * @param port   a number or the name of a service; NULL: 0; good until this is awaited
 * @param hints  copied; NULL is the default
 * @return gives how many addresses were found; THRUM_ERESOLVE with a code of getaddrinfo(3) in the detail's number, and
 *         its text; THRUM_EINVAL for hints that cannot be right; THRUM_ENOMEM; THRUM_ESTATE; THRUM_ESHUTDOWN;
 *         THRUM_ECANCELED
 *
 * asyncio: loop.getaddrinfo
 */
THRUM_API thrum_awaitable thrum_getaddrinfo(thrum_address_list *list, const char *host, const char *port,
                                            const thrum_name_hints *hints) THRUM_MUST_USE_;

/**
 * Give the memory of a list back; it is empty then.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param list  zeroed, or filled by thrum_getaddrinfo()
 *
 * asyncio: none
 */
THRUM_API void thrum_address_list_free(thrum_address_list *list);

/**
 * Look up the name of an address.
 * [awaits · cancel-safe as thrum_getaddrinfo() · allocates · this loop's thread only]
 *
 * @param address       an Internet address; copied
 * @param host          where the host's name goes, in memory that outlives the await; NULL: it is not wanted
 * @param host_room     of `host`; 1025 are enough
 * @param service       where the service's name goes, in memory that outlives the await; NULL: it is not wanted
 * @param service_room  of `service`; 32 are enough
 * @param flags         NI_NUMERICHOST and others of getnameinfo(3)
 * @return gives 0; THRUM_ERESOLVE with a code of getnameinfo(3), EAI_OVERFLOW where there is no room for a name;
 *         THRUM_ENOMEM; THRUM_ESTATE; THRUM_ESHUTDOWN; THRUM_ECANCELED
 *
 * asyncio: loop.getnameinfo
 */
THRUM_API thrum_awaitable thrum_getnameinfo(const thrum_address *address, char *host, size_t host_room, char *service,
                                            size_t service_room, int flags) THRUM_MUST_USE_;

/** Who looks names up. */
typedef enum thrum_resolver {
    THRUM_RESOLVER_THREADS, /**< the C library, in threads of the default executor */
    THRUM_RESOLVER_CARES    /**< c-ares, on the loop; where thrum was built with it */
} thrum_resolver;

/** How names are looked up. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_resolver_options {
    size_t size;         /**< sizeof(thrum_resolver_options) */
    thrum_resolver kind; /**< who does it */
    const char *servers; /**< c-ares: "127.0.0.1:5353,[::1]:53" instead of those of the system; copied; NULL: those */
    thrum_time timeout;  /**< c-ares: how long a server has before it is asked again; 0: as the system says, or 5 s */
    unsigned tries;      /**< c-ares: how often each server is asked; 0: as the system says, or 4 times */
} thrum_resolver_options;

/**
 * Say how a loop looks names up from now on, also those that connections are made to.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param loop     open, this thread's
 * @param options  copied; NULL is the default
 * @return gives 0; THRUM_EUNSUPPORTED where thrum was built without c-ares; THRUM_EINVAL for a kind that there is not,
 *         and for servers that no such list are; THRUM_ESTATE for another thread's loop; THRUM_ENOMEM
 *
 * asyncio: overriding loop.getaddrinfo
 */
THRUM_API int thrum_loop_set_resolver(thrum_loop *loop, const thrum_resolver_options *options);

THRUM_END_DECLS

#endif
