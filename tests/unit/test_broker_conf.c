/* The broker's configuration: what would leave it open is found wherever it stands, and nothing
 * that is harmless is taken for it. */
#include "common/broker_conf.h"
#include "folder.h"
#include "runner.h"
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLUGIN "plugin /usr/lib/aduana/aduana_acl.so\n"

/* `error`: a part of it; NULL: the broker may start. */
static const struct {
    const char *text, *error;
} texts[] = {
    {"", NULL},
    {"\n\n# use_identity_as_username true\n", NULL},
    {"listener 8883\n" PLUGIN, NULL},
    /* A certificate's name without asking anybody. */
    {"use_identity_as_username true\n", "m.conf:1:1: use_identity_as_username is on"},
    {"use_identity_as_username true", "m.conf:1:1: use_identity_as_username is on"},
    {"use_identity_as_username 1\n", "use_identity_as_username is on"},
    {"use_identity_as_username true  \n", "use_identity_as_username is on"},
    {"use_identity_as_username true \t# no\n", "use_identity_as_username is on"},
    {"use_identity_as_username  true\n", "use_identity_as_username is on"},
    {"  use_identity_as_username true\n", "use_identity_as_username is on"},
    {"use_identity_as_username true\r\n", "use_identity_as_username is on"},
    {"a b\n\nuse_subject_as_username true\n", "m.conf:3:1: use_subject_as_username is on"},
    {"listener 8883\n" PLUGIN "listener 8884\n" PLUGIN "use_subject_as_username true\n",
     "m.conf:5:1: use_subject_as_username is on"},
    {"use_identity_as_username false\n", NULL},
    {"use_identity_as_username 0\n", NULL},
    {"use_identity_as_username\n", NULL}, /* the broker itself refuses it */
    {"use_identity_as_username TRUE\n", NULL},
    {"use_identity_as_username trueish\n", NULL},
    {"#use_identity_as_username true\n", NULL},
    {"# use_identity_as_username true\n", NULL},
    {"use_username_as_clientid true\n", NULL},
    {"message use_identity_as_username true\n", NULL},
    /* A listener of its own that nobody guards. */
    {"per_listener_settings true\nlistener 8883\n" PLUGIN, NULL},
    {"per_listener_settings true\nlistener 8883\n",
     "m.conf:2:1: per_listener_settings is true and the listener 8883 has no plugin lines of "
     "aduana: everything would be allowed there"},
    {"per_listener_settings true\nlistener 1\n" PLUGIN "listener 2 localhost\n",
     "m.conf:4:1: per_listener_settings is true and the listener 2 localhost has no plugin"},
    {"per_listener_settings true\nlistener 1\nlistener 2\n" PLUGIN, "m.conf:2:1: "},
    {"per_listener_settings true\nlistener 1\n" PLUGIN "listener 2\n" PLUGIN "listener 3\n" PLUGIN,
     NULL},
    {"per_listener_settings true \nlistener 8883\n", "the listener 8883"},
    {"per_listener_settings 1\nlistener 8883\n", "the listener 8883"},
    {"per_listener_settings false\nlistener 8883\n", NULL},
    {"per_listener_settings true\nper_listener_settings false\nlistener 8883\n", NULL},
    {"listener 8883\n", NULL},
    {"per_listener_settings true\nlistener 8883\nplugin /usr/lib/mosquitto_dynamic_security.so\n",
     "the listener 8883"},
    {"per_listener_settings true\nlistener 8883\nplugin /usr/lib/aduana/other.so\n",
     "the listener 8883"},
    {"per_listener_settings true\nlistener 8883\nplugin aduana_acl.so\n", NULL},
    {"per_listener_settings true\nlistener 8883\nauth_plugin /x/aduana_acl.so\n", NULL},
    {"per_listener_settings true\nlistener 8883\n#" PLUGIN, "the listener 8883"},
    /* Lines before the first listener are those of the broker's own. */
    {"per_listener_settings true\n" PLUGIN "listener 8883\n", "the listener 8883"},
    {"per_listener_settings true\nport 1883\n" PLUGIN "listener 8883\n" PLUGIN, NULL},
    {"per_listener_settings true\nport 1883\nlistener 8883\n" PLUGIN,
     "m.conf:2:1: per_listener_settings is true and the listener 1883"},
    {"per_listener_settings true\nbind_address ::\nlistener 8883\n" PLUGIN,
     "m.conf:2:1: per_listener_settings is true and the listener ::"},
    {"per_listener_settings true\nport 1883\n", "the listener 1883"},
    {"per_listener_settings true\nport 1883\n" PLUGIN, NULL},
    /* 2.1: by name, and for all. */
    {"per_listener_settings true\nplugin_load acl /x/aduana_acl.so\nlistener 1\nplugin_use acl\n",
     NULL},
    {"per_listener_settings true\nplugin_load acl /x/aduana_acl.so\nlistener 1\nplugin_use acl\n"
     "listener 2\n",
     "the listener 2"},
    {"per_listener_settings true\nplugin_load acl /x/aduana_acl.so\nlistener 1\nplugin_use ac\n",
     "the listener 1"},
    {"per_listener_settings true\nplugin_load x /x/dynsec.so\nlistener 1\nplugin_use x\n",
     "the listener 1"},
    {"per_listener_settings true\nplugin_load acl /x/aduana_acl.so\nlistener 1\n",
     "the listener 1"}, /* loaded, but not used */
    {"per_listener_settings true\nlistener 1\nplugin_use acl\n", "the listener 1"},
    {"per_listener_settings true\nglobal_plugin /x/aduana_acl.so\nlistener 1\nlistener 2\n", NULL},
    {"per_listener_settings true\nglobal_plugin /x/dynsec.so\nlistener 1\n", "the listener 1"},
};

