/* What the pipeline shows to whoever scrapes it, where, and what it answers to everything else. */
#include "plant.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BOUND_MS = 50000, TEXT = 64 * 1024 };

static struct plant plant;
static struct connection edge;
static char answer[TEXT];

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Ticks until the log has that many lines with `part`. */
static void await_log(const char *part, int lines)
{
    const int64_t end = clock_ms() + BOUND_MS;
    while (logged(part) < lines) {
        ck_assert_msg(clock_ms() < end, "not in the log: %s", part);
        usleep(1000);
        plant_pass(&plant, 20);
    }
    ck_assert_int_eq(logged(part), lines);
}

static void open_plant(const char *settings)
{
    edge = (struct connection){
        .client_id = "edge-linea1", .certificate = EDGE("edge-linea1"), .address = "127.0.0.1"};
    plant_prepare(&plant);
    folder_write(&plant.policies, "aduana.json", settings);
    plant_start(&plant);
    plant_pass(&plant, 20);
}

/* The port that the last line of the log names. */
static uint16_t port_of(const char *line)
{
    const char *colon = strrchr(line, ':');
    ck_assert_msg(colon != NULL && strstr(line, "metrics at http://127.0.0.1:") != NULL, "%s",
                  line);
    return (uint16_t)strtol(colon + 1, NULL, 10);
}

