/* key_dir.c - the files of the key directory. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64url.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/secret.h"
#include "token/key_dir.h"

#define LIST_NAME   "keys.json"
#define MASTER_NAME "master.key"
#define PEM_SUFFIX  ".pem"

/* More than the largest that we write. */
#define LIST_LIMIT   65536
#define SECRET_LIMIT 4096

enum privacy { IS_PUBLIC, IS_SECRET };

static int
fail(char why[static KEYS_WHY_SIZE], const char *path, const char *reason)
{
	snprintf(why, KEYS_WHY_SIZE, "\"%s\": %s", path, reason);
	return -1;
}

/* Owned by the caller. */
static char *
path_of(const char *dir, const char *name, const char *suffix)
{
	size_t size = strlen(dir) + 1 + strlen(name) + strlen(suffix) + 1;
	char *path = memory_zeroed(size, 1);

	snprintf(path, size, "%s/%s%s", dir, name, suffix);
	return path;
}

/* Returns NULL, or what makes it unsafe.  `owner` may own it as well as root
 * and this user may. */
static const char *
unsafe(const struct stat *about, uid_t owner, enum privacy privacy)
{
	if (about->st_uid != 0 && about->st_uid != geteuid() &&
	    about->st_uid != owner)
		return "belongs neither to root nor to this user";
	if ((about->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "others than its owner may write to it";
	if (privacy == IS_PUBLIC)
		return NULL;
	if ((about->st_mode & S_IROTH) != 0)
		return "is secret, and everybody may read it";
	if ((about->st_mode & S_IRGRP) != 0 && about->st_uid != 0)
		return "is secret, and its group may read it";
	return NULL;
}

/* Also tells who owns the directory. */
static int
check_dir(const char *dir, uid_t *owner, char why[static KEYS_WHY_SIZE])
{
	const char *wrong;
	struct stat about;

	if (stat(dir, &about) != 0)
		return fail(why, dir, strerror(errno));
	if (!S_ISDIR(about.st_mode))
		return fail(why, dir, "is not a directory");

	/* Root looks after the directories of other users, too. */
	*owner = geteuid() == 0 ? about.st_uid : 0;
	wrong = unsafe(&about, *owner, IS_PUBLIC);
	return wrong != NULL ? fail(why, dir, wrong) : 0;
}

int
key_dir_check(const char *dir, char why[static KEYS_WHY_SIZE])
{
	uid_t owner;

	return check_dir(dir, &owner, why);
}

/*
 * Nobody else may write to the directory; that is what makes looking at a file
 * before reading it enough: those who could change it meanwhile are trusted.
 */
static int
check_file(const char *dir, const char *path, enum privacy privacy,
    char why[static KEYS_WHY_SIZE])
{
	const char *wrong;
	struct stat about;
	uid_t owner;

	if (check_dir(dir, &owner, why) != 0)
		return -1;
	if (lstat(path, &about) != 0)
		return fail(why, path, strerror(errno));
	if (!S_ISREG(about.st_mode))
		return fail(why, path, "is not a regular file");
	wrong = unsafe(&about, owner, privacy);
	return wrong != NULL ? fail(why, path, wrong) : 0;
}

/* A file's bytes if it is safe to use, owned by the caller; or NULL. */
static char *
read_file(const char *dir, const char *path, enum privacy privacy, size_t *size,
    char why[static KEYS_WHY_SIZE])
{
	size_t limit = privacy == IS_SECRET ? SECRET_LIMIT : LIST_LIMIT;
	char *bytes;

	if (check_file(dir, path, privacy, why) != 0)
		return NULL;
	bytes = file_read(path, limit, size);
	if (bytes == NULL)
		fail(why, path, strerror(errno));
	return bytes;
}

static int
write_file(const char *path, const char *bytes, size_t size,
    char why[static KEYS_WHY_SIZE])
{
	switch (file_write_private(path, bytes, size)) {
	case FILE_WRITTEN:
		return 0;
	case FILE_UNSURE:
		snprintf(why, KEYS_WHY_SIZE, "\"%s\" is written, but "
		    "a power cut may undo that: %s", path, strerror(errno));
		return -1;
	case FILE_FAILED:
		break;
	}
	return fail(why, path, strerror(errno));
}

int
key_dir_stat(const char *dir, struct stat *about,
    char why[static KEYS_WHY_SIZE])
{
	char *path = path_of(dir, LIST_NAME, "");
	int result = 0;

	if (lstat(path, about) != 0)
		result = fail(why, path, strerror(errno));
	free(path);
	return result;
}

int
key_dir_read_list(const char *dir, struct key_list *list,
    char why[static KEYS_WHY_SIZE])
{
	char *path = path_of(dir, LIST_NAME, "");
	const char *wrong;
	size_t size;
	char *text;
	int result = -1;

	text = read_file(dir, path, IS_PUBLIC, &size, why);
	if (text != NULL) {
		wrong = key_list_parse(text, size, list);
		result = wrong != NULL ? fail(why, path, wrong) : 0;
	}
	free(text);
	free(path);
	return result;
}

int
key_dir_write_list(const char *dir, const struct key_list *list,
    char why[static KEYS_WHY_SIZE])
{
	char *path = path_of(dir, LIST_NAME, "");
	size_t size;
	char *text = key_list_text(list, &size);
	int result = write_file(path, text, size, why);

	free(text);
	free(path);
	return result;
}

int
key_dir_read_key(const char *dir, struct key *key,
    char why[static KEYS_WHY_SIZE])
{
	char *path = path_of(dir, key->kid, PEM_SUFFIX);
	const char *wrong;
	size_t size;
	char *pem;
	int result = -1;

	pem = read_file(dir, path, IS_SECRET, &size, why);
	if (pem != NULL) {
		wrong = key_load(key, pem, size);
		result = wrong != NULL ? fail(why, path, wrong) : 0;
		secret_wipe(pem, size);
	}
	free(pem);
	free(path);
	return result;
}

int
key_dir_write_key(const char *dir, const struct key *key,
    char why[static KEYS_WHY_SIZE])
{
	char *path = path_of(dir, key->kid, PEM_SUFFIX);
	size_t size;
	char *pem = key_pem(key, &size);
	int result;

	if (pem == NULL) {
		result = fail(why, path, "OpenSSL cannot write the key");
	} else {
		result = write_file(path, pem, size, why);
		secret_wipe(pem, size);
	}
	free(pem);
	free(path);
	return result;
}

int
key_dir_remove_key(const char *dir, const struct key *key,
    char why[static KEYS_WHY_SIZE])
{
	char *path = path_of(dir, key->kid, PEM_SUFFIX);
	int result = 0;

	if (unlink(path) != 0 && errno != ENOENT)
		result = fail(why, path, strerror(errno));
	free(path);
	return result;
}

/* One line, with or without its end. */
static int
read_master(const char *text, size_t size,
    unsigned char master[static MASTER_SECRET_SIZE])
{
	if (size > 0 && text[size - 1] == '\n')
		size--;
	if (base64url_decode(text, size, master, MASTER_SECRET_SIZE) !=
	    MASTER_SECRET_SIZE)
		return -1;
	return 0;
}

int
key_dir_read_master(const char *dir,
    unsigned char master[static MASTER_SECRET_SIZE],
    char why[static KEYS_WHY_SIZE])
{
	char *path = path_of(dir, MASTER_NAME, "");
	size_t size;
	char *text;
	int result = -1;

	text = read_file(dir, path, IS_SECRET, &size, why);
	if (text != NULL) {
		result = read_master(text, size, master);
		if (result != 0)
			fail(why, path, "is not base64url of 32 bytes");
		secret_wipe(text, size);
	}
	free(text);
	free(path);
	return result;
}

static int
make_master(const char *path, char why[static KEYS_WHY_SIZE])
{
	char text[BASE64URL_LENGTH(MASTER_SECRET_SIZE) + 2];
	unsigned char master[MASTER_SECRET_SIZE];
	size_t size;
	int result;

	secret_random(master, sizeof(master));
	size = base64url_encode(master, sizeof(master), text);
	text[size++] = '\n';
	result = write_file(path, text, size, why);
	secret_wipe(master, sizeof(master));
	secret_wipe(text, sizeof(text));
	return result;
}

/* Anything there, whatever it is? */
static bool
exists(const char *path)
{
	struct stat about;

	return lstat(path, &about) == 0 || errno != ENOENT;
}

int
key_dir_fill(const char *dir, char why[static KEYS_WHY_SIZE])
{
	static const struct key_list empty;
	char *master = path_of(dir, MASTER_NAME, "");
	char *list = path_of(dir, LIST_NAME, "");
	int result = 0;

	if (!exists(master))
		result = make_master(master, why);
	if (result == 0 && !exists(list))
		result = key_dir_write_list(dir, &empty, why);
	free(list);
	free(master);
	return result;
}
