/* Connections by the broker's handle: what a client id claims, and what a reused handle had, is
 * nobody else's. */
#include "common/session.h"
#include "runner.h"

static struct adu_principals *principals;
static struct adu_sessions *sessions;
static struct adu_principal *edge, *scada;
static const char handles[8]; /* where the broker's contexts would lie */

static void forget(void *context, struct adu_principal *gone)
{
    (void)context;
    adu_sessions_forget(sessions, gone);
}

static void make(void)
{
    principals = adu_principals_new(100, forget, NULL);
    sessions = adu_sessions_new();
    edge = adu_principals_get(principals, "edge", "linea1");
    scada = adu_principals_get(principals, "scada", "scada");
    ck_assert(sessions != NULL && edge != NULL && scada != NULL);
}

static void unmake(void)
{
    adu_sessions_free(sessions);
    adu_principals_free(principals);
}

static struct adu_session *open(int handle, struct adu_principal *principal, const char *client_id)
{
    return adu_sessions_open(sessions, &handles[handle], client_id, principal, false);
}

static struct adu_session *find(int handle, const char *client_id)
{
    return adu_sessions_find(sessions, &handles[handle], client_id);
}

static int count(const struct adu_principal *p)
{
    int n = 0;
    for (const struct adu_session *s = p->sessions; s != NULL; s = s->next_of_principal) {
        n++;
    }
    return n;
}

START_TEST(by_handle_and_client_id)
{
    make();
    struct adu_session *s = adu_sessions_open(sessions, &handles[0], "edge", edge, true);
    ck_assert(s->online && s->durable && !s->kicked && !s->rerun_due);
    ck_assert_ptr_eq(s->principal, edge);
    ck_assert_ptr_eq(find(0, "edge"), s);
    ck_assert_ptr_null(find(0, "scada"));
    ck_assert_ptr_null(find(0, "Edge"));
    ck_assert_ptr_null(find(0, ""));
    ck_assert_ptr_null(find(1, "edge"));
    ck_assert_uint_eq(edge->online, 1);
    ck_assert_uint_eq(scada->online, 0);
    unmake();
}
END_TEST

/* The broker gives a new connection the memory of an old one, without a word. */
START_TEST(a_reused_handle)
{
    make();
    open(0, edge, "edge");
    struct adu_session *s = open(0, scada, "scada");
    ck_assert_ptr_null(find(0, "edge"));
    ck_assert_ptr_eq(find(0, "scada"), s);
    ck_assert_uint_eq(edge->online, 0);
    ck_assert_int_eq(count(edge), 0);
    ck_assert_uint_eq(scada->online, 1);
    adu_sessions_forget_handle(sessions, &handles[0]);
    ck_assert_ptr_null(find(0, "scada"));
    ck_assert_uint_eq(scada->online, 0);
    adu_sessions_forget_handle(sessions, &handles[0]); /* of nobody */
    unmake();
}
END_TEST

START_TEST(the_same_again)
{
    make();
    open(0, edge, "edge");
    open(0, edge, "edge");
    ck_assert_uint_eq(edge->online, 1);
    ck_assert_int_eq(count(edge), 1);
    unmake();
}
END_TEST

/* Wills and durable sessions are asked about after the end. */
START_TEST(closed_is_remembered)
{
    make();
    struct adu_session *s = open(0, edge, "edge");
    adu_sessions_close(sessions, s);
    ck_assert_ptr_eq(find(0, "edge"), s);
    ck_assert(!s->online);
    ck_assert_uint_eq(edge->online, 0);
    adu_sessions_close(sessions, s); /* told twice: as 2.0 does */
    ck_assert_uint_eq(edge->online, 0);
    adu_sessions_forget_handle(sessions, &handles[0]);
    ck_assert_uint_eq(edge->online, 0);
    unmake();
}
END_TEST

/* ... until two more have been opened, so that reconnecting for ever takes no memory. */
START_TEST(remembered_twice)
{
    make();
    for (int i = 0; i < 7; i++) {
        struct adu_session *s = open(i, edge, "edge");
        ck_assert_int_eq(count(edge), i == 0 ? 1 : 2);
        ck_assert_ptr_eq(edge->sessions, s); /* newest first */
        ck_assert(i < 1 || find(i - 1, "edge") != NULL);
        ck_assert(i < 2 || find(i - 2, "edge") == NULL);
        adu_sessions_close(sessions, s);
    }
    unmake();
}
END_TEST

/* A takeover: the old connection ends after the new one has logged in. */
START_TEST(takeover)
{
    make();
    struct adu_session *old = open(0, edge, "edge"), *fresh = open(1, edge, "edge");
    ck_assert_uint_eq(edge->online, 2);
    adu_sessions_close(sessions, old);
    ck_assert_uint_eq(edge->online, 1);
    ck_assert(fresh->online);
    ck_assert_ptr_eq(find(1, "edge"), fresh);
    struct adu_session *third = open(2, edge, "edge"); /* an online one is never left out */
    ck_assert_ptr_eq(find(1, "edge"), fresh);
    ck_assert_ptr_null(find(0, "edge"));
    ck_assert_ptr_eq(edge->sessions, third);
    unmake();
}
END_TEST

