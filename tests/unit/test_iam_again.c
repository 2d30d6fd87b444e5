/* Who is in is looked up again: his roles are renewed, and he goes when he is barred or his secret
 * has been revoked. */
#include "slow_provider.h"

static const char *again(bool refresh, uint64_t *ticket)
{
    struct adu_login login = {.again = true,
                              .refresh = refresh,
                              .ticket = *ticket,
                              .client_id = "c",
                              .proven_before = ADU_FACTOR_PASSWORD,
                              .username_before = "ana",
                              .record_before = record,
                              .secret_before = secret,
                              .why = ADU_REASON_INIT};
    const struct adu_stage_call call = call_of(NULL);
    const enum adu_verdict verdict = adu_iam_auth_identify(&call, &login);
    *ticket = login.ticket;
    if (verdict == ADU_ALLOW) {
        ck_assert_int_eq(login.refresh_seconds, directory.issues ? 60 : 0);
        ck_assert_ptr_null(login.secret.bytes); /* what is kept stays as it is */
        adu_bytes_clear(&record);
        record = login.record;
        login.record = (struct adu_bytes){0};
    }
    return say(verdict, &login);
}

static const char *looked_up_anew(void)
{
    uint64_t ticket = 0;
    if (strcmp(again(true, &ticket), "later") == 0) {
        until_answered(ticket);
        again(true, &ticket);
        adu_iam_auth_abandon(iam, ticket);
    }
    return said;
}

/* Others while his provider is away, and until it has been asked again; not for who was in before.
 */
START_TEST(roles_in_grace)
{
    static const int less[] = {3, ADU_NO_NAME};
    uint64_t ticket = 0;
    policy->offline_roles = less;
    in_the_end("ana", "x");
    ck_assert_int_eq(said_role, 7);
    directory.outcome = ADU_OUTCOME_UNAVAILABLE;
    pass(1000 * SECOND);
    keeps_record = true;
    ck_assert_str_eq(in_the_end("ana", "x"), "turno1");
    keeps_record = false;
    ck_assert_int_eq(said_role, 3);
    ck_assert_str_eq(again(false, &ticket), "turno1"); /* a reload */
    ck_assert_int_eq(said_role, 3);
    pass(HOUR);
    ck_assert_str_eq(looked_up_anew(), "turno1");
    ck_assert_int_eq(said_role, 3);
    directory.outcome = ADU_OUTCOME_VERIFIED;
    pass(HOUR);
    ck_assert_str_eq(looked_up_anew(), "turno1");
    ck_assert_int_eq(said_role, 7);
    directory.outcome = ADU_OUTCOME_UNAVAILABLE;
    pass(HOUR);
    ck_assert_str_eq(looked_up_anew(), "turno1");
    ck_assert_int_eq(said_role, 7);
    adu_bytes_clear(&record);
}
END_TEST

START_TEST(by_the_record)
{
    const struct adu_answer answer = {.outcome = ADU_OUTCOME_VERIFIED, .username = "ana"};
    struct adu_answer with = answer;
    uint64_t ticket = 0;
    ck_assert(adu_attributes_add(&with.attributes, "ldap.group", "turno0"));
    ck_assert(adu_answer_write(&with, "ldap", &record));
    adu_answer_clear(&with);
    hold(true); /* nobody is asked: not in a rerun */
    ck_assert_str_eq(again(false, &ticket), "turno0");
    ck_assert_uint_eq(ticket, 0);
    hold(false);
    ck_assert_str_eq(looked_up_anew(), "turno1");
    ck_assert_str_eq(again(false, &ticket), "turno1");
    /* While the directory is away all stays as it was, however long. */
    directory.outcome = ADU_OUTCOME_UNAVAILABLE;
    strcpy(directory.group, "turno2");
    for (int i = 0; i < 10; i++) {
        pass(HOUR);
        ck_assert_str_eq(looked_up_anew(), "turno1");
    }
    directory.outcome = ADU_OUTCOME_VERIFIED;
    pass(HOUR);
    ck_assert_str_eq(looked_up_anew(), "turno2");
    directory.outcome = ADU_OUTCOME_BARRED;
    ck_assert_str_eq(looked_up_anew(), "no: the account is not to be used");
    directory.outcome = ADU_OUTCOME_UNKNOWN;
    ck_assert_str_eq(looked_up_anew(), "no: no provider knows this user");
    adu_bytes_clear(&record);
    ck_assert_str_eq(again(false, &ticket), "no: no provider knows this user");
}
END_TEST

