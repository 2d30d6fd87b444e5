/* OCSP as a source of revocation: whom it asks by the policy and by a certificate, and what becomes
 * of clients while nobody answers. Who answers is tests/integration/test_ocsp.py. */
#include "answers.h"
#include "plugins/cert_auth/ocsp_settings.h"
#include "plugins/cert_auth/ocsp_source.h"
#include "snippet.h"
#include <netinet/in.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OFF, SOFT, HARD, WAIT_MS = 30000 };

/* --- settings --- */

static struct adu_ocsp_settings *compiled(struct snippet *s, struct adu_revocation_keys keys,
                                          const char *json)
{
    struct adu_ocsp_settings *settings = NULL;
    snippet_open(s, "cert_auth.json", json);
    keys.object = s->root;
    keys.ocsp_hosts = adu_json_member(s->root, "ocsp_hosts");
    const bool good = adu_ocsp_settings_compile(&s->c, &keys, &settings);
    ck_assert_msg(good == !s->error.set, "%s", snippet_error(s));
    return settings;
}

static const struct {
    const char *json, *responder, *error;
} policies[] = {
    {"{'ocsp': 'hard'}", NULL, ""},
    {"{'ocsp': 'hard', 'ocsp_responder': 1}", "http://ocsp.planta/", ""},
    {"{'ocsp': 'hard', 'ocsp_responder': 1}", "https://ocsp.planta:8443/a?b=c", ""},
    {"{'ocsp': 'hard', 'ocsp_responder': 1}", "file:///etc/passwd",
     "cert_auth.json:1:36: ocsp_responder: expected an address that begins with http:// or "
     "https://"},
    {"{'ocsp': 'hard', 'ocsp_responder': 1}", "http://root:secret@ocsp.planta/",
     "cert_auth.json:1:36: ocsp_responder: an address must not hold a user or a password"},
    {"{'ocsp': 'hard', 'ocsp_hosts': []}", NULL,
     "cert_auth.json:1:32: ocsp_hosts: an empty list allows no responder at all"},
    {"{'ocsp': 'hard', 'ocsp_hosts': ['a', 'http://a/']}", NULL,
     "cert_auth.json:1:38: ocsp_hosts[1]: expected the name of a host, nothing around it"},
    {"{'ocsp_nonce': 'required'}", NULL,
     "cert_auth.json:1:2: ocsp_nonce: has no use without \"ocsp\""},
};

START_TEST(what_a_policy_may_say)
{
    struct snippet s;
    const struct adu_revocation_keys keys = {.ocsp = HARD,
                                             .ocsp_responder = policies[_i].responder};
    struct adu_ocsp_settings *settings = compiled(&s, keys, policies[_i].json);
    ck_assert_str_eq(snippet_error(&s), policies[_i].error);
    ck_assert((settings != NULL) == (policies[_i].error[0] == '\0'));
    adu_ocsp_settings_unref(settings);
    snippet_close(&s);
}
END_TEST

START_TEST(off_is_checked_but_asks_nothing)
{
    struct snippet s;
    const struct adu_revocation_keys keys = {.ocsp = OFF, .ocsp_responder = "http://ocsp.planta/"};
    ck_assert_ptr_null(compiled(&s, keys, "{'ocsp': 'off', 'ocsp_responder': 1}"));
    ck_assert_str_eq(snippet_error(&s), "");
    snippet_close(&s);
}
END_TEST

START_TEST(hosts_that_nobody_names)
{
    struct snippet s;
    const struct adu_revocation_keys keys = {.ocsp = HARD, .ocsp_responder = "http://ocsp.planta/"};
    struct adu_findings *findings = adu_findings_new();
    struct adu_ocsp_settings *settings = NULL;
    snippet_open(&s, "cert_auth.json",
                 "{'ocsp': 'hard', 'ocsp_responder': 1, 'ocsp_hosts': ['a']}");
    s.c.findings = findings;
    struct adu_revocation_keys full = keys;
    full.object = s.root;
    full.ocsp_hosts = adu_json_member(s.root, "ocsp_hosts");
    ck_assert(adu_ocsp_settings_compile(&s.c, &full, &settings));
    ck_assert_uint_eq(adu_findings_count(findings), 1);
    ck_assert_str_eq(adu_findings_first(findings)->code, "unused-ocsp-hosts");
    adu_ocsp_settings_unref(settings);
    adu_findings_free(findings);
    snippet_close(&s);
}
END_TEST

