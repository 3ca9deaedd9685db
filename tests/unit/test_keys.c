/* test_keys.c - the key directory: made, changed, followed, and not trusted when
 * others can reach it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/base64url.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "skip.h"
#include "temp_dir.h"
#include "token/key_list.h"
#include "token/keys_admin.h"

#define SECOND CLOCK_SECOND_US
#define NOW    (INT64_C(1800000000) * SECOND)

/* A directory of its own for each test; `why` is the last refusal. */
static char dir[TEMP_DIR_SIZE];
static char why[KEYS_WHY_SIZE];

static int
start(void **state)
{
	(void)state;
	temp_dir_make(dir);
	return keys_init(dir, why);
}

static int
end(void **state)
{
	(void)state;
	chmod(dir, 0700);
	temp_dir_remove(dir);
	return 0;
}

static void
new_key(enum key_algorithm algorithm, int64_t from_us,
    char kid[static KEY_ID_SIZE])
{
	if (keys_new(dir, algorithm, NOW, from_us, kid, why) != 0)
		fail_msg("%s", why);
}

static struct keys *
open_keys(void)
{
	struct keys *keys = keys_open(dir, why);

	if (keys == NULL)
		fail_msg("%s", why);
	return keys;
}

/* The directory cannot be used, and the reason has these words in it. */
static void
assert_refused(const char *words)
{
	memset(why, 0, sizeof(why));
	assert_null(keys_open(dir, why));
	if (strstr(why, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why, words);
}

static mode_t
mode_of(const char *name)
{
	char path[TEMP_PATH_SIZE];
	struct stat about;

	assert_int_equal(stat(temp_path(dir, name, path), &about), 0);
	return about.st_mode & 07777;
}

static void
set_mode(const char *name, mode_t mode)
{
	char path[TEMP_PATH_SIZE];

	assert_int_equal(chmod(temp_path(dir, name, path), mode), 0);
}

static void
write_text(const char *name, const char *text)
{
	char path[TEMP_PATH_SIZE];
	FILE *file;
	int fd;

	fd = open(temp_path(dir, name, path), O_WRONLY | O_CREAT | O_TRUNC,
	    0600);
	assert_int_not_equal(fd, -1);
	file = fdopen(fd, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static const char *
pem_name(const char *kid, char name[static TEMP_PATH_SIZE])
{
	snprintf(name, TEMP_PATH_SIZE, "%s.pem", kid);
	return name;
}

static int
count_files(void)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	int count = 0;

	assert_non_null(stream);
	while ((entry = readdir(stream)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(stream);
	return count;
}

static void
test_init(void **state)
{
	unsigned char before[32], after[32];
	struct keys *keys;

	(void)state;
	assert_int_equal(count_files(), 2);
	assert_int_equal(mode_of("keys.json"), 0600);
	assert_int_equal(mode_of("master.key"), 0600);
	keys = open_keys();
	assert_int_equal(keys_count(keys), 0);
	assert_null(keys_signing(keys, NOW));
	keys_prove(keys, KEYS_REFRESH_TOKEN, "", 0, before);
	keys_close(keys);

	/* Again: nothing is made anew. */
	assert_int_equal(keys_init(dir, why), 0);
	keys = open_keys();
	keys_prove(keys, KEYS_REFRESH_TOKEN, "", 0, after);
	keys_close(keys);
	assert_memory_equal(before, after, sizeof(before));
}

static void
test_init_makes_the_directory(void **state)
{
	char inner[TEMP_PATH_SIZE], deeper[TEMP_PATH_SIZE];
	struct stat about;

	(void)state;
	temp_path(dir, "keys", inner);
	assert_int_equal(keys_init(inner, why), 0);
	assert_int_equal(stat(inner, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0700);
	temp_dir_remove(inner);

	temp_path(inner, "keys", deeper);
	assert_int_equal(keys_init(deeper, why), -1);
	assert_non_null(strstr(why, "No such file"));

	write_text("keys", "");
	assert_int_equal(keys_init(inner, why), -1);
	assert_non_null(strstr(why, "not a directory"));
}

static void
test_init_leaves_what_is_there(void **state)
{
	struct stat before, after;
	char path[TEMP_PATH_SIZE];

	(void)state;
	temp_path(dir, "master.key", path);
	assert_int_equal(stat(path, &before), 0);
	temp_path(dir, "keys.json", path);
	unlink(path);
	assert_int_equal(keys_init(dir, why), 0);
	assert_int_equal(stat(path, &after), 0);
	temp_path(dir, "master.key", path);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void
test_new_key_signs(void **state)
{
	char kid[KEY_ID_SIZE], name[TEMP_PATH_SIZE];
	unsigned char signature[KEY_SIGNATURE_SIZE];
	const struct key *key;
	struct keys *keys;

	(void)state;
	for (int algorithm = KEY_ES256; algorithm <= KEY_EDDSA; algorithm++) {
		new_key((enum key_algorithm)algorithm, NOW + algorithm, kid);
		assert_int_equal(mode_of(pem_name(kid, name)), 0600);
		keys = open_keys();
		key = keys_signing(keys, NOW + SECOND);
		assert_non_null(key);
		assert_string_equal(key->kid, kid);
		assert_int_equal(key->algorithm, algorithm);
		assert_int_equal(key->created_us, NOW);
		assert_int_equal(key->retired_us, 0);
		assert_int_equal(key_sign(key, "x", 1, signature), 0);
		assert_true(key_verify(key, "x", 1, signature));
		keys_close(keys);
		end(state);
		start(state);
	}
}

static void
test_states(void **state)
{
	char old[KEY_ID_SIZE], now[KEY_ID_SIZE], next[KEY_ID_SIZE];
	const int64_t over = NOW + 100 * SECOND;
	struct keys *keys;

	(void)state;
	new_key(KEY_ES256, NOW, old);
	new_key(KEY_EDDSA, NOW + 10 * SECOND, now);
	new_key(KEY_ES256, NOW + 3600 * SECOND, next);
	assert_int_equal(keys_retire(dir, old, NOW, over, why), 0);

	keys = open_keys();
	assert_int_equal(keys_count(keys), 3);
	assert_string_equal(keys_at(keys, 0)->kid, next);
	assert_string_equal(keys_at(keys, 1)->kid, now);
	assert_string_equal(keys_at(keys, 2)->kid, old);

	assert_int_equal(keys_state(keys, keys_at(keys, 2), NOW), KEY_SIGNING);
	assert_int_equal(keys_state(keys, keys_at(keys, 1), NOW),
	    KEY_PUBLISHED);
	assert_int_equal(keys_state(keys, keys_at(keys, 2), NOW + 10 * SECOND),
	    KEY_STANDBY);
	assert_int_equal(keys_state(keys, keys_at(keys, 1), NOW + 10 * SECOND),
	    KEY_SIGNING);
	assert_int_equal(keys_state(keys, keys_at(keys, 0), over),
	    KEY_PUBLISHED);
	assert_int_equal(keys_state(keys, keys_at(keys, 2), over), KEY_RETIRED);
	assert_int_equal(keys_state(keys, keys_at(keys, 2),
			     over + (KEY_VERIFIES_SECONDS - 1) * SECOND),
	    KEY_RETIRED);
	assert_int_equal(keys_state(keys, keys_at(keys, 2),
			     over + KEY_VERIFIES_SECONDS * SECOND),
	    KEY_GONE);
	keys_close(keys);

	assert_string_equal(key_state_name(KEY_PUBLISHED), "published");
	assert_string_equal(key_state_name(KEY_GONE), "gone");
}

static void
test_retire(void **state)
{
	char one[KEY_ID_SIZE], two[KEY_ID_SIZE];
	struct keys *keys;

	(void)state;
	new_key(KEY_ES256, NOW, one);
	assert_int_equal(keys_retire(dir, one, NOW, NOW, why), -1);
	assert_non_null(strstr(why, "no other key would sign"));

	/* The other one would sign, but later. */
	new_key(KEY_ES256, NOW + 60 * SECOND, two);
	assert_int_equal(keys_retire(dir, one, NOW, NOW + 59 * SECOND, why),
	    -1);
	assert_int_equal(keys_retire(dir, one, NOW, NOW + 60 * SECOND, why), 0);

	/* And now that one must stay. */
	assert_int_equal(keys_retire(dir, two, NOW, NOW + 99 * SECOND, why),
	    -1);
	keys = open_keys();
	assert_string_equal(keys_signing(keys, NOW + 59 * SECOND)->kid, one);
	assert_string_equal(keys_signing(keys, NOW + 60 * SECOND)->kid, two);
	assert_int_equal(keys_at(keys, 1)->retired_us, NOW + 60 * SECOND);
	keys_close(keys);

	/* Later than it is already: no.  Earlier: as far as the other allows. */
	assert_int_equal(keys_retire(dir, one, NOW, NOW + 60 * SECOND, why),
	    -1);
	assert_non_null(strstr(why, "retired already"));
	assert_int_equal(keys_retire(dir, one, NOW, NOW + 61 * SECOND, why),
	    -1);
	assert_int_equal(keys_revoke(dir, one, NOW + 59 * SECOND, why), -1);
	assert_non_null(strstr(why, "no other key would sign"));
	assert_int_equal(keys_revoke(dir, one, NOW + 70 * SECOND, why), 0);
	keys = open_keys();
	assert_int_equal(keys_state(keys, keys_at(keys, 1), NOW + 70 * SECOND),
	    KEY_GONE);
	keys_close(keys);
}

static void
test_retire_refuses(void **state)
{
	char kid[KEY_ID_SIZE];

	(void)state;
	new_key(KEY_ES256, NOW, kid);
	new_key(KEY_ES256, NOW, kid);
	assert_int_equal(keys_retire(dir, "", NOW, NOW, why), -1);
	assert_int_equal(keys_retire(dir, "../x", NOW, NOW, why), -1);
	assert_non_null(strstr(why, "no such key"));
	assert_int_equal(keys_retire(dir, kid, NOW, 0, why), -1);
	assert_int_equal(keys_retire(dir, kid, NOW, -NOW, why), -1);
	assert_int_equal(keys_retire(dir, kid, NOW, INT64_MAX, why), -1);
	assert_int_equal(keys_retire(dir, kid, NOW, NOW, why), 0);
}

static void
test_new_refuses(void **state)
{
	char kid[KEY_ID_SIZE] = "unchanged";

	(void)state;
	assert_int_equal(keys_new(dir, KEY_ES256, NOW, 0, kid, why), -1);
	assert_int_equal(keys_new(dir, KEY_ES256, 0, NOW, kid, why), -1);
	assert_int_equal(keys_new(dir, KEY_ES256, NOW, INT64_MAX, kid, why),
	    -1);
	assert_string_equal(kid, "unchanged");
	assert_int_equal(count_files(), 2);

	/* No directory yet, or no list. */
	unlink(temp_path(dir, "keys.json", (char[TEMP_PATH_SIZE]){ 0 }));
	assert_int_equal(keys_new(dir, KEY_ES256, NOW, NOW, kid, why), -1);
	end(state);
	assert_int_equal(keys_new(dir, KEY_ES256, NOW, NOW, kid, why), -1);
	assert_int_equal(keys_retire(dir, kid, NOW, NOW, why), -1);
	assert_int_equal(keys_prune(dir, NOW, why), -1);
}

static void
test_prune(void **state)
{
	const int64_t gone = NOW + KEY_VERIFIES_SECONDS * SECOND;
	char one[KEY_ID_SIZE], two[KEY_ID_SIZE], name[TEMP_PATH_SIZE];
	char path[TEMP_PATH_SIZE * 2];
	struct keys *keys;

	(void)state;
	new_key(KEY_ES256, NOW, one);
	new_key(KEY_ES256, NOW, two);
	assert_int_equal(keys_prune(dir, gone, why), 0);
	assert_int_equal(keys_retire(dir, one, NOW, NOW, why), 0);
	assert_int_equal(keys_prune(dir, gone - 1, why), 0);
	assert_int_equal(count_files(), 4);
	assert_int_equal(keys_prune(dir, gone, why), 1);
	assert_int_equal(count_files(), 3);
	snprintf(path, sizeof(path), "%s/%s", dir, pem_name(one, name));
	assert_int_equal(access(path, F_OK), -1);
	keys = open_keys();
	assert_int_equal(keys_count(keys), 1);
	assert_string_equal(keys_at(keys, 0)->kid, two);
	keys_close(keys);
}

static void
test_refuses_open_modes(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
		const char *words;
	} cases[] = {
		{ "keys.json", 0620, "may write" },
		{ "keys.json", 0602, "may write" },
		{ "keys.json", 0666, "may write" },
		{ "master.key", 0620, "may write" },
		{ "master.key", 0602, "may write" },
		{ "master.key", 0604, "everybody may read" },
		{ "master.key", 0644, "everybody may read" },
		{ "PEM", 0660, "may write" },
		{ "PEM", 0606, "may write" },
		{ "PEM", 0604, "everybody may read" },
		{ ".", 0770, "may write" },
		{ ".", 0702, "may write" },
		{ ".", 01777, "may write" },
	};
	char kid[KEY_ID_SIZE], pem[TEMP_PATH_SIZE];
	struct keys *keys;
	mode_t before;

	(void)state;
	new_key(KEY_ES256, NOW, kid);
	pem_name(kid, pem);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *name =
		    strcmp(cases[i].name, "PEM") == 0 ? pem : cases[i].name;

		before = mode_of(name);
		set_mode(name, cases[i].mode);
		assert_refused(cases[i].words);
		set_mode(name, before);
	}

	/* Neither is secret. */
	set_mode("keys.json", 0644);
	set_mode(".", 0755);
	keys = open_keys();
	keys_close(keys);
	set_mode(".", 0777);
	assert_int_equal(keys_init(dir, why), -1);
	assert_int_equal(keys_new(dir, KEY_ES256, NOW, NOW, kid, why), -1);
	assert_int_equal(keys_retire(dir, kid, NOW, NOW, why), -1);
	assert_int_equal(keys_prune(dir, NOW, why), -1);
}

/* A group may read what root owns, so that root can keep the keys from being
 * written by the service; and nothing else. */
static void
test_group_may_read_roots_files(void **state)
{
	(void)state;
	set_mode("master.key", 0640);
	if (geteuid() == 0)
		keys_close(open_keys());
	else
		assert_refused("group may read");
}

/* Run in a child that is another user; what it returns. */
static int
as_user(uid_t user, int (*what)(void))
{
	pid_t child = fork();
	int status;

	assert_int_not_equal(child, -1);
	if (child == 0) {
		if (setgid(user) != 0 || setuid(user) != 0)
			_exit(99);
		_exit(what());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
try_open(void)
{
	struct keys *keys = keys_open(dir, why);
	int refused = keys == NULL;

	keys_close(keys);
	return refused;
}

static int
try_new(void)
{
	char kid[KEY_ID_SIZE];

	return keys_new(dir, KEY_ES256, NOW, NOW, kid, why) != 0;
}

static void
give(const char *name, uid_t user)
{
	char path[TEMP_PATH_SIZE];

	assert_int_equal(chown(temp_path(dir, name, path), user, user), 0);
}

#define SERVICE_USER 54321
#define OTHER_USER   54322

static void
test_owners(void **state)
{
	char kid[KEY_ID_SIZE], name[TEMP_PATH_SIZE], path[TEMP_PATH_SIZE];
	struct stat about;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root may give files away");

	/* The service's directory, in which root makes a key for it. */
	give(".", SERVICE_USER);
	give("master.key", SERVICE_USER);
	new_key(KEY_ES256, NOW, kid);
	pem_name(kid, name);
	assert_int_equal(stat(temp_path(dir, name, path), &about), 0);
	assert_int_equal(about.st_uid, SERVICE_USER);
	assert_int_equal(about.st_gid, SERVICE_USER);
	assert_int_equal(as_user(SERVICE_USER, try_open), 0);
	assert_int_equal(as_user(SERVICE_USER, try_new), 0);
	assert_int_equal(as_user(OTHER_USER, try_open), 1);
	assert_int_equal(try_open(), 0);

	/* A third user's files there are nobody's to trust, not even if he
	 * lets everybody read them. */
	give("keys.json", OTHER_USER);
	set_mode("keys.json", 0644);
	assert_int_equal(as_user(SERVICE_USER, try_open), 1);
	assert_refused("belongs neither");
	give("keys.json", 0);
	assert_int_equal(as_user(SERVICE_USER, try_open), 0);
	give("master.key", OTHER_USER);
	assert_refused("belongs neither");
	give("master.key", SERVICE_USER);

	/* Another's directory, although it lets us in. */
	give(".", OTHER_USER);
	set_mode(".", 0755);
	assert_int_equal(as_user(SERVICE_USER, try_open), 1);

	/* Root's, which lets the service read. */
	give(".", 0);
	assert_int_equal(as_user(SERVICE_USER, try_open), 0);
	assert_int_equal(as_user(SERVICE_USER, try_new), 1);
}

static void
test_refuses_other_files(void **state)
{
	static const char *const names[] = { "keys.json", "master.key" };
	char path[TEMP_PATH_SIZE], target[TEMP_PATH_SIZE];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		temp_path(dir, names[i], path);
		temp_path(dir, "moved", target);
		assert_int_equal(rename(path, target), 0);
		assert_refused("No such file");
		assert_int_equal(symlink(target, path), 0);
		assert_refused("not a regular file");
		unlink(path);
		assert_int_equal(mkdir(path, 0700), 0);
		assert_refused("not a regular file");
		rmdir(path);
		assert_int_equal(mkfifo(path, 0600), 0);
		assert_refused("not a regular file");
		unlink(path);
		assert_int_equal(rename(target, path), 0);
	}
	keys_close(open_keys());
}

static void
test_refuses_damaged_master(void **state)
{
	static const char *const wrong[] = {
		"",
		"\n",
		"secret\n",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n\n",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ",
		" AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\n",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		write_text("master.key", wrong[i]);
		assert_refused("base64url of 32 bytes");
		assert_null(strstr(why, "AAAA"));
	}
}

static void
test_refuses_damaged_list(void **state)
{
	char *large = calloc(1, 70000);

	(void)state;
	write_text("keys.json", "{\"keys\":");
	assert_refused("keys.json");
	write_text("keys.json", "{\"keys\":[{\"kid\":\"../../etc/shadow\"}]}");
	assert_refused("not the thumbprint");

	assert_non_null(large);
	memset(large, ' ', 69999);
	write_text("keys.json", large);
	assert_refused("large");
	free(large);
}

static void
test_refuses_damaged_key(void **state)
{
	char first[KEY_ID_SIZE], second[KEY_ID_SIZE], large[5001];
	char a[TEMP_PATH_SIZE], b[TEMP_PATH_SIZE], name[TEMP_PATH_SIZE];

	(void)state;
	new_key(KEY_ES256, NOW, second);
	temp_path(dir, pem_name(second, name), b);
	new_key(KEY_ES256, NOW + SECOND, first);
	temp_path(dir, pem_name(first, name), a);

	/* One key under the other's name; no file; other texts. */
	assert_int_equal(rename(b, a), 0);
	assert_refused("not the key that its name tells");
	unlink(a);
	assert_refused("No such file");
	write_text(name, "");
	assert_refused("in PEM");
	write_text(name, "no key\n");
	assert_refused("in PEM");
	memset(large, '\n', sizeof(large));
	large[sizeof(large) - 1] = '\0';
	write_text(name, large);
	assert_refused("too large");
}

static void
test_proofs(void **state)
{
	static const char master[] =
	    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
	unsigned char bytes[32], secret[DIGEST_SIZE], expected[DIGEST_SIZE];
	unsigned char proof[DIGEST_SIZE];
	struct keys *keys;

	(void)state;
	write_text("master.key", master);
	for (int i = 0; i < 32; i++)
		bytes[i] = (unsigned char)i;
	keys = open_keys();
	digest_hmac(bytes, 32, "refresh-token", 13, secret);
	digest_hmac(secret, sizeof(secret), "abc", 3, expected);
	keys_prove(keys, KEYS_REFRESH_TOKEN, "abc", 3, proof);
	assert_memory_equal(proof, expected, sizeof(proof));

	assert_true(keys_is_proof(keys, KEYS_REFRESH_TOKEN, "abc", 3, proof));
	assert_false(keys_is_proof(keys, KEYS_REFRESH_TOKEN, "abd", 3, proof));
	assert_false(keys_is_proof(keys, KEYS_REFRESH_TOKEN, "abc", 2, proof));
	assert_false(keys_is_proof(keys, KEYS_DEVICE_TOKEN, "abc", 3, proof));
	for (size_t i = 0; i < sizeof(proof); i++) {
		proof[i] ^= 1;
		assert_false(
		    keys_is_proof(keys, KEYS_REFRESH_TOKEN, "abc", 3, proof));
		proof[i] ^= 1;
	}
	digest_sha256(bytes, 32, expected);
	assert_int_equal(keys_master_id(keys), expected[0]);
	keys_close(keys);
}

static void
test_follows_changes(void **state)
{
	char one[KEY_ID_SIZE], two[KEY_ID_SIZE];
	int64_t now = NOW + 100 * SECOND;
	struct keys *keys;

	(void)state;
	new_key(KEY_ES256, NOW, one);
	keys = open_keys();
	keys_refresh(keys, now);
	new_key(KEY_EDDSA, NOW + SECOND, two);
	assert_string_equal(keys_signing(keys, now)->kid, one);

	/* At once, whatever the clock does. */
	keys_refresh(keys, now);
	assert_int_equal(keys_count(keys), 2);
	assert_string_equal(keys_signing(keys, now)->kid, two);
	assert_int_equal(keys_retire(dir, two, now, now, why), 0);
	keys_refresh(keys, now - 3600 * SECOND);
	assert_string_equal(keys_signing(keys, now)->kid, one);
	keys_close(keys);
}

/* Unchanged files are not read, so the keys stay where they are. */
static void
test_rests_without_changes(void **state)
{
	const struct key_pair *pair;
	char kid[KEY_ID_SIZE];
	struct keys *keys;

	(void)state;
	new_key(KEY_ES256, NOW, kid);
	keys = open_keys();
	pair = keys_at(keys, 0)->pair;
	for (int i = 1; i < 5; i++) {
		keys_refresh(keys, NOW + i * 2 * SECOND);
		assert_ptr_equal(keys_at(keys, 0)->pair, pair);
	}
	keys_close(keys);
}

/* Lines in the log file, which is left empty. */
static int
lines_logged(const char *path)
{
	FILE *file = fopen(path, "r");
	int count = 0, c;

	assert_non_null(file);
	while ((c = getc(file)) != EOF)
		count += c == '\n';
	fclose(file);
	assert_int_equal(truncate(path, 0), 0);
	return count;
}

static void
test_keeps_keys_when_unreadable(void **state)
{
	char kid[KEY_ID_SIZE], next[KEY_ID_SIZE];
	char log[TEMP_PATH_SIZE], path[TEMP_PATH_SIZE];
	unsigned char signature[KEY_SIGNATURE_SIZE];
	struct keys *keys;

	(void)state;
	new_key(KEY_ES256, NOW, kid);
	keys = open_keys();
	temp_path(dir, "log", log);
	assert_int_equal(log_open(log, LOG_FORMAT_PLAIN, LOG_LEVEL_ERROR), 0);

	set_mode("keys.json", 0666);
	write_text("keys.json", "{");
	for (int i = 2; i < 6; i++)
		keys_refresh(keys, NOW + i * SECOND);
	assert_int_equal(lines_logged(log), 1);
	assert_int_equal(keys_count(keys), 1);
	assert_int_equal(key_sign(keys_signing(keys, NOW), "x", 1, signature),
	    0);

	/* Gone altogether is the same trouble. */
	unlink(temp_path(dir, "keys.json", path));
	keys_refresh(keys, NOW + 6 * SECOND);
	assert_int_equal(lines_logged(log), 0);
	assert_string_equal(keys_at(keys, 0)->kid, kid);

	/* Back again, and then away once more: that is news. */
	assert_int_equal(keys_init(dir, why), 0);
	new_key(KEY_ES256, NOW, next);
	keys_refresh(keys, NOW + 7 * SECOND - 1);
	assert_string_equal(keys_at(keys, 0)->kid, kid);
	keys_refresh(keys, NOW + 7 * SECOND);
	assert_int_equal(lines_logged(log), 0);
	assert_string_equal(keys_at(keys, 0)->kid, next);
	unlink(path);
	keys_refresh(keys, NOW + 8 * SECOND);
	assert_int_equal(lines_logged(log), 1);
	assert_int_equal(log_open("stderr", LOG_FORMAT_PLAIN, LOG_LEVEL_INFO),
	    0);
	keys_close(keys);
}

/* Several posternctl at once: each key is in the list afterwards. */
static void
test_changes_do_not_collide(void **state)
{
	pid_t children[4];
	struct keys *keys;
	int status;

	(void)state;
	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		assert_int_not_equal(children[i], -1);
		if (children[i] == 0)
			_exit(try_new() + try_new() + try_new());
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	keys = open_keys();
	assert_int_equal(keys_count(keys), 12);
	keys_close(keys);
}

static void
test_waits_for_the_lock(void **state)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	pid_t child;
	int status;

	(void)state;
	assert_int_not_equal(fd, -1);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0)
		_exit(try_new());
	usleep(100000);
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	assert_int_equal(count_files(), 2);

	/* The child has a copy of fd, so closing this one would not do. */
	assert_int_equal(flock(fd, LOCK_UN), 0);
	close(fd);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(count_files(), 3);
}

static void
test_full(void **state)
{
	char kid[KEY_ID_SIZE];

	(void)state;
	for (int i = 0; i < 64; i++)
		new_key(KEY_EDDSA, NOW, kid);
	assert_int_equal(keys_new(dir, KEY_EDDSA, NOW, NOW, kid, why), -1);
	assert_non_null(strstr(why, "as many keys as"));
	assert_int_equal(count_files(), 66);
	keys_close(open_keys());
}

/* ---- a disk that does not keep what it was given ------------------------- */

static bool disk_forgets;

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int
__wrap_fsync(int fd)
{
	struct stat about;

	assert_int_equal(fstat(fd, &about), 0);
	if (!disk_forgets || !S_ISDIR(about.st_mode))
		return __real_fsync(fd);
	errno = EIO;
	return -1;
}

/* What is in use then is told, and no file goes that an older list needs. */
static void
test_changes_that_may_not_last(void **state)
{
	char old[KEY_ID_SIZE], now[KEY_ID_SIZE];
	struct keys *keys;

	(void)state;
	new_key(KEY_EDDSA, NOW - SECOND, old);
	new_key(KEY_EDDSA, NOW, now);
	disk_forgets = true;
	assert_int_equal(keys_revoke(dir, old, NOW, why), -1);
	assert_non_null(strstr(why, "keys.json\" is written, but a "
	    "power cut may undo that: "));
	keys = open_keys();
	assert_int_equal(keys_state(keys, keys_at(keys, 1), NOW), KEY_GONE);
	keys_close(keys);

	assert_int_equal(count_files(), 4);
	assert_int_equal(keys_prune(dir, NOW, why), -1);
	assert_int_equal(count_files(), 4);
	assert_int_equal(keys_new(dir, KEY_EDDSA, NOW, NOW, old, why), -1);
	assert_non_null(strstr(why, ".pem\" is written, but"));
	disk_forgets = false;
	keys = open_keys();
	assert_int_equal(keys_count(keys), 1);
	keys_close(keys);
}

static void
test_close_nothing(void **state)
{
	(void)state;
	keys_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_init),
		TEST(test_init_makes_the_directory),
		TEST(test_init_leaves_what_is_there),
		TEST(test_new_key_signs),
		TEST(test_states),
		TEST(test_retire),
		TEST(test_retire_refuses),
		TEST(test_new_refuses),
		TEST(test_prune),
		TEST(test_refuses_open_modes),
		TEST(test_group_may_read_roots_files),
		TEST(test_owners),
		TEST(test_refuses_other_files),
		TEST(test_refuses_damaged_master),
		TEST(test_refuses_damaged_list),
		TEST(test_refuses_damaged_key),
		TEST(test_proofs),
		TEST(test_follows_changes),
		TEST(test_rests_without_changes),
		TEST(test_keeps_keys_when_unreadable),
		TEST(test_changes_do_not_collide),
		TEST(test_waits_for_the_lock),
		TEST(test_full),
		TEST(test_changes_that_may_not_last),
		TEST(test_close_nothing),
	};

	/* The modes of what tests make are those they name. */
	umask(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
