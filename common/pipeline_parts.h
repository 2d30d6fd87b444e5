/* The inside of the pipeline, shared by its parts. Each calls only those above it:
 * log.c (the broker's log), expiry.c (how long), doubt.c (are they still), tell.c (the audit log),
 * measure.c (metrics), remember.c (the state file), kick.c (sending away), stages.c (what stages
 * may ask for), certificates.c (how long yet), start.c (the first event), judge.c (who), login.c
 * (they come), tickets.c (answers that come later), leave.c (they go), hold.c (who, later),
 * connect.c (may they come in), refuse.c (they may not), too_much.c (they may, but), decide.c (may
 * they), would.c (might they), reload.c (generations), control*.c (orders), pipeline.c (plugins
 * come, time passes, plugins go).
 */
#ifndef ADUANA_COMMON_PIPELINE_PARTS_H
#define ADUANA_COMMON_PIPELINE_PARTS_H

#include "common/audit_record.h"
#include "common/folder_watch.h"
#include "common/metrics_server.h"
#include "common/pending.h"
#include "common/pipeline.h"
#include "common/policy.h"
#include "common/principal.h"
#include "common/session.h"
#include "common/state.h"
#include "common/topic_cache.h"
#include "common/worker.h"

struct adu_keep_job;

/* Somebody who is to be disconnected by the next tick. */
struct adu_kick {
    struct adu_kick *next;
    const void *handle;
    bool with_will;
    char client_id[];
};

/* What became of the last policy that was loaded after the start. */
struct adu_last_load {
    int64_t wall_ms;                                  /* 0: there was none */
    char error[ADU_ERROR_TEXT + ADU_ERROR_FILE + 32]; /* empty: it is the running one */
    int64_t took_ns;                                  /* that of the start too; 0: not known */
};

/* Whoever answers scrapes, and where he does so. */
struct adu_measure {
    struct adu_metrics_server *server;
    struct adu_metrics_settings has; /* as it is; `http` is false where it listens nowhere */
    bool busy;                       /* that is just being changed */
    bool said;                       /* the log was told that it cannot be */
    int64_t again_ms;                /* monotonic, when it is tried again */
    char why_not[ADU_ERROR_TEXT];    /* it is not as wanted; empty: it is */
};

/* A publish that may go and is too much: the broker is about to ask again. */
struct adu_too_much {
    const void *handle; /* NULL: there is none */
    struct adu_principal *principal;
    struct adu_request request; /* without its topic, of which the broker may have made another */
    const char *stage, *text;
};

struct adu_pipeline {
    struct adu_pipeline *next;
    char *name, *policy_dir, *state_dir;
    const struct adu_host *host;

    const struct adu_stage *stages[ADU_STAGES];
    void *instances[ADU_STAGES];
    unsigned attached;

    struct adu_policy *policy;
    unsigned long generations; /* made so far */
    bool started;              /* all plugins are loaded: the first event has come */
    bool refuse_all;           /* something that must be there is not */
    char refuse_why[256];
    bool broker_authenticates, broker_permits; /* a missing stage's file says to do without */
    bool asked_again;                          /* about each message that may go */
    struct adu_too_much too_much;              /* what the last decision let go, if that is */

    struct adu_principals *principals;
    struct adu_sessions *sessions;
    struct adu_pending *pending;
    int64_t refresh_ms;             /* when the next client is to be looked up anew; 0: none is */
    struct adu_topic_cache *topics; /* of what is remembered as allowed */
    struct adu_worker *worker;
    struct adu_state *state;
    struct adu_keep_job *keeping; /* what this tick is going to write; NULL: nothing yet */
    struct adu_counters counters;
    bool measuring;             /* log-ins and ticks are timed, and numbers shown */
    struct adu_sampler sampler; /* of decisions */
    struct adu_metrics metrics; /* its histograms as they are, all else as of the last tick */
    struct adu_measure measure;
    uint64_t writes_failed; /* of the state file */
    struct adu_log_window connect_log;

    struct adu_audit_log *audit;
    bool tell_allowed;     /* it wants to know of what is allowed too */
    bool audit_wrong;      /* the broker's log was told so */
    int64_t audit_said_ms; /* when; 0: never */

    int64_t expires_ms;      /* wall clock: when the next session ends; 0: none will */
    int64_t expire_again_ms; /* not before, monotonic */
    bool clock_known;
    int64_t clock_ahead_ms;   /* of the monotonic one, as far as it is believed */
    int64_t clock_doubted_ms; /* monotonic, since when it is not; 0: it is */

