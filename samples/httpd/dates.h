/* Dates as HTTP writes them. */
#ifndef HTTPD_DATES_H
#define HTTPD_DATES_H

#include <time.h>

enum { DATE_TEXT = 32 };

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
void date_print(char text[DATE_TEXT], time_t when);

/* The three forms that HTTP knows; -1 for any other text. */
time_t date_parse(const char *text);

#endif
