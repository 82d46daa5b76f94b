/* The benchmarks of micro.c for what tasks do together: locks, queues, gather, generators, events, contexts, posts. */
#ifndef MICRO_SYNC_H
#define MICRO_SYNC_H

int bench_mutex(long parameter, long count);
int bench_queue(long capacity, long count);
int bench_gather(long parameter, long count);
int bench_generator(long parameter, long count);
int bench_broadcast(long parameter, long count);
int bench_inherit(long parameter, long count);
int bench_post(long parameter, long count);

#endif
