/* What the hosted folders ask of the operating system and systems do differently: each call has a form for every POSIX
 * system, and a better one where Linux has it. Built with `-Dlinux-extensions=disabled`, Linux is taken for any POSIX
 * system. */
#ifndef THRUM_LOOP_SYSTEM_H
#define THRUM_LOOP_SYSTEM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#include <thrum/types.h>

#if defined(__linux__) && !defined(THRUM_PORTABLE)
#define SYSTEM_LINUX 1
#else
#define SYSTEM_LINUX 0
#endif

/* POSIX has it; systems that do not are asked by SO_NOSIGPIPE, where a socket is made. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* A descriptor becomes non-blocking and is closed in programs that are executed. 0 or -errno. */
int system_prepare(int descriptor);

/* socket() and accept(), the result so from birth where that can be done. -1 with errno on an error. */
int system_socket(int family, int type);
int system_accept(int listener, struct sockaddr *address, socklen_t *size);

/* Two ends of something that wakes whoever waits for the first to be readable; they may be one descriptor. 0 or
 * -errno. */
typedef struct system_waker {
    int read, write;
} system_waker;
int system_waker_open(system_waker *waker);
void system_waker_close(system_waker *waker);

/* From any thread or signal handler; errno stays. */
void system_waker_wake(const system_waker *waker);

/* Be ready for the next time. */
void system_waker_drain(const system_waker *waker);

/* Many datagrams in one call; each has its bytes in `size` then. How many were moved, at least 1; or -1 with errno,
 * which is about the first one. Where the system has no such call they go one by one. */
typedef struct system_message {
    struct msghdr header;
    unsigned size;
} system_message;
int system_receive_messages(int descriptor, system_message *messages, unsigned count);
int system_send_messages(int descriptor, system_message *messages, unsigned count);

/* What the network has said of a datagram that was sent, oldest first: errno, or 0 when there is nothing. The address
 * that it went to goes to `about`, whose size is 0 where it is not known. */
int system_next_failure(int descriptor, struct sockaddr *about, socklen_t *size);

/* Have the system keep that. 0 or -errno; -ENOSYS where it does not. */
int system_keep_failures(int descriptor, int family);

/* Who is at the other end of a Unix socket. 0; THRUM_EUNSUPPORTED; -errno. */
int system_peer(int descriptor, int64_t *process, int64_t *user, int64_t *group);

/* How many datagrams a socket had no room for; 0 where that cannot be told. */
uint64_t system_drops(int descriptor);

/* The port of a service of "tcp" or "udp", from the system's list; -1 when it has none. */
int system_service(const char *name, const char *protocol);

/* send() of what more follows at once: the system may wait for that, up to 0.2 s, and send both in one packet. */
ssize_t system_send_more(int descriptor, const void *data, size_t size);

/* Nothing followed: what the system holds back leaves now. */
void system_push(int descriptor);

/* Send a part of a file down a socket without SIGPIPE: bytes, or -1 with errno: ENOSYS where that does not exist. */
ssize_t system_sendfile(int descriptor, int file, off_t at, size_t size);

/* writev() without SIGPIPE, for what is no socket: bytes, or -1 with errno. */
struct iovec;
ssize_t system_write_quietly(int descriptor, const struct iovec *pieces, int count);

/* The first place where `what` stands in `bytes`, or NULL: memmem(). */
const void *system_find(const void *bytes, size_t size, const void *what, size_t length);

/* Open once more what a descriptor has open, a pipe or a device, so that its flags are one's own: non-blocking,
 * close-on-exec. -1: that cannot be done here. */
int system_open_again(int descriptor, bool writes);

/* The end of a new pseudo-terminal that is ours, close-on-exec; and the one that belongs to it. Neither becomes the
 * controlling terminal. The descriptor, or -errno. */
int system_open_pty(void);
int system_open_pty_program(int ours);

/* Whether this is the thread that main() runs in; true where that cannot be told. */
bool system_main_thread(void);

/* Limits of waits on a condition: a point of the clock that system_condition_init() gives the condition, `delay` ticks
 * from now; and that clock itself, in ticks. It is monotonic but where conditions know only the wall clock. */
void system_condition_init(pthread_cond_t *condition);
struct timespec system_limit(thrum_time delay);
thrum_time system_clock(void);

/* Name the calling thread, where that can be done: at most 15 bytes. */
void system_name_thread(const char *name);

/* The processors that the calling thread may use: how many, and where it can be told, which. */
typedef struct system_processors {
    unsigned count; /* at least 1 */
    unsigned long words[1024 / 8 / sizeof(unsigned long)];
} system_processors;
void system_processors_get(system_processors *processors);

/* Let a thread use those, or only one of them, counted from 0 and round again; nothing where that cannot be done. */
void system_processors_set(pthread_t thread, const system_processors *processors);
void system_pin(pthread_t thread, const system_processors *processors, unsigned number);

/* Name or text of -errno, or NULL. */
const char *system_error(int code, bool name);

#endif
