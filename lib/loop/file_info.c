#include "loop/file_info.h"

#if defined(__APPLE__)
#define st_atim st_atimespec
#define st_mtim st_mtimespec
#define st_ctim st_ctimespec
#endif

thrum_file_type file_type_of(mode_t mode)
{
    if (S_ISREG(mode))
        return THRUM_FILE_REGULAR;
    if (S_ISDIR(mode))
        return THRUM_FILE_FOLDER;
    if (S_ISLNK(mode))
        return THRUM_FILE_LINK;
    if (S_ISFIFO(mode))
        return THRUM_FILE_FIFO;
    if (S_ISSOCK(mode))
        return THRUM_FILE_SOCKET;
    if (S_ISCHR(mode))
        return THRUM_FILE_CHARACTER;
    if (S_ISBLK(mode))
        return THRUM_FILE_BLOCK;
    return THRUM_FILE_OTHER;
}

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void file_info_fill(thrum_file_info *info, const struct stat *from)
{
    *info = (thrum_file_info){
        .type = file_type_of(from->st_mode),
        .mode = (uint32_t)from->st_mode & 07777,
        .user = (uint32_t)from->st_uid,
        .group = (uint32_t)from->st_gid,
        .size = (uint64_t)from->st_size,
        .device = (uint64_t)from->st_dev,
        .inode = (uint64_t)from->st_ino,
        .links = (uint64_t)from->st_nlink,
        .accessed = nanoseconds(from->st_atim),
        .modified = nanoseconds(from->st_mtim),
        .changed = nanoseconds(from->st_ctim),
    };
}
