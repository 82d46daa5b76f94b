/* Kernel TLS, with a stub in place of the kernel, which encrypts nothing: when it is chosen, what it is given, and what
 * happens where there is none. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/syscall.h>

#include "tls_support.h"

enum { UPPER_LAYER = 31, LEVEL_TLS = 282, SEND = 1 };

static struct {
    bool there;      /* the kernel has it */
    bool no_keys;    /* but not for this cipher */
    int asked, keys; /* calls */
    socklen_t size;  /* of the keys */
} kernel;

int setsockopt(int descriptor, int level, int option, const void *value, socklen_t size)
{
    if (level == IPPROTO_TCP && option == UPPER_LAYER) {
        kernel.asked++;
        CHECK(size == 3 && !memcmp(value, "tls", 3));
        errno = ENOENT;
        return kernel.there ? 0 : -1;
    }
    if (level == LEVEL_TLS) {
        kernel.keys++;
        kernel.size = size;
        CHECK_EQ(option, SEND);
        errno = EINVAL;
        return kernel.no_keys ? -1 : 0;
    }
    return (int)syscall(SYS_setsockopt, descriptor, level, option, value, size);
}

static ASYNC(meet, ARGS((tls_ends *, ends), (bool, wanted)), LOCALS_NONE)
{
    thrum_tls_options options;
    ASYNC_BEGIN;
    options = client_options();
    options.kernel = self->wanted;
    self->ends->ours = context_of(&options);
    ends_open(self->ends);
    AWAIT(shake(self->ends, "localhost"));
    CHECK_EQ(self->ends->client_over.error, 0);
    CHECK_EQ(self->ends->server_over.error, 0);
    ASYNC_END;
}

/* It has the keys: what is written goes to it as it is, and what comes is decrypted here. */
NET_TEST(kernel, encrypts, LOCALS(tls_ends ends; thrum_tls_info info; char text[16]; long got;))
{
    ASYNC_BEGIN;
    memset(&kernel, 0, sizeof kernel);
    kernel.there = true;
    AWAIT(meet(&self->ends, true));
    CHECK_EQ(kernel.keys, 1);
    CHECK_EQ(kernel.size, 56); /* of AES-256-GCM */
    CHECK_EQ(thrum_stream_tls_info(self->ends.client, &self->info), 0);
    CHECK(self->info.kernel);
    CHECK_EQ(thrum_stream_tls_info(self->ends.server, &self->info), 0);
    CHECK(!self->info.kernel);
    AWAIT(thrum_stream_write(self->ends.client, "in the clear", 12));
    AWAIT(thrum_stream_flush(self->ends.client));
    self->got = recv(thrum_stream_descriptor(self->ends.server), self->text, sizeof self->text, 0);
    CHECK_EQ(self->got, 12);
    CHECK_MEM(self->text, "in the clear", 12);
    AWAIT(thrum_stream_write(self->ends.server, "answer", 6));
    AWAIT(thrum_stream_read_exactly(self->ends.client, self->text, 6));
    CHECK_MEM(self->text, "answer", 6);
    /* The close_notify: two bytes, whose record's type stands beside them. */
    CHECK_EQ(thrum_stream_write_eof(self->ends.client), 0);
    self->got = recv(thrum_stream_descriptor(self->ends.server), self->text, sizeof self->text, 0);
    CHECK_EQ(self->got, 2);
    ends_close(&self->ends);
    ASYNC_END;
}

/* There is none, or it does not know the cipher: nothing changes. */
NET_TEST(kernel, is_not_there, LOCALS(tls_ends ends; thrum_tls_info info; char text[16]; int i;))
{
    ASYNC_BEGIN;
    for (self->i = 0; self->i < 2; self->i++) {
        memset(&kernel, 0, sizeof kernel);
        kernel.there = kernel.no_keys = self->i;
        AWAIT(meet(&self->ends, true));
        CHECK_GE(kernel.asked, 1);
        CHECK_EQ(thrum_stream_tls_info(self->ends.client, &self->info), 0);
        CHECK(!self->info.kernel);
        AWAIT(thrum_stream_write(self->ends.client, "hello", 5));
        AWAIT(thrum_stream_read_exactly(self->ends.server, self->text, 5));
        CHECK_MEM(self->text, "hello", 5);
        ends_close(&self->ends);
    }
    ASYNC_END;
}

/* Nobody asked for it. */
NET_TEST(kernel, is_left_alone, LOCALS(tls_ends ends; char text[16];))
{
    ASYNC_BEGIN;
    memset(&kernel, 0, sizeof kernel);
    kernel.there = true;
    AWAIT(meet(&self->ends, false));
    CHECK_EQ(kernel.asked, 0);
    AWAIT(thrum_stream_write(self->ends.client, "hello", 5));
    AWAIT(thrum_stream_read_exactly(self->ends.server, self->text, 5));
    ends_close(&self->ends);
    ASYNC_END;
}
