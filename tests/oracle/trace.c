/* The lines of the trace, and the names of errors in it. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_NOTES = 200000, MOST_NAMES = 4096, MOST_TEXT = 4096 };

static const char *names[MOST_NAMES];
static int name_count;

int error_named(const char *name)
{
    for (int i = 0; i < name_count; i++)
        if (strcmp(names[i], name) == 0)
            return THRUM_EAPP(i);
    if (name_count == MOST_NAMES)
        refuse(0, "too many kinds of errors", name);
    char *copy = keep(strlen(name) + 1);
    strcpy(copy, name);
    names[name_count] = copy;
    return THRUM_EAPP(name_count++);
}

const char *error_name(int error)
{
    if (error <= THRUM_EAPP(0) && error > THRUM_EAPP(name_count))
        return names[THRUM_EAPP(0) - error];
    switch (error) {
    case THRUM_ECANCELED:
        return "CANCELLED";
    case THRUM_ETIMEDOUT:
        return "TIMEOUT";
    case THRUM_EDONE:
    case THRUM_EPENDING:
        return "INVALID";
    case THRUM_ESTATE:
        return "STATE";
    case THRUM_EINVAL:
        return "VALUE";
    case THRUM_ELEFT:
        return "LEFT";
    case THRUM_EBROKEN:
        return "BROKEN";
    case THRUM_EEMPTY:
        return "EMPTY";
    case THRUM_EFULL:
        return "FULL";
    case THRUM_EBUSY:
        return "BUSY";
    case THRUM_EINCOMPLETE:
        return "INCOMPLETE";
    case THRUM_ELIMIT:
        return "LIMIT";
    case THRUM_ESHUTDOWN:
        return "SHUTDOWN";
    default:
        return thrum_error_name(error);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int error_of_group(void)
{
    const char *inside[64];
    size_t count = 0;
    const thrum_error *detail = thrum_error_last();
    if (!detail || detail->code != THRUM_EGROUP)
        return error_named("GROUP without a detail");
    for (const thrum_error *error = detail->errors; error && count < 64; error = error->next)
        inside[count++] = error_name(error->code);
    if ((int64_t)count != detail->number)
        return error_named("GROUP whose number is not that of its errors");
    qsort(inside, count, sizeof *inside, by_name);
    char text[MOST_TEXT] = "GROUP[";
    for (size_t i = 0; i < count; i++) {
        if (strlen(text) + strlen(inside[i]) + 3 > sizeof text)
            refuse(0, "too many errors in a group", text);
        strcat(strcat(text, i ? "," : ""), inside[i]);
    }
    return error_named(strcat(text, "]"));
}

/* Texts stand among the names; their values begin far above any number of a program. */
static const thrum_value TEXTS = (thrum_value)1 << 40;

thrum_value result_text(const char *text)
{
    return TEXTS + (THRUM_EAPP(0) - error_named(text));
}

const char *text_of(thrum_value value, char *room, size_t size)
{
    if (value == NOTHING)
        return "None";
    if (value >= TEXTS)
        return names[value - TEXTS];
    snprintf(room, size, "%lld", (long long)value - 1);
    return room;
}

static void begin(void)
{
    printf("%lld ", (long long)(thrum_now() / (THRUM_TICKS_PER_SECOND / 1000000)));
    if (++oracle.noted > MOST_NOTES) {
        fflush(stdout);
        fputs("runaway: the trace does not end\n", stderr);
        abort();
    }
}

void note(const struct run *run, int line, int error, thrum_value value)
{
    char number[32];
    if (oracle.limit && run->serial > oracle.limit)
        return;
    begin();
    if (line)
        printf("%s %d ", run->who, line);
    else
        printf("%s end ", run->who);
    if (error)
        printf("!%s\n", error_name(error));
    else if (value)
        printf("ok %s\n", text_of(value, number, sizeof number));
    else
        puts("ok");
}

void note_deadlock(void)
{
    begin();
    puts("- - DEADLOCK");
}
