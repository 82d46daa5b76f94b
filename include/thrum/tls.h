/**
 * @file tls.h
 * TLS over streams, by OpenSSL. A context says whom to trust and who one is; a connection is an ordinary thrum_stream,
 * made by `tls` in the options of streams.h and servers.h, or by thrum_start_tls() out of one that is connected.
 *
 *     CHECK(thrum_tls_context_new(&tls, NULL));                          a client: the system's trust store
 *     AWAIT_INTO(self->stream, thrum_open_connection_with("example.org", "443",
 *                                                         &(thrum_connect_options){.size = ..., .tls = tls}));
 *
 * What is safe is the default: a client wants a certificate that chains to one it trusts and that names the host it
 * asked for, both ends speak TLS 1.2 or 1.3, nobody renegotiates, nothing is compressed.
 *
 * Reads and writes are those of streams.h, and so are their rules of cancellation. Writes of one step leave in full
 * records. End of file is the peer's close_notify; a connection that ends without one gives THRUM_ETRUNCATED after its
 * last byte. thrum_stream_close() sends a close_notify and waits for the peer's, up to the shutdown timeout, in which a
 * megabyte more is received and dropped. thrum_stream_write_eof() sends one and goes on reading, but most programs take
 * it for the end of both ways: thrum_stream_can_write_eof() is false.
 *
 * Errors: THRUM_ECERTIFICATE when the peer's certificate is refused, THRUM_ETLS for what else TLS does not allow,
 * THRUM_ETRUNCATED. The detail says what: "certificate has expired (depth 0, CN=example.org)".
 *
 * In a library that was built without OpenSSL every call that would need it gives THRUM_EUNSUPPORTED.
 */
#ifndef THRUM_TLS_H
#define THRUM_TLS_H

#include <thrum/streams.h>
#include <thrum/transports.h>

THRUM_BEGIN_DECLS

/* ---- contexts ---- */

/** Whether the other end must show a certificate that can be trusted. */
typedef enum thrum_tls_verify {
    THRUM_TLS_VERIFY_DEFAULT,  /**< clients: required; servers: none */
    THRUM_TLS_VERIFY_NONE,     /**< whatever it shows is taken. For tests: whoever is in between can read and write */
    THRUM_TLS_VERIFY_OPTIONAL, /**< servers: the client is asked; it may have none, but not a wrong one */
    THRUM_TLS_VERIFY_REQUIRED
} thrum_tls_verify;

/** Versions of the protocol. */
typedef enum thrum_tls_version {
    THRUM_TLS_DEFAULT, /**< from 1.2 on */
    THRUM_TLS_1_0,     /**< broken, and so is 1.1: they also need `ciphers` of "DEFAULT:@SECLEVEL=0" */
    THRUM_TLS_1_1,
    THRUM_TLS_1_2,
    THRUM_TLS_1_3
} thrum_tls_version;

/** Asks for the password of a private key: writes at most `room` bytes, gives how many, or a negative number. */
typedef int thrum_tls_password(void *context, char *buffer, size_t room);

/** Chooses by the name that a client asks for, NULL when it gives none. `*chosen` is the context of the connection, and
 * may be replaced by another, for servers too, which stays the callee's. Gives 0, or a negative number to refuse. */
typedef int thrum_tls_choose(void *context, const char *name, thrum_tls_context **chosen);

/** Is given a line of key material, without its newline; with the traffic it opens the connection (Wireshark). */
typedef void thrum_tls_key_line(void *context, const char *line);

/** What a context is like. Zeroed memory with `size` set is a client with safe defaults; members may be added at the
 * end. Everything is copied, or read, by thrum_tls_context_new(). */
