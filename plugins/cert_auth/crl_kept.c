#include "plugins/cert_auth/crl_kept.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MOST = sizeof "/crl-.new" + 2 * EVP_MAX_MD_SIZE };

char *adu_crl_kept_path(const char *folder, const char *url)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    char *path = malloc(strlen(folder) + NAME_MOST);
    if (path == NULL || EVP_Digest(url, strlen(url), digest, &count, EVP_sha256(), NULL) != 1) {
        free(path);
        return NULL;
    }
    size_t length = (size_t)sprintf(path, "%s/crl-", folder);
    for (unsigned i = 0; i < count; i++) {
        length += (size_t)sprintf(path + length, "%02x", digest[i]);
    }
    return path;
}

static bool write_all(int fd, const unsigned char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t put = write(fd, bytes, length);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        if (put > 0) {
            bytes += put;
            length -= (size_t)put;
        }
    }
    return fsync(fd) == 0;
}

/* A file that is left over from a broker that was killed is begun anew. */
bool adu_crl_keep(const char *path, const unsigned char *bytes, size_t length,
                  struct adu_error *error)
{
    const size_t size = strlen(path) + sizeof ".new";
    char *fresh = malloc(size);
    if (fresh == NULL) {
        return adu_error_no_memory(error);
    }
    snprintf(fresh, size, "%s.new", path);
    const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = fd >= 0 && write_all(fd, bytes, length);
    int wrong = good ? 0 : errno;
    if (fd >= 0 && close(fd) != 0 && good) {
        good = false;
        wrong = errno;
    }
    if (good && rename(fresh, path) != 0) {
        good = false;
        wrong = errno;
    }
    if (!good) {
        if (fd >= 0) {
            unlink(fresh);
        }
        adu_error_set(error, NULL, "%s cannot be written: %s", fresh, strerror(wrong));
    }
    free(fresh);
    return good;
}
