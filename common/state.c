#include "common/state.h"
#include "common/file.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

struct adu_state {
    sqlite3 *db;
    sqlite3_stmt *put, *remove, *keep, *drop;
    int folder; /* locked while it is ours; -1: it cannot be */
};

enum { APPLICATION_ID = 0x41445541 /* "ADUA" */, PATH_MOST = 4096 };

static const char schema[] = "BEGIN;"
                             "PRAGMA application_id = 1094997313;" /* APPLICATION_ID */
                             "PRAGMA user_version = 3;"            /* ADU_STATE_VERSION */
                             "CREATE TABLE client (client_id TEXT NOT NULL, username TEXT NOT "
                             "NULL, has_username INTEGER NOT "
                             "NULL, certificate BLOB, proven INTEGER NOT NULL, durable INTEGER NOT "
                             "NULL, seen_ms INTEGER NOT "
                             "NULL, record BLOB, PRIMARY KEY (client_id, username)) WITHOUT ROWID;"
                             "COMMIT;";

/* What version 2 lacks. */
static const char since_2[] = "BEGIN;"
                              "ALTER TABLE client ADD COLUMN record BLOB;"
                              "PRAGMA user_version = 3;"
                              "COMMIT;";

/* Beside the clients, so that a file of this version that has none yet gets it; what is kept of a
 * client that is no longer known goes. */
static const char kept_schema[] =
    "CREATE TABLE IF NOT EXISTS kept (client_id TEXT NOT NULL, username TEXT NOT NULL, stage TEXT "
    "NOT NULL, record BLOB NOT NULL, PRIMARY KEY (client_id, username, stage)) WITHOUT ROWID;"
    "DELETE FROM kept WHERE NOT EXISTS (SELECT 1 FROM client WHERE client.client_id = "
    "kept.client_id AND client.username = kept.username);";

static bool failed(const struct adu_state *s, struct adu_error *error, const char *what)
{
    const bool by_system = (sqlite3_errcode(s->db) & 0xff) == SQLITE_IOERR;
    const int number = by_system ? sqlite3_system_errno(s->db) : 0;
    return adu_error_set(error, NULL, "the state file cannot be %s: %s%s%s", what,
                         sqlite3_errmsg(s->db), number != 0 ? ": " : "",
                         number != 0 ? strerror(number) : "");
}

static int pragma(const struct adu_state *s, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int value = -1;
    if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW) {
        value = sqlite3_column_int(st, 0);
    }
    sqlite3_finalize(st);
    return value;
}

enum opened { OPENED, DAMAGED, OLD, UNUSABLE };

/* Of a statement about tables that should be there. Nothing else says that the file is damaged: not
 * that somebody holds it, that it may not be written, or that the disk is full. */
static bool is_damage(int code)
{
    switch (code & 0xff) {
    case SQLITE_ERROR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return true;
    default:
        return false;
    }
}

static enum opened check_soundness(const struct adu_state *s, struct adu_error *error)
{
    sqlite3_stmt *st = NULL;
    int code = sqlite3_prepare_v2(s->db, "PRAGMA quick_check", -1, &st, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(st);
    }
    const char *said = code == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
    const bool sound = said != NULL && strcmp(said, "ok") == 0;
    sqlite3_finalize(st);
    if (code == SQLITE_ROW || is_damage(code)) {
        return sound ? OPENED : DAMAGED;
    }
    failed(s, error, "read");
    return UNUSABLE;
}

/* Brings one of version 2 up to date. */
static enum opened renew(const struct adu_state *s, struct adu_error *error)
{
    if (sqlite3_exec(s->db, since_2, NULL, NULL, NULL) == SQLITE_OK) {
        return OPENED;
    }
    if (is_damage(sqlite3_errcode(s->db))) {
        return OLD;
    }
    failed(s, error, "brought up to date");
    return UNUSABLE;
}

