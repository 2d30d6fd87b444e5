/* Threads of our own in the broker's process. */
#ifndef ADUANA_COMMON_THREAD_H
#define ADUANA_COMMON_THREAD_H

#include "common/api.h"
#include <pthread.h>
#include <stdbool.h>

/* Starts a thread that no signal wakes: the broker's signals are the broker's. A broker that turns
 * into a daemon loses the threads it had before. false if there is none to be had. */
ADU_API bool adu_thread_start(pthread_t *thread, void *(*run)(void *), void *thing);

#endif
