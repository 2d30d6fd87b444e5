#include "plugins/iam_auth/ldap_tls.h"
#include "plugins/iam_auth/ldap_dial.h"
#include <errno.h>
#include <lber.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>

/* --- what servers must prove --- */

static int add_authorities(X509_STORE *store, const char *pem, size_t length)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)length);
    X509 *x509;
    int count = 0;
    while (bio != NULL && (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        count += X509_STORE_add_cert(store, x509);
        X509_free(x509);
    }
    BIO_free(bio);
    return count;
}

SSL_CTX *adu_ldap_tls_new(const char *pem, size_t length)
{
    ERR_set_mark(); /* the end of the text is an error to OpenSSL */
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (tls != NULL && SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1 &&
        add_authorities(SSL_CTX_get_cert_store(tls), pem, length) > 0) {
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION);
        SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    } else {
        SSL_CTX_free(tls);
        tls = NULL;
    }
    ERR_pop_to_mark();
    return tls;
}

/* --- shaking hands --- */

/* The certificate must be of this name, or of this address where it is one. */
static bool expect_host(SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1 ||
           (SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1);
}

static void say_why(const SSL *ssl, char *why, size_t size)
{
    const long verified = SSL_get_verify_result(ssl);
    const unsigned long error = ERR_peek_error();
    const char *reason = verified != X509_V_OK ? X509_verify_cert_error_string(verified)
                         : error != 0          ? ERR_reason_error_string(error)
                                               : NULL;
    snprintf(why, size, "no TLS: %s", reason != NULL ? reason : "the server has closed");
}

static bool shake(SSL *ssl, int fd, int64_t deadline_ms, char *why, size_t size)
{
    for (;;) {
        ERR_clear_error();
        const int code = SSL_connect(ssl), error = SSL_get_error(ssl, code);
        if (code == 1) {
            return true;
        }
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
            say_why(ssl, why, size);
            return false;
        }
        if (!adu_ldap_wait(fd, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline_ms)) {
            snprintf(why, size, "no TLS: no answer in time");
            return false;
        }
    }
}

SSL *adu_ldap_tls_shake(SSL_CTX *tls, int fd, const char *host, int64_t deadline_ms, char *why,
                        size_t size)
{
    ERR_set_mark();
    SSL *ssl = SSL_new(tls);
    if (ssl == NULL || !expect_host(ssl, host) || SSL_set_fd(ssl, fd) != 1) {
        snprintf(why, size, "no TLS: out of memory");
        SSL_free(ssl);
        ssl = NULL;
    } else if (!shake(ssl, fd, deadline_ms, why, size)) {
        SSL_free(ssl);
        ssl = NULL;
    }
    ERR_pop_to_mark();
    return ssl;
}

/* --- the layer --- */

static int layer_setup(Sockbuf_IO_Desc *layer, void *ssl)
{
    layer->sbiod_pvt = ssl;
    return 0;
}

static int layer_remove(Sockbuf_IO_Desc *layer)
{
    SSL_free(layer->sbiod_pvt);
    layer->sbiod_pvt = NULL;
    return 0;
}

/* What has been deciphered already is seen by nobody who looks at the socket. */
static int layer_control(Sockbuf_IO_Desc *layer, int option, void *argument)
{
    if (option == LBER_SB_OPT_DATA_READY && SSL_pending(layer->sbiod_pvt) > 0) {
        return 1;
    }
    return LBER_SBIOD_CTRL_NEXT(layer, option, argument);
}

/* Of a call that moved nothing: 0 at the end, else -1 with errno. */
static ber_slen_t nothing_moved(const SSL *ssl, int code)
{
    const int error = SSL_get_error(ssl, code);
    ERR_clear_error();
    if (error == SSL_ERROR_ZERO_RETURN) {
        return 0;
    }
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
    return -1;
}

static ber_slen_t layer_read(Sockbuf_IO_Desc *layer, void *buffer, ber_len_t length)
{
    const int code =
        SSL_read(layer->sbiod_pvt, buffer, length > INT32_MAX ? INT32_MAX : (int)length);
    return code > 0 ? code : nothing_moved(layer->sbiod_pvt, code);
}

static ber_slen_t layer_write(Sockbuf_IO_Desc *layer, void *buffer, ber_len_t length)
{
    const int code =
        SSL_write(layer->sbiod_pvt, buffer, length > INT32_MAX ? INT32_MAX : (int)length);
    return code > 0 ? code : nothing_moved(layer->sbiod_pvt, code);
}

static int layer_close(Sockbuf_IO_Desc *layer)
{
    SSL_shutdown(layer->sbiod_pvt);
    ERR_clear_error();
    return 0;
}

struct sockbuf_io *adu_ldap_tls_layer(void)
{
    static Sockbuf_IO layer = {
        .sbi_setup = layer_setup,
        .sbi_remove = layer_remove,
        .sbi_ctrl = layer_control,
        .sbi_read = layer_read,
        .sbi_write = layer_write,
        .sbi_close = layer_close,
    };
    return &layer;
}
