/* What a shield holds back. */
#ifndef THRUM_CORE_SHIELDS_H
#define THRUM_CORE_SHIELDS_H

#include <thrum/cancelscopes.h>

static inline thrum_cancel_scope *shield_of(thrum_scope *scope)
{
    return (thrum_cancel_scope *)(void *)scope;
}

static inline void add_requests(uint16_t *count, unsigned more)
{
    *count = (uint16_t)(more < (unsigned)(UINT16_MAX - *count) ? *count + more : UINT16_MAX);
}

#endif
