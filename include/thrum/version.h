/**
 * @file version.h
 * Which thrum this is, and the symbol that keeps objects with different layouts from being linked together.
 */
#ifndef THRUM_VERSION_H
#define THRUM_VERSION_H

#include <thrum/config.h>

/** The version that this header is of. */
#define THRUM_VERSION_MAJOR 0
#define THRUM_VERSION_MINOR 1
#define THRUM_VERSION_PATCH 0
#define THRUM_VERSION_STRING "0.1.0"

/** One number to compare: `#if THRUM_VERSION >= THRUM_VERSION_NUMBER(0, 2, 0)` */
#define THRUM_VERSION_NUMBER(major, minor, patch) (1000000L * (major) + 1000L * (minor) + (patch))
#define THRUM_VERSION THRUM_VERSION_NUMBER(THRUM_VERSION_MAJOR, THRUM_VERSION_MINOR, THRUM_VERSION_PATCH)

/* Each knob of config.h that changes a layout has a letter and a value in the name of the symbol below. */
#if THRUM_HOSTED
#define THRUM_ABI_HOSTED_ h1
#else
#define THRUM_ABI_HOSTED_ h0
#endif
#if THRUM_SMALL
#define THRUM_ABI_SMALL_ s1
#else
#define THRUM_ABI_SMALL_ s0
#endif
#if THRUM_TIME_BITS == 64
#define THRUM_ABI_TIME_ t64
#else
#define THRUM_ABI_TIME_ t32
#endif
#if THRUM_VALUE_BITS == 64
#define THRUM_ABI_VALUE_ v64
#else
#define THRUM_ABI_VALUE_ v32
#endif
#if THRUM_DETAILS
#define THRUM_ABI_DETAILS_ d1
#else
#define THRUM_ABI_DETAILS_ d0
#endif
#if THRUM_CONTEXTS
#define THRUM_ABI_CONTEXTS_ c1
#else
#define THRUM_ABI_CONTEXTS_ c0
#endif

#define THRUM_ABI_PASTE_(stem, major, minor, h, s, t, v, d, c, depth, text)                                            \
    stem##_##major##_##minor##_##h##s##t##v##d##c##e##depth##x##text
#define THRUM_ABI_EXPAND_(stem, major, minor, h, s, t, v, d, c, depth, text)                                           \
    THRUM_ABI_PASTE_(stem, major, minor, h, s, t, v, d, c, depth, text)

/** A name with version and layout in it, such as thrum_abi_0_1_h1s0t64v64d1c1e12x96. */
#define THRUM_ABI_NAME_(stem)                                                                                          \
    THRUM_ABI_EXPAND_(stem, THRUM_VERSION_MAJOR, THRUM_VERSION_MINOR, THRUM_ABI_HOSTED_, THRUM_ABI_SMALL_,             \
                      THRUM_ABI_TIME_, THRUM_ABI_VALUE_, THRUM_ABI_DETAILS_, THRUM_ABI_CONTEXTS_, THRUM_TRACE_DEPTH,   \
                      THRUM_ERROR_TEXT)
#define THRUM_ABI_SYMBOL_ THRUM_ABI_NAME_(thrum_abi)

THRUM_BEGIN_DECLS

/** Defined in the library under its own version and layout; an object that was built with others does not link. */
THRUM_API extern const char THRUM_ABI_SYMBOL_[];

#if THRUM_HOSTED && defined(__GNUC__)
/* One word a file that includes thrum; `used` keeps the reference alive. Firmware saves it: see thrum_frame_new_. */
__attribute__((used)) static const char *const thrum_abi_needed_ = THRUM_ABI_SYMBOL_;
#endif

/**
 * The version of the library that runs, as text ("0.1.0"); THRUM_VERSION_STRING is that of the headers.
 * [never waits · no allocation · any thread, any interrupt]
 *
 * @return a string that lives for ever
 *
 * asyncio: the version of Python
 */
THRUM_API const char *thrum_version(void);

THRUM_END_DECLS

#endif
