/* hex.h - hexadecimal digits. */

#ifndef POSTERN_BASE_HEX_H
#define POSTERN_BASE_HEX_H

/* For those who take a byte string in one spelling only: strspn(). */
#define HEX_LOWER "0123456789abcdef"

/* The byte that two digits of either case stand for; -1 when they are none.  Nothing
 * behind the first character that is no digit is looked at. */
int hex_byte(const char *digits);

#endif
