/* The tests of queues_end.c with AWAIT_PUT and AWAIT_GET. */
#define TEST_INLINE
#include "queues_end.c"
