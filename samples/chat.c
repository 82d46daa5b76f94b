/* A chat server with rooms.
 *
 *     chat                  on 127.0.0.1, port 7778
 *     chat --port 9000      on another port
 *
 * Talk to it with `nc 127.0.0.1 7778`. The first line is your name; "/join ROOM" takes you elsewhere, "/who" lists who
 * is here, "/quit" ends it, and everything else is heard by all in the room. Who does not read what the others say is
 * put out: nobody waits for the slow. */
#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <thrum.h>

enum { NAME = 32, LINE = 512, OUTBOX = 16384 };

/* One who is here. Members stand in a circle; who is in a room is found by looking at all of them. */
struct member {
    struct member *next, *previous;
    thrum_stream *stream;
    char name[NAME], room[NAME];
    char outbox[OUTBOX]; /* what was said and not sent yet */
    size_t waiting;      /* bytes in it */
    thrum_event news;    /* there is something, or it is over */
    bool leaving, slow;
};

static struct member everybody = {.next = &everybody, .previous = &everybody};

/* ---- saying something: plain functions, which never wait ---- */

static void tell(struct member *member, const char *format, ...)
{
    size_t room = sizeof member->outbox - member->waiting;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(member->outbox + member->waiting, room, format, arguments);
    va_end(arguments);
    if (size < 0 || member->slow)
        return;
    if ((size_t)size >= room) {
        member->slow = true;
        thrum_stream_abort(member->stream); /* its tasks wake up and find the end */
        return;
    }
    member->waiting += (size_t)size;
    thrum_event_set(&member->news);
}

static void tell_room(const char *room, const char *who, const char *what)
{
    for (struct member *member = everybody.next; member != &everybody; member = member->next)
        if (!strcmp(member->room, room))
            tell(member, "%s%s\n", who, what);
}

static void leave(struct member *member)
{
    if (!member->next)
        return;
    member->next->previous = member->previous;
    member->previous->next = member->next;
    member->next = NULL;
    tell_room(member->room, member->name, member->slow ? " was too slow" : " has left");
}

static void join(struct member *member, const char *room)
{
    leave(member);
    (void)snprintf(member->room, sizeof member->room, "%s", room);
    tell_room(member->room, member->name, " is here");
    member->next = everybody.next;
    member->previous = &everybody;
    member->next->previous = everybody.next = member;
    tell(member, "you are in %s\n", member->room);
}

/* ---- one member: a task that listens, and one that delivers ---- */

/* Deliver what is in the outbox, until the member leaves. */
static ASYNC(deliver, ARGS((struct member *, member)), LOCALS(size_t size; int error;), BUFFERS(char text[OUTBOX];))
{
    ASYNC_BEGIN;
    do {
        AWAIT_UNTIL(self->member->waiting || self->member->leaving, &self->member->news);
        thrum_event_clear(&self->member->news);
        /* While this waits for the peer, more may be said: that goes into the outbox, and these bytes stay. */
        self->size = self->member->waiting;
        memcpy(self->text, self->member->outbox, self->size);
        self->member->waiting = 0;
        AWAIT_CATCH(self->error, thrum_stream_write(self->member->stream, self->text, self->size));
    } while (!self->error && (self->member->waiting || !self->member->leaving));
    ASYNC_END;
}

/* Do what a line says. False: it was the last. */
static bool obey(struct member *member, const char *line)
{
    char text[NAME + LINE];
    if (!strcmp(line, "/quit"))
        return false;
    if (!strncmp(line, "/join ", 6) && line[6]) {
        join(member, line + 6);
    } else if (!strcmp(line, "/who")) {
        for (struct member *other = everybody.next; other != &everybody; other = other->next)
            if (!strcmp(other->room, member->room))
                tell(member, "%s is here\n", other->name);
    } else if (line[0] == '/') {
        tell(member, "/join ROOM, /who or /quit\n");
    } else if (line[0]) {
        (void)snprintf(text, sizeof text, ": %s", line);
        tell_room(member->room, member->name, text);
    }
    return true;
}

/* Cut the line's end off, and blot out what could confuse a terminal. */
static void clean(char *line)
{
    line[strcspn(line, "\r\n")] = '\0';
    for (; *line; line++)
        if (iscntrl((unsigned char)*line))
            *line = '?';
}

/* Read a line. Gives its length with the end of line; 0 at the end of the connection, however that came. */
static ASYNC(hear, ARGS((struct member *, member), (char *, line)), LOCALS(int error; size_t size;))
{
    ASYNC_BEGIN;
    for (;;) {
        AWAIT_CATCH_INTO(self->error, self->size, thrum_stream_read_line(self->member->stream, self->line, LINE));
        if (self->error != THRUM_ELIMIT)
            break;
        tell(self->member, "that was too long\n");
    }
    clean(self->line);
    ASYNC_RETURN(self->error ? 0 : self->size);
    ASYNC_END;
}

static ASYNC(listen_to, ARGS((struct member *, member)), LOCALS(char line[LINE]; size_t size;))
{
    ASYNC_BEGIN;
    tell(self->member, "what is your name?\n");
    AWAIT_INTO(self->size, hear(self->member, self->line));
    (void)snprintf(self->member->name, sizeof self->member->name, "%.*s", NAME - 1, self->line);
    if (self->size) {
        join(self->member, "the hall");
        do
            AWAIT_INTO(self->size, hear(self->member, self->line));
        while (self->size && obey(self->member, self->line));
    }
FINALLY:
    leave(self->member);
    self->member->leaving = true; /* the other task ends when everything is delivered */
    thrum_event_set(&self->member->news);
    ASYNC_END;
}

/* The group ends when both tasks have: so the member, which they share, can live in this frame. */
static ASYNC(member, ARGS((thrum_stream *, client), (void *, context)), LOCALS(thrum_group group; struct member me;))
{
    ASYNC_BEGIN;
    self->me.stream = self->client;
    /* A write waits until the system has taken everything: what waits for a slow reader is in its outbox alone. */
    (void)thrum_stream_set_write_limits(self->client, 0, 0);
    WITH (self->group, thrum_group_open(&self->group)) {
        if (!thrum_group_spawn(&self->group, deliver(&self->me)))
            ASYNC_RAISE(THRUM_ENOMEM);
        AWAIT(listen_to(&self->me));
    }
    ASYNC_END;
}

static ASYNC(app, ARGS((const char *, port)), LOCALS(thrum_server *server;))
{
    char address[THRUM_ADDRESS_TEXT];
    ASYNC_BEGIN;
    AWAIT_INTO(self->server, thrum_start_server(member, NULL, "127.0.0.1", self->port));
    thrum_server_address(self->server, 0, address, sizeof address);
    printf("chat listens on %s\n", address);
    fflush(stdout);
    AWAIT(thrum_server_serve_forever(self->server));
FINALLY:
    thrum_server_close(self->server);
    ASYNC_END;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0}};
    const char *port = "7778";
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option != 'p') {
            fprintf(stderr, "usage: %s [--port PORT]\n", argv[0]);
            return 2;
        }
        port = optarg;
    }
    return thrum_run(app(port));
}
