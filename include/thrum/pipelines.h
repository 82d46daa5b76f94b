/**
 * @file pipelines.h
 * Programs that are piped together: the output of each is the input of the next, and no byte of that comes through this
 * program. They are started, waited for and ended as one.
 *
 *     static const char *const sort[] = {"sort", NULL}, *const unique[] = {"uniq", "-c", NULL};
 *     static const thrum_pipeline_command commands[] = {{.arguments = sort}, {.arguments = unique}};
 *     ...
 *     AWAIT_INTO(self->code, thrum_run_pipeline(commands, 2, self->text, self->size, &self->output));
 *
 * What is said of a process in subprocess.h holds for each of these.
 */
#ifndef THRUM_PIPELINES_H
#define THRUM_PIPELINES_H

#include <thrum/subprocess.h>

THRUM_BEGIN_DECLS

/** Several processes. thrum_loop_close() kills those that are left, and says so in debug mode. */
typedef struct thrum_pipeline thrum_pipeline;

/** One of them: either of the first two. */
typedef struct thrum_pipeline_command {
    const char *const *arguments; /**< a program and its arguments, as for thrum_create_subprocess_exec() */
    const char *command;          /**< for a shell, as for thrum_create_subprocess_shell() */
    /** NULL: all default. `in` counts of the first one, `out` of the last one, and is left at its default elsewhere;
     * `err` of each. When the first one has `new_process_group`, all that do not say otherwise are in its group. */
    const thrum_subprocess_options *options;
} thrum_pipeline_command;

/**
 * Start programs that are piped together.
 * [awaits, never suspends; the thread stands still until the programs are loaded · one frame and blocks of the pool ·
 * this loop's thread only]
 *
 * @param commands  stay until this is awaited, and what they point to
 * @param count     how many, at least 1
 * @return gives a thrum_pipeline *, owned, for thrum_pipeline_release(). When one cannot be started, its error as from
 *         thrum_create_subprocess_exec(), and none is left; THRUM_EINVAL
 *
 * asyncio: none; os.pipe and create_subprocess_exec for each
 */
THRUM_API thrum_awaitable thrum_create_pipeline(const thrum_pipeline_command *commands, size_t count) THRUM_MUST_USE_;

/**
 * Run programs that are piped together: write the input and close it, read the output and error of the last one to
 * their ends, and wait for all. An input and an output whose kind is THRUM_STDIO_DEFAULT are pipes here where there is
 * an input, and an output to go to. Whatever ends this before they have, a cancellation, a time limit or an error,
 * kills all of them first, and waits for their ends.
 * [awaits · cancel-safe: nothing is left but `output` · frames and tasks of the pool, malloc() · this loop's thread
 * only]
 *
 * @param commands  stay until the await has ended, and what they point to
 * @param count     how many, at least 1
 * @param input     the bytes, in memory that outlives the await; NULL for none
 * @param size      how many
 * @param output    zeroed before, in memory that outlives the await; NULL: the last one's output goes where its options
 *                  say
 * @return gives as thrum_pipeline_wait(); errors as thrum_create_pipeline() and thrum_process_communicate();
 *         THRUM_EINVAL also when `err` of any but the last one is a pipe, which nobody reads here
 *
 * asyncio: none; subprocess.run
 */
THRUM_API thrum_awaitable thrum_run_pipeline(const thrum_pipeline_command *commands, size_t count, const void *input,
                                             size_t size, thrum_process_output *output) THRUM_MUST_USE_;

/**
 * How many processes there are.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param pipeline  any
 * @return gives the count
 *
 * asyncio: none
 */
THRUM_API size_t thrum_pipeline_count(const thrum_pipeline *pipeline);

/**
 * One of the processes: for its number, its return code, its standard error. It is the pipeline's, which releases it.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param pipeline  any
 * @param number    which one, from 0
 * @return gives the process; NULL when there are not so many
 *
 * asyncio: none
 */
THRUM_API thrum_process *thrum_pipeline_process(const thrum_pipeline *pipeline, size_t number);

/**
 * The stream that writes to the first one's standard input. It is the pipeline's, which closes and releases it.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param pipeline  any
 * @return gives the stream; NULL when it is no pipe
 *
 * asyncio: none; Process.stdin
 */
THRUM_API thrum_stream *thrum_pipeline_stdin(const thrum_pipeline *pipeline);

/**
 * The stream that reads the last one's standard output. It is the pipeline's, which closes and releases it.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param pipeline  any
 * @return gives the stream; NULL when it is no pipe
 *
 * asyncio: none; Process.stdout
 */
THRUM_API thrum_stream *thrum_pipeline_stdout(const thrum_pipeline *pipeline);

/**
 * Wait until all processes have ended.
 * [awaits · cancel-safe: they run on · frames of the pool · this loop's thread only]
 *
 * @param pipeline  any
 * @return gives the return code of the last one whose is not 0, as a shell does with `pipefail`; 0 when there is none.
 *         thrum_pipeline_process() has each.
 *
 * asyncio: none
 */
THRUM_API thrum_awaitable thrum_pipeline_wait(thrum_pipeline *pipeline) THRUM_MUST_USE_;

/**
 * Write the input, read output and error of the last one to their ends, and wait for all: thrum_process_communicate(),
 * with all that it says.
 * [awaits · cancel-safe: see there · frames and tasks of the pool, malloc() · this loop's thread only]
 *
 * @param pipeline  whose streams nobody else uses meanwhile
 * @param input     the bytes, in memory that outlives the await; NULL for none
 * @param size      how many
 * @param output    zeroed before the first call, in memory that outlives the await
 * @return gives as thrum_pipeline_wait(), and errors as thrum_process_communicate()
 *
 * asyncio: none; Process.communicate
 */
THRUM_API thrum_awaitable thrum_pipeline_communicate(thrum_pipeline *pipeline, const void *input, size_t size,
                                                     thrum_process_output *output) THRUM_MUST_USE_;

/**
 * Send a signal to all that have not ended.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param pipeline  any
 * @param signal    as for thrum_process_send_signal()
 * @return gives 0; -ESRCH when all have ended; the first error of another kind
 *
 * asyncio: none; Process.send_signal
 */
THRUM_API int thrum_pipeline_send_signal(thrum_pipeline *pipeline, int signal);

/**
 * Ask all processes to end, give them some time, and then end those that are left.
 * [awaits · cancelled: they were asked, and are not killed · frames of the pool · this loop's thread only]
 *
 * @param pipeline  any; NULL gives 0
 * @param grace     as for thrum_process_stop()
 * @return gives as thrum_pipeline_wait()
 *
 * asyncio: none
 */
THRUM_API thrum_awaitable thrum_pipeline_stop(thrum_pipeline *pipeline, thrum_time grace) THRUM_MUST_USE_;

/**
 * Give all of it back, as thrum_process_release() does for each.
 * [never waits · no allocation · this loop's thread only]
 *
 * @param pipeline  owned; NULL does nothing. Not to be used afterwards.
 *
 * asyncio: none
 */
THRUM_API void thrum_pipeline_release(thrum_pipeline *pipeline);

THRUM_END_DECLS

#endif