    bool doubting;        /* some are still to be asked about */
    unsigned long doubts; /* how often there was something to doubt */

    bool loading, load_again;
    struct adu_folder_watch *watch; /* NULL: neither does the running policy ask for it
                                     * nor may the one that is being loaded */
    struct adu_last_load last_load;
    int64_t loaded_wall_ms;    /* the running policy; 0: at the start */
    int64_t rejected_since_ms; /* wall clock: no policy has loaded since then; 0: the last has */
    struct adu_certificates *certificates;

    bool sweep;             /* sessions must be judged anew */
    int64_t rerun_until_ms; /* the broker may be asking again about sessions */
    struct adu_now now;     /* of the last tick or reload, for what comes back from the worker */
    struct adu_now since;   /* the first event */
    unsigned long ticks;    /* so far */
    bool may_kick;          /* the broker has ticked in a place where it bears a disconnect */
    struct adu_kick *kicks;
};

/* judge.c: DENY, for that reason, which is no stage's own. */
enum adu_verdict adu_pipeline_deny(struct adu_login *login, const char *text);

/* judge.c: judges what is known of a principal under the running policy. */
void adu_pipeline_judge(struct adu_pipeline *p, struct adu_principal *principal,
                        struct adu_now now);

/* judge.c, for inquiry.c: the authentication stages in turn, and what is required of them all. */
enum adu_verdict adu_pipeline_identify(struct adu_pipeline *p, struct adu_login *login,
                                       struct adu_now now);

/* judge.c, for inquiry.c: a certificate's attributes, which `login` then points at. Without a
 * certificate, or without the stage that reads them, nothing. */
bool adu_pipeline_read_certificate(struct adu_pipeline *p, struct adu_bytes certificate,
                                   struct adu_attributes *attributes, struct adu_login *login);

/* judge.c, for inquiry.c: puts a judgement on the principal. Without memory it is not valid:
 * refused, and judged again by the next sweep or log-in. */
void adu_pipeline_settle(struct adu_pipeline *p, struct adu_principal *principal,
                         struct adu_login *login, bool valid, struct adu_now now);

/* login.c: a log-in of this very connection; `ticket` (0: none) as of adu_login. LATER with
 * `*ticket` set: it is to be held. */
enum adu_verdict adu_pipeline_log_in(struct adu_pipeline *p, const struct adu_connect *connect,
                                     struct adu_now now, uint64_t *ticket, char *username);

/* judge.c: the same as adu_pipeline_judge, by a fresh answer of the stage that checked its
 * password. false if that comes later, under `*ticket`. */
bool adu_pipeline_judge_afresh(struct adu_pipeline *p, struct adu_principal *principal,
                               struct adu_now now, uint64_t *ticket);

/* login.c: a line, a counter and an audit record of a log-in that is refused. */
void adu_pipeline_refused(struct adu_pipeline *p, const struct adu_connect *connect,
                          const struct adu_login *login, struct adu_now now);

/* hold.c: what becomes of a log-in whose answer comes under `ticket`. */
enum adu_verdict adu_pipeline_hold(struct adu_pipeline *p, const struct adu_connect *connect,
                                   struct adu_now now, uint64_t ticket, char *username);

/* tickets.c: the stage whose answers come later, and its instance. NULL: no stage's do. */
const struct adu_stage *adu_pipeline_answering(const struct adu_pipeline *p, void **instance);

/* tickets.c: nobody waits for that answer any more. 0 is none. */
void adu_pipeline_abandon(struct adu_pipeline *p, uint64_t ticket);

/* tickets.c: a log-in held under this handle or client id has gone. */
void adu_pipeline_unhold(struct adu_pipeline *p, const void *handle, const char *client_id);

/* hold.c: refuses log-ins that were held for too long, has clients looked up anew whose time has
 * come. */
void adu_pipeline_hold_tick(struct adu_pipeline *p, struct adu_now now);

/* login.c: a client whom the broker itself let in is known by the name that the broker has for it:
 * the session gets a principal of that name. false: no memory, or too many. */
bool adu_pipeline_own_by_name(struct adu_pipeline *p, struct adu_session *session);

/* tell.c: one line of the audit log, if there is one. `why` is NULL and `principal` may be where
 * there is none. */
void adu_pipeline_tell_request(struct adu_pipeline *p, enum adu_audit_verdict verdict, bool will,
                               const void *handle, const struct adu_request *request,
                               const struct adu_principal *principal, const struct adu_reason *why);
