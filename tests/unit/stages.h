/* The five stages as the plugins hand them over, but for certificates, which are text:
 * "cert.cn=edge-linea1;cert.ou=edge;cert.until=1795500000" (seconds since 1970), or with
 * "cert.bits=1024" for an RSA key that is not of 2048. One that begins with "!" cannot be read. */
#ifndef ADUANA_TESTS_STAGES_H
#define ADUANA_TESTS_STAGES_H

#include "common/stage.h"

const struct adu_stage *test_stage(enum adu_stage_kind kind);

#endif
