#include "os/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/pool.h"
#include "core/state.h"
#include "loop/loop.h"

static const char shell[] = "/bin/sh", usual_path[] = "/bin:/usr/bin";

/* ---- options ---- */

int launch_options_copy(const thrum_subprocess_options *given, thrum_subprocess_options *options)
{
    memset(options, 0, sizeof *options);
    if (given) {
        if (given->size < sizeof given->size || given->size > sizeof *options)
            return THRUM_EINVAL;
        memcpy(options, given, given->size);
    }
    options->size = sizeof *options;
    return 0;
}

static bool stdio_right(const thrum_stdio *one, bool err)
{
    return one->kind >= THRUM_STDIO_DEFAULT && one->kind <= THRUM_STDIO_DESCRIPTOR &&
           (one->kind != THRUM_STDIO_STDOUT || err) && (one->kind != THRUM_STDIO_DESCRIPTOR || one->descriptor >= 0);
}

static bool options_right(const thrum_subprocess_options *options)
{
    bool leads = options->new_process_group || options->new_session;
    if (!stdio_right(&options->in, false) || !stdio_right(&options->out, false) || !stdio_right(&options->err, true))
        return false;
    for (size_t i = 0; i < options->descriptor_count; i++)
        if (options->descriptors[i].here < 0 || options->descriptors[i].there < 0)
            return false;
    return options->process_group >= 0 && !(options->process_group && leads) && !(options->whole_group && !leads) &&
           !(options->controlling_terminal && !options->new_session);
}

void launch_shell(const char *command, const thrum_subprocess_options *options, const char *words[LAUNCH_WORDS])
{
    words[0] = options->executable ? options->executable : shell;
    words[1] = "-c";
    words[2] = command;
    words[3] = NULL;
}

launch_words *launch_words_copy(const char *const *arguments)
{
    size_t count = 0, size = sizeof(launch_words) + sizeof(char *);
    for (; arguments[count]; count++)
        size += sizeof(char *) + strlen(arguments[count]) + 1;
    launch_words *copies = (launch_words *)pool_take(&thrum_state_here()->pool, size, POOL_OTHER);
    if (!copies)
        return NULL;
    copies->size = size;
    char *text = (char *)&copies->words[count + 1];
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(arguments[i]) + 1;
        copies->words[i] = memcpy(text, arguments[i], length);
        text += length;
    }
    copies->words[count] = NULL;
    return copies;
}

void launch_words_free(launch_words *copies)
{
    if (copies)
        pool_give(&thrum_state_here()->pool, copies, copies->size, POOL_OTHER);
}

/* ---- the standard descriptors ---- */

static int failed(int error, const char *operation, const char *about)
{
    return thrum_error_set(error, error > THRUM_ECANCELED ? -error : 0, operation, 0, about);
}

static int open_pipe(launch *self, int which)
{
    int ends[2], error = spawn_pipe(ends);
    if (error)
        return failed(error, "pipe", NULL);
    self->ours[which] = ends[which == 0];
    self->theirs[which] = ends[which != 0];
    self->opened[which] = true;
    return 0;
}

