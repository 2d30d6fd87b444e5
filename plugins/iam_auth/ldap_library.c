#include "plugins/iam_auth/ldap_library.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct adu_ldap_library library;
static bool loaded;
static char problem[256];

/* A function pointer out of what dlsym gives, which ISO C has no conversion for. */
static bool look_up(void *handle, const char *name, void *pointer)
{
    void *found = dlsym(handle, name);
    memcpy(pointer, &found, sizeof found);
    if (found == NULL) {
        snprintf(problem, sizeof problem, "libldap has no %s", name);
    }
    return found != NULL;
}

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
#define X(name) loaded = loaded && look_up(handle, #name, &library.name);
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
