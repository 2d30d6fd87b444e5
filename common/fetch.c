#include "common/fetch.h"
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCHEMES "http,https"
enum { CONNECT_MS = 10000, TOO_LARGE = 0 /* what tells curl to stop */ };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool ready;

static void begin(void)
{
    ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

struct transfer {
    const struct adu_fetch *what;
    struct adu_fetched *fetched;
    size_t room;
    bool too_large;
};

static bool grow(struct transfer *t, size_t needed)
{
    size_t room = t->room > 0 ? t->room : 16 * 1024;
    while (room < needed) {
        room *= 2;
    }
    if (room > t->room) {
        unsigned char *bytes = realloc(t->fetched->bytes, room);
        if (bytes == NULL) {
            return false;
        }
        t->fetched->bytes = bytes;
        t->room = room;
    }
    return true;
}

static size_t take(char *bytes, size_t one, size_t count, void *context)
{
    struct transfer *t = context;
    const size_t length = one * count;
    if (length > t->what->most - t->fetched->length) {
        t->too_large = true;
        return TOO_LARGE;
    }
    if (length > 0 && !grow(t, t->fetched->length + length)) {
        return TOO_LARGE;
    }
    if (length > 0) {
        memcpy(t->fetched->bytes + t->fetched->length, bytes, length);
        t->fetched->length += length;
    }
    return length;
}

static int progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct transfer *t = context;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return t->what->stop != NULL && atomic_load(t->what->stop);
}

static bool refuse(char *why, const char *text)
{
    snprintf(why, ADU_FETCH_WHY, "%s", text);
    return false;
}

bool adu_fetch_allows(const char *url, char *why)
{
    char *scheme = NULL, *host = NULL, *user = NULL;
    CURLU *parts = curl_url();
    bool good = false;
    if (parts == NULL) {
        return refuse(why, "out of memory");
    }
    if ((strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0) ||
        curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0)) {
        refuse(why, "expected an address that begins with http:// or https://");
    } else if (curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK || host[0] == '\0') {
        refuse(why, "expected an address with a host");
    } else if (curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK ||
               curl_url_get(parts, CURLUPART_PASSWORD, &user, 0) == CURLUE_OK) {
        refuse(why, "an address must not hold a user or a password");
    } else {
        good = true;
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(parts);
    return good;
}

bool adu_fetch_host(const char *url, char host[ADU_FETCH_HOST])
{
    char *found = NULL;
    CURLU *parts = curl_url();
    const bool good = parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                      curl_url_get(parts, CURLUPART_HOST, &found, 0) == CURLUE_OK &&
                      strlen(found) < ADU_FETCH_HOST;
    if (good) {
        snprintf(host, ADU_FETCH_HOST, "%s", found);
    }
    curl_free(found);
    curl_url_cleanup(parts);
    return good;
}

static bool set_limits(CURL *curl, struct transfer *t)
{
    const struct adu_fetch *what = t->what;
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, SCHEMES) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, SCHEMES) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, what->redirects_most > 0 ? 1L : 0L) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)what->redirects_most) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK && /* nor the environment's */
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           /* A name that is still being looked up is not waited for. */
           curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, what->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                            what->timeout_ms < CONNECT_MS ? what->timeout_ms : (long)CONNECT_MS) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)what->most) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, t) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t) == CURLE_OK &&
           (what->ca_file == NULL ||
            (curl_easy_setopt(curl, CURLOPT_CAINFO, what->ca_file) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK));
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[256];
    if (value == NULL) {
        return true;
    }
    if (snprintf(line, sizeof line, "%s: %s", name, value) >= (int)sizeof line) {
        return false;
    }
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer != NULL) {
        *list = longer;
    }
    return longer != NULL;
}

static bool set_question(CURL *curl, const struct adu_fetch *what, struct curl_slist **headers)
{
    return curl_easy_setopt(curl, CURLOPT_URL, what->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "aduana/" ADUANA_VERSION) == CURLE_OK &&
           add_header(headers, "Content-Type", what->content_type) &&
           add_header(headers, "Accept", what->accept) &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *headers) == CURLE_OK &&
           (what->user == NULL ||
            (curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_USERNAME, what->user) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_PASSWORD, what->password) == CURLE_OK)) &&
           (what->body == NULL ||
            (curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)what->body_length) ==
                 CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_POSTFIELDS, what->body) == CURLE_OK));
}

static bool perform(CURL *curl, struct transfer *t, char *why)
{
    const CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &t->fetched->status);
    if (t->too_large || code == CURLE_FILESIZE_EXCEEDED) {
        snprintf(why, ADU_FETCH_WHY, "the answer has more than %zu bytes", t->what->most);
    } else if (code == CURLE_UNSUPPORTED_PROTOCOL) {
        refuse(why, "it leads to something that is neither http nor https");
    } else if (code != CURLE_OK) {
        refuse(why, curl_easy_strerror(code));
    } else if (t->fetched->status != 200) {
        snprintf(why, ADU_FETCH_WHY, "the answer is HTTP status %ld", t->fetched->status);
    } else {
        return true;
    }
    return false;
}

bool adu_fetch(const struct adu_fetch *what, struct adu_fetched *fetched, char *why)
{
    struct transfer t = {.what = what, .fetched = fetched};
    struct curl_slist *headers = NULL;
    *fetched = (struct adu_fetched){0};
    if (!adu_fetch_allows(what->url, why)) {
        return false;
    }
    pthread_once(&once, begin);
    CURL *curl = ready ? curl_easy_init() : NULL;
    bool good = false;
    if (curl == NULL || !set_limits(curl, &t) || !set_question(curl, what, &headers)) {
        refuse(why, "out of memory");
    } else {
        good = perform(curl, &t, why);
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    if (!good) {
        free(fetched->bytes);
        fetched->bytes = NULL;
        fetched->length = 0;
    }
    return good;
}
