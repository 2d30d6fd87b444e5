#include "cli/password_ask.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool adu_password_ask(const char *prompt, char *password, size_t size)
{
    /* Which gives the terminal its echo back whatever signal comes. */
    if (EVP_read_pw_string_min(password, 0, (int)size - 1, prompt, 0) == 0) {
        return true;
    }
    explicit_bzero(password, size);
    fprintf(stderr, "aduana: no password was given\n");
    return false;
}

/* Byte by byte, so that no buffer of stdio keeps a copy. */
bool adu_password_read_line(char *password, size_t size)
{
    size_t length = 0;
    ssize_t got = 1;
    while (length < size && (got = read(STDIN_FILENO, password + length, 1)) != 0) {
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 || password[length] == '\0' || password[length] == '\n') {
            break;
        }
        length++;
    }
    if (length < size && got >= 0 && (got == 0 || password[length] == '\n')) {
        length -= length > 0 && password[length - 1] == '\r';
        password[length] = '\0';
        return true;
    }
    fprintf(stderr, "aduana: standard input: %s\n",
            got < 0          ? strerror(errno)
            : length == size ? "the password is too long"
                             : "the password holds a NUL byte");
    explicit_bzero(password, size);
    return false;
}
