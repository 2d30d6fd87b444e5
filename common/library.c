#include "common/library.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

bool adu_library_function(void *library, const char *name, void *pointer, char *why, size_t size)
{
    void *found = dlsym(library, name);
    memcpy(pointer, &found, sizeof found);
    if (found == NULL) {
        snprintf(why, size, "the library has no %s", name);
    }
    return found != NULL;
}
