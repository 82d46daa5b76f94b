/* What the compiler is told of how to compile a function: on hosts for speed, on small machines for size. */
#ifndef THRUM_CORE_INLINING_H
#define THRUM_CORE_INLINING_H

#include <thrum/config.h>

/* Not without optimization, where each function is to be seen once: by a debugger, and by who counts its branches. */
#if defined(__GNUC__) && defined(__OPTIMIZE__)
#define THRUM_ALWAYS_ inline __attribute__((always_inline))
#else
#define THRUM_ALWAYS_ inline
#endif

#if defined(__GNUC__) && THRUM_SMALL
#define THRUM_SHARED_ __attribute__((noinline))
#define THRUM_SEPARATE_ __attribute__((noinline))
#define THRUM_INLINE_ inline
#define THRUM_HOT_ THRUM_ALWAYS_
#define THRUM_COLD_
#define THRUM_PREFETCH_(at) ((void)(at))
#elif defined(__GNUC__)
#define THRUM_SHARED_ inline
#define THRUM_SEPARATE_ __attribute__((noinline))
#define THRUM_INLINE_ THRUM_ALWAYS_
#define THRUM_HOT_ THRUM_ALWAYS_
#define THRUM_COLD_ __attribute__((noinline))
#define THRUM_PREFETCH_(at) __builtin_prefetch(at)
#else
#define THRUM_SHARED_ inline
#define THRUM_SEPARATE_
#define THRUM_INLINE_ inline
#define THRUM_HOT_ inline
#define THRUM_COLD_
#define THRUM_PREFETCH_(at) ((void)(at))
#endif

#endif
