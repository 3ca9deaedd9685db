/* keys.c - the service's keys, as its workers hold them. */

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/secret.h"
#include "token/key_list.h"
#include "token/keys.h"

static const char *const purposes[KEYS_PURPOSES] = {
	[KEYS_REFRESH_TOKEN] = "refresh-token",
	[KEYS_DEVICE_TOKEN] = "device-token",
	[KEYS_THROTTLE_ACCOUNT] = "throttle-account",
	[KEYS_THROTTLE_DEVICE] = "throttle-device",
};

/* What was read from the directory, at one time.  Of the master secret is kept
 * what is made of it. */
struct content {
	struct stat about; /* keys.json, before it was read */
	struct key_list list;
	struct digest_key *secrets[KEYS_PURPOSES];
	unsigned char master_id;
};

struct keys {
	char *dir;
	int64_t failed_us; /* when the directory could not be read; 0: it can */
	unsigned readings;
	struct content content;
};

static void
content_clear(struct content *content)
{
	key_list_clear(&content->list);
	for (size_t i = 0; i < KEYS_PURPOSES; i++)
		digest_key_free(content->secrets[i]);
}

static void
take_master(struct content *content,
    const unsigned char master[static MASTER_SECRET_SIZE])
{
	unsigned char digest[DIGEST_SIZE];

	digest_sha256(master, MASTER_SECRET_SIZE, digest);
	content->master_id = digest[0];
	for (size_t i = 0; i < KEYS_PURPOSES; i++) {
		digest_hmac(master, MASTER_SECRET_SIZE, purposes[i],
		    strlen(purposes[i]), digest);
		content->secrets[i] = digest_key_new(digest, sizeof(digest));
	}
	secret_wipe(digest, sizeof(digest));
}

/* Read all of it; on failure nothing is left to clear. */
static int
content_read(struct content *content, const char *dir,
    char why[static KEYS_WHY_SIZE])
{
	unsigned char master[MASTER_SECRET_SIZE];

	memset(content, 0, sizeof(*content));
	if (key_dir_check(dir, why) != 0)
		return -1;

	/* In this order: a list that is replaced meanwhile looks changed the
	 * next time. */
	if (key_dir_stat(dir, &content->about, why) != 0)
		return -1;
	if (key_dir_read_list(dir, &content->list, why) != 0)
		return -1;
	for (size_t i = 0; i < content->list.count; i++) {
		if (key_dir_read_key(dir, &content->list.keys[i], why) != 0)
			goto clear;
	}
	if (key_dir_read_master(dir, master, why) != 0)
		goto clear;
	take_master(content, master);
	secret_wipe(master, sizeof(master));
	return 0;

clear:
	secret_wipe(master, sizeof(master));
	content_clear(content);
	return -1;
}

static void
keys_take(struct keys *keys, const struct content *content)
{
	keys->content = *content;
	keys->readings++;
}

struct keys *
keys_open(const char *dir, char why[static KEYS_WHY_SIZE])
{
	struct content content;
	struct keys *keys;

	if (content_read(&content, dir, why) != 0)
		return NULL;
	keys = memory_zeroed(1, sizeof(*keys));
	keys->dir = memory_text(dir);
	keys_take(keys, &content);
	secret_wipe(&content, sizeof(content));
	return keys;
}

void
keys_close(struct keys *keys)
{
	if (keys == NULL)
		return;
	content_clear(&keys->content);
	free(keys->dir);
	free(keys);
}

static bool
is_other_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev != b->st_dev || a->st_ino != b->st_ino ||
	       a->st_size != b->st_size ||
	       a->st_mtim.tv_sec != b->st_mtim.tv_sec ||
	       a->st_mtim.tv_nsec != b->st_mtim.tv_nsec ||
	       a->st_ctim.tv_sec != b->st_ctim.tv_sec ||
	       a->st_ctim.tv_nsec != b->st_ctim.tv_nsec;
}

/* Read it again where it changed.  0 also when it did not. */
static int
keys_follow(struct keys *keys, char why[static KEYS_WHY_SIZE])
{
	struct content content;
	struct stat about;

	if (key_dir_stat(keys->dir, &about, why) != 0)
		return -1;
	if (!is_other_file(&about, &keys->content.about))
		return 0;
	if (content_read(&content, keys->dir, why) != 0)
		return -1;
	content_clear(&keys->content);
	keys_take(keys, &content);
	secret_wipe(&content, sizeof(content));
	return 0;
}

void
keys_refresh(struct keys *keys, int64_t now_us)
{
	char why[KEYS_WHY_SIZE];

	/* A clock set back is no reason to wait for it. */
	if (now_us >= keys->failed_us &&
	    now_us - keys->failed_us < CLOCK_SECOND_US)
		return;
	if (keys_follow(keys, why) == 0) {
		keys->failed_us = 0;
		return;
	}
	if (keys->failed_us == 0)
		log_error("could not read the keys again, keeping those from "
			  "before: %s",
		    why);
	keys->failed_us = now_us;
}

unsigned
keys_readings(const struct keys *keys)
{
	return keys->readings;
}

const struct key *
keys_signing(const struct keys *keys, int64_t now_us)
{
	return key_list_signing(&keys->content.list, now_us);
}

size_t
keys_count(const struct keys *keys)
{
	return keys->content.list.count;
}

const struct key *
keys_at(const struct keys *keys, size_t index)
{
	return &keys->content.list.keys[index];
}

enum key_state
keys_state(const struct keys *keys, const struct key *key, int64_t now_us)
{
	if (key_list_is_gone(key, now_us))
		return KEY_GONE;
	if (key->retired_us != 0 && key->retired_us <= now_us)
		return KEY_RETIRED;
	if (key->sign_from_us > now_us)
		return KEY_PUBLISHED;
	return key == keys_signing(keys, now_us) ? KEY_SIGNING : KEY_STANDBY;
}

const char *
key_state_name(enum key_state state)
{
	static const char *const names[] = {
		[KEY_PUBLISHED] = "published",
		[KEY_SIGNING] = "signing",
		[KEY_STANDBY] = "standby",
		[KEY_RETIRED] = "retired",
		[KEY_GONE] = "gone",
	};

	return names[state];
}

void
keys_prove(const struct keys *keys, enum keys_purpose purpose,
    const void *bytes, size_t size, unsigned char proof[static DIGEST_SIZE])
{
	digest_hmac_with(keys->content.secrets[purpose], bytes, size, proof);
}

bool
keys_is_proof(const struct keys *keys, enum keys_purpose purpose,
    const void *bytes, size_t size, const unsigned char shown[static DIGEST_SIZE])
{
	unsigned char proof[DIGEST_SIZE];
	bool same;

	keys_prove(keys, purpose, bytes, size, proof);
	same = secret_equal(proof, shown, sizeof(proof));
	secret_wipe(proof, sizeof(proof));
	return same;
}

unsigned char
keys_master_id(const struct keys *keys)
{
	return keys->content.master_id;
}
