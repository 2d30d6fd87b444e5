/* Why a stage answered as it did. Filled on the hot path, so it only points; audit.c writes it out.
 */
#ifndef ADUANA_COMMON_REASON_H
#define ADUANA_COMMON_REASON_H

#include "common/error.h"
#include "common/topic.h"

struct adu_reason {
    const char *stage; /* "acl" */
    const char *text;  /* a sentence without its end; lives for ever or as long as the policy */
    const struct adu_place *rule; /* NULL where no rule is to be named */
    const char *rule_name;        /* of a rule that has one; lives as long as the policy */
    unsigned level;               /* of the topic, from 1; 0: not about one level */
    struct adu_text level_text;
    bool watched;      /* the refusal is only to be watched: said, counted, and let through */
    bool enforced;     /* it stands even if its stage's file is only watched */
    bool passing;      /* the answer, yes or no, depends on more than who, what and where */
    long limit;        /* what the rule allows; ADU_NO_LIMIT: not about a number */
    char detail[160];  /* what else there is to say, in any bytes; shown between quotes */
    char nearest[121]; /* what would have been right in its place; empty: nobody knows */
};

enum { ADU_NO_LIMIT = -1 };

#define ADU_REASON_INIT                                                                            \
    {                                                                                              \
        .limit = ADU_NO_LIMIT                                                                      \
    }

/* The same of one that stands in memory already, without touching all of it. */
static inline void adu_reason_clear(struct adu_reason *why)
{
    why->stage = why->text = NULL;
    why->rule = NULL;
    why->rule_name = NULL;
    why->level = 0;
    why->watched = why->enforced = why->passing = false;
    why->limit = ADU_NO_LIMIT;
    why->detail[0] = why->nearest[0] = '\0';
}

/* True if a refusal is one, and not only to be watched; `file_watches`: its stage's file is. */
static inline bool adu_reason_stands(const struct adu_reason *why, bool file_watches)
{
    return !why->watched && (why->enforced || !file_watches);
}

#endif
