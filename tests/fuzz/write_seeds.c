/* write_seeds FOLDER: the seeds as files, for a fuzzer to begin with. */
#include "seeds.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < fuzz_seeds(); i++) {
        char path[4096];
        struct fuzz_der der = fuzz_seed_make(i);
        snprintf(path, sizeof path, "%s/%s.der", argv[1], fuzz_seed_name(i));
        FILE *file = fopen(path, "wb");
        if (file == NULL || fwrite(der.bytes, 1, der.length, file) != der.length ||
            fclose(file) != 0) {
            perror(path);
            return EXIT_FAILURE;
        }
        free(der.bytes);
    }
    return argc == 2 ? EXIT_SUCCESS : EXIT_FAILURE;
}
