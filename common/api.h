/* What libaduana.so shows to the plugins, the command and the tests; all else stays hidden. */
#ifndef ADUANA_COMMON_API_H
#define ADUANA_COMMON_API_H

#define ADU_API __attribute__((visibility("default")))
/* Not on the way of a message that passes: kept out of the code that is. */
#define ADU_COLD               __attribute__((noinline, cold))
#define ADU_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

#endif
