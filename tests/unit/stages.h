/* The five stages as the plugins hand them over, but without a broker, and with certificates that
 * are text: "cert.cn=edge-linea1;cert.ou=edge". One that begins with "!" cannot be read. */
#ifndef ADUANA_TESTS_STAGES_H
#define ADUANA_TESTS_STAGES_H

#include "common/stage.h"

extern const struct adu_stage test_stages[ADU_STAGES];

#endif
