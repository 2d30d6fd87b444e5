/* Lists at work: files come and go, time passes, certificates are asked about. */
#include "authority.h"
#include "folder.h"
#include "plugins/cert_auth/crl_kept.h"
#include "plugins/cert_auth/crl_live.h"
#include "plugins/cert_auth/crl_source.h"
#include "snippet.h"
#include "web.h"
#include <stdlib.h>
#include <unistd.h>

enum { NOW = 1800000000, HOUR = 3600, DAY = 86400 };

static struct authority ca;
static STACK_OF(X509) * issuers;
static struct folder folder;
static struct snippet snippet;
static void *live;
static const void *settings;
static struct adu_counters counters;
static struct adu_stage_call call;
static X509 *leaf; /* its serial number is 7 */

static int doubts, alerts;
static char alert[600], line[600];

static void on_log(void *context, enum adu_log_level level, const char *text)
{
    (void)context;
    (void)level;
    snprintf(line, sizeof line, "%s", text);
}

static void on_alert(void *context, const struct adu_event *event)
{
    (void)context;
    alerts++;
    snprintf(alert, sizeof alert, "%s %s %d: %s", event->kind, event->raised ? "raised" : "cleared",
             event->severity, event->text);
}

static void on_doubt(void *context)
{
    (void)context;
    doubts++;
}

static const struct adu_outlet outlet = {.log = on_log, .alert = on_alert, .doubt = on_doubt};

static void put_list(const char *name, uint64_t first, size_t count, int64_t from, int64_t until)
{
    size_t length;
    unsigned char *bytes =
        list_bytes(list_new(&ca, first, count, from, until), ca.key, EVP_sha256(), true, &length);
    folder_write_bytes(&folder, name, bytes, length);
    free(bytes);
}

static uint64_t begun; /* lists that came with policies: counted with the next tick */

/* With an empty list of a day in crl.pem. */
static void open_all(void)
{
    ca = authority_make("Planta", NULL);
    leaf = authority_certify(&ca, "edge", 7);
    issuers = sk_X509_new_null();
    sk_X509_push(issuers, ca.certificate);
    folder_make(&folder);
    put_list("crl.pem", 1, 0, NOW, NOW + DAY);
    counters = (struct adu_counters){0};
    call = (struct adu_stage_call){.counters = &counters,
                                   .outlet = &outlet,
                                   .now_ms = 1000000,
                                   .wall_ms = (int64_t)NOW * 1000};
    doubts = alerts = 0;
    alert[0] = line[0] = '\0';
    begun = 0;
    live = adu_crl_source.live_new();
    ck_assert_ptr_nonnull(live);
}

static void adopt(struct adu_revocation_keys keys, const char *json)
{
    snippet_open(&snippet, "cert_auth.json", json);
    snippet.c.directory = folder.path;
    keys.object = snippet.root;
    keys.crl_files = adu_json_member(snippet.root, "crl_files");
    keys.crl_folders = adu_json_member(snippet.root, "crl_folders");
    keys.crl_urls = adu_json_member(snippet.root, "crl_urls");
    keys.recheck_seconds = 1;
    keys.refetch_seconds = 3600;
    ck_assert_msg(adu_crl_source.compile(&snippet.c, &keys, issuers, &settings), "%s",
                  snippet_error(&snippet));
    const uint64_t before = ((struct adu_crl_live *)live)->begun;
    adu_crl_source.adopt(live, settings);
    begun += ((struct adu_crl_live *)live)->begun - before;
    snippet_close(&snippet); /* what is needed further is held */
}

static void close_all(void)
{
    adu_crl_source.live_free(live);
    folder_remove(&folder);
    X509_free(leaf);
    sk_X509_free(issuers);
    authority_free(&ca);
}

static void pass(int64_t seconds)
{
    call.now_ms += seconds * 1000;
    call.wall_ms += seconds * 1000;
    adu_crl_source.tick(live, &call);
}

/* Until what workers do has been done `taken` and `refused` times, a minute at most; `taken`
 * without those that came with policies. */
