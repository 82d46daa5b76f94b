/* Kernel TLS, where it is asked for: OpenSSL hands the keys of what is sent to the BIO, and if the system takes them,
 * it writes plain bytes from then on. What is no data, alerts and tickets, goes with the type of its record beside
 * it. */
#include "net/tls/link.h"

#if THRUM_TLS

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "loop/system.h"

#if SYSTEM_LINUX && defined(__has_include)
#if __has_include(<linux/tls.h>)
#include <linux/tls.h>
#include <netinet/tcp.h>
#define KERNEL_TLS 1
#endif
#endif

#ifdef KERNEL_TLS

#ifndef SOL_TLS
#define SOL_TLS 282
#endif
#ifndef TCP_ULP
#define TCP_ULP 31
#endif

/* How long what describes the keys is, by its cipher; 0: none that is known here. */
static socklen_t length_of(const struct tls_crypto_info *keys)
{
    switch (keys->cipher_type) {
    case TLS_CIPHER_AES_GCM_128:
        return sizeof(struct tls12_crypto_info_aes_gcm_128);
    case TLS_CIPHER_AES_GCM_256:
        return sizeof(struct tls12_crypto_info_aes_gcm_256);
    case TLS_CIPHER_AES_CCM_128:
        return sizeof(struct tls12_crypto_info_aes_ccm_128);
    case TLS_CIPHER_CHACHA20_POLY1305:
        return sizeof(struct tls12_crypto_info_chacha20_poly1305);
    default:
        return 0;
    }
}

bool tls_kernel_begin(tls_link *tls, const void *keys)
{
    static const char name[] = "tls";
    const thrum_stream *inner = tls->above.inner;
    socklen_t length = length_of((const struct tls_crypto_info *)keys);
    /* What was encrypted here and has not left would be encrypted once more. */
    if (!length || stream_carrier(inner) || buffer_size(inner->output) ||
        setsockopt(inner->in.descriptor, IPPROTO_TCP, TCP_ULP, name, sizeof name - 1) ||
        setsockopt(inner->in.descriptor, SOL_TLS, TLS_TX, keys, length))
        return false;
    tls->flags |= TLS_KERNEL_SEND;
    return true;
}

long tls_kernel_control(const tls_link *tls, const char *data, size_t size)
{
    struct iovec piece = {(void *)(uintptr_t)data, size};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(1)];
    } beside;
    struct msghdr message;
    ssize_t sent;
    if (buffer_size(tls->above.inner->output))
        return STREAM_AGAIN;
    memset(&message, 0, sizeof message);
    memset(&beside, 0, sizeof beside);
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = &beside;
    message.msg_controllen = sizeof beside.room;
    beside.header.cmsg_level = SOL_TLS;
    beside.header.cmsg_type = TLS_SET_RECORD_TYPE;
    beside.header.cmsg_len = CMSG_LEN(1);
    *CMSG_DATA(&beside.header) = (unsigned char)tls->record;
    do
        sent = sendmsg(tls->above.inner->in.descriptor, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return (long)sent;
    return errno == EAGAIN || errno == EWOULDBLOCK ? STREAM_AGAIN : -errno;
}

#else

bool tls_kernel_begin(tls_link *tls, const void *keys)
{
    (void)tls, (void)keys;
    return false;
}

long tls_kernel_control(const tls_link *tls, const char *data, size_t size)
{
    (void)tls, (void)data, (void)size;
    return -EOPNOTSUPP;
}

#endif
#endif