typedef struct thrum_tls_options {
    size_t size;                  /**< sizeof(thrum_tls_options) */
    bool server;                  /**< for the accepting end */
    thrum_tls_verify verify;      /**< of the peer's certificate */
    bool any_host;                /**< clients: do not compare names, only the chain */
    bool system_trust;            /**< trust the system's store, too, when one of the next three is given */
    const char *trust_file;       /**< PEM: certificates to trust, in place of the system's; or NULL */
    const char *trust_folder;     /**< of such files, named by their hashes (openssl rehash); or NULL */
    const void *trust;            /**< PEM in memory; or NULL */
    size_t trust_size;            /**< of it, in bytes */
    const char *certificate_file; /**< PEM: one's own certificate, and those between it and the root; or NULL */
    const void *certificate;      /**< the same in memory; or NULL */
    size_t certificate_size;      /**< of it, in bytes */
    const char *key_file;         /**< PEM: the private key; NULL: it stands with the certificate */
    const void *key;              /**< the same in memory; or NULL */
    size_t key_size;              /**< of it, in bytes */
    thrum_tls_password *password; /**< of the private key; NULL: it has none */
    void *password_context;       /**< for it */
    thrum_tls_version lowest;     /**< version to speak */
    thrum_tls_version highest;    /**< THRUM_TLS_DEFAULT: the highest there is */
    const char *ciphers; /**< up to TLS 1.2, as `openssl ciphers` takes them; NULL: those with forward secrecy */
    const char *suites;  /**< of TLS 1.3: "TLS_AES_128_GCM_SHA256:..."; NULL: OpenSSL's */
    const char *const *protocols; /**< ALPN, the favourite first: "h2", "http/1.1"; NULL: none */
    size_t protocol_count;        /**< how many */
    thrum_tls_choose *choose;     /**< servers: by the name that is asked for; or NULL */
    void *choose_context;         /**< for it */
    const char *key_log_file;     /**< lines of key material are appended there; NULL: none */
    thrum_tls_key_line *key_line; /**< or handed there; NULL: none */
    void *key_line_context;       /**< for it */
    bool no_tickets;              /**< servers: sessions are resumed from this process's cache alone */
    bool no_resumption;           /**< servers: not at all */
    bool allow_truncation;        /**< end of file without close_notify is end of file */
    bool kernel;                  /**< let the kernel encrypt what is sent, where it can; else nothing changes */
} thrum_tls_options;

/**
 * Make a context. It may be shared by any number of connections, loops and threads.
 * [never waits, but for files · allocates, not from the pool · any thread]
 *
 * @param context  where it goes; owned, by one reference
 * @param options  copied; NULL is a client with all defaults
 * @return gives 0; -ENOENT and others of open(2), the detail names the file; THRUM_ETLS for PEM, keys, passwords and
 *         ciphers that OpenSSL does not take; THRUM_EINVAL for options that cannot be right; THRUM_ENOMEM;
 *         THRUM_EUNSUPPORTED. Where there is no task to hold the detail, thrum_tls_problem() has its text.
 *
 * asyncio: ssl.create_default_context
 */
THRUM_API int thrum_tls_context_new(thrum_tls_context **context, const thrum_tls_options *options);

/**
 * Add one more certificate with its key, of another kind (RSA beside ECDSA): each client gets what it understands.
 * [never waits, but for files · allocates, not from the pool · any thread, before the context is in use]
 *
 * @param context  of a server
 * @param options  its certificate, key and password are used, and nothing else
 * @return gives as thrum_tls_context_new()
 *
 * asyncio: ssl.SSLContext.load_cert_chain
 */
THRUM_API int thrum_tls_context_add_certificate(thrum_tls_context *context, const thrum_tls_options *options);

/**
 * Hold a context for one more owner.
 * [never waits · no allocation · any thread]
 *
 * @param context  any; NULL does nothing
 * @return gives the same
 *
 * asyncio: a further reference
 */
THRUM_API thrum_tls_context *thrum_tls_context_retain(thrum_tls_context *context);

/**
 * Give a context back. Connections keep what they need of it.
 * [never waits · no allocation · any thread]
 *
 * @param context  owned; NULL does nothing
 *
 * asyncio: the last reference going away
 */
THRUM_API void thrum_tls_context_release(thrum_tls_context *context);

/**
 * OpenSSL's side of a context, for what this header does not offer.
 * [never waits · no allocation · any thread]
 *
 * @param context  any
 * @return gives an SSL_CTX *, which stays the context's; NULL in a library without OpenSSL
 *
 * asyncio: ssl.SSLContext
 */
THRUM_API void *thrum_tls_context_object(const thrum_tls_context *context);

/**
 * What was wrong with the last call of this header that failed on this thread: "no such file: key.pem".
 * [never waits · no allocation · any thread]
 *
 * @return gives text that is good until the next call of this header on this thread; "" when none has failed
 *
 * asyncio: the text of an ssl.SSLError
 */
THRUM_API const char *thrum_tls_problem(void);

/* ---- connections ---- */