START_TEST(finds)
{
    struct adu_broker_conf conf = {0};
    struct adu_error error = {0};
    char text[1024];
    const bool good = adu_broker_conf_read(&conf, "m.conf", texts[_i].text, NULL, NULL, &error) &&
                      adu_broker_conf_end(&conf, &error);
    adu_error_format(&error, text, sizeof text);
    ck_assert_msg(good == (texts[_i].error == NULL), "%s: %s", texts[_i].text, text);
    ck_assert_msg(good || strstr(text, texts[_i].error) != NULL, "%s: %s", texts[_i].text, text);
}
END_TEST

static const struct {
    const char *text;
    bool on;
} retained[] = {
    {"", false},
    {"check_retain_source true\n", true},
    {"check_retain_source true \n", true},
    {"check_retain_source false\n", false},
    {"check_retain_source true\ncheck_retain_source false\n", false},
    {"#check_retain_source true\n", false},
    /* Below what the broker must not start with: it is still there. */
    {"use_identity_as_username true\ncheck_retain_source true\n", true},
    {"per_listener_settings true\nlistener 1\nlistener 2\ncheck_retain_source true\n", true},
};

START_TEST(check_retain_source)
{
    struct adu_broker_conf conf = {0};
    struct adu_error error = {0};
    adu_broker_conf_read(&conf, "m.conf", retained[_i].text, NULL, NULL, &error);
    ck_assert(conf.retain_source == retained[_i].on);
}
END_TEST

/* Names of any length: nothing is written beyond its place. */
START_TEST(long_lines)
{
    static const char *const keys[] = {"listener",    "plugin_load", "plugin_use", "plugin",
                                       "include_dir", "port",        "x",          ""};
    enum { LONG = 100000 };
    struct adu_broker_conf conf = {.per_listener = true};
    struct adu_error error = {0};
    char *text = malloc(LONG);
    ck_assert_ptr_nonnull(text);
    memset(text, 'a', LONG);
    const int used = snprintf(text, LONG, "%s ", keys[_i]);
    text[used] = 'a';
    memcpy(text + LONG - 20, " /x/aduana_acl.so \n", 20);
    for (int i = 0; i < 3; i++) {
        conf.in_listener = conf.default_listener = false;
        adu_broker_conf_read(&conf, "m.conf", text, NULL, NULL, &error);
    }
    adu_broker_conf_end(&conf, &error);
    free(text);
}
END_TEST

/* --- the running broker's files -----------------------------------------------------------------
 */

/* This program as a broker: `test_broker_conf <arguments>` says what it finds of its own command
 * line. */
static int be_a_broker(void)
{
    struct adu_broker_conf_report report;
    struct adu_error error = {0};
    char text[1024];
    const bool good = adu_broker_conf_check(&report, &error);
    printf("%s %s %s unread=%s %s", good ? "starts" : "refuses", report.found ? "found" : "none",
           report.retain_source ? "retain" : "-", report.unread,
           adu_error_format(&error, text, sizeof text));
    return EXIT_SUCCESS;
}

