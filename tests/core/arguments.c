/* Arguments, locals, buffers and results of async functions. */
/* It looks at results, not at cancellations. thrum-check: ignore-file thrum-cancellation-swallowed */
#include <limits.h>

#include <sim.h>

/* ---- many arguments ---- */

static ASYNC(sixteen,
             ARGS((int, a), (char, b), (short, c), (long, d), (double, e), (float, f), (uint8_t, g), (uint64_t, h),
                  (const char *, i), (bool, j), (int *, k), (void *, l), (int8_t, m), (unsigned, n), (size_t, o),
                  (thrum_time, p)),
             LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    CHECK_EQ(self->a, -1);
    CHECK_EQ(self->b, 'b');
    CHECK_EQ(self->c, -3);
    CHECK_EQ(self->d, 4L << 20);
    CHECK(self->e == 5.25);
    CHECK(self->f == 6.5f);
    CHECK_EQ(self->g, 255);
    CHECK_EQ(self->h, UINT64_C(0x123456789abcdef));
    CHECK_STR(self->i, "i");
    CHECK(self->j);
    *self->k = 77;
    CHECK_PTR(self->l, self->k);
    CHECK_EQ(self->m, -128);
    CHECK_EQ(self->n, UINT_MAX);
    CHECK_EQ(self->o, sizeof(int));
    CHECK_EQ(self->p, SECONDS(2));
    ASYNC_END;
}

static ASYNC(twenty_four,
             ARGS((int, a), (int, b), (int, c), (int, d), (int, e), (int, f), (int, g), (int, h), (int, i), (int, j),
                  (int, k), (int, l), (int, m), (int, n), (int, o), (int, p), (int, q), (int, r), (int, s), (int, t),
                  (int, u), (int, v), (int, w), (int, x)),
             LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    CHECK_EQ(self->a, 1);
    CHECK_EQ(self->l, 12);
    CHECK_EQ(self->x, 24);
    ASYNC_RETURN(self->a + self->b + self->c + self->d + self->e + self->f + self->g + self->h + self->i + self->j +
                 self->k + self->l + self->m + self->n + self->o + self->p + self->q + self->r + self->s + self->t +
                 self->u + self->v + self->w + self->x);
    ASYNC_END;
}

TEST(arguments, sixteen_of_different_types)
{
    int place = 0;
    CHECK_EQ(sim_run(sixteen(-1, 'b', -3, 4L << 20, 5.25, 6.5f, 255, UINT64_C(0x123456789abcdef), "i", true, &place,
                             &place, -128, UINT_MAX, sizeof(int), SECONDS(2)),
                     NULL),
             0);
    CHECK_EQ(place, 77);
}

TEST(arguments, twenty_four)
{
    thrum_value value = 0;
    CHECK_EQ(sim_run(twenty_four(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24),
                     &value),
             0);
    CHECK_EQ(value, 300);
}

/* ---- constants, function pointers, structs, enums, unions, arrays in structs ---- */

typedef int binary(int, int);
typedef int (*binary_pointer)(int, int);
typedef struct point {
    int x, y;
    char name[11];
} point;
typedef enum color { RED, GREEN = 7 } color;
typedef struct big {
    char bytes[3000];
} big;

static int add(int a, int b)
{
    return a + b;
}

static ASYNC(typed,
             ARGS((const int, limit), (const char *const, text), (binary *, first), (binary_pointer, second),
                  (const point, where), (color, paint), (struct point *, at)),
             LOCALS(const char *const_text; color back;))
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    CHECK_STR(self->text, "text");
    CHECK_EQ(self->first(self->limit, 1), 11);
    CHECK_EQ(self->second(self->where.x, self->where.y), 7);
    CHECK_STR(self->where.name, "here");
    self->at->x = self->where.x;
    ASYNC_RETURN(self->paint);
    ASYNC_END;
}

static ASYNC(large, ARGS((const big, what)), LOCALS(big copy;))
{
    ASYNC_BEGIN;
    CHECK_EQ(self->copy.bytes[2999], 0);
    AWAIT(thrum_yield());
    self->copy = self->what;
    ASYNC_RETURN(self->copy.bytes[2999]);
    ASYNC_END;
}

