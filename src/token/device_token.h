/* device_token.h - what a browser keeps to be known again by, for one account: two
 * base64url parts and a dot.
 *
 *   part 1  version (1 byte), master id (1), device (16), issued (8, big-endian
 *           microseconds)
 *   part 2  HMAC-SHA-256 of part 1's bytes and the account's digest, under a
 *           derived server secret
 *
 * It opens nothing.  Who shows it has signed in to this account before, and so
 * has a number of failures of his own (OWASP, "Slow Down Online Guessing Attacks
 * with Device Cookies").  It does not tell whose it is. */

#ifndef POSTERN_TOKEN_DEVICE_TOKEN_H
#define POSTERN_TOKEN_DEVICE_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/ids.h"
#include "token/keys.h"

/* 35 + 1 + 43 characters and NUL. */
#define DEVICE_TOKEN_SIZE 80

/* Write a token for this device and account.  Cannot fail. */
void device_token_issue(const struct keys *keys, const struct id *device,
    const unsigned char account[static DIGEST_SIZE], int64_t now_us,
    char token[static DEVICE_TOKEN_SIZE]);

/*
 * Is this a token that we made for this account, at most `life_us` ago?  Returns
 * 0 with the device, or -1; the comparison takes constant time.
 */
int device_token_open(const struct keys *keys, const char *token, size_t size,
    const unsigned char account[static DIGEST_SIZE], int64_t now_us,
    int64_t life_us, struct id *device);

#endif
