/* jwks.c - the public keys as a JWK Set. */

#include "token/jwks.h"

#include "base/json.h"
#include "base/log.h"

static struct json_object *
jwk_new(const struct key *key)
{
	struct json_object *jwk = key_public(key);

	if (jwk == NULL) {
		log_error("could not publish the key \"%s\": OpenSSL does not "
			  "give its public half",
		    key->kid);
		return NULL;
	}
	json_add_string(jwk, "use", "sig");
	json_add_string(jwk, "alg", key_algorithm_name(key->algorithm));
	json_add_string(jwk, "kid", key->kid);
	return jwk;
}

struct json_object *
jwks_new(const struct keys *keys, int64_t now_us)
{
	struct json_object *set = json_new_object();
	struct json_object *array = json_new_array();
	struct json_object *jwk;

	json_add(set, "keys", array);
	for (size_t i = 0; i < keys_count(keys); i++) {
		const struct key *key = keys_at(keys, i);

		if (keys_state(keys, key, now_us) == KEY_GONE)
			continue;
		jwk = jwk_new(key);
		if (jwk == NULL) {
			json_free(set);
			return NULL;
		}
		json_append(array, jwk);
	}
	return set;
}
