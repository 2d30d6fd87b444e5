/* The inside of the lists' source, shared by its parts: crl_recheck.c (files), crl_fetch.c (web
 * addresses), crl_answer.c (asking), crl_source.c (another policy, time passes). */
#ifndef ADUANA_CERT_AUTH_CRL_LIVE_H
#define ADUANA_CERT_AUTH_CRL_LIVE_H

#include "common/fetch.h"
#include "common/worker.h"
#include "plugins/cert_auth/crl_alarm.h"

/* A web address, and what it last gave. */
struct adu_crl_address {
    const char *url;
    struct adu_crl_list lists;
    int64_t due_ms; /* monotonic */
    bool busy;
    bool looked;                             /* whether one was kept on disk from before */
    bool kept;                               /* these lists are on disk */
    char wrong[ADU_FETCH_WHY + ADU_CRL_WHY]; /* empty: the last fetch went well */
};

struct adu_crl_live {
    struct adu_crl_settings *settings; /* NULL: no list is asked */
    struct adu_crl_shelf *shelf;
    struct adu_crl_address *addresses; /* as many as the settings have */
    uint64_t begun;                    /* lists that came with a policy; not counted yet */
    int64_t recheck_ms;                /* when it is due, monotonic */
    bool rechecking;
    /* One for files and one for the network, which may keep it waiting. */
    struct adu_worker *files, *network;
    atomic_bool stop;
    struct adu_crl_alarms alarms;
    const struct adu_stage_call *call; /* while a tick runs */
};

/* crl_recheck.c: drops references on a worker, as freeing much takes time too. Consumes all of it;
 * `lists` is empty then. Each may be NULL. */
void adu_crl_let_go(struct adu_crl_live *live, struct adu_crl_settings *settings,
                    struct adu_crl_shelf *shelf, struct adu_crl_list *lists);

/* crl_recheck.c: of those that came with another policy, how many are no more of the same. Either
 * may be NULL. */
uint64_t adu_crl_count_new(const struct adu_crl_shelf *now, const struct adu_crl_shelf *before);

/* crl_recheck.c: new lists have been put in place: counts them, says so, and has their
 * certificates' clients asked about. `before`: those that are no news. */
void adu_crl_tell_taken(const struct adu_crl_live *live, const struct adu_crl_list *now,
                        const struct adu_crl_list *before);

/* crl_recheck.c: looks at files and folders on a worker, if that is due. Within a tick. */
void adu_crl_recheck(struct adu_crl_live *live);

/* crl_fetch.c: fetches what is due. Within a tick. */
void adu_crl_fetch_due(struct adu_crl_live *live);

/* crl_fetch.c: the addresses of other settings; what was fetched from them moves there. NULL when
 * memory is gone. */
struct adu_crl_address *adu_crl_addresses_for(struct adu_crl_live *live,
                                              const struct adu_crl_settings *settings);

/* crl_answer.c: the latest list of an authority, wherever it came from. */
const struct adu_crl *adu_crl_live_latest(const struct adu_crl_live *live, X509 *issuer);

/* crl_answer.c: see struct adu_revocation_source. */
enum adu_verdict adu_crl_ask(void *live, const struct adu_revocation_question *question,
                             struct adu_reason *why);
bool adu_crl_doubts(void *live, const struct adu_attributes *certificate);

#endif
