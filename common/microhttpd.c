#include "common/microhttpd.h"
#include "common/library.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static struct adu_microhttpd library;
static bool loaded;
static char problem[256];

static void load(void)
{
    void *handle = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        snprintf(problem, sizeof problem,
                 "libmicrohttpd (Debian's package libmicrohttpd12 or libmicrohttpd12t64): %s",
                 dlerror());
        return;
    }
    loaded = true;
#define X(name)                                                                                    \
    loaded = loaded && adu_library_function(handle, #name, &library.name, problem, sizeof problem);
    ADU_MICROHTTPD_FUNCTIONS(X)
#undef X
}

const struct adu_microhttpd *adu_microhttpd(const char **why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    *why = problem;
    return loaded ? &library : NULL;
}
