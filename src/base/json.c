/* json.c - JSON in and out; the only home of json-c. */

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <json-c/printbuf.h>

#include "base/json.h"
#include "base/json_strict.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/text.h"

#define TEXT_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
#define PRETTY_FLAGS \
	(JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | \
	    JSON_C_TO_STRING_NOSLASHESCAPE)

/* Out of memory is the only way in which building fails. */
static struct json_object *
need(struct json_object *value)
{
	if (value == NULL)
		memory_exhausted();
	return value;
}

/* ---- parsing ------------------------------------------------------------- */

/*
 * Let the tokener read a string of `size` harmless characters.  It collects
 * every string in one buffer of its own, which it gives back unwiped:
 *  - before the real text, this makes the buffer as large as it will ever be,
 *    so that growing leaves no piece of a password in freed memory;
 *  - after it, this overwrites what the last strings left in the buffer.
 */
static void
tokener_fill(struct json_tokener *tokener, size_t size)
{
	char *filler;

	filler = memory_zeroed(size + 2, 1);
	memset(filler, 'x', size + 2);
	filler[0] = filler[size + 1] = '"';
	json_tokener_reset(tokener);
	json_object_put(
	    json_tokener_parse_ex(tokener, filler, (int)(size + 2)));
	json_tokener_reset(tokener);
	free(filler);
}

/* How many members json-c kept, in all objects together. */
static size_t
count_members(struct json_object *value)
{
	size_t count = 0;

	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			count += count_members(
			    json_object_array_get_idx(value, i));
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member)
		{
			(void)name;
			count += 1 + count_members(member);
		}
	}
	return count;
}

/* Let json-c read a text that json_strict() has accepted. */
static struct json_object *
tokener_read(struct json_tokener *tokener, const char *text, size_t size,
    const char **why)
{
	struct json_object *value;

	value = json_tokener_parse_ex(tokener, text, (int)size);
	/* A number ends only where something else begins: here, the NUL. */
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		value = json_tokener_parse_ex(tokener, "", 1);
	if (json_tokener_get_error(tokener) != json_tokener_success) {
		*why = "refused by json-c";
		return NULL;
	}
	if (value == NULL)
		*why = "null alone";
	return value;
}

struct json_object *
json_parse(const char *text, size_t size, const char **why)
{
	struct json_tokener *tokener;
	struct json_object *value;
	size_t members;

	/* json-c counts in int; a filler is two larger than the text. */
	if (size > INT_MAX - 2) {
		*why = "too long";
		return NULL;
	}
	*why = json_strict(text, size, &members);
	if (*why != NULL)
		return NULL;

	/* json-c counts the value in the innermost brackets as a level. */
	tokener = json_tokener_new_ex(JSON_DEPTH_LIMIT + 1);
	if (tokener == NULL)
		memory_exhausted();
	/* Not JSON_TOKENER_STRICT: json_strict() is stricter, and the flag makes
	 * json-c 0.18 refuse every byte above 0x7f in a string. */
	tokener_fill(tokener, size);
	value = tokener_read(tokener, text, size, why);
	tokener_fill(tokener, size);
	json_tokener_free(tokener);

	/* json-c keeps the last of two members with one name. */
	if (value != NULL && count_members(value) != members) {
		*why = "a name that stands twice in one object";
		json_free(value);
		return NULL;
	}
	return value;
}

/* ---- wiping -------------------------------------------------------------- */

/* json-c shows the bytes of a string as constant, but they lie in the object, and
 * that is ours to end. */
static void *
bytes_of(struct json_object *string)
{
	const char *bytes = json_object_get_string(string);
	void *same;

	memcpy(&same, &bytes, sizeof(same));
	return same;
}

/* Overwrite every string; names are no secrets. */
static void
wipe_strings(struct json_object *value)
{
	if (json_object_is_type(value, json_type_string))
		secret_wipe(bytes_of(value),
		    (size_t)json_object_get_string_len(value));
	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			wipe_strings(json_object_array_get_idx(value, i));
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member)
		{
			(void)name;
			wipe_strings(member);
		}
	}
}

/* No text of this value is longer: every byte of a string may become \u00XX, and
 * the pretty form indents. */
static size_t
text_bound(struct json_object *value)
{
	const size_t around = 2 * JSON_DEPTH_LIMIT + 8;
	size_t bound = 64; /* the longest integer, or brackets */

	/* A number that was read keeps its own spelling, of any length. */
	if (json_object_is_type(value, json_type_double))
		bound += strlen(json_object_get_string(value));

	if (json_object_is_type(value, json_type_string))
		bound += 6 * (size_t)json_object_get_string_len(value);
	if (json_object_is_type(value, json_type_array))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			bound += around +
			    text_bound(json_object_array_get_idx(value, i));
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member)
		{
			bound += around + 6 * strlen(name) +
			    text_bound(member);
		}
	}
	return bound;
}

/* A serializer for json-c: as many harmless characters as the user data say. */
static int
write_filler(struct json_object *value, struct printbuf *out, int level,
    int flags)
{
	const size_t *size = json_object_get_userdata(value);

	(void)level;
	(void)flags;
	return printbuf_memset(out, 0, 'x', (int)*size);
}

/*
 * The same as tokener_fill() for the buffer in which a value keeps its text:
 * before, so that it need not grow; after, so that tokens do not outlive it.
 */
static void
text_fill(struct json_object *value)
{
	size_t size = text_bound(value);

	if (size > INT_MAX)
		memory_exhausted();
	json_object_set_serializer(value, write_filler, &size, NULL);
	if (json_object_to_json_string(value) == NULL)
		memory_exhausted();
	json_object_set_serializer(value, NULL, NULL, NULL);
}

