/* keys_admin.c - changes to the key directory. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "token/key_dir.h"
#include "token/key_list.h"
#include "token/keys_admin.h"

/* How long to wait for another posternctl, which takes milliseconds. */
#define LOCK_WAIT_MS  10000
#define LOCK_PAUSE_MS 20

#define YEAR_10000_US (INT64_C(253402300800) * CLOCK_SECOND_US)

static int
fail(char why[static KEYS_WHY_SIZE], const char *what, const char *reason)
{
	snprintf(why, KEYS_WHY_SIZE, "\"%s\": %s", what, reason);
	return -1;
}

/* 0, or -1 with errno set. */
static int
wait_for_lock(int fd)
{
	const struct timespec pause = { 0, LOCK_PAUSE_MS * 1000000 };
	int64_t until_ms = clock_steady_ms() + LOCK_WAIT_MS;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		if (clock_steady_ms() >= until_ms)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/*
 * Lock the directory itself, which leaves no file of unclear owner behind.
 * Returns a descriptor to unlock with close(), or -1.
 */
static int
lock(const char *dir, char why[static KEYS_WHY_SIZE])
{
	int fd;

	if (key_dir_check(dir, why) != 0)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return fail(why, dir, strerror(errno));
	if (wait_for_lock(fd) != 0) {
		fail(why, dir,
		    errno == EWOULDBLOCK ? "is locked by another posternctl"
					 : strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

int
keys_init(const char *dir, char why[static KEYS_WHY_SIZE])
{
	int fd, result;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return fail(why, dir, strerror(errno));
	fd = lock(dir, why);
	if (fd == -1)
		return -1;
	result = key_dir_fill(dir, why);
	close(fd);
	return result;
}

/* The list has times in milliseconds, and years of four digits. */
static int
to_listed(int64_t *us, char why[static KEYS_WHY_SIZE])
{
	if (*us < CLOCK_SECOND_US || *us >= YEAR_10000_US) {
		snprintf(why, KEYS_WHY_SIZE, "the time is out of range");
		return -1;
	}
	*us -= *us % 1000;
	return 0;
}

/* Add a key that is made already; its pair stays the caller's. */
static int
add_key(const char *dir, const struct key *key, char why[static KEYS_WHY_SIZE])
{
	struct key listed = *key;
	struct key_list list;

	if (key_dir_read_list(dir, &list, why) != 0)
		return -1;
	listed.pair = NULL;
	if (key_list_add(&list, &listed) != 0)
		return fail(why, dir, "holds as many keys as it can");

	/* First the key, then the list that tells of it.  When the list cannot
	 * be written the key stays: a file that nothing tells of is harmless, a
	 * list that tells of no file is not. */
	if (key_dir_write_key(dir, key, why) != 0)
		return -1;
	return key_dir_write_list(dir, &list, why);
}

int
keys_new(const char *dir, enum key_algorithm algorithm, int64_t now_us,
    int64_t sign_from_us, char kid[static KEY_ID_SIZE],
    char why[static KEYS_WHY_SIZE])
{
	struct key key = {
		.algorithm = algorithm,
		.created_us = now_us,
		.sign_from_us = sign_from_us,
	};
	int fd, result;

	if (to_listed(&key.created_us, why) != 0 ||
	    to_listed(&key.sign_from_us, why) != 0)
		return -1;
	fd = lock(dir, why);
	if (fd == -1)
		return -1;
	result = key_make(&key);
	if (result != 0)
		fail(why, dir, "OpenSSL cannot make a key");
	else
		result = add_key(dir, &key, why);
	close(fd);
	key_release(&key);
	if (result == 0)
		memcpy(kid, key.kid, KEY_ID_SIZE);
	return result;
}

static int
retire_key(const char *dir, const char *kid, int64_t now_us, int64_t when_us,
    char why[static KEYS_WHY_SIZE])
{
	struct key_list list;
	struct key *key;

	if (key_dir_read_list(dir, &list, why) != 0)
		return -1;
	key = key_list_find(&list, kid);
	if (key == NULL)
		return fail(why, kid, "there is no such key");
	if (key->retired_us != 0 && key->retired_us <= when_us)
		return fail(why, kid, "is retired already");
	key->retired_us = when_us;
	if (!key_list_signs_from(&list, when_us > now_us ? when_us : now_us))
		return fail(why, kid,
		    "no other key would sign then; make one first");
	return key_dir_write_list(dir, &list, why);
}

int
keys_retire(const char *dir, const char *kid, int64_t now_us, int64_t when_us,
    char why[static KEYS_WHY_SIZE])
{
	int fd, result;

	if (to_listed(&when_us, why) != 0)
		return -1;
	fd = lock(dir, why);
	if (fd == -1)
		return -1;
	result = retire_key(dir, kid, now_us, when_us, why);
	close(fd);
	return result;
}

int
keys_revoke(const char *dir, const char *kid, int64_t now_us,
    char why[static KEYS_WHY_SIZE])
{
	return keys_retire(dir, kid, now_us,
	    now_us - KEY_VERIFIES_SECONDS * CLOCK_SECOND_US, why);
}

/* First the list, then the files it no longer tells of. */
static int
prune_keys(const char *dir, int64_t now_us, char why[static KEYS_WHY_SIZE])
{
	struct key_list list, kept = { 0 }, gone = { 0 };

	if (key_dir_read_list(dir, &list, why) != 0)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		const struct key *key = &list.keys[i];

		if (key_list_is_gone(key, now_us))
			key_list_add(&gone, key);
		else
			key_list_add(&kept, key);
	}
	if (gone.count == 0)
		return 0;
	if (key_dir_write_list(dir, &kept, why) != 0)
		return -1;
	for (size_t i = 0; i < gone.count; i++) {
		if (key_dir_remove_key(dir, &gone.keys[i], why) != 0)
			return -1;
	}
	return (int)gone.count;
}

int
keys_prune(const char *dir, int64_t now_us, char why[static KEYS_WHY_SIZE])
{
	int fd, result;

	fd = lock(dir, why);
	if (fd == -1)
		return -1;
	result = prune_keys(dir, now_us, why);
	close(fd);
	return result;
}
