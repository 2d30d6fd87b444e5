/* A plant for the tests of the pipeline: a policy folder, a broker that only remembers what it was
 * asked to do, and a clock that stands still until it is moved. One plant at a time. */
#ifndef ADUANA_TESTS_PLANT_H
#define ADUANA_TESTS_PLANT_H

#include "common/pipeline.h"
#include "folder.h"
#include "runner.h"
#include "stages.h"

/* Where the example plant of the tests is; see policies/planta. */
#define PLANTA ADU_TEST_DATA "/policies/planta"

/* Certificates that its cert_auth.json knows. */
#define EDGE(cn)    "cert.issuer.cn=Planta Device CA;cert.ou=edge;cert.cn=" cn
#define SERVICE(cn) "cert.issuer.cn=Planta Device CA;cert.ou=servicio;cert.cn=" cn

/* A broker's connection; where it lies in memory is its handle. Zeroed but for what is known. */
struct connection {
    const char *client_id;
    const char *certificate;     /* as text, see stages.h */
    const char *name, *password; /* what CONNECT carries */
    bool durable;
    int protocol;        /* 5: it has answers that say why */
    const char *address; /* NULL: nobody is connected, as for a retained message's publisher */
    char username[ADU_USERNAME_MOST + 1]; /* by which the broker knows it */
};

enum { PLANT_CONNECTIONS = 64 };

struct plant {
    struct folder policies, state;
    bool keeps_state;                 /* plugin_opt_state_dir is given */
    bool holds;                       /* the broker can hold a log-in */
    const struct adu_stage *iam_auth; /* NULL: as the plugin hands it over */
    const char *pipeline;
    struct adu_pipeline *p;
    struct adu_now now;
    const struct adu_stage *attached[ADU_STAGES];
    int attached_count;
    struct connection *online[PLANT_CONNECTIONS];
};

/* The folders, with the example plant's policy; nothing is loaded yet. */
void plant_prepare(struct plant *plant);

/* Loads one plugin, without failing the test. false with `error`. */
bool plant_attach(struct plant *plant, enum adu_stage_kind kind, struct adu_error *error);

/* Loads all five plugins; fails the test if one refuses. */
void plant_start(struct plant *plant);

/* Unloads what is loaded; the folders stay. */
void plant_stop(struct plant *plant);

/* plant_stop, and the folders go. */
void plant_end(struct plant *plant);

/* CONNECT, as the broker asks: whoever gets in has the verified name afterwards. */
enum adu_verdict plant_login(struct plant *plant, struct connection *c);

enum adu_verdict plant_ask(struct plant *plant, const struct connection *c, enum adu_action action,
                           const char *topic);

/* A held connection ends: no event comes, and nobody is there when it is completed. */
void plant_lost(struct plant *plant, struct connection *c);

/* DISCONNECT of 2.0 (`session_ended` false), or of 2.1. */
void plant_gone(struct plant *plant, struct connection *c, bool session_ended);

/* Time passes, and a tick comes. */
void plant_pass(struct plant *plant, int64_t ms);

/* SIGHUP, and ticks until the folder is loaded or refused. True if loaded. */
bool plant_reload(struct plant *plant);

const struct adu_counters *plant_counters(const struct plant *plant);

/* --- what the broker was asked to do ------------------------------------------------------------
 */

struct publication {
    char topic[256], payload[1024];
    int qos;
    bool retain;
};

/* How many lines of the log hold `part`. */
int logged(const char *part);
const char *last_line(void);
void log_clear(void);

/* Log-ins that were completed: "client_id+" or "client_id-", divided by spaces. */
const char *completions(void);

int kicks(void);
const char *last_kicked(void);
bool last_kicked_with_will(void);

int publications(void);
const struct publication *last_publication(void);
/* How many payloads hold both parts. */
int published(const char *part, const char *other);

#endif
