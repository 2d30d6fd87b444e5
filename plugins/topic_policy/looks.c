#include "plugins/topic_policy/looks.h"
#include "common/pattern.h"
#include <glib.h>
#include <string.h>

/* The alphabets whose letters are taken for each other's. */
#define LATIN    "\\p{Latin}"
#define GREEK    "\\p{Greek}"
#define CYRILLIC "\\p{Cyrillic}"
#define ARMENIAN "\\p{Armenian}"
#define CHEROKEE "\\p{Cherokee}"
#define COPTIC   "\\p{Coptic}"

/* At most one of them in a level; what belongs to none goes with any. */
static const char one_alphabet[] =
    "[^" GREEK CYRILLIC ARMENIAN CHEROKEE COPTIC "]*|[^" LATIN CYRILLIC ARMENIAN CHEROKEE COPTIC
    "]*|[^" LATIN GREEK ARMENIAN CHEROKEE COPTIC "]*|[^" LATIN GREEK CYRILLIC CHEROKEE COPTIC
    "]*|[^" LATIN GREEK CYRILLIC ARMENIAN COPTIC "]*|[^" LATIN GREEK CYRILLIC ARMENIAN CHEROKEE
    "]*";

/* Cyrillic and Greek letters that look like Latin ones (Unicode Technical Standard 39). */
#define ALIKE                                                                                      \
    "\\x{430}\\x{435}\\x{43e}\\x{440}\\x{441}\\x{443}\\x{445}\\x{455}\\x{456}\\x{458}\\x{4bb}"     \
    "\\x{501}\\x{51b}\\x{51d}\\x{410}\\x{412}\\x{415}\\x{405}\\x{406}\\x{408}\\x{41a}\\x{41c}"     \
    "\\x{41d}\\x{41e}\\x{420}\\x{421}\\x{422}\\x{425}\\x{3bf}\\x{3bd}\\x{3c1}\\x{3b1}\\x{391}"     \
    "\\x{392}\\x{395}\\x{396}\\x{397}\\x{399}\\x{39a}\\x{39c}\\x{39d}\\x{39f}\\x{3a1}\\x{3a4}"     \
    "\\x{3a5}\\x{3a7}"

/* Letters, and all of them such. */
static const char all_alike[] = "[^\\p{L}]*[" ALIKE "][" ALIKE "\\P{L}]*";

struct adu_looks {
    const struct adu_pattern *one_alphabet, *all_alike;
};

const struct adu_looks *adu_looks_compile(struct adu_compiler *c, const struct adu_json *node)
{
    struct adu_looks *looks = adu_arena_alloc(c->arena, sizeof *looks);
    if (looks == NULL) {
        adu_error_no_memory(c->error);
        return NULL;
    }
    looks->one_alphabet = adu_pattern_compile(c->arena, one_alphabet, node, c->error);
    looks->all_alike = looks->one_alphabet != NULL
                           ? adu_pattern_compile(c->arena, all_alike, node, c->error)
                           : NULL;
    return looks->all_alike != NULL ? looks : NULL;
}

enum { CHARACTERS_MOST = 1024 * 6 }; /* of the longest level, six for each of its bytes */

/* Takes the characters of the text apart, in canonical order. 0 if they find no room. */
static size_t decompose(struct adu_text text, bool compatible, gunichar *characters)
{
    size_t count = 0;
    for (size_t i = 0; i < text.length;) {
        const char *at = text.bytes + i;
        const gunichar character = g_utf8_get_char_validated(at, (gssize)(text.length - i));
        if (character > 0x10ffff || CHARACTERS_MOST - count < G_UNICHAR_MAX_DECOMPOSITION_LENGTH) {
            return 0;
        }
        count += g_unichar_fully_decompose(character, compatible, characters + count,
                                           G_UNICHAR_MAX_DECOMPOSITION_LENGTH);
        i += (size_t)(g_utf8_next_char(at) - at);
    }
    g_unicode_canonical_ordering(characters, count);
    return count;
}

/* Puts together what belongs together (Unicode Standard Annex 15). Returns how many are left. */
static size_t compose(gunichar *characters, size_t count)
{
    size_t starter = 0, kept = 0;
    int last_class = -1; /* of what was kept since the starter; -1: nothing */
    for (size_t i = 0; i < count; i++) {
        const int class = g_unichar_combining_class(characters[i]);
        gunichar one;
        if (kept > 0 && last_class < class &&
            g_unichar_compose(characters[starter], characters[i], &one)) {
            characters[starter] = one;
            continue;
        }
        if (class == 0) {
            starter = kept;
        }
        last_class = class == 0 ? -1 : class;
        characters[kept++] = characters[i];
    }
    return kept;
}

/* True if the text stays as it is in normal form C, or KC. What finds no room is not so. */
static bool is_normal(struct adu_text text, bool compatible)
{
    gunichar characters[CHARACTERS_MOST];
    const size_t count = compose(characters, decompose(text, compatible, characters));
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        char bytes[6];
        const size_t length = (size_t)g_unichar_to_utf8(characters[i], bytes);
        if (length > text.length - at || memcmp(text.bytes + at, bytes, length) != 0) {
            return false;
        }
        at += length;
    }
    return at == text.length;
}

bool adu_looks_like_another(const struct adu_looks *looks, struct adu_text level)
{
    return !adu_pattern_matches(looks->one_alphabet, level.bytes, level.length, NULL) ||
           adu_pattern_matches(looks->all_alike, level.bytes, level.length, NULL) ||
           !is_normal(level, true);
}

bool adu_looks_composed(struct adu_text level)
{
    return is_normal(level, false);
}

bool adu_looks_fold(struct adu_text text, char *buffer, size_t size, size_t *length)
{
    size_t used = 0;
    for (size_t i = 0; i < text.length;) {
        const char *at = text.bytes + i;
        const gunichar character = g_utf8_get_char_validated(at, (gssize)(text.length - i));
        if (character > 0x10ffff || size - used < 6) {
            return false;
        }
        used += (size_t)g_unichar_to_utf8(character == '_' ? '-' : g_unichar_tolower(character),
                                          buffer + used);
        i += (size_t)(g_utf8_next_char(at) - at);
    }
    *length = used;
    return true;
}
