/* What is known of each client, kept on disk (SQLite) so that a restarted broker can go on judging
 * offline sessions and retained messages by who they are. Written by the worker; read once at
 * start. */
#ifndef ADUANA_COMMON_STATE_H
#define ADUANA_COMMON_STATE_H

#include "common/bytes.h"
#include "common/error.h"
#include <stdint.h>

struct adu_state;

/* One known client. When read, everything is borrowed for the length of the call. */
struct adu_state_row {
    const char *client_id;
    const char *username;         /* NULL: none */
    struct adu_bytes certificate; /* in DER; without bytes: none */
    struct adu_bytes record;      /* of the stage that checked its password; without bytes: none */
    unsigned proven;
    bool durable;
    int64_t seen_ms; /* wall clock */
};

enum { ADU_STATE_VERSION = 3 };

/* Opens or makes `<directory>/aduana-state.db`. A file that is damaged, or of an older version, is
 * set aside under another name and a new one begun; then `*set_aside` is true and `error` says so
 * without this being a failure. NULL with `error` when the folder cannot be used, others may write
 * it, another has it open (flock(2) of the folder, held until adu_state_close), or the file is of a
 * newer version. */
ADU_API struct adu_state *adu_state_open(const char *directory, bool *set_aside,
                                         struct adu_error *error);

/* NULL-safe. */
ADU_API void adu_state_close(struct adu_state *state);

/* Calls `take` for each row, longest unseen first. false with `error` when the file cannot be read.
 */
ADU_API bool adu_state_each(struct adu_state *state,
                            void (*take)(void *context, const struct adu_state_row *row),
                            void *context, struct adu_error *error);

/* Inserts or replaces one row: committed when it returns. One thread at a time. */
ADU_API bool adu_state_put(struct adu_state *state, const struct adu_state_row *row,
                           struct adu_error *error);

/* What a stage keeps of a client. */
struct adu_kept {
    struct adu_kept *next;
    const char *stage, *client_id, *username; /* the last may be NULL */
    struct adu_bytes record;
};

/* Inserts or replaces all of a list, the last one first or none: committed when it returns. */
ADU_API bool adu_state_keep(struct adu_state *state, const struct adu_kept *first,
                            struct adu_error *error);

/* Calls `take` for each that is kept of a client whose row is there still. */
ADU_API bool adu_state_each_kept(struct adu_state *state,
                                 void (*take)(void *context, const struct adu_kept *kept),
                                 void *context, struct adu_error *error);

/* Removes the row of one client and name, and what is kept of it. */
ADU_API bool adu_state_remove(struct adu_state *state, const char *client_id, const char *username,
                              struct adu_error *error);

#endif
