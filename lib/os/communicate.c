/* Input, output and error of a child at once, each in a task of its own. What a cancellation leaves behind is exact:
 * input is counted when it is the stream's, and a cancelled read has taken nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <thrum/async.h>
#include <thrum/taskgroups.h>

#include "net/stream_output.h"
#include "os/process.h"

enum { INPUT_PIECE = 65536, OUTPUT_ROOM = 16384 };

typedef struct conversation {
    thrum_group group;
    const handle_user *user;             /* gone: the streams are, too */
    thrum_stream *streams[LAUNCH_STDIO]; /* NULL: not there */
    const char *input;
    size_t size;
    thrum_process_output *output;
    int going; /* tasks that have not come to their end */
    int error; /* the first one, and of its detail what counts */
    const char *operation;
    int64_t number;
} conversation;

/* A group of our own would make a group of errors of it. */
static void fail(conversation *self, int error)
{
    const thrum_error *detail = thrum_error_last();
    if (!self->error) {
        self->error = error;
        if (detail && detail->code == error) {
            self->operation = detail->operation;
            self->number = detail->number;
        }
    }
    thrum_group_cancel(&self->group);
}

/* One of the tasks does not come to its end, cancelled by itself: neither do the others. */
static void give_up(conversation *self, bool over)
{
    if (!over)
        thrum_group_cancel(&self->group);
}

/* ---- input ---- */

/* It need not read what it is given. */
static bool unwanted(int error)
{
    return error == -EPIPE || error == -ECONNRESET || error == THRUM_ECLOSED;
}

/* A piece more is the stream's, which keeps what the pipe does not take now. */
static int put_piece(const conversation *self, thrum_stream *stream)
{
    size_t rest = self->size - self->output->taken, size = rest < INPUT_PIECE ? rest : INPUT_PIECE;
    if (self->user->gone || thrum_stream_is_closing(stream))
        return THRUM_ECLOSED;
    int error = stream_put(stream, self->input + self->output->taken, size);
    if (!error)
        self->output->taken += size;
    return error;
}

static ASYNC(feed, ARGS((conversation *, talk)), LOCALS(thrum_stream *stream; int error; bool over;),
             ON_DROP(give_up(self->talk, false);))
{
    ASYNC_BEGIN;
    self->stream = self->talk->streams[0];
    while (!self->error && self->talk->output->taken < self->talk->size) {
        self->error = put_piece(self->talk, self->stream);
        if (!self->error)
            AWAIT_CATCH(self->error, thrum_stream_flush(self->stream));
    }
    if (self->talk->user->gone) {
        self->error = THRUM_ECLOSED;
    } else if (!self->error || unwanted(self->error)) {
        self->talk->output->taken = self->talk->size;
        AWAIT_CATCH(self->error, thrum_stream_close(self->stream));
    }
    self->over = true;
    self->talk->going--;
    if (self->error && (self->talk->user->gone || !unwanted(self->error)))
        fail(self->talk, self->error);
FINALLY:
    give_up(self->talk, self->over);
    ASYNC_END;
}

/* ---- output ---- */

typedef struct sink {
    char **data;
    size_t *size, *room;
} sink;

static sink sink_of(thrum_process_output *output, int which)
{
    return which == 1 ? (sink){&output->out, &output->out_size, &output->out_room}
                      : (sink){&output->err, &output->err_size, &output->err_room};
}

/* Room for a good piece, and the 0 behind it. */
static bool grow(const sink *to)
{
    if (*to->room > *to->size + OUTPUT_ROOM / 2)
        return true;
    size_t room = *to->room ? *to->room * 2 : OUTPUT_ROOM;
    char *data = (char *)realloc(*to->data, room);
    if (!data)
        return false;
    data[*to->size] = '\0';
    *to->data = data;
    *to->room = room;
    return true;
}

/* Read a piece: one byte beyond the limit, if there is one, shows that there is more. */
static thrum_awaitable read_piece(conversation *self, int which)
{
    sink to = sink_of(self->output, which);
    if (self->user->gone)
        return thrum_awaitable_failing(THRUM_ECLOSED);
    if (self->output->most && *to.size > self->output->most)
        return thrum_awaitable_failing(THRUM_ELIMIT);
    if (!grow(&to))
        return thrum_awaitable_failing(THRUM_ENOMEM);
    size_t room = *to.room - *to.size - 1;
    if (self->output->most && room > self->output->most - *to.size + 1)
        room = self->output->most - *to.size + 1;
    return thrum_stream_read(self->streams[which], *to.data + *to.size, room);
}

