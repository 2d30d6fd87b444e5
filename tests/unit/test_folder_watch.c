/* A folder is asked whether it has changed; time is an argument. */
#include "common/folder_watch.h"
#include "folder.h"
#include "runner.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct folder folder;
static struct adu_folder_watch *watch;

static void begin(void)
{
    folder_make(&folder);
    folder_write(&folder, "acl.json", "{}");
    watch = adu_folder_watch_new(folder.path);
    ck_assert_ptr_nonnull(watch);
    ck_assert_int_eq(adu_folder_watch_error(watch), 0);
    ck_assert(!adu_folder_watch_changed(watch, 0));
}

static void end(void)
{
    adu_folder_watch_free(watch);
    folder_remove(&folder);
}

START_TEST(a_change_is_told_once_after_half_a_second)
{
    begin();
    folder_write(&folder, "acl.json", "{ }");
    ck_assert(!adu_folder_watch_changed(watch, 1000));
    ck_assert(!adu_folder_watch_changed(watch, 1499));
    ck_assert(adu_folder_watch_changed(watch, 1500));
    ck_assert(!adu_folder_watch_changed(watch, 1501));
    ck_assert(!adu_folder_watch_changed(watch, 9999));
    end();
}
END_TEST

START_TEST(any_kind_of_change)
{
    begin();
    const int64_t step = 10000;
    folder_write(&folder, "new.json", "{}");
    ck_assert(!adu_folder_watch_changed(watch, 1 * step));
    ck_assert(adu_folder_watch_changed(watch, 1 * step + 500));
    folder_delete(&folder, "new.json");
    ck_assert(!adu_folder_watch_changed(watch, 2 * step));
    ck_assert(adu_folder_watch_changed(watch, 2 * step + 500));
    chmod(folder_file(&folder, "acl.json"), 0600);
    ck_assert(!adu_folder_watch_changed(watch, 3 * step));
    ck_assert(adu_folder_watch_changed(watch, 3 * step + 500));
    char path[FOLDER_PATH + 16];
    snprintf(path, sizeof path, "%s/link", folder.path);
    ck_assert_int_eq(symlink("acl.json", path), 0);
    ck_assert(!adu_folder_watch_changed(watch, 4 * step));
    ck_assert(adu_folder_watch_changed(watch, 4 * step + 500));
    end();
}
END_TEST

START_TEST(several_files_are_one_change)
{
    begin();
    for (int i = 0; i < 10; i++) {
        folder_write(&folder, "acl.json", "{}");
        ck_assert(!adu_folder_watch_changed(watch, i * 400));
    }
    ck_assert(adu_folder_watch_changed(watch, 9 * 400 + 500));
    end();
}
END_TEST

START_TEST(what_never_rests_is_told_after_five_seconds)
{
    begin();
    int told = 0;
    for (int i = 0; i <= 50; i++) {
        folder_write(&folder, "acl.json", "{}");
        told += adu_folder_watch_changed(watch, i * 100);
    }
    ck_assert_int_eq(told, 1);
    end();
}
END_TEST

START_TEST(another_folder_in_its_place)
{
    begin();
    char away[FOLDER_PATH + 16];
    snprintf(away, sizeof away, "%s.old", folder.path);
    ck_assert_int_eq(rename(folder.path, away), 0);
    ck_assert(!adu_folder_watch_changed(watch, 1000));
    ck_assert(!adu_folder_watch_changed(watch, 3000)); /* there is nothing to load */
    ck_assert_int_ne(adu_folder_watch_error(watch), 0);
    ck_assert_int_eq(mkdir(folder.path, 0700), 0);
    ck_assert(!adu_folder_watch_changed(watch, 4000));
    ck_assert(adu_folder_watch_changed(watch, 4500));
    folder_write(&folder, "acl.json", "{}");
    ck_assert(!adu_folder_watch_changed(watch, 5000));
    ck_assert(adu_folder_watch_changed(watch, 5500));
    end();
    struct folder old;
    snprintf(old.path, sizeof old.path, "%.*s", FOLDER_PATH - 1, away);
    folder_remove(&old);
}
END_TEST

/* As a roll-out that makes each version a folder and moves the link over. */
START_TEST(a_link_that_leads_to_another_folder)
{
    struct folder one, other;
    char link[FOLDER_PATH + 16], next[FOLDER_PATH + 16];
    folder_make(&folder);
    folder_make(&one);
    folder_make(&other);
    snprintf(link, sizeof link, "%s/policies", folder.path);
    snprintf(next, sizeof next, "%s/next", folder.path);
    ck_assert_int_eq(symlink(one.path, link), 0);
    watch = adu_folder_watch_new(link);
    ck_assert_ptr_nonnull(watch);
    ck_assert(!adu_folder_watch_changed(watch, 0));
    ck_assert_int_eq(symlink(other.path, next), 0);
    ck_assert_int_eq(rename(next, link), 0);
    ck_assert(!adu_folder_watch_changed(watch, 1000));
    ck_assert(adu_folder_watch_changed(watch, 1500));
    folder_write(&one, "acl.json", "{}");
    ck_assert(!adu_folder_watch_changed(watch, 3000));
    ck_assert(!adu_folder_watch_changed(watch, 3500));
    folder_write(&other, "acl.json", "{}");
    ck_assert(!adu_folder_watch_changed(watch, 4000));
    ck_assert(adu_folder_watch_changed(watch, 4500));
    folder_remove(&one);
    folder_remove(&other);
    end();
}
END_TEST

START_TEST(a_folder_that_is_not_there_yet)
{
    struct adu_folder_watch *early = adu_folder_watch_new("/no/such/folder");
    ck_assert_ptr_nonnull(early);
    ck_assert_int_ne(adu_folder_watch_error(early), 0);
    ck_assert(!adu_folder_watch_changed(early, 5000));
    adu_folder_watch_free(early);
    adu_folder_watch_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("folder_watch");
    suite_add(suite, a_change_is_told_once_after_half_a_second);
    suite_add(suite, any_kind_of_change);
    suite_add(suite, several_files_are_one_change);
    suite_add(suite, what_never_rests_is_told_after_five_seconds);
    suite_add(suite, another_folder_in_its_place);
    suite_add(suite, a_link_that_leads_to_another_folder);
    suite_add(suite, a_folder_that_is_not_there_yet);
    return run_suite(suite);
}
