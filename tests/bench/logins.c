/* bench_logins CPU PORT CERT KEY CLIENT_ID AT_ONCE: has a broker log clients in by TLS and a client
 * certificate; with "-" for CERT by plain TCP, as the user `bench` with the password KEY. Reads
 * numbers from stdin; for each it logs in that many times, AT_ONCE at a time under client ids that
 * begin with CLIENT_ID, waits until the broker has ended all connections, and writes a line.
 *
 * A log-in is a connection, a whole handshake (no session is ever resumed), CONNECT, CONNACK and
 * DISCONNECT, and the broker's closing of it. The broker's certificate is not looked at, so that
 * the broker has more to do than this program. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SLOTS_MOST = 64, PATIENCE_MS = 30000 };

enum state { FREE, HANDSHAKE, ANSWER, END };

struct slot {
    enum state state;
    SSL *ssl;
    int socket;
    short wanted; /* events */
    unsigned char connect[128];
    size_t length;
};

static SSL_CTX *context;
static struct sockaddr_in address = {.sin_family = AF_INET};
static struct slot slots[SLOTS_MOST];
static int slot_count;

static _Noreturn void fail(const char *text)
{
    fprintf(stderr, "bench_logins: %s\n", text);
    exit(EXIT_FAILURE);
}

static void encode_text(struct slot *s, const char *text)
{
    const size_t length = strlen(text);
    s->connect[s->length] = 0;
    s->connect[s->length + 1] = (unsigned char)length;
    memcpy(s->connect + s->length + 2, text, length);
    s->length += 2 + length;
}

/* CONNECT of 3.1.1: clean, no keepalive; without `password` no name either. */
static void encode(struct slot *s, const char *client_id, int number, const char *password)
{
    static const unsigned char head[] = {0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0};
    char id[64];
    snprintf(id, sizeof id, "%s%d", client_id, number);
    memcpy(s->connect, head, sizeof head);
    s->length = sizeof head;
    encode_text(s, id);
    if (password != NULL) {
        s->connect[9] = 0xc2;
        encode_text(s, "bench");
        encode_text(s, password);
    }
    s->connect[1] = (unsigned char)(s->length - 2);
}

static void begin(struct slot *s)
{
    const int one = 1;
    s->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->socket < 0 ||
        connect(s->socket, (const struct sockaddr *)&address, sizeof address) != 0) {
        fail("the broker cannot be reached");
    }
    setsockopt(s->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(s->socket, F_SETFL, O_NONBLOCK);
    s->state = HANDSHAKE;
    s->wanted = POLLIN;
    if (context == NULL) {
        return;
    }
    s->ssl = SSL_new(context);
    if (s->ssl == NULL || SSL_set_fd(s->ssl, s->socket) != 1) {
        fail("out of memory");
    }
}

static void finish(struct slot *s)
{
    SSL_free(s->ssl);
    close(s->socket);
    s->state = FREE;
}

/* Whether there is more to come, by what a function of OpenSSL, or of the socket, returned. */
static bool waits(struct slot *s, int result)
{
    if (s->ssl == NULL) {
        return result < 0 && errno == EAGAIN;
    }
    const int error = SSL_get_error(s->ssl, result);
    s->wanted = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void send_all(struct slot *s, const void *bytes, size_t length)
{
    const int sent = s->ssl != NULL ? SSL_write(s->ssl, bytes, (int)length)
                                    : (int)send(s->socket, bytes, length, MSG_NOSIGNAL);
    if (sent != (int)length) {
        fail("the broker does not take a packet");
    }
}

static int receive(struct slot *s, void *bytes, size_t length)
{
    return s->ssl != NULL ? SSL_read(s->ssl, bytes, (int)length)
                          : (int)recv(s->socket, bytes, length, 0);
}

/* Goes on as far as it goes. */
static void go_on(struct slot *s)
{
    unsigned char answer[4];
    int result;
    switch (s->state) {
    case HANDSHAKE:
        if (s->ssl != NULL && (result = SSL_connect(s->ssl)) != 1) {
            if (!waits(s, result)) {
                fail("a handshake failed");
            }
            return;
        }
        send_all(s, s->connect, s->length);
        s->state = ANSWER;
        /* fall through */
    case ANSWER:
        if ((result = receive(s, answer, sizeof answer)) != (int)sizeof answer) {
            if (result > 0 || !waits(s, result)) {
                fail("the broker closed a connection");
            }
            return;
        }
        if (answer[0] != 0x20 || answer[3] != 0) {
            fail("a log-in was refused");
        }
        send_all(s, "\xe0\x00", 2);
        s->state = END;
        /* fall through */
    case END:
        if ((result = receive(s, answer, sizeof answer)) <= 0 && !waits(s, result)) {
            finish(s);
        }
        return;
    case FREE:
        return;
    }
}

static void run(long logins)
{
    struct pollfd fds[SLOTS_MOST];
    for (;;) {
        int open = 0;
        for (int i = 0; i < slot_count; i++) {
            if (slots[i].state == FREE && logins > 0) {
                logins--;
                begin(&slots[i]);
                go_on(&slots[i]);
            }
            const bool is_open = slots[i].state != FREE;
            fds[i] =
                (struct pollfd){.fd = is_open ? slots[i].socket : -1, .events = slots[i].wanted};
            open += is_open;
        }
        if (open == 0) {
            return;
        }
        if (poll(fds, (nfds_t)slot_count, PATIENCE_MS) <= 0) {
            fail("the broker does not answer");
        }
        for (int i = 0; i < slot_count; i++) {
            if (fds[i].revents != 0) {
                go_on(&slots[i]);
            }
        }
    }
}

static void prepare(char **argv)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)atoi(argv[1]), &set);
    sched_setaffinity(0, sizeof set, &set);
    address.sin_port = htons((uint16_t)atoi(argv[2]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool plain = strcmp(argv[3], "-") == 0;
    context = plain ? NULL : SSL_CTX_new(TLS_client_method());
    if (!plain && (context == NULL || SSL_CTX_use_certificate_chain_file(context, argv[3]) != 1 ||
                   SSL_CTX_use_PrivateKey_file(context, argv[4], SSL_FILETYPE_PEM) != 1)) {
        fail("no certificate");
    }
    if (!plain) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    }
    slot_count = atoi(argv[6]);
    if (slot_count < 1 || slot_count > SLOTS_MOST || strlen(argv[5]) > 40 ||
        strlen(argv[4]) > (plain ? 32 : 4096)) {
        fail("1 to 64 at once, and 40 bytes of a client id");
    }
    for (int i = 0; i < slot_count; i++) {
        encode(&slots[i], argv[5], i, plain ? argv[4] : NULL);
    }
}

int main(int argc, char **argv)
{
    char line[64];
    if (argc != 7) {
        fail("usage: bench_logins CPU PORT CERT KEY CLIENT_ID AT_ONCE");
    }
    prepare(argv);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        run(strtol(line, NULL, 10));
        puts("done");
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
