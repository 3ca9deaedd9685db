/* fuzz_keys.h - keys that are always the same, so that a seed can be a token. */

#ifndef POSTERN_TESTS_FUZZ_KEYS_H
#define POSTERN_TESTS_FUZZ_KEYS_H

#include <fcntl.h>
#include <unistd.h>

#include "../unit/temp_dir.h"
#include "fuzz.h"
#include "token/keys.h"

/* The key of RFC 8037 appendix A, which signs from 2026-01-01. */
#define FUZZ_KID    "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
#define FUZZ_NOW_US INT64_C(1800000000000000)

static inline void
fuzz_write(const char *dir, const char *name, const char *text)
{
	char path[TEMP_PATH_SIZE];
	int fd = open(temp_path(dir, name, path), O_WRONLY | O_CREAT, 0600);

	MUST(fd != -1);
	MUST(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	MUST(close(fd) == 0);
}

/* Never closed: they stand until the program ends. */
static inline struct keys *
fuzz_keys(void)
{
	static struct keys *keys;
	char dir[TEMP_DIR_SIZE], why[KEYS_WHY_SIZE];

	if (keys != NULL)
		return keys;
	temp_dir_make(dir);
	fuzz_write(dir, "master.key",
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n");
	fuzz_write(dir, FUZZ_KID ".pem",
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMc\n"
	    "rn9g\n"
	    "-----END PRIVATE KEY-----\n");
	fuzz_write(dir, "keys.json",
	    "{\"keys\":[{\"kid\":\"" FUZZ_KID "\",\"alg\":\"EdDSA\","
	    "\"created\":\"2026-01-01T00:00:00.000Z\","
	    "\"sign_from\":\"2026-01-01T00:00:00.000Z\"}]}");
	keys = keys_open(dir, why);
	temp_dir_remove(dir);
	MUST(keys != NULL);
	return keys;
}

#endif
