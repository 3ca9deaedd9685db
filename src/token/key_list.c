/* key_list.c - the keys that keys.json tells of. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base64url.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "token/key_list.h"

/* Exactly what clock_format() writes; 0, or -1. */
static int
read_time(const char *text, size_t size, int64_t *us)
{
	char copy[CLOCK_TEXT_SIZE], again[CLOCK_TEXT_SIZE];
	struct tm parts = { 0 };
	int milliseconds = 0;
	int64_t seconds;

	if (size != CLOCK_TEXT_SIZE - 1)
		return -1;
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (sscanf(copy, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &parts.tm_year,
		&parts.tm_mon, &parts.tm_mday, &parts.tm_hour, &parts.tm_min,
		&parts.tm_sec, &milliseconds) != 7)
		return -1;
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	seconds = timegm(&parts);
	if (seconds <= 0)
		return -1;

	/* sscanf() takes blanks and signs, timegm() the 31st of June: the way
	 * back tells. */
	*us = seconds * CLOCK_SECOND_US + milliseconds * (int64_t)1000;
	clock_format(*us, again);
	return strcmp(copy, again) == 0 ? 0 : -1;
}

static int
read_time_member(const struct json_object *item, const char *name, int64_t *us)
{
	size_t size;
	const char *text = json_member_string(item, name, &size);

	return text != NULL ? read_time(text, size, us) : -1;
}

/* A kid names a file, so nothing but a thumbprint may pass. */
static int
read_kid(const char *text, size_t size, char kid[static KEY_ID_SIZE])
{
	unsigned char bytes[32];

	if (size != KEY_ID_SIZE - 1 ||
	    base64url_decode(text, size, bytes, sizeof(bytes)) != sizeof(bytes))
		return -1;
	memcpy(kid, text, size);
	kid[size] = '\0';
	return 0;
}

/* Returns NULL, or what is wrong. */
static const char *
read_key(const struct json_object *item, struct key *key)
{
	const char *kid, *alg;
	size_t size;

	*key = (struct key){ 0 };
	kid = json_member_string(item, "kid", &size);
	if (kid == NULL || read_kid(kid, size, key->kid) != 0)
		return "\"kid\" is not the thumbprint of a key";
	alg = json_member_string(item, "alg", &size);
	if (alg == NULL || key_algorithm_parse(alg, size, &key->algorithm) != 0)
		return "\"alg\" is neither \"ES256\" nor \"EdDSA\"";
	if (read_time_member(item, "created", &key->created_us) != 0)
		return "\"created\" is not a time";
	if (read_time_member(item, "sign_from", &key->sign_from_us) != 0)
		return "\"sign_from\" is not a time";
	switch (json_member_kind(item, "retired")) {
	case JSON_ABSENT:
	case JSON_NULL:
		return NULL;
	case JSON_BOOLEAN:
	case JSON_NUMBER:
	case JSON_STRING:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	if (read_time_member(item, "retired", &key->retired_us) != 0)
		return "\"retired\" is not a time";
	return NULL;
}

static const char *
read_keys(const struct json_object *root, struct key_list *list)
{
	struct json_object *array = json_member(root, "keys");
	const char *wrong;
	struct key key;

	if (json_member_kind(root, "keys") != JSON_ARRAY)
		return "there is no array \"keys\"";
	if (json_array_length(array) > KEY_LIST_LIMIT)
		return "there are too many keys";
	for (size_t i = 0; i < json_array_length(array); i++) {
		wrong = read_key(json_array_item(array, i), &key);
		if (wrong != NULL)
			return wrong;
		if (key_list_add(list, &key) != 0)
			return "a key is there twice";
	}
	return NULL;
}

const char *
key_list_parse(const char *text, size_t size, struct key_list *list)
{
	struct json_object *root;
	const char *wrong;

	list->count = 0;
	root = json_parse(text, size, &wrong);
	if (root == NULL)
		return wrong;
	wrong = read_keys(root, list);
	if (wrong != NULL)
		list->count = 0;
	json_free(root);
	return wrong;
}

static void
add_time(struct json_object *item, const char *name, int64_t us)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format(us, text);
	json_add_string(item, name, text);
}

char *
key_list_text(const struct key_list *list, size_t *size)
{
	struct json_object *root = json_new_object();
	struct json_object *array = json_new_array();
	const struct key *key;
	struct json_object *item;
	char *text;

	for (key = list->keys; key < list->keys + list->count; key++) {
		item = json_new_object();
		json_add_string(item, "kid", key->kid);
		json_add_string(item, "alg",
		    key_algorithm_name(key->algorithm));
		add_time(item, "created", key->created_us);
		add_time(item, "sign_from", key->sign_from_us);
		if (key->retired_us != 0)
			add_time(item, "retired", key->retired_us);
		else
			json_add_null(item, "retired");
		json_append(array, item);
	}
	json_add(root, "keys", array);
	text = memory_text(json_pretty(root));
	*size = strlen(text);
	json_free(root);
	return text;
}

static bool
is_newer(const struct key *a, const struct key *b)
{
	if (a->sign_from_us != b->sign_from_us)
		return a->sign_from_us > b->sign_from_us;
	if (a->created_us != b->created_us)
		return a->created_us > b->created_us;
	return strcmp(a->kid, b->kid) < 0;
}

int
key_list_add(struct key_list *list, const struct key *key)
{
	size_t at = 0;

	if (list->count == KEY_LIST_LIMIT ||
	    key_list_find(list, key->kid) != NULL)
		return -1;
	while (at < list->count && is_newer(&list->keys[at], key))
		at++;
	memmove(&list->keys[at + 1], &list->keys[at],
	    (list->count - at) * sizeof(list->keys[0]));
	list->keys[at] = *key;
	list->count++;
	return 0;
}

void
key_list_remove(struct key_list *list, size_t index)
{
	key_release(&list->keys[index]);
	list->count--;
	memmove(&list->keys[index], &list->keys[index + 1],
	    (list->count - index) * sizeof(list->keys[0]));
}

void
key_list_clear(struct key_list *list)
{
	while (list->count > 0)
		key_list_remove(list, list->count - 1);
}

struct key *
key_list_find(struct key_list *list, const char *kid)
{
	struct key *key;

	for (key = list->keys; key < list->keys + list->count; key++) {
		if (strcmp(key->kid, kid) == 0)
			return key;
	}
	return NULL;
}

const struct key *
key_list_signing(const struct key_list *list, int64_t at_us)
{
	const struct key *key;

	for (key = list->keys; key < list->keys + list->count; key++) {
		if (key->sign_from_us <= at_us &&
		    (key->retired_us == 0 || key->retired_us > at_us))
			return key;
	}
	return NULL;
}

bool
key_list_signs_from(const struct key_list *list, int64_t from_us)
{
	const struct key *key;

	/* A gap can only begin at the start, or when a key retires. */
	if (key_list_signing(list, from_us) == NULL)
		return false;
	for (key = list->keys; key < list->keys + list->count; key++) {
		if (key->retired_us > from_us &&
		    key_list_signing(list, key->retired_us) == NULL)
			return false;
	}
	return true;
}

bool
key_list_is_gone(const struct key *key, int64_t at_us)
{
	return key->retired_us != 0 &&
	       at_us - key->retired_us >= KEY_VERIFIES_SECONDS * CLOCK_SECOND_US;
}
