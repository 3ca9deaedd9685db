/* json.h - JSON in and out; the only home of json-c. */

#ifndef POSTERN_BASE_JSON_H
#define POSTERN_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_LIMIT 32

struct json_object; /* json-c's; never looked into outside json.c */

enum json_kind {
	JSON_ABSENT,
	JSON_NULL,
	JSON_BOOLEAN,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/*
 * Parse one JSON text, strictly (RFC 8259): valid UTF-8, exactly one value with
 * nothing but white space around it, no comments, no NaN, no single quotes, no
 * raw control characters, at most JSON_DEPTH_LIMIT levels, no name twice in one
 * object or with U+0000 in it, and no escaped surrogate without its other half
 * (json-c would put U+FFFD there, and two different passwords would be equal).
 * Integers beyond 64 bits are refused too.  No copy of a string stays behind
 * in freed memory.
 *
 * Returns the value, owned by the caller until json_free(); or NULL and a short
 * English reason in *why (a constant).  The JSON text "null" is a value too: it
 * is refused here with a reason, since no caller takes it.
 */
struct json_object *json_parse(const char *text, size_t size,
    const char **why);

/* Release a value; every string in it, and its text (below) if it was made, is
 * wiped first.  NULL does nothing. */
void json_free(struct json_object *value);

/* What kind of value this is; what kind the member of an object is
 * (JSON_ABSENT also when the value is no object). */
enum json_kind json_kind(const struct json_object *value);
enum json_kind json_member_kind(const struct json_object *object,
    const char *name);

/* Calls on a value take an object where they say object, an array where they say
 * array; given anything else, they find nothing. */

/*
 * The bytes of a string, or of a member that is one, borrowed from it, with their
 * size: a string may hold U+0000.  NULL when it is not a string.
 */
const char *json_string(struct json_object *value, size_t *size);
const char *json_member_string(const struct json_object *object,
    const char *name, size_t *size);

/* An integer member; false when it is absent, not an integer or out of range. */
bool json_member_int(const struct json_object *object, const char *name,
    int64_t *number);

/* The name of the n-th member of an object, borrowed; NULL behind the last. */
const char *json_member_name(const struct json_object *object, size_t index);

/* A member that is an object or array, borrowed; else NULL. */
struct json_object *json_member(const struct json_object *object,
    const char *name);
size_t json_array_length(const struct json_object *array);
struct json_object *json_array_item(const struct json_object *array,
    size_t index);

/*
 * Building.  The process aborts when memory is out, so none of these fails.
 * An added object or array belongs to its parent from then on.  Names must be
 * new in the object.  Bytes that are not UTF-8 become U+FFFD, so that the text
 * is always JSON.
 */
struct json_object *json_new_object(void);
struct json_object *json_new_array(void);
void json_add_string(struct json_object *object, const char *name,
    const char *text);
void json_add_bytes(struct json_object *object, const char *name,
    const char *bytes, size_t size);
void json_add_int(struct json_object *object, const char *name,
    int64_t number);
void json_add_bool(struct json_object *object, const char *name, bool truth);
void json_add_null(struct json_object *object, const char *name);
void json_add(struct json_object *object, const char *name,
    struct json_object *value);
void json_append(struct json_object *array, struct json_object *value);
void json_append_string(struct json_object *array, const char *text);

/*
 * The value as JSON text without white space, "/" not escaped, NUL-terminated;
 * borrowed from the value until it is asked again, changes or ends.  json_pretty()
 * is for people.
 */
const char *json_text(struct json_object *value, size_t *size);
const char *json_pretty(struct json_object *value);

#endif
