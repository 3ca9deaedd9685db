/* email.h - e-mail addresses as names of accounts. */

#ifndef POSTERN_BASE_EMAIL_H
#define POSTERN_BASE_EMAIL_H

#include <stddef.h>

/* 254 bytes is the longest path SMTP can carry (RFC 5321 4.5.3.1.3, erratum
 * 1690); and a NUL. */
#define EMAIL_SIZE 255

enum email_result {
	EMAIL_OK,
	EMAIL_TOO_LONG,
	EMAIL_NOT_AN_ADDRESS,
};

/*
 * Check an address and write its canonical key: NFC and lower case, so that two
 * spellings of one mailbox name one account.  Accepted is what people can own: a
 * dot-atom of ASCII or UTF-8 (RFC 5322 3.2.3, RFC 6531), "@", and a domain of at
 * least two labels of letters, digits and inner hyphens (UTF-8 letters too),
 * the last of them not a number (RFC 3696 2).  No quoted local parts, comments,
 * address literals, white space, controls, or characters that nobody sees.
 * Too long is also a local part over 64 bytes (RFC 5321 4.5.3.1.1), a label over
 * 63 characters, or a key that outgrows EMAIL_SIZE.
 * The key is NUL-terminated and written for EMAIL_OK only; it is its own key.
 */
enum email_result email_canonical(const char *text, size_t size,
    char key[static EMAIL_SIZE]);

/* The part behind "@" of a canonical key; points into the key. */
const char *email_domain(const char *key);

#endif
