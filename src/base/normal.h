/* normal.h - one form of texts that look the same (Unicode normalisation). */

#ifndef POSTERN_BASE_NORMAL_H
#define POSTERN_BASE_NORMAL_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Normalise into the caller's buffer: NFKC (UAX #15), as RFC 8265 recommends
 * for passwords, or lower case in NFC for comparing addresses.  Neither is cut
 * at a NUL and neither appends one.  Returns the bytes written, or -1 when the
 * text is not UTF-8 or the result would not fit in `room`.  Intermediate copies
 * are wiped.
 */
ssize_t normal_nfkc(const char *text, size_t size, char *out, size_t room);
ssize_t normal_lower_nfc(const char *text, size_t size, char *out, size_t room);

#endif
