/* What `aduana explain DIR` has found out, for people or for programs. */
#ifndef ADUANA_CLI_EXPLAIN_TELL_H
#define ADUANA_CLI_EXPLAIN_TELL_H

#include "common/inquiry.h"

struct adu_explain_manner {
    const char *directory; /* of the policy, to show its rules */
    bool all, json;
};

/* What is asked, and of whom. */
struct adu_explain_subject {
    struct adu_inquiry *inquiry;
    const struct adu_policy *policy; /* that the inquiry is about */
    const struct adu_described *client;
    const struct adu_question *question; /* NULL: only whether the client is let in */
    struct adu_now now;
};

/* Asks, and writes the answer to stdout: the verdict, the client as the policy sees it, the rules
 * and the advice. true for a yes. */
bool adu_explain_tell(const struct adu_explain_manner *manner,
                      const struct adu_explain_subject *subject);

#endif
