/* The engine under test, asked as a broker asks it: a pipeline with the plugin's own acl stage, a
 * policy folder, reloads, log-ins. Only who somebody is comes from here instead of from
 * certificates and passwords: from a session as oracle.h has it. One at a time. */
#ifndef ADUANA_ORACLE_ENGINE_H
#define ADUANA_ORACLE_ENGINE_H

#include "oracle.h"

void engine_open(void);
void engine_close(void);

/* The last line that it logged as an error. */
const char *engine_last_error(void);

/* Loads the round's policy as a SIGHUP does. False if the engine refuses it. */
bool engine_load(const json_t *round);

/* False if it is not let in. Borrows `session` until the next log-in. */
bool engine_login(const json_t *session);
void engine_logout(void);

/* Who is connected is from now on what `session` says, with the same client id and user name: to be
 * said before engine_load, under which it is then judged without a new log-in. */
void engine_stays(const json_t *session);

enum oracle_answer engine_ask(const struct oracle_request *request);

#endif
