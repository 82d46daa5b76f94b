#include "dates.h"

#include <stddef.h>

/* The names of days and months are C's own: this program never sets a locale. */
void date_print(char text[DATE_TEXT], time_t when)
{
    struct tm parts;
    gmtime_r(&when, &parts);
    (void)strftime(text, DATE_TEXT, "%a, %d %b %Y %H:%M:%S GMT", &parts);
}

time_t date_parse(const char *text)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %d %H:%M:%S %Y"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct tm parts = {0};
        const char *end = strptime(text, forms[i], &parts);
        if (end && !*end)
            return timegm(&parts);
    }
    return -1;
}