/* --- whom a certificate names --- */

#define NO_SCHEME "the certificate names a responder by something else than http:// or https://"
#define NO_HOST   "the certificate names a responder that is none of \"ocsp_hosts\""
#define NOBODY    "the certificate names no responder, nor does \"ocsp_responder\""

static const struct {
    const char *named; /* NULL: none */
    const char *hosts, *asked, *why;
} named[] = {
    {NULL, "", NULL, NOBODY},
    {"OCSP;URI:http://ocsp.planta/", "", "http://ocsp.planta/", NULL},
    {"caIssuers;URI:http://ca.planta/", "", NULL, NOBODY},
    {"OCSP;DNS:ocsp.planta", "", NULL, NOBODY},
    {"OCSP;URI:file:///etc/passwd", "", NULL, NO_SCHEME},
    {"OCSP;URI:ldap://ldap.planta/", "", NULL, NO_SCHEME},
    {"OCSP;URI:http://a:b@ocsp.planta/", "", NULL, NO_SCHEME},
    {"OCSP;URI:http://ocsp.planta/\xc2\x85", "", NULL, NO_SCHEME},
    {"OCSP;URI:http://ocsp.planta/ x", "", NULL, NO_SCHEME},
    {"OCSP;URI:file:///etc/passwd,OCSP;URI:https://ocsp.planta/", "", "https://ocsp.planta/", NULL},
    {"OCSP;URI:http://ocsp.planta/", "'a', 'OCSP.planta'", "http://ocsp.planta/", NULL},
    {"OCSP;URI:http://ocsp.planta:80/x", "'ocsp.planta'", "http://ocsp.planta:80/x", NULL},
    {"OCSP;URI:http://169.254.169.254/", "'ocsp.planta'", NULL, NO_HOST},
    {"OCSP;URI:http://ocsp.planta.example/", "'ocsp.planta'", NULL, NO_HOST},
    {"OCSP;URI:http://example/ocsp.planta", "'ocsp.planta'", NULL, NO_HOST},
    {"OCSP;URI:http://a/,OCSP;URI:http://b/", "'b'", "http://b/", NULL},
};

START_TEST(whom_a_certificate_names)
{
    struct snippet s;
    char json[128], url[ADU_OCSP_URL], why[ADU_OCSP_WHY] = "";
    X509 *leaf = X509_new();
    if (named[_i].named != NULL) {
        X509_EXTENSION *extension =
            X509V3_EXT_conf_nid(NULL, NULL, NID_info_access, named[_i].named);
        ck_assert(extension != NULL && X509_add_ext(leaf, extension, -1) == 1);
        X509_EXTENSION_free(extension);
    }
    snprintf(json, sizeof json,
             named[_i].hosts[0] != '\0' ? "{'ocsp_hosts': [%s], 'ocsp': 1}" : "{'ocsp': 1}",
             named[_i].hosts);
    struct adu_ocsp_settings *settings =
        compiled(&s, (struct adu_revocation_keys){.ocsp = SOFT}, json);
    const bool found = adu_ocsp_settings_responder(settings, leaf, url, why);
    ck_assert_msg(found == (named[_i].asked != NULL), "%s", why);
    ck_assert_str_eq(found ? url : why, found ? named[_i].asked : named[_i].why);
    adu_ocsp_settings_unref(settings);
    X509_free(leaf);
    snippet_close(&s);
}
END_TEST

START_TEST(the_policy_names_one_for_all)
{
    struct snippet s;
    char url[ADU_OCSP_URL], why[ADU_OCSP_WHY];
    X509 *leaf = X509_new();
    const struct adu_revocation_keys keys = {.ocsp = SOFT, .ocsp_responder = "http://ocsp.planta/"};
    struct adu_ocsp_settings *settings = compiled(&s, keys, "{'ocsp': 1, 'ocsp_responder': 1}");
    ck_assert(adu_ocsp_settings_responder(settings, leaf, url, why));
    ck_assert_str_eq(url, "http://ocsp.planta/");
    adu_ocsp_settings_unref(settings);
    X509_free(leaf);
    snippet_close(&s);
}
END_TEST

/* --- nobody answers --- */

