/* What a plugin is to the bundle: a stage of the one pipeline. A constant table of this type is all
 * that a plugin.c hands over. Every function but `compile` and `release` runs on the broker's
 * thread. */
#ifndef ADUANA_COMMON_STAGE_H
#define ADUANA_COMMON_STAGE_H

#include "common/bytes.h"
#include "common/certificate_health.h"
#include "common/compiler.h"
#include "common/counters.h"
#include "common/event.h"
#include "common/explainer.h"
#include "common/json.h"
#include "common/reason.h"
#include "common/request.h"
#include "common/verdict.h"

/* In the order in which stages are asked, whatever the order of the broker's plugin lines. */
enum adu_stage_kind {
    ADU_STAGE_CERT_AUTH,
    ADU_STAGE_IAM_AUTH,
    ADU_STAGE_RATE_MONITOR,
    ADU_STAGE_TOPIC_POLICY,
    ADU_STAGE_ACL,
    ADU_STAGES
};

/* "cert_auth", ...: the stage's policy is <name>.json and its plugin aduana_<name>.so. */
ADU_API const char *adu_stage_name(enum adu_stage_kind kind);

enum adu_log_level { ADU_LOG_ERROR, ADU_LOG_WARNING, ADU_LOG_NOTICE, ADU_LOG_INFO };

struct adu_metrics;

/* The way out for what a stage has to say to the plant. Functions may be called from tick and event
 * only; the broker delivers in its next turn. */
struct adu_outlet {
    void (*publish)(void *context, const char *topic, const char *payload, int qos, bool retain);
    /* Tells all stages, of which one makes an alert of it. From tick only. */
    void (*alert)(void *context, const struct adu_event *event);
    /* A line of the broker's log: a sentence without its end. */
    void (*log)(void *context, enum adu_log_level level, const char *text);
    /* Something has become known of clients that are let in already: has each asked about by the
     * stage's `doubts`, some at each tick. */
    void (*doubt)(void *context);
    /* Keeps this of a client on disk, in place of what was kept before, till the client is
     * forgotten. From tick only; NULL: there is no place to keep it. */
    void (*keep)(void *context, enum adu_stage_kind stage, const char *client_id,
                 const char *username, struct adu_bytes record);
    /* Disconnects that client with the next tick that may; log and audit log say why. From tick
     * only. False: it is not connected. */
    bool (*disconnect)(void *context, const char *client_id, const char *username,
                       const struct adu_reason *why);
    /* All there is to measure (common/metrics.h), as it is now. From tick only. */
    const struct adu_metrics *(*measured)(void *context);
    /* A line of the audit log. From tick and event only. */
    void (*audit)(void *context, const struct adu_event *event);
    void *context;
};

/* How a connection ended, as far as the broker says so. */
enum adu_end { ADU_END_UNKNOWN, ADU_END_ORDERLY, ADU_END_LOST, ADU_END_KICKED };

/* What a stage needs besides the request. */
struct adu_stage_call {
    const void *policy; /* what `compile` made */
    void *instance;     /* what `instance_new` made; NULL without it */
    struct adu_counters *counters;
    const struct adu_outlet *outlet;
    const char *state_dir; /* where files may be kept over a restart; NULL: nowhere */
    unsigned long generation;
    int64_t now_ms;  /* monotonic */
    int64_t wall_ms; /* since 1970, UTC */
};

/* What topics may be called, as far as the stage that says so has to do with other files. */
struct adu_naming {
    const void *policy;
    /* False with `why` if nobody may publish to, or subscribe to, any topic that `filter` can
     * match. */
    bool (*possible)(const void *policy, struct adu_text filter, struct adu_reason *why);
};

/* What an order wants to know of topics: how they are named and refused in all, or a page of those
 * in use. */
struct adu_topics_asked {
    bool summary;
    const char *client_id; /* only those of this client; NULL: all */
    size_t from;           /* where the page begins: 0, or as the one before said */
    size_t most;           /* topics */
};

struct adu_stage {
    enum adu_stage_kind kind;
    bool may_watch; /* its file may say "mode": "watch" */

