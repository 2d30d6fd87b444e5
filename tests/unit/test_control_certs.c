/* The list of certificates: of whom, what is told of each, and in pages. */
#include "ordering.h"
#include <stdio.h>
#include <string.h>

static char soon[200];

/* edge-linea1's certificate, of a weak key, ends in five days. */
static void open_plant(void)
{
    ordering_prepare();
    plant_start(&plant);
    snprintf(
        soon, sizeof soon,
        EDGE("edge-linea1") ";cert.serial=0A;cert.fingerprint=aa;cert.bits=1024;cert.until=%lld",
        (long long)(plant.now.wall_ms / 1000 + 5 * 86400));
    edge.certificate = soon;
    ck_assert_int_eq(plant_login(&plant, &jefe), ADU_ALLOW);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
}

static const json_t *cert_of(json_t *data, const char *client_id)
{
    json_t *list = json_object_get(data, "certs"), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        if (strcmp(string_at(one, "client_id"), client_id) == 0) {
            return one;
        }
    }
    return NULL;
}

START_TEST(what_is_told)
{
    struct connection person = {
        .client_id = "tercera", .name = "linea3", .password = "pass", .address = "2001:db8::7"};
    open_plant();
    ck_assert_int_eq(plant_login(&plant, &person), ADU_ALLOW);
    json_t *data = told(&jefe, "{'command': 'certs'}");
    ck_assert_uint_eq(json_array_size(json_object_get(data, "certs")), 2);
    const json_t *one = cert_of(data, "edge-linea1");
    ck_assert_str_eq(string_at(one, "username"), "linea1");
    ck_assert_str_eq(string_at(one, "identity"), "edge gateway");
    ck_assert_str_eq(string_at(one, "subject_cn"), "edge-linea1");
    ck_assert_str_eq(string_at(one, "issuer_cn"), "Planta Device CA");
    ck_assert_str_eq(string_at(one, "serial"), "0A");
    ck_assert_str_eq(string_at(one, "fingerprint"), "aa");
    ck_assert_str_eq(string_at(one, "not_after"), "2023-11-19T22:13:20Z");
    ck_assert_str_eq(string_at(one, "level"), "critical");
    ck_assert_int_eq(integer_at(one, "days_left"), 5);
    ck_assert(true_at(one, "online"));
    const json_t *findings = json_object_get(one, "findings");
    ck_assert_uint_eq(json_array_size(findings), 1);
    ck_assert_str_eq(json_string_value(json_array_get(findings, 0)), "weak-key");
    one = cert_of(data, "consola");
    ck_assert_str_eq(string_at(one, "level"), "good");
    ck_assert_uint_eq(json_array_size(json_object_get(one, "findings")), 0);
    json_decref(data);
    plant_end(&plant);
}
END_TEST

/* One who is away is listed for recent_days; one without a certificate never. */
START_TEST(who_is_away)
{
    open_plant();
    plant_gone(&plant, &edge, true);
    json_t *data = told(&jefe, "{'command': 'certs', 'client_id': 'edge-linea1'}");
    ck_assert(!true_at(cert_of(data, "edge-linea1"), "online"));
    json_decref(data);
    for (int hour = 0; hour < 31 * 24; hour++) {
        plant_pass(&plant, 3600 * 1000);
    }
    data = told(&jefe, "{'command': 'certs'}");
    ck_assert_ptr_null(cert_of(data, "edge-linea1"));
    json_decref(data);
    data = told(&jefe, "{'command': 'certs', 'client_id': 'nadie'}");
    ck_assert_uint_eq(json_array_size(json_object_get(data, "certs")), 0);
    json_decref(data);
    plant_end(&plant);
}
END_TEST

START_TEST(a_page_at_a_time)
{
    open_plant();
    json_t *data = told(&jefe, "{'command': 'certs', 'limit': 1}");
    ck_assert_ptr_nonnull(cert_of(data, "consola"));
    ck_assert_str_eq(string_at(data, "next"), "consola");
    json_decref(data);
    data = told(&jefe, "{'command': 'certs', 'limit': 1, 'after': 'consola'}");
    ck_assert_ptr_nonnull(cert_of(data, "edge-linea1"));
    ck_assert_str_eq(string_at(data, "next"), "null");
    json_decref(data);
    plant_end(&plant);
}
END_TEST

/* Nobody has been judged since the broker's start: an answer holds few of those. */
START_TEST(after_a_restart)
{
    enum { CROWD = 120 };
    static char id[32];
    struct connection passer = service_of("", SERVICE("muchos"));
    ordering_prepare();
    plant.keeps_state = true;
    plant_start(&plant);
    for (int i = 0; i < CROWD; i++) {
        snprintf(id, sizeof id, "de-paso-%d", i);
        passer.client_id = id;
        ck_assert_int_eq(plant_login(&plant, &passer), ADU_ALLOW);
        plant_gone(&plant, &passer, false);
    }
    plant_stop(&plant);
    plant_start(&plant);
    ck_assert_int_eq(plant_login(&plant, &jefe), ADU_ALLOW);
    json_t *data = told(&jefe, "{'command': 'certs'}");
    const size_t first = json_array_size(json_object_get(data, "certs"));
    ck_assert_uint_gt(first, 10);
    ck_assert_uint_lt(first, 60);
    json_decref(data);
    plant_pass(&plant, 1000);
    data = told(&jefe, "{'command': 'certs'}"); /* those are judged now, and the next few */
    ck_assert_uint_gt(json_array_size(json_object_get(data, "certs")), first + 10);
    json_decref(data);
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control_certs");
    suite_add(suite, what_is_told);
    suite_add(suite, who_is_away);
    suite_add(suite, a_page_at_a_time);
    suite_add(suite, after_a_restart);
    return run_suite(suite);
}
