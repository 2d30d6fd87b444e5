#include "plugins/cert_auth/pem_file.h"
#include "common/file.h"
#include "common/reader.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MOST = 16 * 1024 * 1024 };

const char *adu_pem_path(struct adu_compiler *c, const struct adu_json *node, char *path)
{
    const char *name = adu_read_string(node, c->error);
    if (name == NULL) {
        return NULL;
    }
    const char *folder = name[0] == '/' ? "" : c->directory, *slash = name[0] == '/' ? "" : "/";
    if (snprintf(path, ADU_PATH_MOST, "%s%s%s", folder, slash, name) >= ADU_PATH_MOST) {
        adu_json_error(node, c->error, "the name of the file is too long");
        return NULL;
    }
    return name;
}

static bool read_pem(const struct adu_json *node, const char *text, size_t length,
                     adu_pem_take take, void *context, struct adu_error *error)
{
    BIO *bio = BIO_new_mem_buf(text, (int)length);
    const char *what = NULL;
    unsigned count = 0;
    X509 *x509 = NULL;
    bool good = bio != NULL || adu_error_no_memory(error);
    ERR_set_mark(); /* the end of the file is an error to OpenSSL */
    while (good && (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        count++;
        good = take(context, x509, &what);
        X509_free(x509);
    }
    ERR_pop_to_mark();
    BIO_free(bio);
    if (what != NULL && !good) {
        return adu_json_error(node, error, "certificate %u of this file %s", count, what);
    }
    return good && (count > 0 || adu_json_error(node, error, "holds no certificate in PEM"));
}

static bool read_file(struct adu_compiler *c, const struct adu_json *node, adu_pem_take take,
                      void *context)
{
    char path[ADU_PATH_MOST];
    const char *name = adu_pem_path(c, node, path);
    if (name == NULL) {
        return false;
    }
    size_t length;
    struct adu_error why = {0};
    char *text = adu_file_read(name, path, FILE_MOST, &length, &why);
    if (text == NULL) {
        return adu_json_error(node, c->error, "%s %s", name, why.text);
    }
    const bool good = read_pem(node, text, length, take, context, c->error);
    free(text);
    return good;
}

bool adu_pem_read_files(struct adu_compiler *c, const struct adu_json *array, adu_pem_take take,
                        void *context)
{
    const struct adu_json *node = array != NULL ? array->first : NULL;
    for (; node != NULL; node = node->next) {
        if (!read_file(c, node, take, context)) {
            return false;
        }
    }
    return true;
}
