/* A library without OpenSSL: what tls.h offers is not there. */
#include "net/tls/above.h"

#if !THRUM_TLS

#include <string.h>

#include <thrum/awaitables.h>
#include <thrum/tls.h>

#include "core/state.h"

/* ---- what the files of streams ask ---- */

void tls_readable(stream_above *above)
{
    (void)above;
}

void tls_pumped(stream_above *above)
{
    (void)above;
}

bool tls_established(const thrum_stream *stream)
{
    (void)stream;
    return false;
}

bool tls_finished(thrum_stream *stream)
{
    (void)stream;
    return true;
}

const char *tls_problem(const thrum_stream *stream)
{
    (void)stream;
    return NULL;
}

bool tls_serves(const thrum_tls_context *context)
{
    (void)context;
    return false;
}

/* ---- tls.h ---- */

const char *thrum_tls_problem(void)
{
    return "thrum was built without OpenSSL";
}

static int missing(void)
{
    return thrum_error_set(THRUM_EUNSUPPORTED, 0, "tls", 0, thrum_tls_problem());
}

int thrum_tls_context_new(thrum_tls_context **context, const thrum_tls_options *options)
{
    (void)context, (void)options;
    return missing();
}

int thrum_tls_context_add_certificate(thrum_tls_context *context, const thrum_tls_options *options)
{
    (void)context, (void)options;
    return missing();
}

thrum_tls_context *thrum_tls_context_retain(thrum_tls_context *context)
{
    return context;
}

void thrum_tls_context_release(thrum_tls_context *context)
{
    (void)context;
}

void *thrum_tls_context_object(const thrum_tls_context *context)
{
    (void)context;
    return NULL;
}

static thrum_step start(thrum_task *task, thrum_record *record)
{
    (void)record;
    return thrum_done(task, missing(), 0);
}

static const thrum_operations operations = {start, NULL, NULL, NULL, "start_tls", NULL};

bool tls_unnamed(const thrum_tls_context *context, const thrum_tls_start_options *options)
{
    (void)context, (void)options;
    return false;
}

thrum_awaitable thrum_start_tls_with(thrum_stream *stream, thrum_tls_context *context,
                                     const thrum_tls_start_options *options)
{
    (void)context, (void)options;
    return thrum_awaitable_make(&operations, stream, 0, 0);
}

thrum_awaitable thrum_start_tls(thrum_stream *stream, thrum_tls_context *context, bool server_side,
                                const char *server_hostname)
{
    (void)server_side, (void)server_hostname;
    return thrum_start_tls_with(stream, context, NULL);
}

int thrum_stream_tls_info(const thrum_stream *stream, thrum_tls_info *info)
{
    (void)stream;
    memset(info, 0, sizeof *info);
    return missing();
}

void *thrum_stream_tls_object(const thrum_stream *stream)
{
    (void)stream;
    return NULL;
}

thrum_tls_context *thrum_stream_tls_context(const thrum_stream *stream)
{
    (void)stream;
    return NULL;
}

int thrum_stream_tls_certificate(const thrum_stream *stream, thrum_tls_certificate **certificate)
{
    (void)stream;
    *certificate = NULL;
    return missing();
}

void thrum_tls_certificate_release(thrum_tls_certificate *certificate)
{
    (void)certificate;
}

int thrum_stream_tls_session(const thrum_stream *stream, thrum_tls_session **session)
{
    (void)stream;
    *session = NULL;
    return missing();
}

intptr_t thrum_tls_session_save(const thrum_tls_session *session, void *buffer, size_t room)
{
    (void)session, (void)buffer, (void)room;
    return missing();
}

int thrum_tls_session_load(thrum_tls_session **session, const void *data, size_t size)
{
    (void)data, (void)size;
    *session = NULL;
    return missing();
}

void thrum_tls_session_release(thrum_tls_session *session)
{
    (void)session;
}

#endif
