/* text.h - Unicode text; the only home of libunistring. */

#ifndef POSTERN_BASE_TEXT_H
#define POSTERN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms)?  NUL is allowed. */
bool text_is_utf8(const char *text, size_t size);

/* Every byte below 0x80? */
bool text_is_ascii(const char *text, size_t size);

/*
 * Normalise into the caller's buffer: NFKC (UAX #15), as RFC 8265 recommends
 * for passwords, or lower case in NFC for comparing addresses.  Neither is cut
 * at a NUL and neither appends one.  Returns the bytes written, or -1 when the
 * text is not UTF-8 or the result would not fit in `room`.  Intermediate copies
 * are wiped.
 */
ssize_t text_nfkc(const char *text, size_t size, char *out, size_t room);
ssize_t text_lower_nfc(const char *text, size_t size, char *out, size_t room);

#endif
