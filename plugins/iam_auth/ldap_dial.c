#include "plugins/iam_auth/ldap_dial.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* <port>, or nothing at all. */
static bool read_port(const char *text, struct adu_ldap_target *target)
{
    if (*text == '\0') {
        strcpy(target->port, target->tls_first ? "636" : "389");
        return true;
    }
    const size_t digits = strspn(text + 1, "0123456789");
    const long port = strtol(text + 1, NULL, 10);
    if (*text != ':' || digits == 0 || digits > 5 || text[1 + digits] != '\0' || port < 1 ||
        port > 65535) {
        return false;
    }
    memcpy(target->port, text + 1, digits + 1);
    return true;
}

static bool read_host(const char *text, size_t length, const char *rest,
                      struct adu_ldap_target *target)
{
    if (length == 0 || length >= sizeof target->host) {
        return false;
    }
    memcpy(target->host, text, length);
    target->host[length] = '\0';
    return read_port(rest, target);
}

bool adu_ldap_target_read(const char *url, struct adu_ldap_target *target)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    target->tls_first = strncmp(url, "ldaps://", 8) == 0;
    if (!target->tls_first && strncmp(url, "ldap://", 7) != 0) {
        return false;
    }
    const char *host = url + (target->tls_first ? 8 : 7);
    if (*host != '[') {
        const size_t length = strspn(host, name);
        return read_host(host, length, host + length, target);
    }
    const size_t length = strspn(host + 1, "0123456789abcdefABCDEF:.");
    return host[1 + length] == ']' && read_host(host + 1, length, host + length + 2, target);
}

int64_t adu_ldap_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool adu_ldap_wait(int fd, short events, int64_t deadline_ms)
{
    for (;;) {
        struct pollfd one = {.fd = fd, .events = events};
        const int64_t left = deadline_ms - adu_ldap_now_ms();
        const int ready = left > 0 ? poll(&one, 1, (int)left) : 0;
        if (ready >= 0 || errno != EINTR) {
            return ready > 0;
        }
    }
}

/* 0 when connected, else what is wrong. */
static int finish_connect(int fd, int64_t deadline_ms)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (!adu_ldap_wait(fd, POLLOUT, deadline_ms)) {
        return ETIMEDOUT;
    }
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

static int dial_address(const struct addrinfo *address, int64_t deadline_ms, int *error)
{
    const int on = 1;
    const int fd =
        socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *error = errno;
        return -1;
    }
    *error = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (*error == EINPROGRESS) {
        *error = finish_connect(fd, deadline_ms);
    }
    if (*error != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

int adu_ldap_dial(const struct adu_ldap_target *target, long each_ms, int64_t deadline_ms,
                  const char **why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    int fd = -1, error = ETIMEDOUT;
    const int code = getaddrinfo(target->host, target->port, &hints, &list);
    if (code != 0) {
        *why = gai_strerror(code);
        return -1;
    }
    for (const struct addrinfo *address = list; fd < 0 && address != NULL;
         address = address->ai_next) {
        const int64_t each = adu_ldap_now_ms() + each_ms;
        fd = dial_address(address, each < deadline_ms ? each : deadline_ms, &error);
    }
    freeaddrinfo(list);
    *why = strerrordesc_np(error);
    return fd;
}
