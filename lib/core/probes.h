/* Static probes (USDT): places in the library that perf, bpftrace, gdb and SystemTap can look at in a program that
 * runs, by name and with arguments. Built in where <sys/sdt.h> is found, unless the meson option `-Dusdt=disabled` says
 * no. Each is one instruction that does nothing until somebody looks: arguments are what is at hand there anyway, so a
 * frame and not the name that it leads to, and there is no probe at the end of a step, which lasts until the next one
 * of these.
 *
 *     thrum:task__spawn   task, its frame                a task was made
 *     thrum:task__end     task, error or 0               it has ended
 *     thrum:step__begin   task, its innermost frame      it goes on; nested where tasks start eagerly
 *     thrum:wake          waiter, error or 0             a task (its address) or a call was woken
 *     thrum:cancel        task                           somebody asked it to cancel
 *     thrum:timer__fire   waiter, its time               a sleep or a call is due
 *     thrum:poll__begin   loop, until                    the loop asks the poller, at most until that time
 *     thrum:poll__end     loop                           the poller has come back
 *
 * A frame begins with a pointer to its operations, in which the name stands behind four other pointers:
 * `bpftrace -e 'usdt:./libthrum.so:thrum:task__spawn { @[str(*(uint64*)(*(uint64*)arg1 + 32))] = count(); }'`. */
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
#define PROBE1(name, a) DTRACE_PROBE1(thrum, name, a)
#define PROBE2(name, a, b) DTRACE_PROBE2(thrum, name, a, b)
#else
#define PROBE1(name, a) ((void)0)
#define PROBE2(name, a, b) ((void)0)
#endif

#endif