/* A new file gets its schema; an old one must be sound, ours, and not newer than this program. */
static enum opened check_file(struct adu_state *s, struct adu_error *error)
{
    const enum opened sound = check_soundness(s, error);
    if (sound != OPENED) {
        return sound;
    }
    const int version = pragma(s, "PRAGMA user_version");
    const int application = pragma(s, "PRAGMA application_id");
    const int tables = pragma(s, "SELECT count(*) FROM sqlite_master");
    if (version == -1 || application == -1 || tables == -1) { /* sound it is */
        failed(s, error, "read");
        return UNUSABLE;
    }
    if (version == 0 && application == 0 && tables == 0) {
        if (sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
            failed(s, error, "begun");
            return UNUSABLE;
        }
        return OPENED;
    }
    if (application != APPLICATION_ID) {
        return DAMAGED;
    }
    if (version == 2) {
        return renew(s, error);
    }
    if (version < ADU_STATE_VERSION) {
        return OLD;
    }
    if (version != ADU_STATE_VERSION) {
        adu_error_set(
            error, NULL,
            "the state file has version %d, this program writes %d: use the newer program, "
            "or move the file away",
            version, ADU_STATE_VERSION);
        return UNUSABLE;
    }
    return OPENED;
}

/* Names and certificates of people are nobody else's to read. SQLite gives its journals the mode of
 * the file. If this fails, SQLite says why. */
static void make_private(const char *path)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
}

static bool prepare(struct adu_state *s, const char *sql, sqlite3_stmt **st)
{
    return sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL) == SQLITE_OK;
}

static bool prepare_all(struct adu_state *s)
{
    return sqlite3_exec(s->db, kept_schema, NULL, NULL, NULL) == SQLITE_OK &&
           prepare(s, "INSERT OR REPLACE INTO client VALUES (?, ?, ?, ?, ?, ?, ?, ?)", &s->put) &&
           prepare(s, "DELETE FROM client WHERE client_id = ? AND username = ?", &s->remove) &&
           prepare(s, "INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", &s->keep) &&
           prepare(s, "DELETE FROM kept WHERE client_id = ? AND username = ?", &s->drop);
}

static enum opened open_file(struct adu_state *s, const char *path, struct adu_error *error)
{
    make_private(path);
    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK) {
        failed(s, error, "opened");
        return UNUSABLE;
    }
    sqlite3_busy_timeout(s->db, 1000);
    /* The write-ahead log survives kill -9; a power cut may cost the last log-ins, not the file. */
    sqlite3_exec(s->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", NULL, NULL,
                 NULL);
    const enum opened opened = check_file(s, error);
    if (opened != OPENED || prepare_all(s)) {
        return opened;
    }
    if (is_damage(sqlite3_errcode(s->db))) {
        return DAMAGED;
    }
    failed(s, error, "written");
    return UNUSABLE;
}

static void close_file(struct adu_state *s)
{
    sqlite3_finalize(s->put);
    sqlite3_finalize(s->remove);
    sqlite3_finalize(s->keep);
    sqlite3_finalize(s->drop);
    sqlite3_close(s->db);
    *s = (struct adu_state){.folder = s->folder};
}

static bool set_file_aside(const char *path, const char *why, char *aside, size_t size)
{
    char journal[PATH_MOST + 8];
    snprintf(aside, size, "%s.%s-%lld", path, why, (long long)time(NULL));
    if (rename(path, aside) != 0) {
        return false;
    }
    snprintf(journal, sizeof journal, "%s-wal", path);
    remove(journal);
    snprintf(journal, sizeof journal, "%s-shm", path);
    remove(journal);
    return true;
}

static enum opened open_or_begin(struct adu_state *s, const char *path, bool *set_aside,
                                 struct adu_error *error)
{
    enum opened opened = open_file(s, path, error);
    if (opened != DAMAGED && opened != OLD) {
        return opened;
    }
    const char *what = opened == OLD ? "of an older version" : "damaged";
    char aside[PATH_MOST + 40];
    close_file(s);
    if (!set_file_aside(path, opened == OLD ? "old" : "damaged", aside, sizeof aside)) {
        adu_error_set(error, NULL, "the state file %s is %s and cannot be moved away", path, what);
        return UNUSABLE;
    }
    struct adu_error again = {0};
    opened = open_file(s, path, &again);
    *set_aside = opened == OPENED;
    adu_error_set(error, NULL,
                  "the state file was %s and is now %s; sessions and retained messages of "
                  "clients that are away are refused until these log in again",
                  what, aside);
    return opened;
}

