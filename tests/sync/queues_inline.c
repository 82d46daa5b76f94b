/* The tests of queues.c with AWAIT_PUT and AWAIT_GET. */
#define TEST_INLINE
#include "queues.c"