/* Opened before anybody knows whose: the broker itself authenticates. */
START_TEST(without_a_principal)
{
    make();
    struct adu_session *s = open(0, NULL, "x");
    ck_assert_ptr_null(s->principal);
    ck_assert_ptr_eq(find(0, "x"), s);
    adu_sessions_close(sessions, s);
    ck_assert_ptr_null(find(0, "x")); /* nobody's end is the end */
    s = open(0, NULL, "scada");
    adu_sessions_own(s, scada);
    ck_assert_ptr_eq(s->principal, scada);
    ck_assert_uint_eq(scada->online, 1);
    adu_sessions_close(sessions, s);
    ck_assert_uint_eq(scada->online, 0);
    ck_assert_ptr_eq(find(0, "scada"), s);
    unmake();
}
END_TEST

START_TEST(goes_with_its_principal)
{
    make();
    open(0, edge, "edge");
    open(1, edge, "edge");
    struct adu_session *s = open(2, scada, "scada");
    adu_sessions_forget(sessions, edge);
    ck_assert_ptr_null(find(0, "edge"));
    ck_assert_ptr_null(find(1, "edge"));
    ck_assert_int_eq(count(edge), 0);
    ck_assert_uint_eq(edge->online, 0);
    ck_assert_ptr_eq(find(2, "scada"), s);
    unmake();
    adu_sessions_free(NULL);
}
END_TEST

static size_t held(const char *fingerprint)
{
    return adu_sessions_held(sessions, fingerprint, NULL);
}

START_TEST(by_certificate)
{
    make();
    struct adu_session *a = open(0, edge, "edge"), *b = open(1, scada, "scada");
    ck_assert_uint_eq(held("aa"), 0);
    ck_assert(adu_sessions_hold(sessions, a, "aa"));
    ck_assert(adu_sessions_hold(sessions, b, "aa"));
    ck_assert(adu_sessions_hold(sessions, b, "aa")); /* told twice */
    ck_assert_uint_eq(held("aa"), 2);
    ck_assert_uint_eq(held("a"), 0);
    ck_assert_uint_eq(adu_sessions_held(sessions, "aa", edge), 1);
    ck_assert_uint_eq(adu_sessions_held(sessions, "ab", edge), 0);
    adu_sessions_close(sessions, a);
    adu_sessions_close(sessions, a);
    ck_assert_uint_eq(held("aa"), 1);
    ck_assert_uint_eq(adu_sessions_held(sessions, "aa", edge), 1);
    ck_assert(adu_sessions_hold(sessions, b, "bb")); /* a renewed one */
    ck_assert_uint_eq(held("aa"), 0);
    ck_assert_uint_eq(held("bb"), 1);
    adu_sessions_forget_handle(sessions, &handles[1]);
    ck_assert_uint_eq(held("bb"), 0);
    unmake();
}
END_TEST

/* However a session ends it is counted no more, and what is closed is not counted again. */
START_TEST(certificates_of_all_that_ends)
{
    make();
    ck_assert(adu_sessions_hold(sessions, open(0, edge, "edge"), "aa"));
    ck_assert(adu_sessions_hold(sessions, open(0, scada, "scada"), "bb")); /* the handle again */
    ck_assert_uint_eq(held("aa"), 0);
    ck_assert(adu_sessions_hold(sessions, open(1, edge, "edge"), "bb"));
    ck_assert(adu_sessions_hold(sessions, open(2, edge, "edge"), "bb")); /* a takeover */
    ck_assert_uint_eq(held("bb"), 3);
    ck_assert_uint_eq(adu_sessions_held(sessions, "bb", edge), 1);
    adu_sessions_close(sessions, find(1, "edge"));
    ck_assert_uint_eq(held("bb"), 2);
    adu_sessions_forget(sessions, edge);
    ck_assert_uint_eq(held("bb"), 1);
    ck_assert(adu_sessions_hold(sessions, open(3, NULL, "x"), "cc"));
    adu_sessions_close(sessions, find(3, "x"));
    ck_assert_uint_eq(held("cc"), 0);
    unmake();
}
END_TEST

START_TEST(thousands)
{
    enum { MANY = 5000 };
    static char many[MANY];
    char id[16];
    make();
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "c%d", i);
        ck_assert_ptr_nonnull(adu_sessions_open(sessions, &many[i], id, NULL, false));
        id[0] = 'X'; /* what it was told is copied */
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "c%d", i);
        struct adu_session *s = adu_sessions_find(sessions, &many[i], id);
        ck_assert_ptr_nonnull(s);
        ck_assert_ptr_eq(s->handle, &many[i]);
        ck_assert_ptr_null(adu_sessions_find(sessions, &many[(i + 1) % MANY], id));
    }
    unmake();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    suite_add(suite, by_handle_and_client_id);
    suite_add(suite, a_reused_handle);
    suite_add(suite, the_same_again);
    suite_add(suite, closed_is_remembered);
    suite_add(suite, remembered_twice);
    suite_add(suite, takeover);
    suite_add(suite, without_a_principal);
    suite_add(suite, goes_with_its_principal);
    suite_add(suite, by_certificate);
    suite_add(suite, certificates_of_all_that_ends);
    suite_add(suite, thousands);
    return run_suite(suite);
}
