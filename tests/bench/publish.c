/* bench_publish CPU PORT TOPICS PUBLISHERS SUBSCRIBER: gives a broker messages to chew on, at next
 * to no cost of its own. Reads numbers from stdin; for each it has the PUBLISHERS (as the user
 * `bench`) send that many QoS 0 messages altogether, waits until the broker has dealt with all of
 * them, and writes a line. With SUBSCRIBER 1 the user `tablero` subscribes to planta/# and has to
 * get every message.
 *
 * What to send is encoded once: CHUNK messages on topics drawn from the file TOPICS, for each
 * publisher its own. A PINGREQ after each chunk tells how far the broker is, because it answers in
 * order; at most AHEAD chunks of a publisher wait in the broker. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 200, AHEAD = 2, PAYLOAD = 100, TOPIC_MOST = 256, PUBLISHERS_MOST = 64 };
enum { CONNECT = 0x10, CONNACK = 0x20, PUBLISH = 0x30, SUBSCRIBE = 0x82, SUBACK = 0x90 };
enum { PINGREQ = 0xc0, PINGRESP = 0xd0, PATIENCE_MS = 120000 };

struct client {
    int socket;
    unsigned char *out; /* CHUNK messages */
    size_t ends[CHUNK]; /* of each message in `out` */
    size_t sent, due;   /* bytes of the chunk under way; 0: none */
    long left;          /* messages still to begin */
    unsigned waiting;   /* pings without answer */
    unsigned char in[65536];
    size_t in_count;
    uint64_t received; /* PUBLISH packets */
};

static struct client *clients, *subscriber; /* the subscriber is the last one */
static int client_count, publisher_count;

static _Noreturn void fail(const char *text)
{
    fprintf(stderr, "bench_publish: %s\n", text);
    exit(EXIT_FAILURE);
}

/* --- packets --- */

static size_t put_length(unsigned char *at, size_t length)
{
    size_t used = 0;
    do {
        at[used++] = (unsigned char)(length % 128 | (length >= 128 ? 128 : 0));
        length /= 128;
    } while (length > 0);
    return used;
}

static size_t put_text(unsigned char *at, const char *text)
{
    const size_t length = strlen(text);
    at[0] = (unsigned char)(length >> 8);
    at[1] = (unsigned char)length;
    memcpy(at + 2, text, length);
    return length + 2;
}

static size_t put_packet(unsigned char *at, int type, const unsigned char *body, size_t length)
{
    at[0] = (unsigned char)type;
    const size_t head = 1 + put_length(at + 1, length);
    memcpy(at + head, body, length);
    return head + length;
}

static void send_now(struct client *c, int type, const unsigned char *body, size_t length)
{
    unsigned char packet[1024];
    const size_t size = put_packet(packet, type, body, length);
    if (send(c->socket, packet, size, MSG_NOSIGNAL) != (ssize_t)size) {
        fail("the broker does not take a packet");
    }
}

/* The size of the first packet of `count` bytes, and where its body begins; 0: not all of it is
 * there. */
static size_t packet_size(const unsigned char *at, size_t count, size_t *body)
{
    size_t length = 0;
    for (size_t i = 1; i < count && i <= 4; i++) {
        length |= (size_t)(at[i] & 127) << (7 * (i - 1));
        if ((at[i] & 128) == 0) {
            *body = i + 1;
            return i + 1 + length <= count ? i + 1 + length : 0;
        }
    }
    return 0;
}

static void note(struct client *c, int type, const unsigned char *body)
{
    c->received += type == PUBLISH;
    c->waiting -= type == PINGRESP;
    if (type == CONNACK && body[1] != 0) {
        fail("a log-in was refused");
    }
    if (type == SUBACK && body[2] > 2) {
        fail("the subscription was refused");
    }
}

/* What has come: counts publishes and pings, returns the type of the last whole packet. */
static int read_packets(struct client *c)
{
    int type = 0;
    const ssize_t got = recv(c->socket, c->in + c->in_count, sizeof c->in - c->in_count, 0);
    if (got <= 0) {
        fail("the broker closed a connection");
    }
    c->in_count += (size_t)got;
    size_t at = 0, size, body;
    while ((size = packet_size(c->in + at, c->in_count - at, &body)) > 0) {
        type = c->in[at] & 0xf0;
        note(c, type, c->in + at + body);
        at += size;
    }
    memmove(c->in, c->in + at, c->in_count - at);
    c->in_count -= at;
    return type;
}

/* --- clients --- */

static void open_client(struct client *c, int port, const char *name, int number)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int one = 1;
    c->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (c->socket < 0 ||
        connect(c->socket, (const struct sockaddr *)&address, sizeof address) != 0) {
        fail("the broker cannot be reached");
    }
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    unsigned char body[256];
    char id[64];
    snprintf(id, sizeof id, "%s-%d", name, number);
    size_t length = put_text(body, "MQTT");
    memcpy(body + length, "\x04\xc2\x00\x00", 4); /* 3.1.1, name, password, clean; no keepalive */
    length += 4;
    length += put_text(body + length, id);
    length += put_text(body + length, name);
    length += put_text(body + length, "bench");
    send_now(c, CONNECT, body, length);
    while (read_packets(c) != CONNACK) {
    }
}