/* Whoever is barred while he is connected is not let in by what was known of him before. */
START_TEST(barred_while_connected)
{
    in_the_end("ana", "x");
    const struct adu_answer answer = {.outcome = ADU_OUTCOME_VERIFIED, .username = "ana"};
    ck_assert(adu_answer_write(&answer, "ldap", &record));
    directory.outcome = ADU_OUTCOME_BARRED;
    looked_up_anew();
    uint64_t ticket = 0;
    ck_assert_str_eq(at_once("ana", "x", &ticket), "later");
    adu_bytes_clear(&record);
}
END_TEST

/* --- again: by the secret, which may be revoked --- */

static void as_issuer(void)
{
    policy->asked[0].provider = &issuer;
    keeps_record = true;
    ck_assert_str_eq(in_the_end("ana", "x"), "turno1");
    ck_assert_str_eq((const char *)secret.bytes, "x");
    ck_assert_uint_eq(secret.length, 2);
    ck_assert_int_eq(refresh_seconds, 60);
    keeps_record = false;
}

START_TEST(a_secret_is_revoked_while_it_is_in_use)
{
    uint64_t ticket = 0;
    as_issuer();
    pass(60 * SECOND);
    strcpy(directory.group, "turno2");
    ck_assert_str_eq(looked_up_anew(), "turno1"); /* nothing new of its user */
    ck_assert_str_eq(directory.shown, "x");
    ck_assert_int_eq(atomic_load(&directory.asked), 2);
    directory.outcome = ADU_OUTCOME_UNAVAILABLE; /* nobody goes for that */
    ck_assert_str_eq(looked_up_anew(), "turno1");
    directory.outcome = ADU_OUTCOME_VERIFIED;
    strcpy(directory.revoked, "another");
    ck_assert_str_eq(looked_up_anew(), "turno1");
    ck_assert_str_eq(again(false, &ticket), "turno1"); /* a reload asks nobody */
    ck_assert_uint_eq(ticket, 0);
    is_known("ana", "x", "turno1");
    strcpy(directory.revoked, "x");
    ck_assert_str_eq(looked_up_anew(), "no: the account is not to be used \"it is revoked\"");
    ck_assert_str_eq(at_once("ana", "x", &ticket), "later"); /* nor is it let in by heart */
    adu_bytes_clear(&record);
}
END_TEST

/* Two of one user are asked about each by its own, and neither is taken for a log-in by it. */
START_TEST(one_of_two_secrets_is_revoked)
{
    uint64_t tickets[3] = {0};
    struct adu_bytes first;
    as_issuer();
    first = secret;
    secret = (struct adu_bytes){0};
    strcpy(directory.right, "y");
    ck_assert_str_eq(in_the_end("ana", "y"), "turno1");
    hold(true);
    ck_assert_str_eq(again(true, &tickets[0]), "later"); /* "y" */
    struct adu_bytes second = secret;
    secret = first;
    ck_assert_str_eq(again(true, &tickets[1]), "later"); /* "x" */
    pass(HOUR);
    secret = (struct adu_bytes){0};
    ck_assert_str_eq(at_once("ana", "x", &tickets[2]), "later");
    strcpy(directory.revoked, "x");
    hold(false);
    for (int come = 0; come < 3;) {
        come += adu_iam_auth_answered(iam) != 0;
    }
    secret = second;
    ck_assert_str_eq(again(true, &tickets[0]), "turno1");
    secret = first;
    ck_assert_str_eq(again(true, &tickets[1]),
                     "no: the account is not to be used \"it is revoked\"");
    secret = (struct adu_bytes){0};
    ck_assert_str_eq(at_once("ana", NULL, &tickets[2]), "no: wrong password");
    for (int i = 0; i < 3; i++) {
        adu_iam_auth_abandon(iam, tickets[i]);
    }
    adu_bytes_wipe(&first);
    adu_bytes_wipe(&second);
    adu_bytes_clear(&record);
}
END_TEST