static void pass_until(uint64_t taken, uint64_t refused)
{
    taken += begun;
    for (int i = 0; i < 6000 && (counters.crls_taken < taken || counters.crls_refused < refused);
         i++) {
        call.now_ms += 1000;
        adu_crl_source.tick(live, &call);
        usleep(10000);
    }
    ck_assert_uint_eq(counters.crls_taken, taken);
    ck_assert_uint_eq(counters.crls_refused, refused);
}

static const char *asked(bool again)
{
    static char said[400];
    struct adu_reason why = ADU_REASON_INIT;
    const struct adu_revocation_question q = {.leaf = leaf,
                                              .issuers = {ca.certificate},
                                              .issuer_count = 1,
                                              .again = again,
                                              .counters = &counters,
                                              .now_ms = call.now_ms,
                                              .wall_ms = call.wall_ms};
    switch (adu_crl_source.ask(live, &q, &why)) {
    case ADU_ALLOW:
        return "good";
    case ADU_ABSTAIN:
        return "not known";
    default:
        snprintf(said, sizeof said, "%s %s", why.text, why.detail);
        return said;
    }
}

#define ONE "{'crl_files': ['crl.pem']}"

START_TEST(a_new_list_counts)
{
    open_all();
    adopt((struct adu_revocation_keys){0}, ONE);
    ck_assert_str_eq(asked(false), "good");
    struct adu_attributes certificate = {0};
    ck_assert(adu_attributes_add(&certificate, "cert.serial", "07"));
    ck_assert(!adu_crl_source.doubts(live, &certificate));
    put_list("crl.pem", 5, 10, NOW + 1, NOW + DAY);
    pass_until(1, 0);
    ck_assert_str_eq(line, "CRL crl.pem taken: 10 revoked, until 2027-01-16T08:00:00Z");
    ck_assert_int_eq(doubts, 1);
    ck_assert(adu_crl_source.doubts(live, &certificate));
    ck_assert_str_eq(asked(false),
                     "its certificate has been revoked: 2027-01-15T08:00:01Z, says crl.pem");
    ck_assert_ptr_nonnull(strstr(asked(true), "has been revoked"));
    ck_assert_uint_eq(counters.logins_revoked, 1);
    ck_assert_int_eq(alerts, 0);
    adu_attributes_clear(&certificate);
    close_all();
}
END_TEST

START_TEST(those_of_the_start_are_counted)
{
    open_all();
    adopt((struct adu_revocation_keys){0}, ONE);
    pass(0);
    ck_assert_uint_eq(counters.crls_taken, 1);
    adopt((struct adu_revocation_keys){0}, ONE); /* the same once more */
    pass(0);
    ck_assert_uint_eq(counters.crls_taken, 1);
    put_list("crl.pem", 5, 10, NOW + 1, NOW + DAY);
    adopt((struct adu_revocation_keys){0}, ONE);
    pass(0);
    ck_assert_uint_eq(counters.crls_taken, 2);
    adu_crl_source.adopt(live, NULL);
    pass(0);
    ck_assert_uint_eq(counters.crls_taken, 2);
    close_all();
}
END_TEST

START_TEST(a_bad_file_changes_nothing)
{
    open_all();
    put_list("crl.pem", 7, 1, NOW, NOW + DAY);
    adopt((struct adu_revocation_keys){0}, ONE);
    folder_write(&folder, "crl.pem", "-----BEGIN X509 CRL-----\nMII\n");
    pass_until(0, 1);
    pass(1);
    ck_assert_str_eq(alert,
                     "crl_unreadable raised 0: CRL crl.pem: it is damaged or truncated: there "
                     "is a CRL in PEM that cannot be read; what was known before counts");
    ck_assert_ptr_nonnull(strstr(asked(false), "has been revoked"));
    folder_delete(&folder, "crl.pem");
    for (int i = 0; i < 6000 && strstr(alert, "No such file") == NULL; i++) {
        pass(1);
        usleep(10000);
    }
    ck_assert_ptr_nonnull(strstr(asked(false), "has been revoked"));
    put_list("crl.pem", 8, 1, NOW, NOW + DAY);
    pass_until(1, 1);
    pass(1);
    ck_assert_str_eq(alert, "crl_unreadable cleared 0: every CRL can be had again");
    ck_assert_str_eq(asked(false), "good");
    close_all();
}
END_TEST

