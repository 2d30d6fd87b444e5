/* The port for scrapes against those who come and say nothing, and where it may be. */
#include "common/metrics_server.h"
#include "runner.h"
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 8, BOUND_S = 60 }; /* as many as are served at a time */

static struct adu_metrics_server *server;
static uint16_t port;

static bool listens(const char *address)
{
    struct adu_error error = {0};
    const struct adu_address where = adu_address_of(address);
    port = 0;
    ck_assert(where.known);
    server = adu_metrics_server_new(1);
    ck_assert_ptr_nonnull(server);
    return adu_metrics_server_listen(server, &where, &port, &error);
}

static int dial(int family)
{
    const struct timeval patience = {.tv_sec = BOUND_S};
    const struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ck_assert_int_eq(family == AF_INET ? connect(fd, (const struct sockaddr *)&v4, sizeof v4)
                                       : connect(fd, (const struct sockaddr *)&v6, sizeof v6),
                     0);
    return fd;
}

static void says(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void is_answered(int fd)
{
    char head[16] = "";
    says(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ck_assert_int_eq(recv(fd, head, 15, MSG_WAITALL), 15);
    ck_assert_str_eq(head, "HTTP/1.1 200 OK");
    close(fd);
}

/* All places are taken by requests that never end: they are, and the next one is served. */
START_TEST(those_who_are_silent)
{
    int fds[MANY];
    char answer[256];
    ck_assert(listens("127.0.0.1"));
    for (int i = 0; i < MANY; i++) {
        fds[i] = dial(AF_INET);
        says(fds[i], i % 2 == 0 ? "GET /met" : "");
    }
    is_answered(dial(AF_INET));
    for (int i = 0; i < MANY; i++) {
        while (recv(fds[i], answer, sizeof answer, 0) > 0) { /* some say why */
        }
        ck_assert_int_eq(recv(fds[i], answer, sizeof answer, 0), 0);
        close(fds[i]);
    }
    adu_metrics_server_free(server);
}
END_TEST

START_TEST(ipv6)
{
    const int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in6 loopback = {.sin6_family = AF_INET6,
                                          .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const bool there =
        probe >= 0 && bind(probe, (const struct sockaddr *)&loopback, sizeof loopback) == 0;
    close(probe);
    ck_assert_int_eq(listens("::1"), there); /* a machine without says so */
    if (there) {
        is_answered(dial(AF_INET6));
    }
    adu_metrics_server_free(server);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metrics_server");
    suite_add(s, those_who_are_silent);
    suite_add(s, ipv6);
    return run_suite(s);
}
