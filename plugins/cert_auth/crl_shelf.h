/* The lists that lie in files and folders, as they were at one moment, and what is wrong with them.
 * Immutable once made and counted by references. Reads files: for loading and for workers. */
#ifndef ADUANA_CERT_AUTH_CRL_SHELF_H
#define ADUANA_CERT_AUTH_CRL_SHELF_H

#include "plugins/cert_auth/crl.h"

/* A file or a folder that the policy names. */
struct adu_crl_origin {
    const char *name, *path;
    bool folder;
};

struct adu_crl_shelf;

/* Reads every file, and in folders all whose names end with .crl, .pem or .der. A file that has not
 * changed since `before` (NULL: there was none) is not read again; of one that is gone, cannot be
 * read or holds what it should not, the lists of `before` stay, unless it was in a folder and
 * another file has newer ones. NULL when memory is gone. */
struct adu_crl_shelf *adu_crl_shelf_read(const struct adu_crl_origin *origins, size_t count,
                                         STACK_OF(X509) * issuers,
                                         const struct adu_crl_shelf *before);

struct adu_crl_shelf *adu_crl_shelf_hold(struct adu_crl_shelf *shelf);
/* NULL-safe. */
void adu_crl_shelf_drop(struct adu_crl_shelf *shelf);

/* All lists on it. */
const struct adu_crl_list *adu_crl_shelf_lists(const struct adu_crl_shelf *shelf);

/* How many good files have become bad. */
unsigned adu_crl_shelf_refused(const struct adu_crl_shelf *shelf);

/* What is wrong with the first file that something is wrong with, NULL if all is well, and which of
 * the origins it belongs to. */
const char *adu_crl_shelf_wrong(const struct adu_crl_shelf *shelf, size_t *origin);

#endif