START_TEST(the_end_of_a_list)
{
    open_all();
    adopt((struct adu_revocation_keys){.expired = _i, .grace_hours = 2}, ONE);
    pass(DAY / 4 * 3 - 1);
    ck_assert_int_eq(alerts, 0);
    pass(1);
    ck_assert_int_eq(alerts, 1); /* a quarter of its life before */
    ck_assert_ptr_nonnull(strstr(alert,
                                 "crl_expiry raised 0: the CRL crl.pem of \"Planta\" expires "
                                 "on 2027-01-16T08:00:00Z"));
    pass(DAY / 4 - 1);
    ck_assert_str_eq(asked(false), "good");
    ck_assert_int_eq(alerts, 1);
    pass(1);
    ck_assert_int_eq(alerts, 2);
    ck_assert_ptr_nonnull(strstr(alert, "crl_expiry raised 1: "));
    ck_assert_str_eq(asked(false), _i == 1 ? "good"
                                           : "the CRL of its issuer has expired crl.pem, from "
                                             "2027-01-15T08:00:00Z until 2027-01-16T08:00:00Z");
    ck_assert_str_eq(asked(true), _i == 1 ? "good" : "not known");
    pass(2 * HOUR);
    ck_assert_ptr_nonnull(strstr(asked(false), "has expired"));
    put_list("crl.pem", 1, 0, NOW + DAY, NOW + 9 * DAY);
    pass_until(1, 0);
    pass(1);
    ck_assert_ptr_nonnull(strstr(alert, "crl_expiry cleared"));
    ck_assert_str_eq(asked(false), "good");
    close_all();
}
END_TEST

START_TEST(what_nobody_knows)
{
    open_all();
    put_list("crl.pem", 1, 0, NOW + 600, NOW + DAY);
    adopt((struct adu_revocation_keys){0}, ONE);
    ck_assert_ptr_nonnull(strstr(asked(false), "is of the future; is the clock right?"));
    pass(301); /* as far as clocks may differ */
    ck_assert_str_eq(asked(false), "good");
    struct authority other = authority_make("Another", NULL);
    sk_X509_push(issuers, other.certificate);
    X509_free(leaf);
    leaf = authority_certify(&other, "edge", 7);
    struct authority mine = ca;
    ca = other;
    ck_assert_str_eq(asked(false), "there is no CRL of its issuer Another");
    ck_assert_str_eq(asked(true), "not known");
    ca = mine;
    adopt((struct adu_revocation_keys){.unknown = 1}, ONE);
    ca = other;
    ck_assert_str_eq(asked(false), "not known");
    ck_assert_uint_eq(counters.logins_revocation_unknown, 3);
    ca = mine;
    adu_crl_source.adopt(live, NULL);
    ck_assert_str_eq(asked(false), "not known");
    close_all();
    authority_free(&other);
}
END_TEST

START_TEST(the_latest_of_a_folder_counts)
{
    open_all();
    put_list("b.crl", 7, 1, NOW - HOUR, NOW + DAY);
    put_list("a.pem", 1, 0, NOW - 2 * HOUR, NOW + DAY);
    folder_delete(&folder, "crl.pem");
    folder_write(&folder, "README", "no list");
    adopt((struct adu_revocation_keys){0}, "{'crl_folders': ['.']}");
    ck_assert_ptr_nonnull(strstr(asked(false), "has been revoked"));
    folder_delete(&folder, "b.crl"); /* stays in force until there is something newer */
    pass_until(0, 1);
    pass(1);
    ck_assert_ptr_nonnull(strstr(alert, "./b.crl: is gone, and nothing newer"));
    ck_assert_ptr_nonnull(strstr(asked(false), "has been revoked"));
    put_list("c.der", 8, 1, NOW, NOW + DAY);
    pass_until(1, 1);
    pass(1);
    ck_assert_ptr_nonnull(strstr(alert, "crl_unreadable cleared"));
    ck_assert_str_eq(asked(false), "good");
    close_all();
}
END_TEST