/** How TLS begins on a stream. Zeroed memory with `size` set is the default; members may be added at the end. */
typedef struct thrum_tls_start_options {
    size_t size;                      /**< sizeof(thrum_tls_start_options) */
    bool server_side;                 /**< this is the accepting end */
    const char *server_hostname;      /**< clients: the name to ask for and to find in the certificate, or an address;
                                            "": none, and none is compared; NULL: the same, but an error
                                            where the context verifies, unless it says any_host */
    thrum_time handshake_timeout;     /**< 0: 60 s */
    thrum_time shutdown_timeout;      /**< how long thrum_stream_close() may take; 0: 30 s */
    const thrum_tls_session *session; /**< clients: of an earlier connection with the same context and host, to be
                                            resumed; NULL: none */
} thrum_tls_start_options;

/**
 * Go over to TLS on a stream that is connected. What was written leaves first, and what was received and not read is
 * taken for TLS, so nothing is lost. The stream stays the same one; all its calls go through TLS from now on. On a
 * stream that is TLS already this is TLS inside of TLS.
 * [awaits · cancelled: the stream is aborted · one frame of the pool and what OpenSSL takes · this loop's thread only]
 *
 * @param stream           open; nobody reads
 * @param context          held until the stream is released
 * @param server_side      this is the accepting end
 * @param server_hostname  as in thrum_tls_start_options; good until the await has ended
 * @return gives 0. With these the stream is as it was: THRUM_EINVAL for a context of the other side, a stream that is
 *         fed by hand, or a name that is left out (see there); THRUM_EBUSY while a task reads; THRUM_ECLOSED;
 *         THRUM_ESTATE after thrum_stream_write_eof(); the error of an earlier write; THRUM_EUNSUPPORTED; THRUM_ENOMEM.
 *         After these it is aborted: THRUM_ECERTIFICATE; THRUM_ETLS; THRUM_ETIMEDOUT; -ECONNRESET, also when the peer
 *         just closes; others of recv(2) and send(2); THRUM_ECANCELED
 *
 * asyncio: StreamWriter.start_tls, loop.start_tls
 */
THRUM_API thrum_awaitable thrum_start_tls(thrum_stream *stream, thrum_tls_context *context, bool server_side,
                                          const char *server_hostname) THRUM_MUST_USE_;

/**
 * Go over to TLS with options.
 * [awaits · cancelled: the stream is aborted · one frame of the pool and what OpenSSL takes · this loop's thread only]
 *
 * @param stream   as for thrum_start_tls()
 * @param context  as for thrum_start_tls()
 * @param options  copied, its strings and session are not: they stay until the await has ended; NULL is the default
 * @return gives as thrum_start_tls(); THRUM_EINVAL for timeouts that are negative, and for a session of another
 *         context or host, with a stream that is as it was
 *
 * asyncio: StreamWriter.start_tls, loop.start_tls
 */
THRUM_API thrum_awaitable thrum_start_tls_with(thrum_stream *stream, thrum_tls_context *context,
                                               const thrum_tls_start_options *options) THRUM_MUST_USE_;

/**
 * Go over to TLS under a protocol, which is told of nothing while hands are shaken, cannot write meanwhile
 * (THRUM_ESTATE), and goes on as before: connection_made is not told again. The transport stays the same one.
 * [awaits · cancelled: the connection is lost · two frames of the pool and what OpenSSL takes · this loop's thread
 * only]
 *
 * @param transport  whose protocol was told that it is made
 * @param context    as for thrum_start_tls()
 * @param options    as for thrum_start_tls_with()
 * @return gives as thrum_start_tls_with(); THRUM_ESTATE also while a file is sent. After an error of the handshake, for
 *         a context of the other side, and for a session that is not for it the connection is lost, and the protocol is
 *         told of that error.
 *
 * asyncio: loop.start_tls
 */
THRUM_API thrum_awaitable thrum_transport_start_tls(thrum_transport *transport, thrum_tls_context *context,
                                                    const thrum_tls_start_options *options) THRUM_MUST_USE_;

/** What a connection agreed on. */
typedef struct thrum_tls_info {
    const char *version;  /**< "TLSv1.3" */
    const char *cipher;   /**< "TLS_AES_256_GCM_SHA384" */
    int bits;             /**< of its key */
    const char *protocol; /**< ALPN; NULL: none */
    const char *name;     /**< that the client asked for; NULL: none */
    bool resumed;         /**< an earlier session was */
    bool kernel;          /**< the kernel encrypts what is sent */
    bool compressed;      /**< never */
} thrum_tls_info;

/**
 * What a connection agreed on.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @param info    where it goes; its texts are good until the stream closes
 * @return gives 0; THRUM_EINVAL for a stream without TLS; THRUM_ESTATE before the handshake is over; THRUM_ECLOSED;
 *         THRUM_EUNSUPPORTED
 *
 * asyncio: get_extra_info with "cipher", "compression"
 */
