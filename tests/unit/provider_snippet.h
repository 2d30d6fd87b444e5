/* A provider's part of iam_auth.json in the middle of a test: what it compiles to, or why it is
 * refused. */
#ifndef ADUANA_TESTS_PROVIDER_SNIPPET_H
#define ADUANA_TESTS_PROVIDER_SNIPPET_H

#include "folder.h"
#include "plugins/iam_auth/provider.h"
#include "snippet.h"

/* The open one of this program, and the folder that its file names are of. */
static struct snippet snippet;
static struct folder folder;

/* NULL when refused, with the error in the snippet. End with snippet_close. */
static inline const void *provider_settings(const struct adu_provider *provider, const char *json)
{
    snippet_open(&snippet, "iam_auth.json", json);
    snippet.c.directory = folder.path;
    const void *settings = provider->compile(&snippet.c, snippet.root);
    ck_assert_int_eq(settings == NULL, snippet.error.set);
    snippet_compiled(&snippet);
    return settings;
}

/* The same of `json` that must be good. */
static inline const void *provider_good_settings(const struct adu_provider *provider,
                                                 const char *json)
{
    const void *settings = provider_settings(provider, json);
    ck_assert_msg(settings != NULL, "%s: %s", json, snippet_error(&snippet));
    return settings;
}

#endif
