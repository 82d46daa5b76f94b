#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_openat2
#include <linux/openat2.h>
#endif

/* A FIFO would make open() wait for a writer, a terminal might become ours. */
enum { HOW = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

/* Names with a dot in front are nobody's business: .git, .htpasswd. */
static bool hidden(const char *path)
{
    return path[0] == '.' || strstr(path, "/.");
}

#ifdef SYS_openat2
/* The kernel walks the path, and refuses to leave the folder. */
static int open_beneath(int root, const char *path)
{
    struct open_how how = {.flags = HOW, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long descriptor = syscall(SYS_openat2, root, path, &how, sizeof how);
    return descriptor < 0 ? -errno : (int)descriptor;
}
#endif

/* We walk the path ourselves, and follow no link at all: whether one leads out cannot be told without a race. */
static int open_each(int root, const char *path)
{
    int at = root;
    while (at >= 0) {
        char name[NAME_MAX + 1];
        size_t length = strcspn(path, "/");
        const char *rest = path + length + strspn(path + length, "/");
        if (length > NAME_MAX)
            errno = ENAMETOOLONG;
        memcpy(name, length > NAME_MAX ? "" : path, length > NAME_MAX ? 1 : length);
        name[length > NAME_MAX ? 0 : length] = '\0';
        int next = length > NAME_MAX ? -1 : openat(at, name, HOW | O_NOFOLLOW | (path[length] ? O_DIRECTORY : 0));
        int error = errno;
        if (at != root)
            (void)close(at);
        if (next < 0)
            return -error;
        if (!*rest)
            return next;
        at = next;
        path = rest;
    }
    return -EBADF;
}

int file_open(int root, const char *path, bool portable)
{
    if (hidden(path))
        return -ENOENT;
    if (!*path)
        path = ".";
#ifdef SYS_openat2
    if (!portable) {
        int descriptor = open_beneath(root, path);
        /* An old kernel does not know the call, and some sandboxes forbid it. */
        if (descriptor != -ENOSYS && descriptor != -EPERM)
            return descriptor;
    }
#endif
    (void)portable;
    return open_each(root, path);
}

/* ---- types ---- */

static const struct {
    const char *extension, *type;
} types[] = {
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"c", "text/plain; charset=utf-8"},
    {"cpp", "text/plain; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"h", "text/plain; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/vnd.microsoft.icon"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"ogg", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"py", "text/plain; charset=utf-8"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xml", "application/xml"},
    {"zip", "application/zip"},
};

const char *file_type(const char *path, int descriptor)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    if (dot)
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
            if (!strcasecmp(dot + 1, types[i].extension))
                return types[i].type;
    char head[256];
    ssize_t size = pread(descriptor, head, sizeof head, 0);
    return size >= 0 && !memchr(head, '\0', (size_t)size) ? "text/plain; charset=utf-8" : "application/octet-stream";
}
