/**
 * @file addresses.h
 * Addresses of sockets, IPv4, IPv6 and Unix, in memory of the caller's own: what sockets.h, names.h and datagrams.h
 * take and give.
 */
#ifndef THRUM_ADDRESSES_H
#define THRUM_ADDRESSES_H

#include <thrum/types.h>

THRUM_BEGIN_DECLS

/** An address. Zeroed memory is none. It may be copied. */
typedef struct thrum_address {
    uint32_t size;      /**< bytes of the system's address; 0: none */
    uint32_t reserved;  /* private: 0 */
    uint64_t words[14]; /* private: one of the system's addresses; thrum_address_raw() */
} thrum_address;

/**
 * An address of a number and a port. No name is looked up.
 * [never waits · no allocation · any thread]
 *
 * @param address  where it goes
 * @param host     "127.0.0.1", "::1", "fe80::1%eth0"
 * @param port     0 to 65535
 * @return gives 0; THRUM_EINVAL for what is no numeric address
 *
 * asyncio: the tuple (host, port)
 */
THRUM_API int thrum_address_from_ip(thrum_address *address, const char *host, int port);

/**
 * The address of a Unix socket.
 * [never waits · no allocation · any thread]
 *
 * @param address  where it goes
 * @param path     of the socket; one that begins with '@' is in the abstract namespace (Linux)
 * @return gives 0; THRUM_EINVAL for "" and for what is too long
 *
 * asyncio: a path
 */
THRUM_API int thrum_address_from_path(thrum_address *address, const char *path);

/**
 * An address of the system's own form.
 * [never waits · no allocation · any thread]
 *
 * @param address  where it goes
 * @param raw      a struct sockaddr of some family; copied
 * @param size     its bytes
 * @return gives 0; THRUM_EINVAL when it is too large or too small to be one
 *
 * asyncio: an address of socket.recvfrom
 */
THRUM_API int thrum_address_from_raw(thrum_address *address, const void *raw, size_t size);

/**
 * The system's own form of an address, for its calls: a const struct sockaddr * of `address->size` bytes.
 * [never waits · no allocation · any thread]
 *
 * @param address  any
 * @return gives a pointer into `address`
 *
 * asyncio: none
 */
THRUM_API const void *thrum_address_raw(const thrum_address *address);

/**
 * The family of an address.
 * [never waits · no allocation · any thread]
 *
 * @param address  any
 * @return gives AF_INET, AF_INET6, AF_UNIX; 0, which is AF_UNSPEC, for none
 *
 * asyncio: none
 */
THRUM_API int thrum_address_family(const thrum_address *address);

/**
 * The port of an address.
 * [never waits · no allocation · any thread]
 *
 * @param address  any
 * @return gives the port; 0 where there is none
 *
 * asyncio: address[1]
 */
THRUM_API int thrum_address_port(const thrum_address *address);

/**
 * An address as text: "127.0.0.1:80", "[::1]:80", a path, "@name"; "" for none and for a Unix socket without a name.
 * [never waits · no allocation · any thread]
 *
 * @param address  any
 * @param text     where it goes, with a NUL; THRUM_ADDRESS_TEXT bytes are enough
 * @param room     of `text`; more is cut
 *
 * asyncio: the repr of an address
 */
THRUM_API void thrum_address_text(const thrum_address *address, char *text, size_t room);

/**
 * Whether two addresses are the same: family, host, scope and port, or path.
 * [never waits · no allocation · any thread]
 *
 * @param a, b  any
 * @return gives true or false
 *
 * asyncio: address == other
 */
THRUM_API bool thrum_address_equal(const thrum_address *a, const thrum_address *b);

THRUM_END_DECLS

#endif
