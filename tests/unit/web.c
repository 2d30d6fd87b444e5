#include "web.h"
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* False if the test is over first. */
static bool readable(struct web *web, int fd)
{
    struct pollfd both[] = {{.fd = fd, .events = POLLIN}, {.fd = web->stop[0], .events = POLLIN}};
    return poll(both, 2, -1) > 0 && both[1].revents == 0;
}

/* A request with all of its body. */
static bool is_whole(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "content-length:");
    return end != NULL && (length == NULL || strlen(end + 4) >= strtoul(length + 15, NULL, 10));
}

static bool read_request(struct web *web, int fd, char *request)
{
    size_t used = 0;
    request[0] = '\0';
    while (!is_whole(request)) {
        const ssize_t got = readable(web, fd) ? read(fd, request + used, WEB_TEXT - 1 - used) : 0;
        if (got <= 0) {
            return false;
        }
        used += (size_t)got;
        request[used] = '\0';
    }
    return true;
}

static void answer(struct web *web, int fd)
{
    static char request[WEB_TEXT], reply[WEB_TEXT + 256];
    if (!read_request(web, fd, request)) {
        return;
    }
    pthread_mutex_lock(&web->mutex);
    const bool silent = web->silent;
    web->requests++;
    memcpy(web->asked, request, sizeof request);
    const int length = snprintf(reply, sizeof reply,
                                "HTTP/1.1 %d x\r\nContent-Type: application/json\r\n"
                                "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                                web->status, strlen(web->body), web->body);
    pthread_mutex_unlock(&web->mutex);
    if (silent) {
        readable(web, fd); /* until the other side, or the test, has had enough */
    } else if (write(fd, reply, (size_t)length) != length) {
        perror("web");
    }
}

static void *run(void *context)
{
    struct web *web = context;
    while (readable(web, web->socket)) {
        const int fd = accept(web->socket, NULL, NULL);
        if (fd >= 0) {
            answer(web, fd);
            close(fd);
        }
    }
    return NULL;
}

void web_start(struct web *web)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    *web = (struct web){.status = 200};
    pthread_mutex_init(&web->mutex, NULL);
    web->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(web->socket, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(web->socket, 64), 0);
    ck_assert_int_eq(getsockname(web->socket, (struct sockaddr *)&address, &length), 0);
    ck_assert_int_eq(pipe(web->stop), 0);
    snprintf(web->url, sizeof web->url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    ck_assert_int_eq(pthread_create(&web->thread, NULL, run, web), 0);
}

void web_stop(struct web *web)
{
    close(web->stop[1]);
    pthread_join(web->thread, NULL);
    close(web->stop[0]);
    close(web->socket);
    pthread_mutex_destroy(&web->mutex);
}

void web_answers(struct web *web, int status, const char *body)
{
    pthread_mutex_lock(&web->mutex);
    web->status = status;
    web->silent = false;
    snprintf(web->body, sizeof web->body, "%s", body);
    pthread_mutex_unlock(&web->mutex);
}

void web_is_silent(struct web *web)
{
    pthread_mutex_lock(&web->mutex);
    web->silent = true;
    pthread_mutex_unlock(&web->mutex);
}

int web_requests(struct web *web)
{
    pthread_mutex_lock(&web->mutex);
    const int requests = web->requests;
    pthread_mutex_unlock(&web->mutex);
    return requests;
}