    /* Compiles the stage's file. The common keys have been taken out of `fields` already: a stage
     * lists ADU_STAGE_FIELDS among its own. NULL with c->error set. Any thread. */
    const void *(*compile)(struct adu_compiler *c, const struct adu_json *root);
    /* Of the stage that says what topics may be called: see struct adu_naming. */
    bool (*possible)(const void *policy, struct adu_text filter, struct adu_reason *why);

    /* State that outlives a generation, one a pipeline. */
    void *(*instance_new)(void);
    void (*instance_free)(void *instance);

    /* Bytes of zeroed state for each known client, kept across its connections and generations. */
    size_t client_state_size;
    /* The client is being forgotten. */
    void (*client_forget)(void *instance, void *client_state);

    /* The broker has started, and this was kept of a client (adu_outlet.keep) that is known still;
     * of the subject only the names are known yet. It is that of every later call about the client,
     * and with its names lives as long as the state. False: it cannot be read, and the client
     * begins anew. */
    bool (*client_restore)(const struct adu_stage_call *call, const struct adu_subject *subject,
                           void *client_state, struct adu_bytes record);

    /* Turns a client certificate (in DER, and `parsed` where somebody has done so already, else
     * NULL) into attributes named `cert.*`. false with `why` when it holds something that cannot be
     * trusted to mean what it seems to. */
    bool (*read_certificate)(struct adu_bytes der, struct x509_st *parsed,
                             struct adu_attributes *attributes, char *why, size_t size);

    /* The same certificate's time and strength. Of what cannot be read, an end long ago. */
    void (*inspect_certificate)(struct adu_bytes der, struct x509_st *parsed,
                                struct adu_certificate_facts *facts);
    /* What the policy thinks of a certificate that is in use. Quick: asked of every client again
     * and again. */
    void (*assess_certificate)(const struct adu_stage_call *call,
                               const struct adu_certificate_sight *sight,
                               struct adu_certificate_health *health);

    /* Authentication: who is it? ALLOW when a factor was proven, ABSTAIN when there is nothing to
     * judge, DENY with login->why. */
    enum adu_verdict (*identify)(const struct adu_stage_call *call, struct adu_login *login);
    /* The same of a client that is described in words, so that nobody can check its certificate's
     * chain. For inquiries (inquiry.c) alone: no client is ever let in by it. NULL: as `identify`.
     */
    enum adu_verdict (*assume)(const struct adu_stage_call *call, struct adu_login *login);

    /* True if the client might not be let in any more; it is then judged anew, and disconnected if
     * it is not. Asked of every known client after adu_outlet.doubt, so it must be quick: it looks
     * nothing up that may wait and may say yes too often. */
    bool (*doubts)(const struct adu_stage_call *call, const struct adu_subject *subject);

    /* Of the one stage that may say ADU_LATER. The next ticket whose answer has come, each once; 0:
     * none. `identify` is then called with it, or `abandon`. Cheap when there is none. */
    uint64_t (*answered)(void *instance);
    /* Nobody waits for that answer any more. */
    void (*abandon)(void *instance, uint64_t ticket);
    /* For brokers that cannot hold a log-in: waits for that answer as long as the policy bears it.
     * true if it has come. */
    bool (*wait)(const struct adu_stage_call *call, uint64_t ticket);

    /* Roles that depend on what all stages found; adds to login->roles. */
    bool (*bind)(const struct adu_stage_call *call, const struct adu_attributes *attributes,
                 struct adu_login *login);
    /* What is known of a client has been judged anew since its log-in. Nothing may be told. */
    void (*judged)(const struct adu_stage_call *call, const struct adu_subject *subject,
                   void *client_state);
    /* A log-in has failed, on the listener of that port; 0: the broker does not say which. */
    void (*login_failed)(const struct adu_stage_call *call, uint16_t port);
    /* A client has logged in. */
    void (*connected)(const struct adu_stage_call *call, const struct adu_subject *subject,
                      void *client_state);

    /* Its last connection has ended. */
    void (*left)(const struct adu_stage_call *call, const struct adu_subject *subject,
                 void *client_state, enum adu_end end);

    /* Told of every request before it is judged; may refuse it for how often such come. ABSTAIN,
     * DENY or, of a publish, TOO_MUCH. Hot path. */
    enum adu_verdict (*count)(const struct adu_stage_call *call, const struct adu_request *request,
                              void *client_state, struct adu_reason *why);

