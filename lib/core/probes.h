/* Static probes (USDT): places in the library that perf, bpftrace, gdb and SystemTap can look at in a program that
 * runs, by name and with arguments. Built in with the meson option `-Dusdt=enabled`, or `auto` where <sys/sdt.h> is
 * found. Each is one instruction that does nothing until somebody looks, and what it takes to have the arguments at
 * hand: a step costs 4 instructions more, to make and end a task 5. So they are not there unless they are asked for.
 *
 *     thrum:task__spawn   task, name of its function     a task was made
 *     thrum:task__end     task, error or 0               it has ended
 *     thrum:step__begin   task, name of its leaf         it goes on ...
 *     thrum:step__end                                    ... and suspends or ends; nested where tasks start eagerly
 *     thrum:wake          waiter, error or 0             a task (its address) or a call was woken
 *     thrum:cancel        task                           somebody asked it to cancel
 *     thrum:timer__fire   waiter, its time               a sleep or a call is due
 *     thrum:poll__begin   loop, until                    the loop asks the poller, at most until that time
 *     thrum:poll__end     loop                           the poller has come back
 *
 * For example: `bpftrace -e 'usdt:./libthrum.so:thrum:task__spawn { @[str(arg1)] = count(); }'`. */
#ifndef THRUM_CORE_PROBES_H
#define THRUM_CORE_PROBES_H

#include <thrum/config.h>

#ifndef THRUM_USDT
#define THRUM_USDT 0
#endif

#if THRUM_HOSTED && THRUM_USDT
#include <sys/sdt.h>
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments" /* in what stands in that header */
#endif
#define PROBE(name) DTRACE_PROBE(thrum, name)
#define PROBE1(name, a) DTRACE_PROBE1(thrum, name, a)
#define PROBE2(name, a, b) DTRACE_PROBE2(thrum, name, a, b)
#else
#define PROBE(name) ((void)0)
#define PROBE1(name, a) ((void)0)
#define PROBE2(name, a, b) ((void)0)
#endif

#endif
