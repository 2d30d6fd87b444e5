#define PCRE2_CODE_UNIT_WIDTH 8
#include "common/pattern.h"
#include <pcre2.h>
#include <string.h>

/* Enough for any sane pattern on a topic level or a certificate field, and reached within
 * microseconds by one that is not. */
enum { MATCH_LIMIT = 10000, HEAP_LIMIT_KIB = 64, LONGEST_PATTERN = 1024 };

struct adu_pattern {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
    bool jitted;
};

static void release(void *thing)
{
    struct adu_pattern *p = thing;
    pcre2_match_context_free(p->limits);
    pcre2_match_data_free(p->match);
    pcre2_code_free(p->code);
}

static bool compile(struct adu_pattern *p, const char *text, const struct adu_json *node,
                    struct adu_error *error)
{
    int code;
    PCRE2_SIZE offset;
    p->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                            PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED | PCRE2_ENDANCHORED |
                                PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C,
                            &code, &offset, NULL);
    if (p->code == NULL) {
        PCRE2_UCHAR why[128];
        pcre2_get_error_message(code, why, sizeof why);
        return adu_json_error(node, error, "not a pattern: %s at character %zu of %s",
                              (const char *)why, (size_t)offset, text);
    }
    p->match = pcre2_match_data_create_from_pattern(p->code, NULL);
    p->limits = pcre2_match_context_create(NULL);
    if (p->match == NULL || p->limits == NULL) {
        return adu_error_no_memory(error);
    }
    pcre2_set_match_limit(p->limits, MATCH_LIMIT);
    pcre2_set_heap_limit(p->limits, HEAP_LIMIT_KIB);
    /* Without JIT (no memory to execute, say) the interpreter does the same, slower. */
    size_t jit_bytes = 0;
    (void)pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
    p->jitted = pcre2_pattern_info(p->code, PCRE2_INFO_JITSIZE, &jit_bytes) == 0 && jit_bytes > 0;
    return true;
}

const struct adu_pattern *adu_pattern_compile(struct adu_arena *arena, const char *text,
                                              const struct adu_json *node, struct adu_error *error)
{
    if (strlen(text) > LONGEST_PATTERN) {
        adu_json_error(node, error, "a pattern has at most %d bytes", LONGEST_PATTERN);
        return NULL;
    }
    struct adu_pattern *p = adu_arena_alloc(arena, sizeof *p);
    if (p == NULL || !adu_arena_at_free(arena, release, p)) {
        adu_error_no_memory(error);
        return NULL;
    }
    return compile(p, text, node, error) ? p : NULL;
}

static bool is_ascii(const char *value, size_t length)
{
    unsigned char all = 0;
    for (size_t i = 0; i < length; i++) {
        all |= (unsigned char)value[i];
    }
    return all < 0x80;
}

/* What is ASCII is UTF-8, so that nothing need be looked at before the match itself: half of the
 * time that a short one takes. */
static int match(const struct adu_pattern *p, const char *value, size_t length)
{
    return p->jitted && is_ascii(value, length)
               ? pcre2_jit_match(p->code, (PCRE2_SPTR)value, length, 0, 0, p->match, p->limits)
               : pcre2_match(p->code, (PCRE2_SPTR)value, length, 0, 0, p->match, p->limits);
}

bool adu_pattern_matches(const struct adu_pattern *pattern, const char *value, size_t length,
                         struct adu_capture *capture)
{
    const int groups = match(pattern, value, length);
    if (groups <= 0) {
        return false;
    }
    if (capture != NULL) {
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(pattern->match);
        uint32_t all = 0;
        pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &all);
        const size_t group = all > 0 ? 2 : 0;
        if (group > 0 && (groups < 2 || at[2] == PCRE2_UNSET)) {
            return false; /* matched without its group: there is no value to take */
        }
        capture->text = value + at[group];
        capture->length = at[group + 1] - at[group];
    }
    return true;
}
