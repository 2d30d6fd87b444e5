/* A web server of one page on this machine, for tests: what it answers can be changed, and how
 * often it was asked can be seen. */
#ifndef ADUANA_TESTS_WEB_H
#define ADUANA_TESTS_WEB_H

#include <pthread.h>
#include <stdbool.h>

enum { WEB_TEXT = 8192 };

struct web {
    char url[64]; /* "http://127.0.0.1:40000/" */
    int socket, stop[2];
    pthread_t thread;
    pthread_mutex_t mutex; /* for what follows */
    int status;
    char body[WEB_TEXT];
    char asked[WEB_TEXT]; /* the last request */
    bool silent;          /* it takes a connection, and never answers */
    int requests;
};

/* Fails the test if there is no port to be had. */
void web_start(struct web *web);
void web_stop(struct web *web);

void web_answers(struct web *web, int status, const char *body);
void web_is_silent(struct web *web);
int web_requests(struct web *web);

#endif