void adu_pipeline_tell_connect(struct adu_pipeline *p, enum adu_audit_verdict verdict,
                               const struct adu_connect *connect, const struct adu_login *login,
                               struct adu_now now);
void adu_pipeline_tell_disconnect(struct adu_pipeline *p, const struct adu_session *session,
                                  const struct adu_reason *why, struct adu_now now);

void adu_pipeline_tell_event(struct adu_pipeline *p, const struct adu_event *event,
                             struct adu_now now);

/* tell.c: where the audit log goes under the running policy. */
void adu_pipeline_tell_where(struct adu_pipeline *p);

/* tell.c: what has become of the lines, for the counters and for the broker's log. */
void adu_pipeline_tell_tick(struct adu_pipeline *p, struct adu_now now);

/* measure.c: nanoseconds of the broker's clock, 0 where it has none. Any thread. */
int64_t adu_pipeline_clock(const struct adu_pipeline *p);

/* measure.c: that took from `begun_ns` until now. */
void adu_pipeline_took(const struct adu_pipeline *p, struct adu_histogram *histogram,
                       int64_t begun_ns);

/* measure.c: what is timed under the running policy. */
void adu_pipeline_measure_what(struct adu_pipeline *p);

/* measure.c: all there is to measure, as it is now. */
const struct adu_metrics *adu_pipeline_measured(struct adu_pipeline *p);

/* measure.c: where metrics are to be had, and which. */
void adu_pipeline_measure_tick(struct adu_pipeline *p);

/* expiry.c: to be called each tick; a clock that jumps is not believed for a while. */
void adu_pipeline_watch_clock(struct adu_pipeline *p, struct adu_now now);

/* expiry.c: the time by which sessions end. */
struct adu_now adu_pipeline_believed(const struct adu_pipeline *p, struct adu_now now);

/* expiry.c: false with login->why if what proved the client has ended by then. */
bool adu_pipeline_in_time(struct adu_login *login, struct adu_now now);

/* expiry.c: somebody's session ends then; 0: never. */
void adu_pipeline_expires(struct adu_pipeline *p, int64_t until_ms);

/* expiry.c: has those judged anew whose time has come. Cheap when there are none. */
void adu_pipeline_expire_due(struct adu_pipeline *p, struct adu_now now);

/* certificates.c: goes through all clients' certificates, some of them each tick, and tells of
 * those that are near their end or doubtful, and when that is over. */
struct adu_certificates *adu_certificates_new(void);
void adu_certificates_free(struct adu_certificates *certificates); /* NULL-safe */
void adu_pipeline_watch_certificates(struct adu_pipeline *p, struct adu_now now);

/* certificates.c: the principal will be freed. Nothing may be told now: the next tick does. */
void adu_pipeline_unwatch_certificate(struct adu_pipeline *p, const struct adu_principal *gone);

/* certificates.c: whose certificate is spoken of, among those of one client id (not NULL): who is
 * connected, else who was seen last. */
struct adu_principal *adu_certificate_user(struct adu_principal *principals_of_client);

/* certificates.c: what the policy thinks of its certificate. false if it has none, or without the
 * stage that knows. */
bool adu_pipeline_assess_certificate(struct adu_pipeline *p, struct adu_principal *principal,
                                     struct adu_now now, struct adu_certificate_health *health);

/* doubt.c: asks about some of those who have not been asked about since adu_outlet.doubt; the sweep
 * judges whom a stage doubts. Cheap when there are none. */
void adu_pipeline_doubt_due(struct adu_pipeline *p, struct adu_now now);

/* remember.c: writes the principal's row to the state file, or removes it, on the worker. */
void adu_pipeline_remember(struct adu_pipeline *p, const struct adu_principal *principal);
void adu_pipeline_disremember(struct adu_pipeline *p, const struct adu_principal *principal);

/* remember.c: what a stage keeps of a client, written with all else of this tick, on the worker. */
void adu_pipeline_keep(struct adu_pipeline *p, enum adu_stage_kind stage, const char *client_id,
                       const char *username, struct adu_bytes record);
void adu_pipeline_keep_due(struct adu_pipeline *p);

/* start.c: the first event has come; says at once what is there and what is missing. */
void adu_pipeline_start(struct adu_pipeline *p, struct adu_now now);

/* start.c: what is missing under the current policy. */
void adu_pipeline_assess(struct adu_pipeline *p);

/* start.c: loads the folder for the stages there are, with what is remarkable kept beside it.
 * `before` as of adu_policy_load_again. */
