/* Files beneath the folder that is served: how they are opened, and what they are. */
#ifndef HTTPD_FILES_H
#define HTTPD_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* Open a path beneath a folder; what lies elsewhere is not reached, whatever links say. Gives a descriptor, or -errno:
 * -EXDEV or -ELOOP for a link that leads out. `portable`: as where there is no openat2(). */
int file_open(int root, const char *path, bool portable);

/* The media type, by the name; of files whose name does not tell by the first bytes. */
const char *file_type(const char *path, int descriptor);

/* A page that lists a folder, in memory from malloc(). Takes the descriptor. NULL: out of memory or descriptors. */
char *folder_page(int descriptor, const char *path, size_t *size);

/* `text` as part of a URL, percent-encoded, or of HTML. They give what does not fit cut off. */
void url_escape(char *to, size_t room, const char *text);

#endif
