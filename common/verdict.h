/* The answers a stage can give. Zero is DENY, so memory that nobody filled in refuses. */
#ifndef ADUANA_COMMON_VERDICT_H
#define ADUANA_COMMON_VERDICT_H

enum adu_verdict {
    ADU_DENY = 0,
    ADU_ABSTAIN, /* nothing to say: the other stages decide */
    ADU_ALLOW,
    ADU_ERROR,    /* could not be decided; treated as DENY, and counted */
    ADU_LATER,    /* of `identify` alone: a worker is asked, and the answer comes under a ticket */
    ADU_TOO_MUCH, /* of `count` and `holds_back` alone: refused where the client can be told that it
                     is for being too much, and else let through */
};

#endif