START_TEST(another_policy_while_a_worker_works)
{
    open_all();
    for (int i = 0; i < 50; i++) {
        adopt((struct adu_revocation_keys){0}, ONE);
        pass(2);
        if (i % 5 == 0) {
            put_list("crl.pem", 7, 1, NOW + i, NOW + DAY);
        }
    }
    adopt((struct adu_revocation_keys){0}, ONE);
    ck_assert_ptr_nonnull(strstr(asked(false), "has been revoked"));
    close_all();
}
END_TEST

/* One start loads the folder once for each plugin. */
START_TEST(a_file_is_read_once_a_start)
{
    open_all();
    adopt((struct adu_revocation_keys){0}, ONE);
    folder_write(&folder, "crl.pem", "-----BEGIN X509 CRL-----\nMII\n");
    adopt((struct adu_revocation_keys){.before = settings}, ONE); /* else it is an error */
    ck_assert_str_eq(asked(false), "good");
    pass_until(0, 1); /* what came after it was read is seen all the same */
    put_list("other.pem", 7, 1, NOW, NOW + DAY);
    adopt((struct adu_revocation_keys){.before = settings}, "{'crl_files': ['other.pem']}");
    ck_assert_ptr_nonnull(strstr(asked(false), "has been revoked"));
    close_all();
}
END_TEST

/* --- addresses --- */

static struct web web;

static void serve(uint64_t first, size_t count, int64_t from)
{
    put_list("served.pem", first, count, from, NOW + DAY);
    size_t length;
    char *text = file_text(folder_file(&folder, "served.pem"), &length);
    ck_assert_ptr_nonnull(text);
    web_answers(&web, 200, text);
    free(text);
}

/* As a broker does that starts: nothing is known but what lies in the state folder. */
static void start_anew(void)
{
    char json[128];
    adu_crl_source.live_free(live);
    live = adu_crl_source.live_new();
    counters = (struct adu_counters){0};
    call.state_dir = folder.path;
    snprintf(json, sizeof json, "{'crl_urls': ['%scrl']}", web.url);
    adopt((struct adu_revocation_keys){0}, json);
}

START_TEST(a_fetched_list_outlives_a_restart)
{
    open_all();
    web_start(&web);
    serve(7, 1, NOW);
    start_anew();
    ck_assert_ptr_nonnull(strstr(asked(false), "there is no CRL of its issuer"));
    pass_until(1, 0);
    ck_assert_ptr_nonnull(strstr(asked(false), "has been revoked"));
    ck_assert_int_eq(folder_count(&folder, "crl-"), 1);
    web_answers(&web, 503, "");
    start_anew();
    pass_until(1, 1);
    ck_assert_ptr_nonnull(strstr(asked(false), "has been revoked"));
    serve(8, 1, NOW - HOUR); /* an older one is not believed, as without a restart */
    start_anew();
    pass_until(1, 1);
    ck_assert_ptr_nonnull(strstr(asked(false), "has been revoked"));
    serve(8, 1, NOW + 1);
    start_anew();
    pass_until(2, 0);
    ck_assert_str_eq(asked(false), "good");
    ck_assert_int_eq(folder_count(&folder, "crl-"), 1);
    web_stop(&web);
    close_all();
}
END_TEST

static void damage_what_is_kept(const char *text)
{
    char *path = adu_crl_kept_path(folder.path, "http://127.0.0.1:1/crl");
    folder_write(&folder, strrchr(path, '/') + 1, text);
    free(path);
}

/* Neither damage nor a list of somebody else. */
START_TEST(what_was_kept_is_checked)
{
    open_all();
    struct authority mine = ca, other = authority_make("Planta", NULL);
    snprintf(web.url, sizeof web.url, "http://127.0.0.1:1/"); /* nobody is there */
    ca = other;
    put_list("others.pem", 1, 0, NOW, NOW + DAY);
    ca = mine;
    size_t length;
    char *text = file_text(folder_file(&folder, _i == 0 ? "others.pem" : "crl.pem"), &length);
    text[_i == 0 ? length : length / 2] = '\0';
    damage_what_is_kept(text);
    free(text);
    start_anew();
    pass_until(0, 2); /* the file, and the address */
    ck_assert_ptr_nonnull(strstr(asked(false), "there is no CRL of its issuer"));
    close_all();
    authority_free(&other);
}
END_TEST

