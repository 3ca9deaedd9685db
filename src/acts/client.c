/* client.c - which program is calling. */

#include "acts/client.h"

#include <stdlib.h>
#include <string.h>

#include "acts/service.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/secret.h"
#include "store/api_keys.h"
#include "token/api_key.h"

#define REMEMBER_US (60 * CLOCK_SECOND_US)
#define NOTE_USE_US (3600 * CLOCK_SECOND_US)

/* A service has a handful of API keys; a worker that meets more looks them up. */
#define CACHE_SLOTS 16

struct remembered {
	struct id user;
	struct id key;
	unsigned char digest[DIGEST_SIZE];
	bool secret;
	int64_t until_us; /* 0: the slot is free */
};

struct client_cache {
	struct remembered slots[CACHE_SLOTS];
	size_t next; /* the slot to give up next */
};

struct client_cache *
client_cache_new(void)
{
	return memory_zeroed(1, sizeof(struct client_cache));
}

void
client_cache_free(struct client_cache *cache)
{
	free(cache);
}

static struct remembered *
slot_of(struct client_cache *cache, const struct id *user,
    const struct id *key)
{
	for (size_t i = 0; i < CACHE_SLOTS; i++) {
		struct remembered *slot = &cache->slots[i];

		if (slot->until_us != 0 && id_equal(&slot->key, key) &&
		    id_equal(&slot->user, user))
			return slot;
	}
	return NULL;
}

static bool
recall(struct client_cache *cache, const struct api_key *shown,
    int64_t now_us, struct client *client)
{
	const struct remembered *slot = slot_of(cache, &shown->user, &shown->key);

	if (slot == NULL || slot->until_us <= now_us ||
	    !secret_equal(slot->digest, shown->digest, DIGEST_SIZE))
		return false;
	client->secret = slot->secret;
	client->remembered = true;
	return true;
}

static void
remember(struct client_cache *cache, const struct api_key *shown,
    int64_t now_us, const struct client *client)
{
	struct remembered *slot = slot_of(cache, &shown->user, &shown->key);

	if (slot == NULL) {
		slot = &cache->slots[cache->next];
		cache->next = (cache->next + 1) % CACHE_SLOTS;
	}
	slot->user = shown->user;
	slot->key = shown->key;
	memcpy(slot->digest, shown->digest, DIGEST_SIZE);
	slot->secret = client->secret;
	slot->until_us = now_us + REMEMBER_US;
}

void
client_forget(const struct service *service, const struct client *client)
{
	struct remembered *slot =
	    slot_of(service->clients, &client->user, &client->key);

	if (slot != NULL)
		memset(slot, 0, sizeof(*slot));
}

static enum client_result
result_of(enum store_result result)
{
	switch (result) {
	case STORE_OK:
		return CLIENT_OK;
	case STORE_NONE:
		return CLIENT_UNKNOWN;
	case STORE_UNAVAILABLE:
		return CLIENT_UNAVAILABLE;
	case STORE_CONFLICT:
	case STORE_FAILED:
		break;
	}
	return CLIENT_FAILED;
}

/* Is the key in the row the one shown, and good now? */
static bool
stands(const struct api_key_row *row, const struct api_key *shown,
    int64_t now_us)
{
	return secret_equal(row->digest, shown->digest, DIGEST_SIZE) &&
	    row->secret == (shown->kind == API_KEY_SECRET) &&
	    row->revoked_us == 0 &&
	    (row->expires_us == 0 || row->expires_us > now_us);
}

static enum client_result
look_up(const struct service *service, const struct api_key *shown,
    int64_t now_us, struct client *client)
{
	struct api_key_row row;
	enum client_result result = result_of(store_api_key_find(service->db,
	    &shown->user, &shown->key, &row));

	if (result != CLIENT_OK)
		return result;
	if (!stands(&row, shown, now_us))
		return CLIENT_UNKNOWN;
	client->secret = row.secret;
	remember(service->clients, shown, now_us, client);

	/* When it was last used is for people to read; a failure to note it was
	 * logged and refuses nobody. */
	if (row.last_used_us < now_us - NOTE_USE_US)
		(void)store_api_key_used(service->db, &shown->user, &shown->key,
		    now_us);
	return CLIENT_OK;
}

static enum client_result
identify_key(const struct service *service, const char *text,
    bool may_remember, int64_t now_us, struct client *client)
{
	struct api_key shown;

	if (api_key_parse(text, strlen(text), &shown) != 0)
		return CLIENT_UNKNOWN;
	client->kind = CLIENT_API_KEY;
	client->user = shown.user;
	client->key = shown.key;
	if (may_remember && recall(service->clients, &shown, now_us, client))
		return CLIENT_OK;
	return look_up(service, &shown, now_us, client);
}

/* Does a token contradict what was shown beside it: another token, which is of
 * another session, or a key, which belongs to somebody else? */
static bool
contradicts(const struct access_claims *claims, const struct client *client)
{
	if (client->has_session)
		return !id_equal(&claims->session, &client->session.session) ||
		    !id_equal(&claims->subject, &client->session.subject);
	return client->kind == CLIENT_API_KEY && !id_is_nil(&client->user) &&
	    !id_equal(&claims->subject, &client->user);
}

static enum client_result
identify_session(const struct service *service, const char *token,
    int64_t now_us, struct client *client)
{
	const struct config *config = service->config;
	struct access_claims claims;

	switch (access_cache_verify(service->tokens, service->keys,
	    config->issuer,
	    config->audience, token, strlen(token), now_us, &claims)) {
	case ACCESS_TOKEN_OK:
		break;
	case ACCESS_TOKEN_EXPIRED:
		return CLIENT_TOKEN_EXPIRED;
	case ACCESS_TOKEN_INVALID:
		return CLIENT_TOKEN_INVALID;
	}
	if (contradicts(&claims, client))
		return CLIENT_UNKNOWN;
	if (client->kind == CLIENT_NONE)
		client->kind = CLIENT_SESSION;
	client->has_session = true;
	client->session = claims;
	return CLIENT_OK;
}

/* What counts of two answers: the first fault, but before all others that tokens
 * contradict each other. */
static enum client_result
join(enum client_result before, enum client_result next)
{
	if (before == CLIENT_OK || before == CLIENT_ABSENT ||
	    next == CLIENT_UNKNOWN)
		return next;
	return before;
}

enum client_result
client_identify(const struct service *service,
    const struct client_claim *claim, bool may_remember, int64_t now_us,
    struct client *client)
{
	const char *const tokens[] = { claim->bearer, claim->session_id,
		claim->cookie };
	enum client_result result = CLIENT_ABSENT;

	memset(client, 0, sizeof(*client));
	if (claim->api_key != NULL)
		result = identify_key(service, claim->api_key, may_remember,
		    now_us, client);
	if (result != CLIENT_OK && result != CLIENT_ABSENT)
		return result;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		if (tokens[i] != NULL)
			result = join(result, identify_session(service,
			    tokens[i], now_us, client));
	return result;
}