/* Two brokers would take each other's clients for their own. Ends with the process, however that
 * ends. A file system that knows no locks is used without. */
static bool lock_folder(struct adu_state *s, const char *directory, struct adu_error *error)
{
    s->folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->folder < 0 || flock(s->folder, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
        return true;
    }
    return adu_error_set(error, NULL,
                         "another broker, or another pipeline of this one, keeps its state there: "
                         "each needs a folder of its own");
}

struct adu_state *adu_state_open(const char *directory, bool *set_aside, struct adu_error *error)
{
    char path[PATH_MOST];
    *set_aside = false;
    if (snprintf(path, sizeof path, "%s/aduana-state.db", directory) >= PATH_MOST) {
        adu_error_set(error, NULL, "the name of the state folder is too long");
        return NULL;
    }
    if (!adu_file_trusted(directory, directory, error) ||
        (access(path, F_OK) == 0 && !adu_file_trusted("aduana-state.db", path, error))) {
        return NULL;
    }
    struct adu_state *s = calloc(1, sizeof *s);
    if (s == NULL) {
        adu_error_no_memory(error);
        return NULL;
    }
    if (!lock_folder(s, directory, error)) {
        adu_state_close(s);
        return NULL;
    }
    if (open_or_begin(s, path, set_aside, error) != OPENED) {
        adu_error_set(error, NULL, "the state file %s cannot be used", path);
        adu_state_close(s);
        return NULL;
    }
    return s;
}

void adu_state_close(struct adu_state *state)
{
    if (state != NULL) {
        close_file(state);
        if (state->folder >= 0) {
            close(state->folder);
        }
        free(state);
    }
}

static bool take_row(sqlite3_stmt *st, void (*take)(void *context, const struct adu_state_row *row),
                     void *context)
{
    const void *certificate = sqlite3_column_blob(st, 3), *record = sqlite3_column_blob(st, 7);
    const struct adu_state_row row = {
        .client_id = (const char *)sqlite3_column_text(st, 0),
        .username = sqlite3_column_int(st, 2) ? (const char *)sqlite3_column_text(st, 1) : NULL,
        .certificate = {.bytes = (unsigned char *)(uintptr_t)certificate,
                        .length = (size_t)sqlite3_column_bytes(st, 3)},
        .record = {.bytes = (unsigned char *)(uintptr_t)record,
                   .length = (size_t)sqlite3_column_bytes(st, 7)},
        .proven = (unsigned)sqlite3_column_int(st, 4),
        .durable = sqlite3_column_int(st, 5) != 0,
        .seen_ms = sqlite3_column_int64(st, 6),
    };
    if (row.client_id != NULL) {
        take(context, &row);
    }
    return row.client_id != NULL;
}

bool adu_state_each(struct adu_state *state,
                    void (*take)(void *context, const struct adu_state_row *row), void *context,
                    struct adu_error *error)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(state->db,
                                "SELECT client_id, username, has_username, certificate, proven, "
                                "durable, seen_ms, record FROM client ORDER BY seen_ms",
                                -1, &st, NULL);
    bool good = rc == SQLITE_OK;
    while (good && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        good = take_row(st, take, context);
    }
    sqlite3_finalize(st);
    if (!good && rc == SQLITE_ROW) {
        return adu_error_set(error, NULL, "the state file cannot be read: a row of it is damaged");
    }
    return (good && rc == SQLITE_DONE) || failed(state, error, "read");
}