static void subscribe(struct client *c)
{
    unsigned char body[64] = {0, 1};
    size_t length = 2 + put_text(body + 2, "planta/#");
    body[length++] = 0;
    send_now(c, SUBSCRIBE, body, length);
    while (read_packets(c) != SUBACK) {
    }
}

static size_t read_topics(const char *path, char (**topics)[TOPIC_MOST])
{
    FILE *file = fopen(path, "r");
    size_t count = 0;
    *topics = calloc(100000, sizeof **topics);
    if (file == NULL || *topics == NULL) {
        fail("no topics");
    }
    while (count < 100000 && fgets((*topics)[count], TOPIC_MOST, file) != NULL) {
        (*topics)[count][strcspn((*topics)[count], "\n")] = '\0';
        count++;
    }
    fclose(file);
    return count;
}

static void encode(struct client *c, char (*topics)[TOPIC_MOST], size_t count)
{
    size_t used = 0;
    c->out = malloc((size_t)CHUNK * (TOPIC_MOST + PAYLOAD + 8));
    for (int i = 0; c->out != NULL && i < CHUNK; i++) {
        unsigned char body[TOPIC_MOST + PAYLOAD + 2];
        size_t length = put_text(body, topics[(size_t)random() % count]);
        memset(body + length, 'x', PAYLOAD);
        used += put_packet(c->out + used, PUBLISH, body, length + PAYLOAD);
        c->ends[i] = used;
    }
}

/* --- the load --- */

static void begin_chunk(struct client *c)
{
    const long messages = c->left < CHUNK ? c->left : CHUNK;
    c->left -= messages;
    c->sent = 0;
    c->due = c->ends[messages - 1];
}

static void go_on_sending(struct client *c)
{
    const ssize_t sent =
        send(c->socket, c->out + c->sent, c->due - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) {
        fail("the broker closed a connection");
    }
    c->sent += sent > 0 ? (size_t)sent : 0;
    if (c->sent == c->due) {
        c->due = 0;
        c->waiting++;
        send_now(c, PINGREQ, (const unsigned char *)"", 0);
    }
}

/* True while there is something to do for a publisher. */
static bool prepare(struct client *c, struct pollfd *fd, bool may_begin)
{
    if (c->due == 0 && c->left > 0 && c->waiting < AHEAD && may_begin) {
        begin_chunk(c);
    }
    *fd = (struct pollfd){.fd = c->socket, .events = (short)(POLLIN | (c->due > 0 ? POLLOUT : 0))};
    return c->due > 0 || c->left > 0 || c->waiting > 0;
}

static bool one_turn(uint64_t expected, long total)
{
    struct pollfd fds[PUBLISHERS_MOST + 1];
    bool more = subscriber != NULL && subscriber->received < expected;
    /* Not more than the broker's queue for a subscriber holds without loss. */
    long begun = total;
    for (int i = 0; i < publisher_count; i++) {
        begun -= clients[i].left;
    }
    const bool may_begin =
        subscriber == NULL ||
        begun - (long)(subscriber->received + (uint64_t)total - expected) < 4L * CHUNK;
    for (int i = 0; i < client_count; i++) {
        more = prepare(&clients[i], &fds[i], may_begin) || more;
    }
    if (!more) {
        return false;
    }
    if (poll(fds, (nfds_t)client_count, PATIENCE_MS) <= 0) {
        fail("the broker does not answer, or lost messages");
    }
    for (int i = 0; i < client_count; i++) {
        if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            read_packets(&clients[i]);
        }
        if ((fds[i].revents & POLLOUT) != 0) {
            go_on_sending(&clients[i]);
        }
    }
    return true;
}

static void run(long messages)
{
    for (int i = 0; i < publisher_count; i++) {
        clients[i].left = messages / publisher_count + (i < messages % publisher_count);
    }
    const uint64_t expected = subscriber != NULL ? subscriber->received + (uint64_t)messages : 0;
    while (one_turn(expected, messages)) {
    }
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fail("usage: bench_publish CPU PORT TOPICS PUBLISHERS SUBSCRIBER");
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)atoi(argv[1]), &set);
    sched_setaffinity(0, sizeof set, &set);
    char(*topics)[TOPIC_MOST];
    const size_t topic_count = read_topics(argv[3], &topics);
    const bool subscribes = argv[5][0] == '1';
    publisher_count = atoi(argv[4]);
    if (publisher_count < 1 || publisher_count > PUBLISHERS_MOST || topic_count == 0) {
        fail("1 to 64 publishers, and at least a topic");
    }
    client_count = publisher_count + subscribes;
    clients = calloc((size_t)client_count, sizeof *clients);
    for (int i = 0; i < publisher_count; i++) {
        open_client(&clients[i], atoi(argv[2]), "bench", i);
        encode(&clients[i], topics, topic_count);
    }
    if (subscribes) {
        subscriber = &clients[publisher_count];
        open_client(subscriber, atoi(argv[2]), "tablero", 0);
        subscribe(subscriber);
    }
    free(topics);
    char line[64];
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        run(strtol(line, NULL, 10));
        puts("done");
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