static int open_null(launch *self, int which)
{
    static const char device[] = "/dev/null";
    self->theirs[which] = open(device, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (self->theirs[which] < 0)
        return failed(-errno, "open", device);
    self->opened[which] = true;
    return 0;
}

static int open_one(launch *self, int which, const thrum_stdio *one, thrum_stdio_kind usual)
{
    switch (one->kind == THRUM_STDIO_DEFAULT ? usual : one->kind) {
    case THRUM_STDIO_PIPE:
        return open_pipe(self, which);
    case THRUM_STDIO_DEVNULL:
        return open_null(self, which);
    case THRUM_STDIO_STDOUT:
        self->theirs[which] = self->theirs[1] >= 0 ? self->theirs[1] : 1;
        return 0;
    case THRUM_STDIO_DESCRIPTOR:
        self->theirs[which] = one->descriptor;
        return 0;
    default:
        return 0;
    }
}

int launch_open(launch *self, const thrum_subprocess_options *options, thrum_stdio_kind usual)
{
    int error = 0;
    memset(self, 0, sizeof *self);
    for (int i = 0; i < LAUNCH_STDIO; i++)
        self->ours[i] = self->theirs[i] = -1;
    if (!loop_here())
        return THRUM_ESTATE;
    if (!loop_here()->verbs.io_open)
        return THRUM_EUNSUPPORTED;
    if (launch_options_copy(options, &self->options) || !options_right(&self->options))
        return THRUM_EINVAL;
    error = exit_watch_check(self->options.whole_group);
    const thrum_stdio *three[LAUNCH_STDIO] = {&self->options.in, &self->options.out, &self->options.err};
    for (int i = 0; i < LAUNCH_STDIO && !error; i++)
        error = open_one(self, i, three[i], usual);
    if (error)
        launch_drop(self);
    return error;
}

void launch_drop(launch *self)
{
    for (int i = 0; i < LAUNCH_STDIO; i++) {
        if (self->ours[i] >= 0)
            (void)close(self->ours[i]);
        if (self->opened[i])
            (void)close(self->theirs[i]);
        self->ours[i] = -1;
        self->opened[i] = false;
    }
}

/* ---- the program ---- */

/* Where programs are looked for: as the child's environment says, which need not be ours. */
static const char *path_of(const char *const *environment)
{
    static const char name[] = "PATH=";
    const char *path = NULL;
    if (!environment)
        path = getenv("PATH");
    for (; environment && *environment && !path; environment++)
        if (strncmp(*environment, name, sizeof name - 1) == 0)
            path = *environment + sizeof name - 1;
    return path ? path : usual_path;
}

static size_t add_moves(const launch *self, spawn_move *moves)
{
    const thrum_subprocess_options *options = &self->options;
    size_t count = 0;
    for (int i = 0; i < LAUNCH_STDIO; i++)
        if (self->theirs[i] >= 0)
            moves[count++] = (spawn_move){.here = self->theirs[i], .there = i};
    for (size_t i = 0; i < options->descriptor_count; i++)
        moves[count++] = (spawn_move){.here = options->descriptors[i].here, .there = options->descriptors[i].there};
    return count;
}

/* Where it failed, in words: the calls' names, and which file it was about. */
static int spawn_failed(const launch *self, const spawn_request *request, int error)
{
    static const char *const names[] = {
        [SPAWN_FORK] = "fork",
        [SPAWN_DESCRIPTORS] = "descriptors",
        [SPAWN_SESSION] = "setsid",
        [SPAWN_GROUP] = "setpgid",
        [SPAWN_TERMINAL] = "controlling terminal",
        [SPAWN_DIRECTORY] = "chdir",
        [SPAWN_LIMITS] = "setrlimit",
        [SPAWN_GROUPS] = "setgroups",
        [SPAWN_GID] = "setgid",
        [SPAWN_UID] = "setuid",
        [SPAWN_EXEC] = "exec",
    };
    return failed(error, names[request->failed],
                  request->failed == SPAWN_DIRECTORY ? self->options.directory : request->file);
}

static int spawn_and_watch(launch *self, spawn_request *request, exit_watch *watch)
{
    int error = spawn_process(request);
    if (error)
        return spawn_failed(self, request, error);
    watch->pid = request->pid;
    watch->pidfd = request->pidfd;
    watch->whole = self->options.whole_group;
    error = exit_watch_start(watch);
    return error ? failed(error, "watch", request->file) : 0;
}

static int start(launch *self, const char *const *arguments, exit_watch *watch)
{
    if (!arguments || !arguments[0])
        return THRUM_EINVAL;
    thrum_pool *pool = &thrum_state_here()->pool;
    spawn_request request = {.options = &self->options, .arguments = arguments};
    request.file = self->options.executable ? self->options.executable : arguments[0];
    if (!strchr(request.file, '/'))
        request.search = path_of(self->options.environment);
    size_t most = LAUNCH_STDIO + self->options.descriptor_count, room = most * sizeof *request.moves;
    if (request.search)
        room += strlen(request.search) + strlen(request.file) + 2;
    request.moves = (spawn_move *)pool_take(pool, room, POOL_OTHER);
    if (!request.moves)
        return THRUM_ENOMEM;
    request.candidate = (char *)(request.moves + most);
    request.move_count = add_moves(self, request.moves);
    int error = spawn_and_watch(self, &request, watch);
    pool_give(pool, request.moves, room, POOL_OTHER);
    return error;
}

int launch_run(launch *self, const char *const *arguments, exit_watch *watch)
{
    int error = start(self, arguments, watch);
    if (error)
        watch->over = watch->taken = true; /* there is none */
    return error;
}