static void note_piece(conversation *self, int which, size_t got)
{
    sink to = sink_of(self->output, which);
    *to.size += got;
    (*to.data)[*to.size] = '\0';
}

static ASYNC(drain, ARGS((conversation *, talk), (int, which)), LOCALS(size_t got; int error; bool over;),
             ON_DROP(give_up(self->talk, false);))
{
    ASYNC_BEGIN;
    do {
        AWAIT_CATCH_INTO(self->error, self->got, read_piece(self->talk, self->which));
        if (!self->error)
            note_piece(self->talk, self->which, self->got);
    } while (!self->error && self->got);
    self->over = true;
    self->talk->going--;
    if (self->error)
        fail(self->talk, self->error);
FINALLY:
    give_up(self->talk, self->over);
    ASYNC_END;
}

/* ---- all of it ---- */

static void begin(conversation *self, int which)
{
    if (!self->streams[which] || self->error)
        return;
    self->going++;
    if (thrum_group_spawn_detached(&self->group, which ? drain(self, which) : feed(self)))
        fail(self, THRUM_ENOMEM);
}

static ASYNC(converse,
             ARGS((const handle_user *, user), (thrum_stream *, in), (thrum_stream *, out), (thrum_stream *, err),
                  (const void *, input), (size_t, size), (thrum_process_output *, output)),
             LOCALS(conversation talk; thrum_try attempt; int error;))
{
    ASYNC_BEGIN;
    self->talk.user = self->user;
    self->talk.streams[0] = self->in;
    self->talk.streams[1] = self->out;
    self->talk.streams[2] = self->err;
    self->talk.input = (const char *)self->input;
    self->talk.size = self->size;
    self->talk.output = self->output;
    TRY (self->attempt) {
        WITH (self->talk.group, thrum_group_open(&self->talk.group)) {
            for (int i = 0; i < LAUNCH_STDIO; i++)
                begin(&self->talk, i);
        }
    }
    CATCH (self->error, self->attempt) {
        fail(&self->talk, THRUM_ENOMEM); /* the frame of a task, which else tells of its errors by fail() */
    }
    if (!self->talk.error && self->talk.going)
        self->talk.error = THRUM_ECANCELED; /* somebody has cancelled one of them alone */
    if (self->talk.error)
        ASYNC_RAISE(thrum_error_set(self->talk.error, 0, self->talk.operation, self->talk.number, NULL));
    ASYNC_END;
}

thrum_awaitable communicate_streams(const handle_user *user, thrum_process *in, thrum_process *out, const void *input,
                                    size_t size, thrum_process_output *output)
{
    return converse(user, in->streams[0], out->streams[1], out->streams[2], input, size, output);
}

static ASYNC(communicate,
             ARGS((thrum_process *, process), (const void *, input), (size_t, size), (thrum_process_output *, output)),
             LOCALS(handle_user user; int returncode;))
{
    ASYNC_BEGIN;
    handle_enter(&self->process->users, &self->user);
    AWAIT(communicate_streams(&self->user, self->process, self->process, self->input, self->size, self->output));
    if (self->user.gone)
        ASYNC_RAISE(THRUM_ECLOSED);
    AWAIT_INTO(self->returncode, thrum_process_wait(self->process));
    ASYNC_RETURN(self->returncode);
FINALLY:
    handle_leave(&self->user);
    ASYNC_END;
}

thrum_awaitable thrum_process_communicate(thrum_process *process, const void *input, size_t size,
                                          thrum_process_output *output)
{
    if (!process || !output || (size && !input))
        return thrum_awaitable_failing(THRUM_EINVAL);
    return communicate(process, input, size, output);
}

void thrum_process_output_free(thrum_process_output *output)
{
    size_t most = output->most;
    free(output->out);
    free(output->err);
    memset(output, 0, sizeof *output);
    output->most = most;
}