START_TEST(a_list_that_cannot_be_kept_counts)
{
    open_all();
    web_start(&web);
    serve(7, 1, NOW);
    start_anew();
    call.state_dir = "/proc/nowhere";
    pass_until(1, 0);
    ck_assert_ptr_nonnull(strstr(asked(false), "has been revoked"));
    ck_assert_uint_eq(counters.state_errors, 1);
    ck_assert_ptr_nonnull(strstr(line, "cannot be kept for the next start"));
    web_stop(&web);
    close_all();
}
END_TEST

/* --- whose list --- */

static void put_certificate(const char *name, X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    ck_assert_int_eq(PEM_write_bio_X509(bio, certificate), 1);
    const long length = BIO_get_mem_data(bio, &text);
    folder_write_bytes(&folder, name, text, (size_t)length);
    BIO_free(bio);
}

static const char *judged(const struct adu_revocation *policy, X509 *certificate)
{
    static char said[400];
    struct adu_attributes attributes = {0};
    struct adu_bytes der = {0};
    der.length = (size_t)i2d_X509(certificate, &der.bytes);
    struct adu_login login = {.shown = der, .certificate = &attributes, .why = ADU_REASON_INIT};
    const enum adu_verdict verdict = adu_revocation_judge(policy, &call, &login, false);
    OPENSSL_free(der.bytes);
    if (verdict == ADU_ALLOW) {
        return "good";
    }
    ck_assert_int_eq(verdict, ADU_DENY);
    snprintf(said, sizeof said, "%s %s", login.why.text, login.why.detail);
    return said;
}

/* Nothing but the signature tells whose a certificate is. */
START_TEST(authorities_of_the_same_name)
{
    open_all();
    struct authority mine = ca, namesake = authority_make("Planta", NULL);
    struct authority unknown = authority_make("Somebody", NULL);
    put_certificate("mine.pem", mine.certificate);
    put_certificate("namesake.pem", namesake.certificate);
    put_list("mine.crl", 7, 1, NOW, NOW + DAY);
    ca = namesake;
    put_list("namesake.crl", 8, 1, NOW, NOW + DAY);
    ca = mine;
    snippet_open(&snippet, "cert_auth.json",
                 "{'ca_files': ['mine.pem', 'namesake.pem', 'mine.pem'], "
                 "'crl_files': ['mine.crl', 'namesake.crl']}");
    snippet.c.directory = folder.path;
    STACK_OF(X509) *none = sk_X509_new_null();
    const struct adu_revocation *policy =
        adu_revocation_compile(&snippet.c, snippet.root, none, NULL);
    ck_assert_msg(policy != NULL, "%s", snippet_error(&snippet));
    call.instance = adu_revocation_live_new();
    call.generation = 1;
    X509 *theirs = authority_certify(&namesake, "edge", 7),
         *other = authority_certify(&unknown, "edge", 9);
    ck_assert_ptr_nonnull(
        strstr(judged(policy, leaf), "revoked: 2027-01-15T08:00:00Z, says mine.crl"));
    ck_assert_str_eq(judged(policy, theirs), "good");
    ck_assert_str_eq(judged(policy, other),
                     "none of the authorities that may revoke it is known: ");
    adu_revocation_live_free(call.instance);
    X509_free(theirs);
    X509_free(other);
    sk_X509_free(none);
    snippet_close(&snippet);
    authority_free(&namesake);
    authority_free(&unknown);
    close_all();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crl_source");
    suite_add(suite, a_new_list_counts);
    suite_add(suite, those_of_the_start_are_counted);
    suite_add(suite, a_bad_file_changes_nothing);
    suite_add_rows(suite, the_end_of_a_list, 2);
    suite_add(suite, what_nobody_knows);
    suite_add(suite, the_latest_of_a_folder_counts);
    suite_add(suite, a_file_is_read_once_a_start);
    suite_add(suite, a_fetched_list_outlives_a_restart);
    suite_add_rows(suite, what_was_kept_is_checked, 2);
    suite_add(suite, a_list_that_cannot_be_kept_counts);
    suite_add(suite, authorities_of_the_same_name);
    suite_add(suite, another_policy_while_a_worker_works);
    return run_suite(suite);
}
