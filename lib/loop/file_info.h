/* What stat() says, as users see it. */
#ifndef THRUM_LOOP_FILE_INFO_H
#define THRUM_LOOP_FILE_INFO_H

#include <sys/stat.h>

#include <thrum/files.h>

thrum_file_type file_type_of(mode_t mode);

void file_info_fill(thrum_file_info *info, const struct stat *from);

#endif
