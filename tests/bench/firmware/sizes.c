/* Sizes of what a task and a nested call take; read off the symbols of the object file. */
#include <thrum/async.h>

char size_task[sizeof(struct thrum_task)];
char size_frame[sizeof(struct thrum_coro)];
