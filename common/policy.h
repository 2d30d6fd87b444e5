/* One policy generation: the whole folder, read, checked across files and compiled together.
 * Immutable once made, so it can be made on a worker and swapped in by one pointer. */
#ifndef ADUANA_COMMON_POLICY_H
#define ADUANA_COMMON_POLICY_H

#include "common/settings.h"
#include "common/stage.h"

enum adu_presence {
    ADU_PRESENCE_NONE,    /* neither plugin nor file */
    ADU_PRESENCE_LOADED,  /* the plugin is loaded and its file compiled */
    ADU_PRESENCE_IGNORED, /* the file is there without its plugin, and says to do without */
    ADU_PRESENCE_MISSED,  /* the file is there without its plugin, and does not */
};

struct adu_policy {
    unsigned long number; /* of the generation, from 1; set by the pipeline */
    struct adu_arena *arena;
    struct adu_vocabulary *vocabulary;
    struct adu_settings settings;
    enum adu_presence presence[ADU_STAGES];
    const void *compiled[ADU_STAGES];
    bool watch[ADU_STAGES];
    bool follows;                  /* a stage is told of every publish that is let through */
    bool throttles;                /* a stage may say that a publish is too much */
    const char *time_zone;         /* of the plant; NULL: none is named */
    struct adu_findings *findings; /* of whoever keeps them with it; freed with it */
};

/* What becomes of its questions where the stage `kind` is not loaded: whose they are then, as the
 * end of a line of the log. */
ADU_API const char *adu_policy_without(const enum adu_presence presence[ADU_STAGES],
                                       enum adu_stage_kind kind);

/* Who a client is, the broker says by itself: no stage is loaded that could, and a file lets it. */
ADU_API bool adu_policy_broker_authenticates(const enum adu_presence presence[ADU_STAGES]);

/* Calls for each stage that is not there and whose file says to do without, with what becomes of
 * its questions, as adu_policy_without has it. */
ADU_API void adu_policy_left_out(const struct adu_policy *policy,
                                 void (*tell)(void *context, const char *name, const char *without),
                                 void *context);

/* Loads `directory` for the stages in `stages` (NULL where not loaded), where there is no broker: a
 * file that says nothing more than "if_not_loaded": "ignore" is for one without that plugin, and
 * its stage is left out. Names that no file defines are an error only if no stage is missing whose
 * file is there. What is remarkable is added to `findings` (NULL: nobody asks). NULL with `error`
 * filled in. Any thread; touches nothing but the files. */
ADU_API struct adu_policy *adu_policy_load(const char *directory,
                                           const struct adu_stage *const stages[ADU_STAGES],
                                           struct adu_findings *findings, struct adu_error *error);

/* The same for a broker, which has just these stages. At start its plugins come one by one;
 * `before` is what was made for those before, NULL: nothing. */
ADU_API struct adu_policy *adu_policy_load_again(const char *directory,
                                                 const struct adu_stage *const stages[ADU_STAGES],
                                                 const struct adu_policy *before,
                                                 struct adu_findings *findings,
                                                 struct adu_error *error);

/* As adu_policy_load, for people who want to know all that is wrong: after an error in a file it
 * goes on to the next file; what only several files together can show is looked for when each is
 * good. Errors are added to `findings` too, which is not NULL, and so are stages that are left out.
 * NULL if there are any errors. */
ADU_API struct adu_policy *adu_policy_check(const char *directory,
                                            const struct adu_stage *const stages[ADU_STAGES],
                                            struct adu_findings *findings);

/* NULL-safe. */
ADU_API void adu_policy_free(struct adu_policy *policy);

#endif
