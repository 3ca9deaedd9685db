/* secret.c - chance, comparison and wiping, as OpenSSL does them; and what the
 * kernel and the C library do for secrets. */

#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/log.h"
#include "base/secret.h"

void
secret_random(void *bytes, size_t size)
{
	/* Reseeds itself after a fork, so siblings never draw the same. */
	if (size <= INT_MAX && RAND_bytes(bytes, (int)size) == 1)
		return;
	log_error("could not draw random bytes from OpenSSL");
	abort();
}

/* Drawn ahead: a draw of OpenSSL's takes a microsecond, whatever its size. */
static struct {
	unsigned char bytes[256];
	size_t left;
	bool kept_from_children;
} stock;

static void
stock_clear(void)
{
	secret_wipe(stock.bytes, sizeof(stock.bytes));
	stock.left = 0;
}

static void
stock_fill(void)
{
	/* Siblings must never hand out the same. */
	if (!stock.kept_from_children &&
	    pthread_atfork(NULL, NULL, stock_clear) != 0) {
		log_error("could not keep random bytes from child processes");
		abort();
	}
	stock.kept_from_children = true;
	secret_random(stock.bytes, sizeof(stock.bytes));
	stock.left = sizeof(stock.bytes);
}

void
secret_chance(void *bytes, size_t size)
{
	unsigned char *next;

	if (size > sizeof(stock.bytes)) {
		secret_random(bytes, size);
		return;
	}
	if (size > stock.left)
		stock_fill();
	stock.left -= size;
	next = stock.bytes + stock.left;
	memcpy(bytes, next, size);
	secret_wipe(next, size);
}

void
secret_wipe(void *bytes, size_t size)
{
	if (size > 0)
		OPENSSL_cleanse(bytes, size);
}

bool
secret_equal(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}

void
secret_keep_inside(void)
{
	const struct rlimit none = { 0, 0 };

	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);

	/*
	 * free() overwrites what it takes back: libfcgi's buffers held a
	 * password and tokens.  It does so from 1 KB on; smaller blocks lie in
	 * a cache of glibc's as they are, and are wiped by their owners.
	 */
	mallopt(M_PERTURB, 0x5a);
}