bool adu_state_put(struct adu_state *state, const struct adu_state_row *row,
                   struct adu_error *error)
{
    const char *username = row->username != NULL ? row->username : "";
    sqlite3_bind_text(state->put, 1, row->client_id, -1, SQLITE_STATIC);
    sqlite3_bind_text(state->put, 2, username, -1, SQLITE_STATIC);
    sqlite3_bind_int(state->put, 3, row->username != NULL);
    sqlite3_bind_blob(state->put, 4, row->certificate.bytes, (int)row->certificate.length,
                      SQLITE_STATIC); /* NULL where there is none */
    sqlite3_bind_int(state->put, 5, (int)row->proven);
    sqlite3_bind_int(state->put, 6, row->durable);
    sqlite3_bind_int64(state->put, 7, row->seen_ms);
    sqlite3_bind_blob(state->put, 8, row->record.bytes, (int)row->record.length, SQLITE_STATIC);
    const bool good = sqlite3_step(state->put) == SQLITE_DONE || failed(state, error, "written");
    sqlite3_reset(state->put);
    sqlite3_clear_bindings(state->put);
    return good;
}

/* --- what stages keep --- */

static bool keep_one(struct adu_state *state, const struct adu_kept *kept)
{
    sqlite3_bind_text(state->keep, 1, kept->client_id, -1, SQLITE_STATIC);
    sqlite3_bind_text(state->keep, 2, kept->username != NULL ? kept->username : "", -1,
                      SQLITE_STATIC);
    sqlite3_bind_text(state->keep, 3, kept->stage, -1, SQLITE_STATIC);
    sqlite3_bind_blob(state->keep, 4, kept->record.bytes, (int)kept->record.length, SQLITE_STATIC);
    const bool good = sqlite3_step(state->keep) == SQLITE_DONE;
    sqlite3_reset(state->keep);
    sqlite3_clear_bindings(state->keep);
    return good;
}

bool adu_state_keep(struct adu_state *state, const struct adu_kept *first, struct adu_error *error)
{
    bool good = sqlite3_exec(state->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
    for (; good && first != NULL; first = first->next) {
        good = keep_one(state, first);
    }
    if (good && sqlite3_exec(state->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK) {
        return true;
    }
    failed(state, error, "written");
    sqlite3_exec(state->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

bool adu_state_each_kept(struct adu_state *state,
                         void (*take)(void *context, const struct adu_kept *kept), void *context,
                         struct adu_error *error)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(state->db,
                                "SELECT client_id, username, has_username, stage, kept.record "
                                "FROM kept JOIN client USING (client_id, username)",
                                -1, &st, NULL);
    while ((rc == SQLITE_OK || rc == SQLITE_ROW) && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const void *record = sqlite3_column_blob(st, 4);
        const struct adu_kept kept = {
            .client_id = (const char *)sqlite3_column_text(st, 0),
            .username = sqlite3_column_int(st, 2) ? (const char *)sqlite3_column_text(st, 1) : NULL,
            .stage = (const char *)sqlite3_column_text(st, 3),
            .record = {.bytes = (unsigned char *)(uintptr_t)record,
                       .length = (size_t)sqlite3_column_bytes(st, 4)},
        };
        if (kept.client_id != NULL && kept.stage != NULL) {
            take(context, &kept);
        }
    }
    sqlite3_finalize(st);
    return rc == SQLITE_DONE || failed(state, error, "read");
}

static bool remove_by(struct adu_state *state, sqlite3_stmt *st, const char *client_id,
                      const char *username, struct adu_error *error)
{
    sqlite3_bind_text(st, 1, client_id, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, username != NULL ? username : "", -1, SQLITE_STATIC);
    const bool good = sqlite3_step(st) == SQLITE_DONE || failed(state, error, "written");
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return good;
}

/* What is kept of it first: without its client it is never read. */
bool adu_state_remove(struct adu_state *state, const char *client_id, const char *username,
                      struct adu_error *error)
{
    return remove_by(state, state->drop, client_id, username, error) &&
           remove_by(state, state->remove, client_id, username, error);
}
