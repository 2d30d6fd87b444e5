/* What a stage is given to turn its file into the compiled part of a generation. */
#ifndef ADUANA_COMMON_COMPILER_H
#define ADUANA_COMMON_COMPILER_H

#include "common/arena.h"
#include "common/error.h"
#include "common/findings.h"
#include "common/vocabulary.h"

struct adu_naming; /* stage.h */

/* Lives while one generation is being made, on one thread. */
struct adu_compiler {
    struct adu_arena *arena;           /* the generation's memory */
    struct adu_vocabulary *vocabulary; /* the generation's names */
    struct adu_error *error;           /* what is wrong, if anything */
    struct adu_findings *findings;     /* what is remarkable; NULL: nobody asks */
    const char *directory;             /* the policy folder */
    const char *file;                  /* the file being compiled; lives with the arena */
    const struct adu_naming *naming;   /* what topics may be called; NULL: anything */
    /* What the stage made of the same folder when an earlier plugin of this start was loaded, a
     * moment ago: what is costly to read need not be read again. NULL: nothing. */
    const void *before;
    const char *time_zone; /* of the plant, once the stage that has it is compiled; NULL: none */
};

/* A place as a rule may keep it: document places die with the document. */
static inline struct adu_place adu_compiler_place(const struct adu_compiler *c,
                                                  const struct adu_place *place)
{
    return (struct adu_place){.file = c->file, .line = place->line, .column = place->column};
}

#endif