static struct {
    struct answers answers;
    struct adu_attributes certificate;
    struct adu_revocation_question question;
    struct snippet s;
    const void *settings;
    void *live;
    struct adu_counters counters;
    struct adu_stage_call call;
    struct adu_outlet outlet;
    char said[256], alerted[512];
    unsigned lines, alerts, doubts;
} t;

static void log_it(void *context, enum adu_log_level level, const char *text)
{
    (void)context;
    (void)level;
    t.lines++;
    snprintf(t.said, sizeof t.said, "%.255s", text);
}

static void alert(void *context, const struct adu_event *event)
{
    (void)context;
    ck_assert_str_eq(event->kind, "ocsp_unanswered");
    t.alerts++;
    snprintf(t.alerted, sizeof t.alerted, "%s %s", event->raised ? "raised" : "cleared",
             event->text);
}

static void doubt(void *context)
{
    (void)context;
    t.doubts++;
}

/* One that nobody listens on. */
static unsigned silent_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(fd >= 0 && bind(fd, (struct sockaddr *)&at, size) == 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static void adopt(int mode)
{
    char url[64], text[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", silent_port());
    struct adu_revocation_keys keys = {.ocsp = mode,
                                       .ocsp_responder = url,
                                       .ocsp_refresh_seconds = 3600,
                                       .ocsp_timeout_seconds = 5,
                                       .ocsp_skew_seconds = 300,
                                       .ocsp_max_age_hours = 24};
    snprintf(text, sizeof text, "{'ocsp': 1, 'ocsp_responder': 1}");
    snippet_open(&t.s, "cert_auth.json", text);
    keys.object = t.s.root;
    ck_assert(adu_ocsp_source.compile(&t.s.c, &keys, NULL, &t.settings));
    adu_ocsp_source.adopt(t.live, t.settings);
}

static void open_source(int mode)
{
    memset(&t, 0, sizeof t);
    answers_open(&t.answers);
    ck_assert(adu_attributes_add(&t.certificate, "cert.fingerprint", "0a0b"));
    t.outlet = (struct adu_outlet){.log = log_it, .alert = alert, .doubt = doubt};
    t.call = (struct adu_stage_call){
        .counters = &t.counters, .outlet = &t.outlet, .now_ms = 1000, .wall_ms = ANSWERS_WALL_MS};
    t.question = (struct adu_revocation_question){.leaf = t.answers.leaf,
                                                  .certificate = &t.certificate,
                                                  .issuers = {t.answers.other, t.answers.issuer},
                                                  .issuer_count = 2,
                                                  .counters = &t.counters,
                                                  .now_ms = 1000,
                                                  .wall_ms = ANSWERS_WALL_MS};
    t.live = adu_ocsp_source.live_new();
    ck_assert_ptr_nonnull(t.live);
    adopt(mode);
}

static void close_source(void)
{
    adu_ocsp_source.live_free(t.live);
    adu_ocsp_source.live_free(NULL);
    snippet_close(&t.s);
    adu_attributes_clear(&t.certificate);
    answers_close(&t.answers);
}

/* Of a log-in, or of one that is in already. */
static const char *ask(bool again)
{
    static char text[512];
    struct adu_reason why = ADU_REASON_INIT;
    t.question.again = again;
    t.question.now_ms = t.call.now_ms;
    switch (adu_ocsp_source.ask(t.live, &t.question, &why)) {
    case ADU_ALLOW:
        return "allow";
    case ADU_ABSTAIN:
        return "abstain";
    default:
        snprintf(text, sizeof text, "%s %s", why.text, why.detail);
        return text;
    }
}

static void tick_until_unanswered(uint64_t many)
{
    for (int i = 0; t.counters.ocsp_unanswered < many; i++) {
        ck_assert_int_lt(i, WAIT_MS);
        usleep(1000);
        adu_ocsp_source.tick(t.live, &t.call);
    }
}

static void begins(const char *text, const char *with)
{
    ck_assert_msg(strncmp(text, with, strlen(with)) == 0, "%s", text);
}

#define ASKING "its responder is being asked whether its certificate has been revoked (OCSP)"
#define SILENT "nobody says whether its certificate has been revoked (OCSP): "

START_TEST(hard_and_nobody_answers)
{
    open_source(HARD);
    begins(ask(false), ASKING);
    begins(ask(false), ASKING); /* one flight */
    tick_until_unanswered(1);
    ck_assert_uint_eq(t.counters.ocsp_lookups, 1);
    begins(ask(false), SILENT);
    ck_assert_str_eq(ask(true), "abstain");
    begins(t.alerted, "raised OCSP: no usable answer, so log-ins are refused: http://127.0.0.1:");
    t.call.now_ms += 5000;
    begins(ask(false), SILENT); /* and asks again */
    tick_until_unanswered(2);
    ck_assert_uint_eq(t.counters.ocsp_lookups, 2);
    ck_assert_uint_eq(t.counters.ocsp_let_in, 0);
    ck_assert_uint_eq(t.counters.logins_revocation_unknown, 4);
    ck_assert_uint_eq(t.alerts + t.lines, 2);
    /* When nobody has come with it for long, nobody misses an answer. */
    t.call.now_ms += 31 * 60 * 1000;
    adu_ocsp_source.tick(t.live, &t.call);
    ck_assert_str_eq(t.alerted, "cleared OCSP: all certificates have an answer again");
    ck_assert_uint_eq(t.alerts + t.lines, 4);
    begins(ask(false), ASKING);
    close_source();
}
END_TEST

START_TEST(soft_and_nobody_answers)
{
    open_source(SOFT);
    ck_assert_str_eq(ask(false), "abstain");
    tick_until_unanswered(1);
    ck_assert_str_eq(ask(false), "abstain");
    ck_assert_str_eq(ask(true), "abstain");
    adu_ocsp_source.tick(t.live, &t.call);
    ck_assert_uint_eq(t.counters.ocsp_let_in, 2);
    begins(t.alerted, "raised OCSP: no usable answer, log-ins are let in unasked: http://");
    close_source();
}
END_TEST

START_TEST(nobody_to_ask)
{
    open_source(HARD);
    t.question.issuer_count = 1; /* the other one of that name */
    begins(ask(false), "no authority that the policy knows has issued its certificate");
    ck_assert_str_eq(ask(true), "abstain");
    adu_attributes_clear(&t.certificate);
    begins(ask(false), "its certificate has no fingerprint to remember answers by (OCSP)");
    t.question.leaf = NULL; /* in words */
    ck_assert_str_eq(ask(false), "abstain");
    adu_ocsp_source.tick(t.live, &t.call);
    ck_assert_uint_eq(t.counters.ocsp_lookups, 0);
    close_source();
}
END_TEST

/* The broker ends, or the policy changes, while a look-up is under way. */
START_TEST(nobody_waits_for_an_answer)
{
    open_source(HARD);
    begins(ask(false), ASKING);
    ck_assert(!adu_ocsp_source.doubts(t.live, &t.certificate));
    adu_ocsp_source.adopt(t.live, NULL);
    ck_assert_str_eq(ask(false), "abstain");
    ck_assert(!adu_ocsp_source.doubts(t.live, &t.certificate));
    adu_ocsp_source.adopt(t.live, t.settings);
    begins(ask(false), ASKING);
    close_source();
}
END_TEST

/* Who is still there is asked now and then, so that they are looked up again. */
START_TEST(roll_call)
{
    open_source(SOFT);
    adu_ocsp_source.tick(t.live, &t.call);
    ck_assert_uint_eq(t.doubts, 1);
    adu_ocsp_source.tick(t.live, &t.call);
    ck_assert_uint_eq(t.doubts, 1);
    t.call.now_ms += 10 * 60 * 1000;
    adu_ocsp_source.tick(t.live, &t.call);
    ck_assert_uint_eq(t.doubts, 2);
    close_source();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ocsp_source");
    suite_add_rows(suite, what_a_policy_may_say, ROWS(policies));
    suite_add(suite, off_is_checked_but_asks_nothing);
    suite_add(suite, hosts_that_nobody_names);
    suite_add_rows(suite, whom_a_certificate_names, ROWS(named));
    suite_add(suite, the_policy_names_one_for_all);
    suite_add(suite, hard_and_nobody_answers);
    suite_add(suite, soft_and_nobody_answers);
    suite_add(suite, nobody_to_ask);
    suite_add(suite, nobody_waits_for_an_answer);
    suite_add(suite, roll_call);
    return run_suite(suite);
}
