/* key_list.h - the keys that keys.json tells of, and which of them does what at
 * a given time. */

#ifndef POSTERN_TOKEN_KEY_LIST_H
#define POSTERN_TOKEN_KEY_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "token/key.h"

#define KEY_LIST_LIMIT 64

/* Newest first: by the time from which they sign. */
struct key_list {
	size_t count;
	struct key keys[KEY_LIST_LIMIT];
};

/*
 * Read the text of keys.json: an object with an array "keys"; each has kid, alg,
 * created, sign_from (RFC 3339, UTC, milliseconds) and retired (the same, or
 * null).  Members that it does not know are passed over.  What was in *list is not
 * released.  Returns NULL, and the keys have no pairs yet; or what is wrong, a
 * constant, and *list is empty.
 */
const char *key_list_parse(const char *text, size_t size,
    struct key_list *list);

/* The text that key_list_parse() reads, owned by the caller. */
char *key_list_text(const struct key_list *list, size_t *size);

/* Put a key in its place; its pair belongs to the list from then on.  Returns 0,
 * or -1 when the list is full or has one of this kid. */
int key_list_add(struct key_list *list, const struct key *key);

/* Take the key at `index` out, and release it. */
void key_list_remove(struct key_list *list, size_t index);

/* Release all keys. */
void key_list_clear(struct key_list *list);

/* The key of this kid, the list's own until that changes; or NULL. */
struct key *key_list_find(struct key_list *list, const char *kid);

/* The newest key whose time to sign has come and which is not retired then, or
 * NULL. */
const struct key *key_list_signing(const struct key_list *list, int64_t at_us);

/* Is there a key that signs at this time, and at each later one? */
bool key_list_signs_from(const struct key_list *list, int64_t from_us);

/*
 * How long a retired key verifies: as long as any token can live, whatever the
 * setting is now or was when it signed; and a minute for a service that did not
 * learn of it at once.
 */
#define KEY_VERIFIES_SECONDS (CONFIG_ACCESS_TOKEN_SECONDS_MOST + 60)

/* Was the key retired so long ago that all it signed has expired? */
bool key_list_is_gone(const struct key *key, int64_t at_us);

#endif
