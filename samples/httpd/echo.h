/* With --echo: /echo is a page that talks over a WebSocket, and the WebSocket, which sends back what it is told. */
#ifndef HTTPD_ECHO_H
#define HTTPD_ECHO_H

#include "site.h"

enum { ECHO_ACCEPT = 32 };

/* Whether a request is one for it. */
bool echo_wanted(const struct site *site, const struct request *request);

/* The page. */
extern const char echo_page[];

/* What proves that we have understood: the answer to the client's key. */
void echo_accept(char accept[ECHO_ACCEPT], const char *key);

/* Speak WebSocket, from behind the response on, until one side has enough. */
thrum_awaitable echo(thrum_stream *client, struct site *site);

#endif
