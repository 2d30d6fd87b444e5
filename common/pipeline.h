/* The one pipeline that all plugins of a listener form. It knows no broker: what it asks of one is
 * a table of functions, and time comes as an argument. Broker's thread only. */
#ifndef ADUANA_COMMON_PIPELINE_H
#define ADUANA_COMMON_PIPELINE_H

#include "common/bytes.h"
#include "common/stage.h"

struct adu_pipeline;

struct adu_now {
    int64_t mono_ms; /* never goes back */
    int64_t wall_ms; /* since 1970, UTC */
};

/* What the pipeline may ask of the broker. `handle` is the broker's own for a connection. */
struct adu_host {
    void (*log)(enum adu_log_level level, const char *line);
    void (*publish)(void *context, const char *topic, const char *payload, int qos, bool retain);
    void (*kick)(const char *client_id, bool with_will); /* called from adu_pipeline_tick only */
    const char *(*username)(const void *handle);
    const char *(*address)(const void *handle);
    bool (*has_certificate)(const void *handle);
    /* True if the client's protocol has answers that say why (MQTT 5). NULL: none has. */
    bool (*hears_why)(const void *handle);
    /* Tells a client that is held (ADU_LATER) what became of its log-in; `username` as of
     * adu_pipeline_login. false if the connection has gone meanwhile. NULL: the broker cannot hold
     * a log-in. Called from adu_pipeline_answers and adu_pipeline_tick only. */
    bool (*complete)(const void *handle, const char *client_id, bool accepted,
                     const char *username);
    /* True if in a pipeline besides the one that asks somebody else than `username` has that client
     * id (adu_pipeline_taken_by_another): to the broker it is one client, whichever listener it
     * comes by. NULL: there is no other pipeline. */
    bool (*taken_elsewhere)(const struct adu_pipeline *asking, const char *client_id,
                            const char *username, bool bound, struct adu_now now);
    /* A clock that never goes back. NULL: nothing is timed. Any thread. */
    int64_t (*nanoseconds)(void);
};

/* The options of a plugin line; NULL where not given. */
struct adu_options {
    const char *pipeline, *policy_dir, *state_dir;
};

/* Adds a stage to the pipeline of that name, made if it is the first, and loads the policy for the
 * stages there are so far. NULL with `error` when the stage is there already, an option is missing
 * or differs from an earlier line's, or the policy does not load: then the broker must not start.
 * `*order` is the stage's place in the order of plugin lines, from 0. */
ADU_API struct adu_pipeline *adu_pipeline_attach(const struct adu_stage *stage,
                                                 const struct adu_options *options,
                                                 const struct adu_host *host, unsigned *order,
                                                 struct adu_error *error);

/* The plugin is being unloaded. After the last one the pipeline refuses everything; its few bytes
 * stay, because the broker's callbacks may still point at it. */
ADU_API void adu_pipeline_detach(struct adu_pipeline *p, const struct adu_stage *stage);

/* A CONNECT, or the broker asking again about a session after a reload. */
struct adu_connect {
    const void *handle;
    const char *client_id, *username, *password, *address;
    uint16_t port;                /* of the listener; 0: not known */
    struct adu_bytes certificate; /* of the client, in DER, borrowed; without bytes: none */
    struct x509_st *parsed;       /* the same, borrowed; NULL: is parsed where it is asked for */
    bool durable;                 /* the broker keeps the session when the connection ends */
};

/* LATER: the broker holds the client and its host's `complete` will say; where it has none, the
 * connection is to be closed without an answer: when the client comes again there may be one.
 * ALLOW: `username` (of at least ADU_USERNAME_MOST + 1 bytes) holds the verified name, which the
 * broker must know the client by; empty: as it is. ABSTAIN: the broker's own authentication
 * decides. */
ADU_API enum adu_verdict adu_pipeline_login(struct adu_pipeline *p,
                                            const struct adu_connect *connect, struct adu_now now,
                                            char *username);

/* A CONNECT with that client id has come to another pipeline: a log-in that was held here under it
 * has gone. */
ADU_API void adu_pipeline_superseded(struct adu_pipeline *p, const char *client_id);

/* Completes log-ins whose answers have come. Cheap when there are none. */
ADU_API void adu_pipeline_answers(struct adu_pipeline *p, struct adu_now now);

/* True if log-ins are held: adu_pipeline_answers is to be called soon. */
ADU_API bool adu_pipeline_is_holding(const struct adu_pipeline *p);

struct adu_question {
    const void *handle;
    const char *client_id;
    enum adu_action action;
    const char *topic; /* of a SUBSCRIBE: the whole filter */
    uint8_t qos;
    bool retain;
    uint32_t payload_length;
    const char *payload; /* of a PUBLISH, borrowed; NULL: there is none, or it is not known */
    const struct adu_properties *properties; /* likewise; NULL: not known */
};

/* ABSTAIN: the broker's other access control decides. */
ADU_API enum adu_verdict adu_pipeline_decide(struct adu_pipeline *p,
                                             const struct adu_question *question,
                                             struct adu_now now);

/* True if the policy may find that a client publishes too much. Where the broker can ask once more
 * about each message that may go, it is to do so then, and to say whether it does:
 * adu_pipeline_asked_again. */
ADU_API bool adu_pipeline_throttles(const struct adu_pipeline *p);
ADU_API void adu_pipeline_asked_again(struct adu_pipeline *p, bool is);

/* Asked again, right after adu_pipeline_decide has let that client's message go: true if it is too
 * much. Then it is to go nowhere, and its client is to be told why. */
ADU_API bool adu_pipeline_too_much(struct adu_pipeline *p, const void *handle, const char *topic);

/* True if somebody else than `username` has that client id: is connected by it, or is away and has
 * a session that the broker keeps, as far as can be known. Whom the policy has `bound` to it only
 * somebody else who is bound to it can keep from it: not who chose it freely. */
ADU_API bool adu_pipeline_taken_by_another(struct adu_pipeline *p, const char *client_id,
                                           const char *username, bool bound, struct adu_now now);

/* The connection ended; `session_ended`: nothing of it remains in the broker. */
ADU_API void adu_pipeline_gone(struct adu_pipeline *p, const void *handle, const char *client_id,
                               bool session_ended, enum adu_end end, struct adu_now now);

/* SIGHUP: load the folder anew, on the worker; tick swaps it in. */
ADU_API void adu_pipeline_reload(struct adu_pipeline *p, struct adu_now now);

/* To be called every 100 ms or so. `may_kick` is false where the broker does not bear a disconnect
 * now; who must go is then only refused everything. */
ADU_API void adu_pipeline_tick(struct adu_pipeline *p, struct adu_now now, bool may_kick);

/* True if more than a second has passed without a tick: 2.0.11 has none under
 * per_listener_settings, so what is to be done in a tick is done in another event. */
ADU_API bool adu_pipeline_tick_is_late(const struct adu_pipeline *p, struct adu_now now);

ADU_API const struct adu_counters *adu_pipeline_counters(const struct adu_pipeline *p);

/* True if that connection has logged in here: which of several pipelines a client belongs to. */
ADU_API bool adu_pipeline_knows(const struct adu_pipeline *p, const void *handle,
                                const char *client_id);

#endif
