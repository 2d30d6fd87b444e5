/* Any bytes as a topic, as a filter and as a payload, by a fixed policy with every rule of names
 * and namespaces, and what must hold whatever they are. */
#ifndef ADUANA_TESTS_FUZZ_TOPICS_H
#define ADUANA_TESTS_FUZZ_TOPICS_H

#include <stddef.h>

/* Compiles the policy. Aborts if it cannot. Once a process. */
void fuzz_topics_start(void);
void fuzz_topics_end(void);

/* Aborts with the bytes in hexadecimal if
 *  - the same topic is judged otherwise the second time, when it may be remembered;
 *  - a name is suggested that is not legal, or is the one that was refused;
 *  - a topic is legal, and the filter of just that text is not;
 *  - the payload is taken for JSON, and jansson does not take it for that.
 * True if it is a legal topic. */
int fuzz_topics(const unsigned char *bytes, size_t length);

#endif
