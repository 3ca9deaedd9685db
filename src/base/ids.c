/* ids.c - UUIDs. */

#include <string.h>

#include "base/hex.h"
#include "base/ids.h"
#include "base/secret.h"

/* The clock's part of a version 7 id: 48 bits of milliseconds, then 12 bits
 * of their fraction. */
#define FRACTION_BITS 12
#define CLOCK_BITS    (48 + FRACTION_BITS)

const struct id id_nil;

static void
id_set_version(struct id *id, int version)
{
	id->bytes[6] = (unsigned char)((id->bytes[6] & 0x0f) | version << 4);
	id->bytes[8] = (unsigned char)((id->bytes[8] & 0x3f) | 0x80);
}

struct id
id_random(void)
{
	struct id id;

	secret_chance(id.bytes, sizeof(id.bytes));
	id_set_version(&id, 4);
	return id;
}

/*
 * The clock bits for this id: RFC 9562 section 6.2, method 3 (a finer clock
 * than milliseconds), and where the clock stands still or goes back, one more
 * than the id before.  A process that is fast enough runs a little ahead.
 */
static uint64_t
id_clock(int64_t now_us)
{
	static uint64_t last;
	uint64_t us = now_us > 0 ? (uint64_t)now_us : 0;
	uint64_t now;

	now = us / 1000 << FRACTION_BITS |
	    ((us % 1000) << FRACTION_BITS) / 1000;
	if (now <= last)
		now = last + 1;
	last = now;
	return now & ((UINT64_C(1) << CLOCK_BITS) - 1);
}

struct id
id_ordered(int64_t now_us)
{
	uint64_t now = id_clock(now_us);
	struct id id;

	secret_chance(id.bytes + 8, 8);
	for (int i = 0; i < 6; i++)
		id.bytes[i] = (unsigned char)(now >> (CLOCK_BITS - 8 - 8 * i));
	id.bytes[6] = (unsigned char)(now >> 8 & 0x0f);
	id.bytes[7] = (unsigned char)now;
	id_set_version(&id, 7);
	return id;
}

bool
id_equal(const struct id *a, const struct id *b)
{
	return memcmp(a->bytes, b->bytes, ID_SIZE) == 0;
}

bool
id_is_nil(const struct id *id)
{
	return id_equal(id, &id_nil);
}

/* Does a hyphen stand before this byte? */
static bool
hyphen_before(int i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

void
id_format(const struct id *id, char text[static ID_TEXT_SIZE])
{
	static const char digits[] = HEX_LOWER;
	char *out = text;

	for (int i = 0; i < ID_SIZE; i++) {
		if (hyphen_before(i))
			*out++ = '-';
		*out++ = digits[id->bytes[i] >> 4];
		*out++ = digits[id->bytes[i] & 15];
	}
	*out = '\0';
}

int
id_parse(const char *text, size_t size, struct id *id)
{
	struct id read;
	int byte;

	if (size != ID_TEXT_SIZE - 1)
		return -1;
	for (int i = 0; i < ID_SIZE; i++) {
		if (hyphen_before(i) && *text++ != '-')
			return -1;
		byte = hex_byte(text);
		if (byte < 0)
			return -1;
		read.bytes[i] = (unsigned char)byte;
		text += 2;
	}
	*id = read;
	return 0;
}
