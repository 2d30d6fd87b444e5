#include "cli/client.h"
#include "plugins/cert_auth/certificate.h"
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool adu_client_say(struct adu_description *client, const char *key_and_value)
{
    const char *equals = strchr(key_and_value, '=');
    char *key = equals != NULL ? strndup(key_and_value, (size_t)(equals - key_and_value)) : NULL;
    const char *wrong = equals == NULL ? "expected KEY=VALUE"
                        : key == NULL  ? "out of memory"
                                       : adu_description_say(client, key, equals + 1);
    if (wrong != NULL) {
        fprintf(stderr, "aduana: --as %s: %s%s%s\n", key_and_value, key != NULL ? key : "",
                key != NULL ? " " : "", wrong);
    }
    free(key);
    return wrong == NULL;
}

bool adu_client_show(struct adu_description *client, const char *path)
{
    FILE *file = fopen(path, "r");
    X509 *certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    struct adu_bytes der = {0};
    char why[256] = "holds no certificate in PEM";
    if (file == NULL) {
        snprintf(why, sizeof why, "%s", strerror(errno));
    } else {
        fclose(file);
    }
    const int length = certificate != NULL ? i2d_X509(certificate, &der.bytes) : 0;
    der.length = length > 0 ? (size_t)length : 0;
    const bool good =
        length > 0 && adu_certificate_attributes(der, NULL, &client->certificate, why, sizeof why);
    if (!good) {
        fprintf(stderr, "aduana: --cert %s: %s\n", path, why);
    }
    OPENSSL_free(der.bytes);
    X509_free(certificate);
    return good;
}

bool adu_client_come_from(struct adu_description *client, const char *address)
{
    if (!adu_address_of(address).known) {
        fprintf(stderr, "aduana: --from: expected an IP address, found \"%s\"\n", address);
        return false;
    }
    free(client->address);
    client->address = strdup(address);
    return client->address != NULL;
}

bool adu_client_number(const char *option, const char *text, long most, long *number)
{
    char *end;
    errno = 0;
    *number = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *number < 0 || *number > most) {
        fprintf(stderr, "aduana: %s: expected 0 to %ld, found \"%s\"\n", option, most, text);
        return false;
    }
    return true;
}
