/* Lists that are circles. */
#ifndef THRUM_NET_LINKS_H
#define THRUM_NET_LINKS_H

#include <stdbool.h>

/* A link of a circle; a circle of one is empty. */
typedef struct net_link {
    struct net_link *next, *previous;
} net_link;

static inline void link_init(net_link *link)
{
    link->next = link->previous = link;
}
static inline bool link_alone(const net_link *link)
{
    return link->next == link;
}
static inline void link_before(net_link *at, net_link *link)
{
    link->next = at;
    link->previous = at->previous;
    at->previous->next = link;
    at->previous = link;
}
static inline void link_remove(net_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link_init(link);
}

#endif