struct adu_policy *adu_pipeline_load_policy(const char *directory,
                                            const struct adu_stage *const stages[ADU_STAGES],
                                            const struct adu_policy *before,
                                            struct adu_error *error);

/* start.c: tells the log what is remarkable in the running policy, the first of it. */
void adu_pipeline_say_findings(struct adu_pipeline *p);

/* decide.c: false with why->text for what MQTT does not allow; takes a filter's share group apart.
 */
bool adu_pipeline_well_formed(struct adu_request *request, struct adu_reason *why);

/* too_much.c: true if the client of that connection can be told that what it publishes there is too
 * much; else it may go. */
ADU_COLD bool adu_pipeline_tells_excess(const struct adu_pipeline *p, const void *handle,
                                        struct adu_text topic);

/* would.c: what would be answered if that client asked, by the same truth table and as it is held
 * back now; nobody asked, so nothing is counted, logged or remembered. Of one who is away it is not
 * known whether he could be told of too much (QoS 1 and 2), and he may. `question->handle` and
 * `client_id` are not looked at. A refusal that is only watched stands in `why` beside ALLOW or
 * ABSTAIN, with why->watched. */
enum adu_verdict adu_pipeline_would(struct adu_pipeline *p, struct adu_principal *principal,
                                    const struct adu_question *question, struct adu_now now,
                                    struct adu_reason *why);

/* would.c: the question as the stages would be asked it. false with `why` when they would not be:
 * the client is not valid, the topic is none, or the broker refuses it by itself. */
bool adu_pipeline_pose(struct adu_pipeline *p, struct adu_principal *principal,
                       const struct adu_question *question, struct adu_now now,
                       struct adu_request *request, struct adu_reason *why);

/* kick.c: disconnects a session with the next tick that may; its will is sent, or not. false when
 * memory is gone. */
bool adu_pipeline_kick_later(struct adu_pipeline *p, struct adu_session *session, bool with_will);
/* kick.c: the same of all connections of a client and user name, told to log and audit log. False
 * if there is none that is not on its way already. */
bool adu_pipeline_disconnect(struct adu_pipeline *p, const char *client_id, const char *username,
                             const struct adu_reason *why, struct adu_now now);
void adu_pipeline_kick_due(struct adu_pipeline *p);
void adu_pipeline_kick_none(struct adu_pipeline *p);

/* reload.c: what adu_pipeline_reload does, but for the broker's asking again about its sessions,
 * which comes with a SIGHUP alone. */
void adu_pipeline_load(struct adu_pipeline *p, struct adu_now now);

/* reload.c: whatever changes in the policy folder from now on will be seen; before it is read. */
void adu_pipeline_begin_watch(struct adu_pipeline *p);
/* reload.c: tells the log if the folder is to be watched and cannot be. */
void adu_pipeline_say_watch(struct adu_pipeline *p);
/* reload.c: loads if the policy folder has changed and the running policy says "watch_folder". */
void adu_pipeline_watch_folder(struct adu_pipeline *p, struct adu_now now);

/* reload.c: puts a fresh generation in place of the old one, which is freed. */
void adu_pipeline_swap(struct adu_pipeline *p, struct adu_policy *fresh);

/* reload.c: judges some of those whose judgement is of an older generation, kicks who must go. */
void adu_pipeline_sweep(struct adu_pipeline *p, struct adu_now now, bool may_kick);

/* What a stage is called with. */
static inline struct adu_stage_call adu_pipeline_call(struct adu_pipeline *p,
                                                      enum adu_stage_kind kind,
                                                      const struct adu_outlet *outlet,
                                                      struct adu_now now)
{
    return (struct adu_stage_call){
        .policy = p->policy->compiled[kind],
        .instance = p->instances[kind],
        .counters = &p->counters,
        .outlet = outlet,
        .state_dir = p->state_dir,
        .generation = p->policy->number,
        .now_ms = now.mono_ms,
        .wall_ms = now.wall_ms,
    };
}

/* stages.c: what stages may say to the plant, in their tick. */
struct adu_outlet adu_pipeline_outlet(struct adu_pipeline *p);

/* stages.c: tells every stage. From a tick. */
void adu_pipeline_event(struct adu_pipeline *p, const struct adu_event *event, struct adu_now now);

/* log.c: a line in the broker's log. */
void adu_pipeline_log(struct adu_pipeline *p, enum adu_log_level level, const char *format, ...)
    ADU_PRINTF(3, 4);

#endif
