/* Roles, grants and the final yes or no, by acl.json. Pure. */
#ifndef ADUANA_ACL_H
#define ADUANA_ACL_H

#include "common/stage.h"

struct adu_acl;

/* NULL with c->error set. */
const struct adu_acl *adu_acl_compile(struct adu_compiler *c, const struct adu_json *root);

/* Adds the roles of every binding whose match holds. false when they are too many. */
bool adu_acl_bind(const struct adu_acl *acl, const struct adu_attributes *attributes,
                  struct adu_login *login);

/* ALLOW when a rule of one of the subject's roles grants the request and none denies it; DENY with
 * the reason otherwise, and the rule where one denied. Hot path. */
enum adu_verdict adu_acl_decide(const struct adu_acl *acl, const struct adu_request *request,
                                struct adu_reason *why);

/* What the plugin, the command and the tests load. */
extern const struct adu_stage adu_acl_stage;

#endif
