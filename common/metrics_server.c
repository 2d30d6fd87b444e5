#include "common/metrics_server.h"
#include "common/microhttpd.h"
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A scrape is one small request every few seconds: who wants more of it than that waits. */
enum { CONNECTIONS_MOST = 8, BYTES_MOST = 16 * 1024, BACKLOG = 16 };

struct adu_metrics_server {
    const struct adu_microhttpd *http; /* while there is a daemon */
    struct MHD_Daemon *daemon;         /* NULL: it listens nowhere */
    unsigned seconds;                  /* of silence that end a connection */
    pthread_mutex_t lock;              /* of `shown`, held to copy it */
    struct adu_metrics shown;
};

/* --- the thread that answers --- */

static enum MHD_Result answer_with(const struct adu_microhttpd *http,
                                   struct MHD_Connection *connection, unsigned status,
                                   const char *type, char *text, size_t size,
                                   enum MHD_ResponseMemoryMode whose)
{
    struct MHD_Response *response = http->MHD_create_response_from_buffer(size, text, whose);
    if (response == NULL) {
        if (whose == MHD_RESPMEM_MUST_FREE) {
            free(text);
        }
        return MHD_NO; /* closes the connection */
    }
    enum MHD_Result result = http->MHD_add_response_header(response, "Content-Type", type);
    if (result == MHD_YES && status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        result = http->MHD_add_response_header(response, "Allow", "GET");
    }
    if (result == MHD_YES) {
        result = http->MHD_queue_response(connection, status, response);
    }
    http->MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(const struct adu_microhttpd *http, struct MHD_Connection *connection,
                              unsigned status, const char *text)
{
    char copy[64];
    const size_t size = strlen(text);
    memcpy(copy, text, size);
    return answer_with(http, connection, status, "text/plain; charset=utf-8", copy, size,
                       MHD_RESPMEM_MUST_COPY);
}

static char *text_of(struct adu_metrics_server *server, size_t *size)
{
    struct adu_metrics *copy = malloc(sizeof *copy);
    if (copy == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&server->lock);
    *copy = server->shown;
    pthread_mutex_unlock(&server->lock);
    char *text = adu_metrics_text(copy, size);
    free(copy);
    return text;
}

/* Called at the head of a request, and again for a body: nothing that is answered has one. */
static enum MHD_Result answer(void *thing, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    struct adu_metrics_server *server = thing;
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)request;
    if (strcmp(url, "/metrics") != 0) {
        return refuse(server->http, connection, MHD_HTTP_NOT_FOUND, "only /metrics is here\n");
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0) {
        return refuse(server->http, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET\n");
    }
    size_t size = 0;
    char *text = text_of(server, &size);
    if (text == NULL) {
        return MHD_NO;
    }
    return answer_with(server->http, connection, MHD_HTTP_OK,
                       "text/plain; version=0.0.4; charset=utf-8", text, size,
                       MHD_RESPMEM_MUST_FREE);
}

/* --- whoever starts and ends it --- */

struct adu_metrics_server *adu_metrics_server_new(unsigned seconds)
{
    struct adu_metrics_server *server = calloc(1, sizeof *server);
    if (server == NULL || pthread_mutex_init(&server->lock, NULL) != 0) {
        free(server);
        return NULL;
    }
    server->seconds = seconds;
    return server;
}

void adu_metrics_server_free(struct adu_metrics_server *server)
{
    if (server != NULL) {
        adu_metrics_server_close(server);
        pthread_mutex_destroy(&server->lock);
        free(server);
    }
}

void adu_metrics_server_show(struct adu_metrics_server *server, const struct adu_metrics *metrics)
{
    if (pthread_mutex_trylock(&server->lock) == 0) {
        server->shown = *metrics;
        pthread_mutex_unlock(&server->lock);
    }
}

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t address_of(const struct adu_address *address, uint16_t port,
                            union socket_address *to)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    *to = (union socket_address){0};
    if (memcmp(address->bytes, mapped, sizeof mapped) == 0) {
        to->v4.sin_family = AF_INET;
        to->v4.sin_port = htons(port);
        memcpy(&to->v4.sin_addr, address->bytes + sizeof mapped, sizeof to->v4.sin_addr);
        return sizeof to->v4;
    }
    to->v6.sin6_family = AF_INET6;
    to->v6.sin6_port = htons(port);
    memcpy(&to->v6.sin6_addr, address->bytes, sizeof to->v6.sin6_addr);
    return sizeof to->v6;
}

/* -1 with errno. */
static int open_socket(const struct adu_address *address, uint16_t *port)
{
    union socket_address to;
    socklen_t length = address_of(address, *port, &to);
    const int on = 1;
    const int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, &to.any, length) == 0 && listen(fd, BACKLOG) == 0 &&
        getsockname(fd, &to.any, &length) == 0) {
        *port = ntohs(to.any.sa_family == AF_INET ? to.v4.sin_port : to.v6.sin6_port);
        return fd;
    }
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool say(struct adu_error *error, const struct adu_address *address, uint16_t port,
                const char *why)
{
    char text[ADU_ADDRESS_TEXT];
    return adu_error_set(error, NULL, "metrics cannot be had at %s port %u: %s",
                         adu_address_text(address, text), port, why);
}

bool adu_metrics_server_listen(struct adu_metrics_server *server, const struct adu_address *address,
                               uint16_t *port, struct adu_error *error)
{
    const char *why;
    adu_metrics_server_close(server);
    server->http = adu_microhttpd(&why);
    if (server->http == NULL) {
        return say(error, address, *port, why);
    }
    const int fd = open_socket(address, port);
    if (fd < 0) {
        return say(error, address, *port, strerror(errno));
    }
    server->daemon = server->http->MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, answer, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST,
        MHD_OPTION_CONNECTION_TIMEOUT, server->seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)BYTES_MOST, MHD_OPTION_END);
    /* The socket is the daemon's, whatever became of it. */
    return server->daemon != NULL || say(error, address, *port, "no memory or no thread for it");
}

void adu_metrics_server_close(struct adu_metrics_server *server)
{
    if (server->daemon != NULL) {
        server->http->MHD_stop_daemon(server->daemon);
        server->daemon = NULL;
    }
}