/* By heart, and while the issuer is away, as well: what is known serves, but is asked about. */
START_TEST(however_it_was_let_in_it_is_asked_about)
{
    uint64_t ticket = 0;
    as_issuer();
    is_known("ana", "x", "turno1");
    ck_assert_str_eq((const char *)secret.bytes, "x");
    ck_assert_int_eq(refresh_seconds, 60);
    pass(1000 * SECOND);
    directory.outcome = ADU_OUTCOME_UNAVAILABLE;
    keeps_record = true;
    ck_assert_str_eq(in_the_end("ana", "x"), "turno1"); /* in grace */
    keeps_record = false;
    ck_assert_uint_eq(counters.logins_in_grace, 1);
    ck_assert_str_eq((const char *)secret.bytes, "x");
    static const int less[] = {3, ADU_NO_NAME};
    policy->offline_roles = less;
    again(false, &ticket);
    ck_assert_int_eq(said_role, 3);
    directory.outcome = ADU_OUTCOME_VERIFIED;
    pass(HOUR);
    ck_assert_str_eq(looked_up_anew(), "turno1");
    ck_assert_int_eq(said_role, 7); /* its issuer is back */
    adu_bytes_clear(&record);
}
END_TEST

/* Where none can be revoked, or nobody shall be asked again, none is kept. */
START_TEST(no_secret_is_kept_in_vain)
{
    in_the_end("ana", "x");
    ck_assert_ptr_null(secret.bytes);
    as_issuer();
    policy->limits.recheck_seconds = 0;
    in_the_end("ana", "x");
    ck_assert_ptr_null(secret.bytes);
    ck_assert_int_eq(refresh_seconds, 0);
    policy->limits.recheck_seconds = 60;
    directory.issues = false;
    pass(HOUR);
    in_the_end("ana", "x");
    ck_assert_ptr_null(secret.bytes);
    ck_assert_int_eq(refresh_seconds, 0);
    const int before = atomic_load(&directory.asked);
    ck_assert_str_eq(looked_up_anew(), "turno1"); /* of a session from before: nobody is asked */
    ck_assert_int_eq(atomic_load(&directory.asked), before);
    adu_bytes_clear(&record);
}
END_TEST

/* What is not a record, or is of nobody who is asked, lets nobody in. */
START_TEST(records_that_are_none)
{
    static const char *const texts[] = {"",
                                        "1",
                                        "3\0ldap\0ana\0"
                                        "0",
                                        "1\0oidc\0ana\0"
                                        "0",
                                        "1\0ldap",
                                        "1\0ldap\0ana"};
    static const size_t lengths[] = {0, 1, 13, 13, 6, 10};
    uint64_t ticket = 0;
    for (int i = 0; i < ROWS(texts); i++) {
        record = (struct adu_bytes){.bytes = malloc(lengths[i] + 1), .length = lengths[i]};
        memcpy(record.bytes, texts[i], lengths[i]);
        again(false, &ticket);
        ck_assert_msg(strcmp(said, "error") == 0 || strncmp(said, "no:", 3) == 0, "%d: %s", i,
                      said);
        adu_bytes_clear(&record);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        roles_in_grace,
        by_the_record,
        barred_while_connected,
        a_secret_is_revoked_while_it_is_in_use,
        one_of_two_secrets_is_revoked,
        however_it_was_let_in_it_is_asked_about,
        no_secret_is_kept_in_vain,
        records_that_are_none,
    };
    Suite *suite = suite_create("iam_again");
    for (int i = 0; i < ROWS(tests); i++) {
        suite_add_fixture(suite, tests[i], 1, setup, teardown);
    }
    return run_suite(suite);
}
