/* OpenSSL's input and output: the inner stream. Large reads go right into OpenSSL's own buffer, and ciphertext right
 * from there to the system, but for what is collected first because more follows in the same step. */
#include "net/tls/link.h"

#if THRUM_TLS

#include <pthread.h>

/* ---- reading ---- */

static long take(tls_link *tls, char *to, size_t size)
{
    thrum_stream *inner = tls->above.inner;
    size_t held = stream_take(inner, to, size);
    if (held)
        return (long)held;
    if (tls->flags & TLS_DRY && !(inner->flags & STREAM_INPUT_ENDED))
        return STREAM_AGAIN;
    long got = stream_receive(inner, to, size);
    if (got > 0 && !(inner->flags & STREAM_TRY_FIRST))
        tls->flags |= TLS_DRY;
    return got;
}

static int bio_read(BIO *bio, char *to, int size)
{
    tls_link *tls = (tls_link *)BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0)
        return 0;
    long got = take(tls, to, (size_t)size);
    if (got == STREAM_AGAIN) {
        BIO_set_retry_read(bio);
        return -1;
    }
    return got < 0 ? -1 : (int)got;
}

/* ---- writing ---- */

/* One system call for what was collected and this. Gives how many of these bytes have left, or an error. */
static long send_now(thrum_stream *inner, const char *data, size_t size)
{
    thrum_slice slice = {data, size};
    long sent = stream_send(inner, &slice, 1, 0);
    if (sent == STREAM_AGAIN)
        return 0;
    if (sent < 0) {
        stream_output_failed(inner, (int)sent);
        return sent;
    }
    size_t rest = stream_output_advance(inner, (size_t)sent);
    buffer_trim(&inner->output);
    return (long)rest;
}

/* A record that the kernel encrypts and that is no data. */
static int write_control(BIO *bio, const tls_link *tls, const char *data, int size)
{
    long sent = tls_kernel_control(tls, data, (size_t)size);
    if (sent == STREAM_AGAIN)
        BIO_set_retry_write(bio);
    else if (sent < 0)
        stream_output_failed(tls->above.inner, (int)sent);
    return sent < 0 ? -1 : (int)sent;
}

static int bio_write(BIO *bio, const char *data, int size)
{
    tls_link *tls = (tls_link *)BIO_get_data(bio);
    thrum_stream *inner = tls->above.inner;
    bool wait = !(tls->flags & TLS_MORE);
    long sent = 0;
    BIO_clear_retry_flags(bio);
    if (inner->write_error || inner->flags & STREAM_CLOSED)
        return -1;
    if (tls->record)
        return write_control(bio, tls, data, size);
    if (wait && (!stream_awaits_room(inner) || tls->above.outer->flags & STREAM_FORGOTTEN))
        sent = send_now(inner, data, (size_t)size);
    if (sent < 0)
        return -1;
    if (sent == size)
        return size;
    int error = buffer_append(&inner->output, data + sent, (size_t)(size - sent)) ? 0 : THRUM_ENOMEM;
    if (!error && wait && !(tls->above.outer->flags & STREAM_FORGOTTEN))
        error = stream_await_room(inner);
    if (error)
        stream_output_failed(inner, error);
    return error ? -1 : size;
}

void tls_flush(tls_link *tls)
{
    thrum_stream *inner = tls->above.inner;
    if (!buffer_size(inner->output) || inner->flags & STREAM_CLOSED)
        return;
    if (tls->above.outer->flags & STREAM_FORGOTTEN)
        (void)stream_send(inner, NULL, 0, 0); /* the loop closes: as far as the system takes it */
    else if (!stream_awaits_room(inner))
        stream_pump(inner);
}

/* ---- what else OpenSSL asks ---- */

/* OpenSSL's numbers for kernel TLS; it asks only where SSL_OP_ENABLE_KTLS is set. */
enum { SET_KERNEL = 72, KERNEL_SENDS = 73, SET_RECORD = 74, CLEAR_RECORD = 75 };

static long bio_control(BIO *bio, int what, long number, void *pointer)
{
    tls_link *tls = (tls_link *)BIO_get_data(bio);
    if (!tls)
        return 0;
    switch (what) {
    case BIO_CTRL_EOF:
        return (tls->above.inner->flags & STREAM_INPUT_ENDED) && !tls->above.inner->read_error;
    case BIO_CTRL_FLUSH:
        if (SSL_get_options(tls->ssl) & SSL_OP_ENABLE_KTLS)
            tls_flush(tls); /* what goes before the kernel's part has to be gone then */
        return 1;
    case SET_KERNEL:
        return number && tls_kernel_begin(tls, pointer);
    case KERNEL_SENDS:
        return (tls->flags & TLS_KERNEL_SEND) != 0;
    case SET_RECORD:
        tls->record = (int)number;
        return 0;
    case CLEAR_RECORD:
        tls->record = 0;
        return 0;
    default:
        return 0;
    }
}

static BIO_METHOD *method;

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "thrum stream");
    if (!method)
        return;
    (void)BIO_meth_set_read(method, bio_read);
    (void)BIO_meth_set_write(method, bio_write);
    (void)BIO_meth_set_ctrl(method, bio_control);
}

bool tls_attach(tls_link *tls)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_method);
    BIO *bio = method ? BIO_new(method) : NULL;
    if (!bio)
        return false;
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio); /* takes the only reference */
    return true;
}

#endif