/* Marks a value that has a text, through its user data. */
static char has_text;

static const char *
text_write(struct json_object *value, int flags, size_t *size)
{
	const char *text;
	bool number = json_object_is_type(value, json_type_double);

	/* The user data of a number that was read are its spelling. */
	if (!number)
		text_fill(value);
	text = json_object_to_json_string_length(value, flags, size);
	if (text == NULL)
		memory_exhausted();
	if (!number)
		json_object_set_userdata(value, &has_text, NULL);
	return text;
}

void
json_free(struct json_object *value)
{
	if (value == NULL)
		return;
	if (json_object_get_userdata(value) == &has_text)
		text_fill(value);
	wipe_strings(value);
	json_object_put(value);
}

/* ---- reading ------------------------------------------------------------- */

enum json_kind
json_kind(const struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return JSON_NULL;
	case json_type_boolean:
		return JSON_BOOLEAN;
	case json_type_double:
	case json_type_int:
		return JSON_NUMBER;
	case json_type_object:
		return JSON_OBJECT;
	case json_type_array:
		return JSON_ARRAY;
	case json_type_string:
		return JSON_STRING;
	}
	return JSON_ABSENT;
}

/* The member, whatever it is; false when there is none. */
static bool
find(const struct json_object *object, const char *name,
    struct json_object **member)
{
	return json_object_is_type(object, json_type_object) &&
	    json_object_object_get_ex(object, name, member);
}

enum json_kind
json_member_kind(const struct json_object *object, const char *name)
{
	struct json_object *member;

	return find(object, name, &member) ? json_kind(member) : JSON_ABSENT;
}

const char *
json_string(struct json_object *value, size_t *size)
{
	if (!json_object_is_type(value, json_type_string))
		return NULL;
	*size = (size_t)json_object_get_string_len(value);
	return json_object_get_string(value);
}

const char *
json_member_string(const struct json_object *object, const char *name,
    size_t *size)
{
	struct json_object *member;

	return find(object, name, &member) ? json_string(member, size) : NULL;
}

bool
json_member_int(const struct json_object *object, const char *name,
    int64_t *number)
{
	struct json_object *member;

	if (!find(object, name, &member) ||
	    !json_object_is_type(member, json_type_int))
		return false;
	/* Exact: json_strict() lets no integer pass that json-c would change. */
	*number = json_object_get_int64(member);
	return true;
}

const char *
json_member_name(const struct json_object *object, size_t index)
{
	if (!json_object_is_type(object, json_type_object))
		return NULL;
	json_object_object_foreach((struct json_object *)(uintptr_t)object,
	    name, member)
	{
		(void)member;
		if (index-- == 0)
			return name;
	}
	return NULL;
}

struct json_object *
json_member(const struct json_object *object, const char *name)
{
	struct json_object *member;

	if (!find(object, name, &member) ||
	    (!json_object_is_type(member, json_type_object) &&
		!json_object_is_type(member, json_type_array)))
		return NULL;
	return member;
}

size_t
json_array_length(const struct json_object *array)
{
	if (!json_object_is_type(array, json_type_array))
		return 0;
	return json_object_array_length(array);
}

struct json_object *
json_array_item(const struct json_object *array, size_t index)
{
	if (index >= json_array_length(array))
		return NULL;
	return json_object_array_get_idx(array, index);
}

/* ---- building ------------------------------------------------------------ */

struct json_object *
json_new_object(void)
{
	return need(json_object_new_object());
}

struct json_object *
json_new_array(void)
{
	return need(json_object_new_array());
}

/* A string of bytes; what is not UTF-8 would make the whole text no JSON. */
static struct json_object *
new_string(const char *bytes, size_t size)
{
	struct json_object *string;
	char *mended;
	size_t mended_size;

	if (size > INT_MAX / 3)
		memory_exhausted();
	if (text_is_utf8(bytes, size))
		return need(json_object_new_string_len(bytes, (int)size));
	mended = memory_zeroed(size, 3);
	mended_size = text_mend(bytes, size, mended);
	string = need(json_object_new_string_len(mended, (int)mended_size));
	secret_wipe(mended, mended_size);
	free(mended);
	return string;
}

void
json_add(struct json_object *object, const char *name,
    struct json_object *value)
{
	if (json_object_object_add(object, name, value) != 0)
		memory_exhausted();
}

void
json_add_bytes(struct json_object *object, const char *name,
    const char *bytes, size_t size)
{
	json_add(object, name, new_string(bytes, size));
}

void
json_add_string(struct json_object *object, const char *name,
    const char *text)
{
	json_add_bytes(object, name, text, strlen(text));
}

void
json_add_int(struct json_object *object, const char *name, int64_t number)
{
	json_add(object, name, need(json_object_new_int64(number)));
}

void
json_add_bool(struct json_object *object, const char *name, bool truth)
{
	json_add(object, name, need(json_object_new_boolean(truth)));
}

void
json_add_null(struct json_object *object, const char *name)
{
	json_add(object, name, NULL);
}

void
json_append(struct json_object *array, struct json_object *value)
{
	if (json_object_array_add(array, value) != 0)
		memory_exhausted();
}

void
json_append_string(struct json_object *array, const char *text)
{
	json_append(array, new_string(text, strlen(text)));
}

const char *
json_text(struct json_object *value, size_t *size)
{
	return text_write(value, TEXT_FLAGS, size);
}

const char *
json_pretty(struct json_object *value)
{
	size_t size;

	return text_write(value, PRETTY_FLAGS, &size);
}
