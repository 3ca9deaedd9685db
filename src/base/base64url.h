/* base64url.h - base64url without padding (RFC 4648 section 5, RFC 7515
 * section 2). */

#ifndef POSTERN_BASE_BASE64URL_H
#define POSTERN_BASE_BASE64URL_H

#include <stddef.h>
#include <sys/types.h>

/* Characters for n bytes, without the NUL. */
#define BASE64URL_LENGTH(n) (((n) * 4 + 2) / 3)

/*
 * Encode `size` bytes; writes BASE64URL_LENGTH(size) characters and a NUL and
 * returns that length.  The caller's buffer holds length + 1.
 */
size_t base64url_encode(const void *bytes, size_t size, char *text);

/*
 * Decode exactly `length` characters.  Strict: no padding, no white space, no
 * stray trailing bits, so every byte string has one spelling (a token cannot be
 * varied and stay valid).  Returns the number of bytes, or -1 when the text is
 * not base64url or would need more than `room`.
 */
ssize_t base64url_decode(const char *text, size_t length, void *bytes,
    size_t room);

#endif
