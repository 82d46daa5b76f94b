/* The page that lists a folder without an index.html. */
#include "files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A page of more entries would be of no use to anybody. */
enum { ENTRIES = 10000, ESCAPED = 3 * 256 };

void url_escape(char *to, size_t room, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    for (; *text && room > 3; text++) {
        if (strchr(plain, *text)) {
            *to++ = *text;
            room--;
        } else {
            (void)snprintf(to, room, "%%%02X", (unsigned)(unsigned char)*text);
            to += 3;
            room -= 3;
        }
    }
    *to = '\0';
}

static void print_html(FILE *page, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            (void)fputs("&lt;", page);
            break;
        case '>':
            (void)fputs("&gt;", page);
            break;
        case '&':
            (void)fputs("&amp;", page);
            break;
        case '"':
            (void)fputs("&quot;", page);
            break;
        default:
            (void)fputc(*text, page);
        }
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names, sorted, folders with a slash; what is hidden is left out. */
static size_t read_names(DIR *folder, char **names)
{
    const struct dirent *entry;
    size_t count = 0;
    while (count < ENTRIES && (entry = readdir(folder))) {
        struct stat file;
        if (entry->d_name[0] == '.' || fstatat(dirfd(folder), entry->d_name, &file, 0))
            continue;
        size_t length = strlen(entry->d_name);
        char *name = (char *)malloc(length + 2);
        if (!name)
            break;
        memcpy(name, entry->d_name, length);
        memcpy(name + length, S_ISDIR(file.st_mode) ? "/" : "", S_ISDIR(file.st_mode) ? 2 : 1);
        names[count++] = name;
    }
    qsort(names, count, sizeof *names, by_name);
    return count;
}

static void print_page(FILE *page, const char *path, char *const *names, size_t count)
{
    (void)fputs("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>/", page);
    print_html(page, path);
    (void)fputs("</title>\n<h1>/", page);
    print_html(page, path);
    (void)fputs("</h1>\n<ul>\n", page);
    if (*path)
        (void)fputs("<li><a href=\"../\">../</a>\n", page);
    for (size_t i = 0; i < count; i++) {
        char link[ESCAPED];
        url_escape(link, sizeof link, names[i]);
        /* "./" in front: a name may look like "http:". */
        (void)fprintf(page, "<li><a href=\"./%s\">", link);
        print_html(page, names[i]);
        (void)fputs("</a>\n", page);
    }
    (void)fputs("</ul>\n", page);
}

char *folder_page(int descriptor, const char *path, size_t *size)
{
    char *text = NULL, **names = (char **)malloc(ENTRIES * sizeof *names);
    DIR *folder = fdopendir(descriptor);
    if (!folder)
        (void)close(descriptor);
    if (folder && names) {
        size_t count = read_names(folder, names);
        FILE *page = open_memstream(&text, size);
        if (page) {
            print_page(page, path, names, count);
            if (fclose(page)) {
                free(text);
                text = NULL;
            }
        }
        while (count)
            free(names[--count]);
    }
    if (folder)
        (void)closedir(folder);
    free(names);
    return text;
}