THRUM_API int thrum_stream_tls_info(const thrum_stream *stream, thrum_tls_info *info);

/**
 * OpenSSL's side of a connection, for what this header does not offer. Reading, writing and ending it is the stream's
 * business.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @return gives an SSL *, good until the stream closes; NULL for a stream without TLS or that is closed
 *
 * asyncio: get_extra_info("ssl_object")
 */
THRUM_API void *thrum_stream_tls_object(const thrum_stream *stream);

/**
 * The context of a connection; of a server's, the one that was chosen by name.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream  any
 * @return gives a context that stays the stream's; NULL for a stream without TLS or that is closed
 *
 * asyncio: get_extra_info("sslcontext")
 */
THRUM_API thrum_tls_context *thrum_stream_tls_context(const thrum_stream *stream);

/** A certificate. All in one piece of memory. */
typedef struct thrum_tls_certificate {
    const char *subject;      /**< "CN=example.org,O=Example" (RFC 2253) */
    const char *issuer;       /**< in the same form */
    const char *common_name;  /**< of the subject; "" when it has none */
    const char *serial;       /**< hexadecimal */
    const char *fingerprint;  /**< SHA-256 of the whole, hexadecimal */
    const char *const *names; /**< whom it is for: "DNS:example.org", "IP:127.0.0.1", "email:...", "URI:..." */
    size_t name_count;        /**< how many */
    int64_t not_before;       /**< seconds since 1970 */
    int64_t not_after;        /**< seconds since 1970 */
    const unsigned char *der; /**< the whole */
    size_t der_size;          /**< of it, in bytes */
} thrum_tls_certificate;

/**
 * The certificate that the peer showed. It was verified only where the context wants that.
 * [never waits · allocates, not from the pool · this loop's thread only]
 *
 * @param stream       any
 * @param certificate  where it goes; owned; NULL when the peer showed none
 * @return gives 0; else as thrum_stream_tls_info(); THRUM_ENOMEM
 *
 * asyncio: get_extra_info("peercert")
 */
THRUM_API int thrum_stream_tls_certificate(const thrum_stream *stream, thrum_tls_certificate **certificate);

/**
 * Give a certificate back.
 * [never waits · no allocation · any thread]
 *
 * @param certificate  owned; NULL does nothing
 *
 * asyncio: the last reference going away
 */
THRUM_API void thrum_tls_certificate_release(thrum_tls_certificate *certificate);

/* ---- sessions ---- */

/**
 * What it takes to resume a session in another connection to the same server, with a shorter handshake, in which
 * nothing is verified again: so only connections with the same context and the same host take it, others give
 * THRUM_EINVAL.
 * With TLS 1.3 servers send it after the handshake, mostly before their first data.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param stream   a client's
 * @param session  where it goes; owned
 * @return gives 0; THRUM_EPENDING when the server has sent none (yet); THRUM_ENOMEM; else as thrum_stream_tls_info()
 *
 * asyncio: ssl.SSLObject.session
 */
THRUM_API int thrum_stream_tls_session(const thrum_stream *stream, thrum_tls_session **session);

/**
 * Write a session down, to keep it beyond the process. It holds secrets.
 * [never waits · no allocation of the pool · any thread]
 *
 * @param session  any
 * @param buffer   where it goes; NULL only measures
 * @param room     in it, in bytes
 * @return gives how many bytes it takes; THRUM_ELIMIT when there is too little room; THRUM_EUNSUPPORTED
 *
 * asyncio: none
 */
THRUM_API intptr_t thrum_tls_session_save(const thrum_tls_session *session, void *buffer, size_t room);

/**
 * Read what thrum_tls_session_save() wrote. Its context is not known any more: any takes it, to the same host; but one
 * that verifies does not when the peer had not been verified, or its certificate is not that host's. Let it be one that
 * trusts the same authorities.
 * [never waits · allocates, not from the pool · any thread]
 *
 * @param session  where it goes; owned
 * @param data     as it was written
 * @param size     of it, in bytes
 * @return gives 0; THRUM_ETLS when it is none; THRUM_EUNSUPPORTED
 *
 * asyncio: none
 */
THRUM_API int thrum_tls_session_load(thrum_tls_session **session, const void *data, size_t size);

/**
 * Give a session back.
 * [never waits · no allocation · any thread]
 *
 * @param session  owned; NULL does nothing
 *
 * asyncio: the last reference going away
 */
THRUM_API void thrum_tls_session_release(thrum_tls_session *session);

THRUM_END_DECLS

#endif
