/* What "revocation" in cert_auth.json says of OCSP: whom to ask, what is asked of an answer, and
 * what to do without one. Look-ups under way outlive the policy that asked for them, so settings
 * are counted. */
#ifndef ADUANA_CERT_AUTH_OCSP_SETTINGS_H
#define ADUANA_CERT_AUTH_OCSP_SETTINGS_H

#include "plugins/cert_auth/ocsp.h"
#include "plugins/cert_auth/revocation.h"
#include <stdatomic.h>

enum { ADU_OCSP_URL = 1024 };

struct adu_ocsp_settings {
    atomic_uint references;
    struct adu_place place; /* as long as the policy lives, so of no use to look-ups */
    bool hard;              /* who is not known to be good is refused; else let in, and counted */
    char *responder;        /* NULL: the one that a certificate names */
    char **hosts;           /* NULL-ended: those that a certificate may name; NULL: any */
    char *ca_file;          /* whom to believe over https; NULL: whom this machine does */
    struct adu_ocsp_terms terms;
    int64_t refresh_ms; /* after that an answer is asked for anew */
    long timeout_ms;
};

/* "off", "soft", "hard"; "required", "optional": NULL-ended, for the table of keys. */
extern const char *const adu_ocsp_mode_names[], *const adu_ocsp_nonce_names[];

/* `*settings` is NULL where the file does not ask for OCSP; else the caller has a reference. false
 * with c->error set. Any thread. */
bool adu_ocsp_settings_compile(struct adu_compiler *c, const struct adu_revocation_keys *keys,
                               struct adu_ocsp_settings **settings);

/* Any thread; both NULL-safe. */
struct adu_ocsp_settings *adu_ocsp_settings_ref(struct adu_ocsp_settings *settings);
void adu_ocsp_settings_unref(struct adu_ocsp_settings *settings);

/* True if what was answered under `a` is as good under `b`: the same is asked of the same. */
bool adu_ocsp_settings_agree(const struct adu_ocsp_settings *a, const struct adu_ocsp_settings *b);

/* Whom to ask about `leaf`: the policy's responder, or the first that the certificate names
 * (RFC 5280 section 4.2.2.1), spoken to by http or https, at a host that it may name. Otherwise
 * false with `why`. Any thread. */
bool adu_ocsp_settings_responder(const struct adu_ocsp_settings *settings, X509 *leaf,
                                 char url[ADU_OCSP_URL], char why[ADU_OCSP_WHY]);

#endif
