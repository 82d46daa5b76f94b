/* Addresses of the interface, as the files of this folder see them. */
#ifndef THRUM_NET_ADDRESSES_H
#define THRUM_NET_ADDRESSES_H

#include <thrum/addresses.h>

#include "net/address.h"

/* The system's form of one; nothing, with size 0, of none. */
void address_get(net_address *to, const thrum_address *address);

/* For calls that take or fill in an address where it lies. */
static inline struct sockaddr *address_raw(const thrum_address *address)
{
    return (struct sockaddr *)(uintptr_t)address->words;
}

/* The room behind it. */
enum { ADDRESS_ROOM = sizeof(((net_address *)0)->as) };

#endif