/* What a broker with these arguments says; they may name the folder as $D. */
static void run_broker(const struct folder *f, const char *arguments, char *said, size_t size)
{
    char self[512] = "", command[2048];
    ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof self - 1), 0);
    snprintf(command, sizeof command, "D='%s'; exec '%s' %s", f->path, self, arguments);
    FILE *pipe = popen(command, "re");
    ck_assert_ptr_nonnull(pipe);
    said[fread(said, 1, size - 1, pipe)] = '\0';
    ck_assert_int_eq(pclose(pipe), 0);
}

static const struct {
    const char *arguments;
    const char *main, *first, *second; /* m.conf, conf.d/10.conf, conf.d/20.conf */
    const char *said;                  /* how it begins; the folder is left out */
} brokers[] = {
    {"-v", "", "", "", "starts none - unread= "},
    {"-c $D/m.conf", "listener 8883\n", "", "", "starts found - unread= "},
    {"--config-file $D/m.conf -v", "check_retain_source true\n", "", "",
     "starts found retain unread= "},
    {"-v -c $D/m.conf", "use_identity_as_username true\n", "", "",
     "refuses found - unread= m.conf:1:1: use_identity_as_username is on"},
    {"-c $D/m.conf", "include_dir $D/conf.d\n", "\nuse_subject_as_username true\n", "",
     "refuses found - unread= conf.d/10.conf:2:1: use_subject_as_username is on"},
    {"-c $D/m.conf", "include_dir $D/conf.d\n", "\nuse_subject_as_username true\n",
     "check_retain_source true\nuse_identity_as_username true\n",
     "refuses found retain unread= conf.d/10.conf:2:1: use_subject_as_username is on"},
    {"-c $D/m.conf", "per_listener_settings true\ninclude_dir $D/conf.d\n", "listener 1\n" PLUGIN,
     "listener 2\n",
     "refuses found - unread= conf.d/20.conf:1:1: per_listener_settings is true and the listener "
     "2 "},
    {"-c $D/m.conf", "per_listener_settings true\ninclude_dir $D/conf.d\n", "listener 1\n" PLUGIN,
     "listener 2\n" PLUGIN, "starts found - unread= "},
    {"-c $D/missing.conf", "", "", "", "starts found - unread=missing.conf "},
    {"-c", "", "", "", "starts none - unread= "},
    {"-c $D/m.conf", "include_dir $D/missing\n", "", "", "starts found - unread= "},
};

/* `$D` in a text for the folder's path. */
static void write_conf(const struct folder *f, const char *name, const char *text)
{
    char out[2048] = "";
    const char *at = strstr(text, "$D");
    if (at == NULL) {
        folder_write(f, name, text);
        return;
    }
    snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text, f->path, at + 2);
    folder_write(f, name, out);
}

START_TEST(running)
{
    struct folder f;
    char said[2048], clean[2048] = "";
    folder_make(&f);
    ck_assert_int_eq(mkdir(folder_file(&f, "conf.d"), 0755), 0);
    write_conf(&f, "m.conf", brokers[_i].main);
    write_conf(&f, "conf.d/10.conf", brokers[_i].first);
    write_conf(&f, "conf.d/20.conf", brokers[_i].second);
    write_conf(&f, "conf.d/30.conf.bak", "use_identity_as_username true\n"); /* no .conf */
    run_broker(&f, brokers[_i].arguments, said, sizeof said);
    const char *rest = said, *path;
    while ((path = strstr(rest, f.path)) != NULL) {
        strncat(clean, rest, (size_t)(path - rest));
        rest = path + strlen(f.path) + 1;
    }
    strcat(clean, rest);
    ck_assert_msg(strstr(clean, brokers[_i].said) == clean, "%s", clean);
    folder_remove(&f);
}
END_TEST

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        return be_a_broker();
    }
    Suite *suite = suite_create("broker_conf");
    suite_add_rows(suite, finds, ROWS(texts));
    suite_add_rows(suite, check_retain_source, ROWS(retained));
    suite_add_rows(suite, long_lines, 8);
    suite_add_rows(suite, running, ROWS(brokers));
    return run_suite(suite);
}
