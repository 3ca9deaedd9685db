/* hex.c - hexadecimal digits. */

#include "base/hex.h"

/* The value of a digit, or -1. */
static int
value_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
hex_byte(const char *digits)
{
	int high = value_of(digits[0]), low;

	if (high < 0)
		return -1;
	low = value_of(digits[1]);
	return low < 0 ? -1 : high << 4 | low;
}
