/* The four functions that a freestanding compiler may call anyway, declared without a C library's header. */
#ifndef THRUM_CORE_MEMORY_H
#define THRUM_CORE_MEMORY_H

#include <stddef.h>

extern void *memset(void *to, int byte, size_t size);
extern void *memcpy(void *to, const void *from, size_t size);
extern void *memmove(void *to, const void *from, size_t size);
extern int memcmp(const void *a, const void *b, size_t size);

#endif
