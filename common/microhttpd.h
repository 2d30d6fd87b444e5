/* libmicrohttpd, loaded when metrics are asked for: a broker without them needs it not. */
#ifndef ADUANA_COMMON_MICROHTTPD_H
#define ADUANA_COMMON_MICROHTTPD_H

#include <microhttpd.h>

#define ADU_MICROHTTPD_FUNCTIONS(X)                                                                \
    X(MHD_start_daemon)                                                                            \
    X(MHD_stop_daemon)                                                                             \
    X(MHD_create_response_from_buffer)                                                             \
    X(MHD_add_response_header)                                                                     \
    X(MHD_queue_response)                                                                          \
    X(MHD_destroy_response)

struct adu_microhttpd {
#define X(name) __typeof__(name) *name;
    ADU_MICROHTTPD_FUNCTIONS(X)
#undef X
};

/* NULL with `*why` if there is none. May read files: not for the broker's loop. Any thread. */
const struct adu_microhttpd *adu_microhttpd(const char **why);

#endif
