/* A topic_policy.json in the middle of a test: what it compiles to, or why it is refused. */
#ifndef ADUANA_TESTS_TOPIC_SNIPPET_H
#define ADUANA_TESTS_TOPIC_SNIPPET_H

#include "plugins/topic_policy/topic_policy.h"
#include "snippet.h"

/* The open one of this program. */
static struct snippet snippet;

/* The policy of `json`, which must be a good one; lives until snippet_close. */
static inline const struct adu_topic_policy *policy_of(const char *json)
{
    snippet_open(&snippet, "topic_policy.json", json);
    const struct adu_topic_policy *policy = adu_topic_policy_compile(&snippet.c, snippet.root);
    ck_assert_msg(policy != NULL, "%s: %s", json, snippet_error(&snippet));
    snippet_compiled(&snippet);
    return policy;
}

/* `json` must be refused with a message that holds `error`. */
static inline void policy_is_refused(const char *json, const char *error)
{
    snippet_open(&snippet, "topic_policy.json", json);
    ck_assert_msg(adu_topic_policy_compile(&snippet.c, snippet.root) == NULL, "%s", json);
    ck_assert_msg(strstr(snippet_error(&snippet), error) != NULL, "%s: %s", json, snippet.text);
    snippet_close(&snippet);
}

#endif
