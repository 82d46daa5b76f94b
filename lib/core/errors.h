#ifndef THRUM_CORE_ERRORS_H
#define THRUM_CORE_ERRORS_H

#include <stdbool.h>

/* Set by the loop on hosts: name or text of -errno, or NULL. */
extern const char *(*thrum_system_error_hook)(int code, bool name);

#endif
