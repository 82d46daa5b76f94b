/* The library's own backends. They are made with the public interface alone, as others would be. */
#ifndef THRUM_LOOP_BACKENDS_H
#define THRUM_LOOP_BACKENDS_H

#include <thrum/backends.h>

extern const thrum_backend thrum_backend_libev, thrum_backend_guest, thrum_backend_sim;

#endif
