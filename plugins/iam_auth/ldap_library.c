#include "plugins/iam_auth/ldap_library.h"
#include "common/library.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

static struct adu_ldap_library library;
static bool loaded;
static char problem[256];

static void load(void)
{
    void *handle = dlopen("libldap-2.5.so.0", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        handle = dlopen("libldap.so.2", RTLD_NOW | RTLD_LOCAL);
    }
    if (handle == NULL) {
        snprintf(problem, sizeof problem,
                 "libldap (Debian's package libldap2 or libldap-2.5-0): %s", dlerror());
        return;
    }
    loaded = true;
#define X(name)                                                                                    \
    loaded = loaded && adu_library_function(handle, #name, &library.name, problem, sizeof problem);
    ADU_LDAP_FUNCTIONS(X)
#undef X
}

const struct adu_ldap_library *adu_ldap_library(const char **why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    *why = problem;
    return loaded ? &library : NULL;
}