TEST(arguments, constant_function_pointer_struct_enum)
{
    thrum_value value = 0;
    point at = {0, 0, ""};
    const point where = {3, 4, "here"};
    CHECK_EQ(sim_run(typed(10, "text", add, add, where, GREEN, &at), &value), 0);
    CHECK_EQ(value, GREEN);
    CHECK_EQ(at.x, 3);
    static big what;
    what.bytes[2999] = 55;
    CHECK_EQ(sim_run(large(what), &value), 0);
    CHECK_EQ(value, 55);
}

/* An argument expression is evaluated once, at the call, and the value is the function's own from then on. */
static ASYNC(keeps, ARGS((int, n), (point, p)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    AWAIT(thrum_yield());
    ASYNC_RETURN(self->n * 100 + self->p.x);
    ASYNC_END;
}

TEST(arguments, are_taken_at_the_call)
{
    thrum_value value = 0;
    int n = 5;
    point p = {6, 0, ""};
    thrum_awaitable made = keeps(n++, p);
    p.x = 99;
    CHECK_EQ(n, 6);
    CHECK_EQ(sim_run(made, &value), 0);
    CHECK_EQ(value, 506);
}

/* ---- none ---- */

static int ran;

static ASYNC(nothing, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    ran++;
    ASYNC_END;
}

static ASYNC(never_suspends_with_finally, ARGS_NONE, LOCALS_NONE)
{
    ASYNC_BEGIN;
    ran += 10;
FINALLY:
    ran += 100;
    ASYNC_END;
}

TEST(arguments, none_at_all)
{
    thrum_value value = 55;
    ran = 0;
    CHECK_EQ(sim_run(nothing(), &value), 0);
    CHECK_EQ(value, 0); /* falling off the end gives 0 */
    CHECK_EQ(sim_run(never_suspends_with_finally(), NULL), 0);
    CHECK_EQ(ran, 111);
}

/* ---- LOCALS are cleared, BUFFERS are not ---- */

enum { PATTERN = 0x5a, BUFFER = 600 };

static ASYNC(soils, ARGS((int, n)), LOCALS(char room[40];), BUFFERS(char buffer[BUFFER];))
{
    ASYNC_BEGIN;
    memset(self->room, PATTERN, sizeof self->room);
    memset(self->buffer, PATTERN, sizeof self->buffer);
    ASYNC_END;
}

static ASYNC(looks, ARGS((int, n)), LOCALS(char room[40];), BUFFERS(char buffer[BUFFER];))
{
    ASYNC_BEGIN;
    for (unsigned i = 0; i < sizeof self->room; i++)
        CHECK_EQ(self->room[i], 0);
    for (unsigned i = 0; i < sizeof self->buffer; i++)
        if (self->buffer[i] != (char)(THRUM_DEBUG ? 0xdb : PATTERN)) /* debug builds poison ended frames */
            ASYNC_RETURN(i + 1);
    ASYNC_RETURN(0);
    ASYNC_END;
}

TEST(arguments, locals_are_cleared_buffers_are_not)
{
    /* From one array: the second frame gets the very block of the first. Its first bytes have been in the pool's
     * list. */
    static union {
        long long align;
        char bytes[65536];
    } memory;
    thrum_value value = 99;
    CHECK_EQ(thrum_pool_use_memory(memory.bytes, sizeof memory.bytes), 0);
    CHECK_EQ(sim_run(soils(1), NULL), 0);
    CHECK_EQ(sim_run(looks(1), &value), 0);
    CHECK_EQ(value, 0);
}

/* ---- AWAIT_INTO of every type ---- */

static ASYNC(gives, ARGS((thrum_value, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(thrum_yield());
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(gives_pointer, ARGS((void *, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(gives_constant, ARGS((const char *, value)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    ASYNC_RETURN(self->value);
    ASYNC_END;
}

static ASYNC(every_type, ARGS_NONE,
             LOCALS(bool b; char c; signed char sc; unsigned char uc; short s; unsigned short us; int i; unsigned u;
                    long l; unsigned long ul; long long ll; unsigned long long ull; int8_t i8; uint16_t u16;
                    int32_t i32; uint64_t u64; size_t z; uintptr_t up; color e; void *v; const char *t; point * p;
                    const point *cp; int err;))
{
    ASYNC_BEGIN;
    AWAIT_INTO(self->b, gives(256));
    CHECK(self->b); /* any value but 0 is true */
    AWAIT_INTO(self->b, gives(0));
    CHECK(!self->b);
    AWAIT_INTO(self->c, gives('x'));
    CHECK_EQ(self->c, 'x');
    AWAIT_INTO(self->sc, gives(-100));
    CHECK_EQ(self->sc, -100);
    AWAIT_INTO(self->uc, gives(200));
    CHECK_EQ(self->uc, 200);
    AWAIT_INTO(self->s, gives(-30000));
    CHECK_EQ(self->s, -30000);
    AWAIT_INTO(self->us, gives(60000));
    CHECK_EQ(self->us, 60000);
    AWAIT_INTO(self->i, gives(INT_MIN));
    CHECK_EQ(self->i, INT_MIN);
    AWAIT_INTO(self->u, gives(INT_MAX));
    CHECK_EQ(self->u, INT_MAX);
    AWAIT_INTO(self->l, gives(-7));
    CHECK_EQ(self->l, -7);
    AWAIT_INTO(self->ul, gives(8));
    CHECK_EQ(self->ul, 8);
    AWAIT_INTO(self->i8, gives(-128));
    CHECK_EQ(self->i8, -128);
    AWAIT_INTO(self->u16, gives(65535));
    CHECK_EQ(self->u16, 65535);
    AWAIT_INTO(self->i32, gives(-1));
    CHECK_EQ(self->i32, -1);
#if THRUM_VALUE_BITS == 64 /* a result that is less wide does not go into them: a diagnostic */
    AWAIT_INTO(self->ll, gives(-9));
    CHECK_EQ(self->ll, -9);
    AWAIT_INTO(self->ull, gives(10));
    CHECK_EQ(self->ull, 10);
    AWAIT_INTO(self->u64, gives(INT64_MAX));
    CHECK_EQ(self->u64, INT64_MAX);
    AWAIT_INTO(self->ll, gives(INT64_MIN));
    CHECK_EQ(self->ll, INT64_MIN);
#endif
    AWAIT_INTO(self->z, gives(12));
    CHECK_EQ(self->z, 12);
    AWAIT_INTO(self->up, gives(13));
    CHECK_EQ(self->up, 13);
    AWAIT_INTO(self->e, gives(GREEN));
    CHECK_EQ(self->e, GREEN);
    AWAIT_INTO(self->v, gives_pointer(self));
    CHECK_PTR(self->v, self);
    AWAIT_INTO(self->t, gives_constant("text"));
    CHECK_STR(self->t, "text");
    AWAIT_INTO(self->p, gives_pointer(self));
    CHECK_PTR(self->p, self);
    AWAIT_INTO(self->cp, gives_pointer(self));
    CHECK_PTR(self->cp, self);
    AWAIT_INTO(self->p, gives_pointer(NULL));
    CHECK_NULL(self->p);
    AWAIT_CATCH_INTO(self->err, self->e, gives(RED));
    CHECK_EQ(self->e, RED);
    AWAIT_CATCH_ALL_INTO(self->err, self->v, gives_pointer(self));
    CHECK_PTR(self->v, self);
    ASYNC_END;
}

TEST(arguments, results_of_every_integer_type_enum_and_pointer)
{
    CHECK_EQ(sim_run(every_type(), NULL), 0);
}

TEST(arguments, durations_are_ticks)
{
    CHECK_EQ(SECONDS(1), THRUM_TICKS_PER_SECOND);
    CHECK_EQ(SECONDS(0.5) * 2, SECONDS(1));
    CHECK_EQ(MILLISECONDS(250) * 4, SECONDS(1));
    CHECK_EQ(MICROSECONDS(1000), MILLISECONDS(1));
}