    /* What `count` would answer to a client in that state, or one who comes back in it, beside
     * counting: asked when nobody has asked, so nothing may come of it. NULL: always ABSTAIN. */
    enum adu_verdict (*holds_back)(const struct adu_request *request, const void *client_state,
                                   struct adu_reason *why);

    /* True if under that policy `count` may say TOO_MUCH. */
    bool (*throttles)(const void *policy);

    /* A client's request has been refused, by whichever stage. */
    void (*refused)(const struct adu_stage_call *call, const struct adu_request *request,
                    void *client_state);

    /* Permission. Vetoes answer DENY or ABSTAIN, the one grant (acl) also ALLOW. The answer follows
     * from the policy, the subject, the action and the topic alone and may be remembered for the
     * next such request, or why->passing says that it does not. Hot path: allocates nothing, locks
     * nothing, logs nothing. */
    enum adu_verdict (*decide)(const struct adu_stage_call *call, const struct adu_request *request,
                               void *client_state, struct adu_reason *why);

    /* A publish was allowed by all, and nothing of it is only watched. Told unless the answer was
     * remembered, so at least of the first on a topic. Hot path. */
    void (*published)(const struct adu_stage_call *call, const struct adu_request *request);

    /* A publish is let through, also one whose answer was remembered or that is only watched, and
     * one that the broker's own access control has yet to decide. Hot path; told only under a
     * policy for which `follows` says so. */
    void (*let_through)(const struct adu_stage_call *call, const struct adu_request *request,
                        void *client_state);
    bool (*follows)(const void *policy);

    /* For orders (control_topics.c): what is known of topics, as `asked`. NULL when memory is gone.
     */
    json_t *(*tell_topics)(const struct adu_stage_call *call, const struct adu_topics_asked *asked);

    /* For inquiries (inquiry.c): tells of every rule that has to do with the request, and what
     * might be changed so that it would be allowed. NULL: there is nothing to tell. */
    void (*explain)(const struct adu_stage_call *call, const struct adu_request *request,
                    const struct adu_explainer *to);
    /* True with `why` if a log-in of that client would be refused now, whatever it proves. */
    bool (*keeps_out)(const struct adu_stage_call *call, const char *client_id,
                      const char *username, struct adu_reason *why);
    /* The same of a client that proves nothing: why not, rule by rule. */
    void (*explain_login)(const struct adu_stage_call *call, const struct adu_login *login,
                          const struct adu_explainer *to);
    /* Tells of every rule there is. NULL: none that one would want to see covered. */
    void (*rules)(const void *policy, const struct adu_explainer *to);

    /* A hundred milliseconds or less have passed. */
    void (*tick)(const struct adu_stage_call *call);
    /* Something has happened that deserves an alert. */
    void (*event)(const struct adu_stage_call *call, const struct adu_event *event);
};

/* The keys that every policy file has. */
struct adu_stage_header {
    const char *schema;
    int if_not_loaded; /* enum adu_if_not_loaded */
    int mode;          /* enum adu_mode */
};

enum adu_if_not_loaded { ADU_IF_NOT_LOADED_REFUSE, ADU_IF_NOT_LOADED_IGNORE };
enum adu_mode { ADU_MODE_ENFORCE, ADU_MODE_WATCH };

ADU_API extern const char *const adu_if_not_loaded_names[];
ADU_API extern const char *const adu_mode_names[];

/* For a stage's table of fields; `type` is its struct, whose first member is a header. */
#define ADU_STAGE_FIELDS(type)                                                                     \
    {.key = "$schema", .kind = ADU_FIELD_STRING, .offset = offsetof(type, header.schema)},         \
    {                                                                                              \
        .key = "if_not_loaded", .kind = ADU_FIELD_CHOICE,                                          \
        .offset = offsetof(type, header.if_not_loaded), .choices = adu_if_not_loaded_names         \
    }
#define ADU_STAGE_MODE_FIELD(type)                                                                 \
    {                                                                                              \
        .key = "mode", .kind = ADU_FIELD_CHOICE, .offset = offsetof(type, header.mode),            \
        .choices = adu_mode_names                                                                  \
    }

#endif