static struct sockaddr_in at(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* -1: nobody listens. */
static int dial(uint16_t port)
{
    const struct timeval patience = {.tv_sec = BOUND_MS / 1000};
    const struct sockaddr_in to = at(port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

/* Into `answer`, with its head. */
static void ask(uint16_t port, const char *request)
{
    const int fd = dial(port);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    size_t length = 0;
    ssize_t n;
    while ((n = recv(fd, answer + length, sizeof answer - 1 - length, 0)) > 0) {
        length += (size_t)n;
    }
    answer[length] = '\0';
    close(fd);
}

static void scrape(uint16_t port)
{
    ask(port, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ck_assert_msg(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17) == 0, "%s", answer);
}

static void expect(const char *part)
{
    ck_assert_msg(strstr(answer, part) != NULL, "%s: not in\n%s", part, answer);
}

#define ON "{\"metrics\": {\"port\": 0, \"sample_every\": 1}}"

START_TEST(numbers)
{
    open_plant(ON);
    await_log("metrics at ", 1);
    const uint16_t port = port_of(last_line());
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(plant_ask(&plant, &edge, ADU_PUBLISH, "planta/linea1/temperatura"),
                         ADU_ALLOW);
    }
    ck_assert_int_eq(plant_ask(&plant, &edge, ADU_SUBSCRIBE, "#"), ADU_DENY);
    plant_pass(&plant, 20);
    scrape(port);
    expect("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    expect("\naduana_logins_accepted_total 1\n");
    expect("\naduana_publish_allowed_total 3\n");
    expect("\naduana_subscribe_refused_total 1\n");
    expect("\naduana_decisions_remembered_total 2\n");
    expect("\naduana_sessions_online 1\n");
    expect("\naduana_clients_known 1\n");
    expect("\naduana_policy_generation 1\n");
    expect("\naduana_policy_last_load_successful 1\n");
    expect("\naduana_everything_refused 0\n");
    expect("\naduana_plugin_loaded{plugin=\"rate_monitor\"} 1\n");
    expect("\naduana_start_time_seconds 170000000");
    /* Each took a turn of the clock that stands in for the real one. */
    expect("aduana_decision_seconds_count{action=\"publish\"} 3\n");
    expect("aduana_decision_seconds_sum{action=\"subscribe\"} 0.000001500\n");
    expect("aduana_decision_seconds_count{action=\"receive\"} 0\n");
    expect("aduana_login_seconds_count 1\n");
    plant_end(&plant);
}
END_TEST

START_TEST(the_last_load)
{
    open_plant(ON);
    await_log("metrics at ", 1);
    const uint16_t port = port_of(last_line());
    folder_write(&plant.policies, "acl.json", "{");
    ck_assert(!plant_reload(&plant));
    plant_pass(&plant, 20);
    scrape(port);
    expect("\naduana_policy_generation 1\n");
    expect("\naduana_policy_last_load_successful 0\n");
    expect("\naduana_policies_rejected_total 1\n");
    plant_end(&plant);
}
END_TEST

static const struct {
    const char *request, *status, *more;
} others[] = {
    {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 ", "only /metrics"},
    {"GET /metrics/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 ", ""},
    {"GET /../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 ", ""},
    {"GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 ", ""},
    {"DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 ",
     "Allow: GET\r\n"},
    {"POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
     "HTTP/1.1 405 ", "Allow: GET\r\n"},
    {"GET\r\n\r\n", "HTTP/1.", ""}, /* some refusal, whatever the library finds */
};

START_TEST(everything_else)
{
    open_plant(ON);
    await_log("metrics at ", 1);
    const uint16_t port = port_of(last_line());
    ask(port, others[_i].request);
    ck_assert_msg(answer[0] == '\0' ||
                      strncmp(answer, others[_i].status, strlen(others[_i].status)) == 0,
                  "%s", answer);
    ck_assert_ptr_nonnull(strstr(answer, others[_i].more));
    scrape(port); /* nothing of it did any harm */
    plant_end(&plant);
}
END_TEST

/* Those who come and say nothing hold nobody up for good; more than so many at a time wait. */
START_TEST(silent_ones)
{
    enum { MANY = 20 };
    int fds[MANY];
    open_plant(ON);
    await_log("metrics at ", 1);
    const uint16_t port = port_of(last_line());
    for (int i = 0; i < MANY; i++) {
        fds[i] = dial(port);
        ck_assert_int_ge(fds[i], 0);
    }
    for (int i = 0; i < MANY; i++) {
        close(fds[i]);
    }
    scrape(port);
    plant_end(&plant);
}
END_TEST

START_TEST(another_policy_another_place)
{
    open_plant("{}");
    for (int i = 0; i < 10; i++) {
        plant_pass(&plant, 20);
    }
    ck_assert_int_eq(logged("metrics"), 0); /* unless one asks */
    folder_write(&plant.policies, "aduana.json", ON);
    ck_assert(plant_reload(&plant));
    await_log("metrics at ", 1);
    const uint16_t first = port_of(last_line());
    ck_assert(plant_reload(&plant)); /* the same goes on */
    scrape(first);
    ck_assert_int_eq(logged("metrics at "), 1);
    folder_write(&plant.policies, "aduana.json", "{}");
    ck_assert(plant_reload(&plant));
    const int64_t end = clock_ms() + BOUND_MS;
    int fd;
    while ((fd = dial(first)) >= 0) {
        ck_assert_int_lt(clock_ms(), end);
        close(fd);
        usleep(1000);
        plant_pass(&plant, 20);
    }
    plant_end(&plant);
    ck_assert_int_lt(dial(first), 0);
}
END_TEST

/* The plant goes on, the log says so once, and it is tried again. */
START_TEST(a_port_that_is_taken)
{
    struct sockaddr_in to = at(0);
    socklen_t length = sizeof to;
    const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(taken, (struct sockaddr *)&to, sizeof to), 0);
    ck_assert_int_eq(listen(taken, 1), 0);
    ck_assert_int_eq(getsockname(taken, (struct sockaddr *)&to, &length), 0);
    char settings[64], line[160];
    snprintf(settings, sizeof settings, "{\"metrics\": {\"port\": %u}}", ntohs(to.sin_port));
    snprintf(line, sizeof line,
             "metrics cannot be had at 127.0.0.1 port %u: Address already in use [aduana.json:1]",
             ntohs(to.sin_port));
    open_plant(settings);
    await_log(line, 1);
    const int64_t end = clock_ms() + BOUND_MS;
    while (plant_counters(&plant)->metrics_failed < 3) {
        ck_assert_int_lt(clock_ms(), end);
        usleep(1000);
        plant_pass(&plant, 10000);
    }
    ck_assert_int_eq(logged(line), 1);
    ck_assert_int_eq(plant_login(&plant, &edge), ADU_ALLOW);
    close(taken);
    plant_pass(&plant, 10000);
    await_log("metrics at ", 1);
    scrape(ntohs(to.sin_port));
    expect("\naduana_metrics_failed_total ");
    plant_end(&plant);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pipeline_metrics");
    suite_add(s, numbers);
    suite_add(s, the_last_load);
    suite_add_rows(s, everything_else, ROWS(others));
    suite_add(s, silent_ones);
    suite_add(s, another_policy_another_place);
    suite_add(s, a_port_that_is_taken);
    return run_suite(s);
}
