/* test_foreign.c - hashes of other systems are checked, and whatever is damaged or
 * asks for too much is refused before anything is computed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "foreign_vectors.h"
#include "hash/foreign.h"
#include "hash/gate.h"
#include "hash/password.h"

#define VECTORS (sizeof(foreign_vectors) / sizeof(foreign_vectors[0]))

/* Sixteen bytes and more in base64, for hashes that are looked at only. */
#define B16 "AAAAAAAAAAAAAAAAAAAAAA"
#define B32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define C21 "abcdefghijklmnopqrstu"
#define C31 "abcdefghijklmnopqrstuvwxyzABCDE"
#define C43 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
#define C86 C43 C43
#define S   "42xEC+ixf3L2lw=="
#define FB(cost) "$fbscrypt$v=1," cost ",ss=Bw==,sk="
#define H32 "0123456789abcdef0123456789abcdef"

static const char *
form_of(const char *verifier, const char **why)
{
	return password_verifier_form(verifier, FOREIGN_MEMORY_MOST, why);
}

static enum foreign_result
check(const char *password, const char *verifier)
{
	return foreign_check(password, strlen(password), verifier, NULL);
}

/* A verifier with another character in one place; the caller frees it. */
static char *
spoil(const char *verifier, size_t at)
{
	char *spoilt = memory_text(verifier);

	spoilt[at] = spoilt[at] == 'a' ? 'e' : 'a';
	return spoilt;
}

static void
test_vectors(void **state)
{
	const char *name;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const char *password = foreign_vectors[i].password;
		const char *verifier = foreign_vectors[i].verifier;
		char *other = memory_text(password);

		assert_int_equal(foreign_read(verifier, FOREIGN_MEMORY_MOST, &name),
		    FOREIGN_READABLE);
		assert_string_equal(name, foreign_vectors[i].form);
		assert_int_equal(check(password, verifier), FOREIGN_MATCH);
		other[3] ^= 1;
		assert_int_equal(check(other, verifier), FOREIGN_MISMATCH);
		free(other);
	}
}

/* What stands in a forged place is part of the comparison, everywhere. */
static void
test_every_part_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		const char *verifier = foreign_vectors[i].verifier;
		size_t length = strlen(verifier);
		/* first and last of the hash, and the last of the salt; the
		 * very last character may hold less than six bits */
		const size_t places[] = { length - 2, length - 20 };

		for (size_t j = 0; j < sizeof(places) / sizeof(places[0]);
		     j++) {
			char *spoilt = spoil(verifier, places[j]);

			assert_int_not_equal(
			    check(foreign_vectors[i].password, spoilt),
			    FOREIGN_MATCH);
			free(spoilt);
		}
	}
}

/* No beginning of a verifier matches; of most forms none is readable.  (Padding
 * may be missing.) */
static void
test_cut_off(void **state)
{
	const char *name;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		bool argon2 =
		    strncmp(foreign_vectors[i].form, "argon2", 6) == 0;
		char *text = memory_text(foreign_vectors[i].verifier);

		for (size_t length = strlen(text); length-- > 0;) {
			if (text[length] == '=')
				continue;
			text[length] = '\0';
			if (foreign_read(text, FOREIGN_MEMORY_MOST, &name) != FOREIGN_READABLE)
				continue;
			assert_true(argon2);
			assert_int_equal(
			    check(foreign_vectors[i].password, text),
			    FOREIGN_MISMATCH);
		}
		free(text);
	}
}

static void
test_nothing_behind(void **state)
{
	char text[FOREIGN_LENGTH_LIMIT + 1];
	const char *name;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		snprintf(text, sizeof(text), "%sA",
		    foreign_vectors[i].verifier);
		if (strncmp(foreign_vectors[i].form, "argon2", 6) != 0)
			assert_int_not_equal(foreign_read(text, FOREIGN_MEMORY_MOST, &name),
			    FOREIGN_READABLE);
		snprintf(text, sizeof(text), "%s\n",
		    foreign_vectors[i].verifier);
		assert_int_not_equal(foreign_read(text, FOREIGN_MEMORY_MOST, &name),
		    FOREIGN_READABLE);
		snprintf(text, sizeof(text), "%s$",
		    foreign_vectors[i].verifier);
		assert_int_not_equal(foreign_read(text, FOREIGN_MEMORY_MOST, &name),
		    FOREIGN_READABLE);
	}
}

static const struct {
	const char *verifier;
	enum foreign_state state;
} readings[] = {
	{ "", FOREIGN_UNKNOWN },
	{ "secret", FOREIGN_UNKNOWN },
	{ "5f4dcc3b5aa765d61d8327deb882cf99", FOREIGN_UNKNOWN },
	{ "$1$abcdefgh$" C21 "0", FOREIGN_UNKNOWN },
	{ "$2x$04$" C21 "." C31, FOREIGN_UNKNOWN },
	{ "$argon2d$v=19$m=64,t=1,p=1$" B16 "$" B32, FOREIGN_UNKNOWN },
	{ "$s1$0f0803$" B16 "==$" B32, FOREIGN_UNKNOWN },
	{ "{SSHA}" B16, FOREIGN_UNKNOWN },

	{ "$2b$04$" C21 "." C31, FOREIGN_READABLE },
	{ "$2b$15$" C21 "." C31, FOREIGN_READABLE },
	{ "$2b$16$" C21 "." C31, FOREIGN_TOO_COSTLY },
	{ "$2b$31$" C21 "." C31, FOREIGN_TOO_COSTLY },
	{ "$2b$03$" C21 "." C31, FOREIGN_DAMAGED },
	{ "$2b$32$" C21 "." C31, FOREIGN_DAMAGED },
	{ "$2b$4$" C21 "." C31, FOREIGN_DAMAGED },
	{ "$2b$0:$" C21 "." C31, FOREIGN_DAMAGED },
	{ "$2b$:0$" C21 "." C31, FOREIGN_DAMAGED },
	{ "$2b$-1$" C21 "." C31, FOREIGN_DAMAGED },
	{ "$2b$04." C21 "." C31, FOREIGN_DAMAGED },
	{ "$2b$04$" C21 "+" C31, FOREIGN_DAMAGED },
	{ "$2b$04$" C21 ".$" C31, FOREIGN_DAMAGED },
	{ "$2b$04$" C21 "." C31 ".", FOREIGN_DAMAGED },

	{ "$5$salt$" C43, FOREIGN_READABLE },
	{ "$5$$" C43, FOREIGN_READABLE },
	{ "$6$salt$" C86, FOREIGN_READABLE },
	{ "$6$salt$" C43, FOREIGN_DAMAGED },
	{ "$5$salt$" C86, FOREIGN_DAMAGED },
	{ "$6$rounds=1000$salt$" C86, FOREIGN_READABLE },
	{ "$6$rounds=1000000$salt$" C86, FOREIGN_READABLE },
	{ "$6$rounds=1000001$salt$" C86, FOREIGN_TOO_COSTLY },
	{ "$6$rounds=999999999$salt$" C86, FOREIGN_TOO_COSTLY },
	{ "$6$rounds=4294967297$salt$" C86, FOREIGN_DAMAGED },
	{ "$6$rounds=999$salt$" C86, FOREIGN_DAMAGED },
	{ "$6$rounds=05000$salt$" C86, FOREIGN_DAMAGED },
	{ "$6$rounds=$salt$" C86, FOREIGN_DAMAGED },
	{ "$6$rounds=-1$salt$" C86, FOREIGN_DAMAGED },
	{ "$6$rounds=5000" C86, FOREIGN_DAMAGED },
	{ "$6$seventeen_letters$" C86, FOREIGN_DAMAGED },
	{ "$6$sa:lt$" C86, FOREIGN_DAMAGED },
	{ "$6$s\xc3\xa4lt$" C86, FOREIGN_DAMAGED },

	{ "$y$j9T$abcd$" C43, FOREIGN_READABLE },
	{ "$y$j9T$abcda$" C43, FOREIGN_DAMAGED },
	{ "$y$j9T$abcda1$" C43, FOREIGN_READABLE },
	{ "$y$j9T$abcda2$" C43, FOREIGN_DAMAGED },
	{ "$y$j9T$abcdaaD$" C43, FOREIGN_READABLE },
	{ "$y$j9T$abcdaaE$" C43, FOREIGN_DAMAGED },
	{ "$y$jDT$abcd$" C43, FOREIGN_READABLE },
	{ "$y$jET$abcd$" C43, FOREIGN_TOO_COSTLY },
	{ "$y$jjj$abcd$" C43, FOREIGN_TOO_COSTLY },
	{ "$y$jzz$abcd$" C43, FOREIGN_DAMAGED },
	{ "$y$j9$abcd$" C43, FOREIGN_DAMAGED },
	{ "$y$j9T/$abcd$" C43, FOREIGN_DAMAGED },
	{ "$y$k9T$abcd$" C43, FOREIGN_DAMAGED },
	{ "$y$j9T$$" C43, FOREIGN_DAMAGED },
	{ "$y$j9T$" C86 "a$" C43, FOREIGN_DAMAGED },
	{ "$y$", FOREIGN_DAMAGED },

	{ "$argon2id$v=19$m=64,t=1,p=1$" B16 "$" B32, FOREIGN_READABLE },
	{ "$argon2id$v=16$m=64,t=1,p=1$" B16 "$" B16, FOREIGN_READABLE },
	{ "$argon2i$m=64,t=1,p=1$" B16 "$" B16, FOREIGN_READABLE },
	{ "$argon2id$v=19$m=262144,t=4,p=1$" B16 "$" B32, FOREIGN_READABLE },
	{ "$argon2id$v=19$m=262144,t=5,p=1$" B16 "$" B32, FOREIGN_TOO_COSTLY },
	{ "$argon2id$v=19$m=262145,t=1,p=1$" B16 "$" B32, FOREIGN_TOO_COSTLY },
	{ "$argon2id$v=19$m=999999999,t=999999999,p=1$" B16 "$" B32,
	    FOREIGN_TOO_COSTLY },
	{ "$argon2id$v=19$m=8,t=999999999,p=1$" B16 "$" B32,
	    FOREIGN_TOO_COSTLY },
	{ "$argon2id$v=19$m=4294967295,t=1,p=1$" B16 "$" B32, FOREIGN_DAMAGED },
	{ "$argon2id$v=19$m=64,t=1,p=9$" B16 "$" B32, FOREIGN_DAMAGED },
	{ "$argon2id$v=19$m=64,t=1,p=999999999$" B16 "$" B32, FOREIGN_DAMAGED },
	{ "$argon2id$v=19$m=64,t=0,p=1$" B16 "$" B32, FOREIGN_DAMAGED },
	{ "$argon2id$v=19$m=64,t=1,p=0$" B16 "$" B32, FOREIGN_DAMAGED },
	{ "$argon2id$v=19$m=7,t=1,p=1$" B16 "$" B32, FOREIGN_DAMAGED },
	{ "$argon2id$v=18$m=64,t=1,p=1$" B16 "$" B32, FOREIGN_DAMAGED },
	{ "$argon2id$v=19$t=1,m=64,p=1$" B16 "$" B32, FOREIGN_DAMAGED },
	{ "$argon2id$v=19$m=64,t=1,p=1,keyid=AAAA$" B16 "$" B32,
	    FOREIGN_DAMAGED },
	{ "$argon2id$v=19$m=64,t=1,p=1$AAAA$" B32, FOREIGN_DAMAGED },
	{ "$argon2id$v=19$m=64,t=1,p=1$" B16 "$AAAA", FOREIGN_DAMAGED },
	{ "$argon2id$v=19$m=64,t=1,p=1$" B16, FOREIGN_DAMAGED },
	{ "$argon2id$v=19$m=64,t=1,p=1$" B16 "$" B32 B32 B32, FOREIGN_DAMAGED },
	{ "$argon2id$v=19$m=64,t=1,p=1$A-_A" B16 "$" B32, FOREIGN_DAMAGED },

	{ "$scrypt$ln=14,r=8,p=1$" B16 "$" B32, FOREIGN_READABLE },
	{ "$scrypt$ln=18,r=8,p=4$" B16 "$" B32, FOREIGN_READABLE },
	{ "$scrypt$ln=18,r=8,p=5$" B16 "$" B32, FOREIGN_TOO_COSTLY },
	{ "$scrypt$ln=19,r=8,p=1$" B16 "$" B32, FOREIGN_TOO_COSTLY },
	{ "$scrypt$ln=999999999,r=8,p=1$" B16 "$" B32, FOREIGN_TOO_COSTLY },
	{ "$scrypt$ln=14,r=999999999,p=1$" B16 "$" B32, FOREIGN_TOO_COSTLY },
	{ "$scrypt$ln=14,r=8,p=999999999$" B16 "$" B32, FOREIGN_TOO_COSTLY },
	{ "$scrypt$ln=0,r=8,p=1$" B16 "$" B32, FOREIGN_DAMAGED },
	{ "$scrypt$ln=14,r=0,p=1$" B16 "$" B32, FOREIGN_DAMAGED },
	{ "$scrypt$ln=14,r=8,p=0$" B16 "$" B32, FOREIGN_DAMAGED },
	{ "$scrypt$ln=14,r=8,p=1$" B16 "$" B16, FOREIGN_DAMAGED },
	{ "$scrypt$ln=14,r=8,p=1$$" B32, FOREIGN_DAMAGED },
	{ "$scrypt$ln=14,r=8$" B16 "$" B32, FOREIGN_DAMAGED },

	{ "$7$C6..../....salt$" C43, FOREIGN_DAMAGED }, /* too many bits */
	{ "$7$C6..../....salt$" C21 C21 "/", FOREIGN_READABLE },
	{ "$7$C6..../....$" C21 C21 "/", FOREIGN_DAMAGED },
	{ "$7$C6..../....sa:lt$" C21 C21 "/", FOREIGN_DAMAGED },
	{ "$7$.6..../....salt$" C21 C21 "/", FOREIGN_DAMAGED },
	{ "$7$C...../....salt$" C21 C21 "/", FOREIGN_DAMAGED },
	{ "$7$z6..../....salt$" C21 C21 "/", FOREIGN_TOO_COSTLY },
	{ "$7$Czzzzz/....salt$" C21 C21 "/", FOREIGN_TOO_COSTLY },
	{ "$7$C6....zzzzzsalt$" C21 C21 "/", FOREIGN_TOO_COSTLY },
	{ "$7$", FOREIGN_DAMAGED },

	{ FB("n=14,r=8,p=1") B32 "$" S "$" B32, FOREIGN_READABLE },
	{ FB("n=14,r=8,p=1") B16 "$" S "$" B16, FOREIGN_READABLE },
	{ FB("n=18,r=8,p=1") B32 "$" S "$" B32, FOREIGN_READABLE },
	{ FB("n=19,r=8,p=1") B32 "$" S "$" B32, FOREIGN_TOO_COSTLY },
	{ FB("n=999999999,r=8,p=1") B32 "$" S "$" B32, FOREIGN_TOO_COSTLY },
	{ FB("n=14,r=999999999,p=1") B32 "$" S "$" B32, FOREIGN_TOO_COSTLY },
	{ FB("n=0,r=8,p=1") B32 "$" S "$" B32, FOREIGN_DAMAGED },
	{ FB("n=14,r=0,p=1") B32 "$" S "$" B32, FOREIGN_DAMAGED },
	{ FB("n=14,r=8,p=2") B32 "$" S "$" B32, FOREIGN_DAMAGED },
	{ FB("n=14,r=8,p=1") B32 "$" S "$" B16, FOREIGN_DAMAGED },
	{ FB("n=14,r=8,p=1") S "$" S "$" S, FOREIGN_DAMAGED },
	{ FB("n=14,r=8,p=1") B32 B32 B32 "$" S "$" B32 B32 B32,
	    FOREIGN_DAMAGED },
	{ FB("n=14,r=8,p=1") B32 "$$" B32, FOREIGN_DAMAGED },
	{ FB("n=14,r=8,p=1") B32 "$" S "$", FOREIGN_DAMAGED },
	{ FB("n=14,r=8,p=1") B32 "$" S, FOREIGN_DAMAGED },
	{ FB("n=14,r=8,p=1") "$" S "$" B32, FOREIGN_DAMAGED },
	{ "$fbscrypt$v=2,n=14,r=8,p=1,ss=Bw==,sk=" B32 "$" S "$" B32,
	    FOREIGN_DAMAGED },
	{ "$fbscrypt$v=1,n=14,r=8,p=1,ss=,sk=" B32 "$" S "$" B32,
	    FOREIGN_DAMAGED },
	{ "$fbscrypt$v=1,n=14,r=8,p=1,ss=" B16 ",sk=" B32 "$" S "$" B32,
	    FOREIGN_READABLE },
	{ "$fbscrypt$v=1,n=14,r=8,p=1,ss=" B32 ",sk=" B32 "$" S "$" B32,
	    FOREIGN_DAMAGED },
	{ "$fbscrypt$v=1,n=14,r=8,p=1,sk=" B32 "$" S "$" B32, FOREIGN_DAMAGED },

	{ "pbkdf2_sha256$1$salt$" B32 "=", FOREIGN_READABLE },
	{ "pbkdf2_sha256$4000000$salt$" B32 "=", FOREIGN_READABLE },
	{ "pbkdf2_sha256$4000001$salt$" B32 "=", FOREIGN_TOO_COSTLY },
	{ "pbkdf2_sha256$0$salt$" B32 "=", FOREIGN_DAMAGED },
	{ "pbkdf2_sha256$-1$salt$" B32 "=", FOREIGN_DAMAGED },
	{ "pbkdf2_sha256$1e9$salt$" B32 "=", FOREIGN_DAMAGED },
	{ "pbkdf2_sha256$1$$" B32 "=", FOREIGN_DAMAGED },
	{ "pbkdf2_sha256$1$salt$" B32 "==", FOREIGN_DAMAGED },
	{ "pbkdf2_sha256$1$salt$" B16 "==", FOREIGN_DAMAGED },
	{ "pbkdf2_sha256$1$salt", FOREIGN_DAMAGED },
	{ "$pbkdf2-sha256$1$" B16 "$" B32, FOREIGN_READABLE },
	{ "$pbkdf2-sha256$1$" B16 "$" B16, FOREIGN_DAMAGED },
	{ "$pbkdf2-sha256$999999999$" B16 "$" B32, FOREIGN_TOO_COSTLY },
	{ "$pbkdf2-sha512$1$" B16 "$" B32, FOREIGN_DAMAGED },
	{ "$pbkdf2-sha512$1$" B16 "$" B32 B32, FOREIGN_READABLE },
	{ "$pbkdf2-sha512$1$" B16 "$" B32 B32 B16, FOREIGN_DAMAGED },

	{ H32 ":" H32 H32 H32 H32, FOREIGN_READABLE },
	{ H32 ":" H32 H32 H32, FOREIGN_UNKNOWN },
	{ H32 H32 ":" H32 H32 H32, FOREIGN_UNKNOWN },
	{ H32 ":" H32 H32 H32 "0123456789ABCDEF0123456789abcdef",
	    FOREIGN_UNKNOWN },
	{ "0123456789abcdefg123456789abcdef:" H32 H32 H32 H32,
	    FOREIGN_UNKNOWN },
};

static void
test_readings(void **state)
{
	const char *name;

	(void)state;
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		enum foreign_state found =
		    foreign_read(readings[i].verifier, FOREIGN_MEMORY_MOST, &name);

		if (found != readings[i].state)
			fail_msg("%s: %d instead of %d", readings[i].verifier,
			    (int)found, (int)readings[i].state);
		assert_int_equal(name == NULL, found == FOREIGN_UNKNOWN);
	}
}

/* What is not readable is refused before it can cost anything: all of the table
 * takes less time than one of its hashes would. */
static void
test_refused_at_once(void **state)
{
	int64_t began_ms = clock_steady_ms();

	(void)state;
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
		if (readings[i].state != FOREIGN_READABLE)
			assert_int_equal(
			    check("password", readings[i].verifier),
			    FOREIGN_REFUSED);
	assert_in_range(clock_steady_ms() - began_ms, 0, 10000);
}

static void
test_too_long(void **state)
{
	char text[2 * FOREIGN_LENGTH_LIMIT];
	const char *name;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "pbkdf2_sha256$1$", 16);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(foreign_read(text, FOREIGN_MEMORY_MOST, &name), FOREIGN_UNKNOWN);
	text[FOREIGN_LENGTH_LIMIT] = '\0';
	assert_int_equal(foreign_read(text, FOREIGN_MEMORY_MOST, &name), FOREIGN_DAMAGED);
}

/* "right\0x" is not "right", although C libraries would cut it there; and what
 * cannot be a password matches nothing. */
static void
test_what_cannot_be_a_password(void **state)
{
	char cut[64], huge[PASSWORD_SIZE_LIMIT + 1];

	(void)state;
	memset(huge, 'a', sizeof(huge));
	for (size_t i = 0; i < VECTORS; i++) {
		const char *password = foreign_vectors[i].password;
		const char *verifier = foreign_vectors[i].verifier;
		size_t size = strlen(password) + 1;

		assert_int_equal(foreign_check("", 0, verifier, NULL),
		    FOREIGN_MISMATCH);
		assert_int_equal(
		    foreign_check(huge, sizeof(huge), verifier, NULL),
		    FOREIGN_MISMATCH);
		if (size + 1 > sizeof(cut))
			continue;
		memcpy(cut, password, size);
		cut[size] = 'x';
		assert_int_equal(foreign_check(cut, size, verifier, NULL),
		    FOREIGN_MISMATCH);
		assert_int_equal(foreign_check(cut, size + 1, verifier, NULL),
		    FOREIGN_MISMATCH);
	}
}

/* Made by libxcrypt of the empty password: nobody signs in by it. */
static void
test_empty_password(void **state)
{
	(void)state;
	assert_int_equal(check("",
			     "$5$rounds=1000$salt$"
			     "oacEarljCLl1hnwSHaKByNaFLSC8faCZtGSPISXgwZ."),
	    FOREIGN_MISMATCH);
}

static void
test_bcrypt_looks_at_72_bytes(void **state)
{
	char longest[PASSWORD_SIZE_LIMIT];
	const char *password = NULL, *verifier = NULL;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++)
		if (strcmp(foreign_vectors[i].form, "bcrypt") == 0 &&
		    strlen(foreign_vectors[i].password) > 72) {
			password = foreign_vectors[i].password;
			verifier = foreign_vectors[i].verifier;
		}
	assert_non_null(password);

	memset(longest, 'z', sizeof(longest));
	memcpy(longest, password, 72);
	assert_int_equal(foreign_check(longest, 72, verifier, NULL),
	    FOREIGN_MATCH);
	assert_int_equal(
	    foreign_check(longest, sizeof(longest), verifier, NULL),
	    FOREIGN_MATCH);
	longest[71] ^= 1;
	assert_int_equal(
	    foreign_check(longest, sizeof(longest), verifier, NULL),
	    FOREIGN_MISMATCH);
}

/* The same words from another keyboard: taken as they are typed, as the other
 * system did, except where it normalised them. */
static void
test_normalised_by_better_auth_alone(void **state)
{
	static const char composed[] = "p\303\244ssw\303\266rd\302\262";
	static const char apart[] = "pa\314\210sswo\314\210rd2";
	int seen = 0;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++) {
		bool normalises =
		    strncmp(foreign_vectors[i].form, "better-auth", 11) == 0;

		if (strcmp(foreign_vectors[i].password, composed) != 0)
			continue;
		assert_int_equal(check(apart, foreign_vectors[i].verifier),
		    normalises ? FOREIGN_MATCH : FOREIGN_MISMATCH);
		seen += normalises;
	}
	assert_int_equal(seen, 1);
	/* Not UTF-8, for the one that wants it. */
	assert_int_equal(check("p\344ssword", H32 ":" H32 H32 H32 H32),
	    FOREIGN_MISMATCH);
}

/* ---- in a slot of the gate ----------------------------------------------- */

#define OTHER_MEMORY ((uint64_t)32 << 20)

static struct gate *
open_gate(void)
{
	const struct gate_options options = {
		.engine = GATE_ENGINE_LIBSCRYPT,
		.slots = 1,
		.lanes = 1,
		.places = 2,
		.cost = { 6, 8, 1 },
		.deadline_ms = 100,
		.other_memory = OTHER_MEMORY,
	};
	struct gate *gate = gate_new(&options);

	assert_non_null(gate);
	return gate;
}

static void
test_takes_a_slot(void **state)
{
	const struct gate_caller caller = { NULL, NULL };
	struct gate *gate = open_gate();
	struct gate_place *place = gate_enter(gate, &caller);
	struct gate_stats stats;

	(void)state;
	for (size_t i = 0; i < VECTORS; i++)
		assert_int_equal(foreign_check(foreign_vectors[i].password,
				     strlen(foreign_vectors[i].password),
				     foreign_vectors[i].verifier, place),
		    FOREIGN_MATCH);
	gate_stats(gate, &stats);
	assert_int_equal(stats.hashes, VECTORS);

	/* What is refused takes none. */
	assert_int_equal(foreign_check("x", 1, "$2b$16$" C21 "." C31, place),
	    FOREIGN_REFUSED);
	gate_stats(gate, &stats);
	assert_int_equal(stats.hashes, VECTORS);
	gate_leave(place);
	gate_free(gate);
}

/* One that takes more memory than a slot has is as unreadable as one of no form,
 * and costs as much as one of ours. */
static void
test_too_large_for_a_slot(void **state)
{
	static const char *const just[] = {
		"$argon2id$v=19$m=32768,t=1,p=1$" B16 "$" B32,
		"$scrypt$ln=15,r=8,p=1$" B16 "$" B32,
		"$7$D6..../....salt$" C21 C21 "/",
		"$y$jAT$abcd$" C43,
		H32 ":" H32 H32 H32 H32,
	}, *const more[] = {
		"$argon2id$v=19$m=32769,t=1,p=1$" B16 "$" B32,
		"$scrypt$ln=16,r=8,p=1$" B16 "$" B32,
		"$7$E6..../....salt$" C21 C21 "/",
		("$y$jBT$abcd$" C43),
	};
	const struct gate_caller caller = { NULL, NULL };
	struct gate *gate = open_gate();
	struct gate_place *place = gate_enter(gate, &caller);
	struct gate_stats stats;
	uint64_t before;
	const char *name;

	(void)state;
	password_init(&(struct scrypt_cost){ 6, 8, 1 });
	for (size_t i = 0; i < sizeof(just) / sizeof(just[0]); i++) {
		assert_int_equal(foreign_read(just[i], OTHER_MEMORY, &name),
		    FOREIGN_READABLE);
		assert_int_equal(foreign_read(just[i], OTHER_MEMORY - 1,
				     &name),
		    FOREIGN_TOO_COSTLY);
		assert_int_equal(foreign_check("x", 1, just[i], place),
		    FOREIGN_MISMATCH);
	}
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		assert_int_equal(foreign_read(more[i], OTHER_MEMORY, &name),
		    FOREIGN_TOO_COSTLY);
		assert_int_equal(foreign_check("x", 1, more[i], place),
		    FOREIGN_REFUSED);
		gate_stats(gate, &stats);
		before = stats.hashes;
		assert_int_equal(password_check("x", 1, more[i], place),
		    PASSWORD_UNREADABLE);
		gate_stats(gate, &stats);
		assert_int_equal(stats.hashes, before + 1);
	}
	gate_leave(place);
	gate_free(gate);
}

static bool
is_gone(void *self)
{
	(void)self;
	return true;
}

static void
test_not_for_nobody(void **state)
{
	const struct gate_caller caller = { is_gone, NULL };
	struct gate *gate = open_gate();
	struct gate_place *place = gate_enter(gate, &caller);
	const char *verifier = foreign_vectors[0].verifier;

	(void)state;
	assert_int_equal(foreign_check("x", 1, verifier, place),
	    FOREIGN_ABANDONED);
	assert_int_equal(password_check("x", 1, verifier, place),
	    PASSWORD_ABANDONED);
	gate_leave(place);
	gate_free(gate);
}

/* Hold the slot until the pipe is closed. */
static int
hold(void *argument)
{
	const int *pipe_ends = argument;
	char byte = 0;

	close(pipe_ends[3]);
	if (write(pipe_ends[1], &byte, 1) != 1)
		return -1;
	return read(pipe_ends[2], &byte, 1) == 0 ? 0 : -1;
}

static void
test_waits_for_a_slot_until_the_deadline(void **state)
{
	const struct gate_caller caller = { NULL, NULL };
	struct gate *gate = open_gate();
	const char *verifier = foreign_vectors[0].verifier;
	const char *password = foreign_vectors[0].password;
	struct gate_place *place;
	int ends[4], status;
	pid_t other;
	char byte;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pipe(ends + 2), 0);
	other = fork();
	assert_int_not_equal(other, -1);
	if (other == 0) {
		place = gate_enter(gate, &caller);
		status = gate_run(place, 0, hold, ends) == GATE_OK ? 0 : 1;
		gate_leave(place);
		gate_free(gate);
		_exit(status);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);

	place = gate_enter(gate, &caller);
	assert_non_null(place);
	assert_int_equal(
	    foreign_check(password, strlen(password), verifier, place),
	    FOREIGN_BUSY);
	assert_int_equal(
	    password_check(password, strlen(password), verifier, place),
	    PASSWORD_BUSY);
	close(ends[3]);
	assert_int_equal(waitpid(other, &status, 0), other);
	assert_int_equal(status, 0);
	gate_leave(place);

	place = gate_enter(gate, &caller); /* with a deadline of its own */
	assert_non_null(place);
	assert_int_equal(
	    foreign_check(password, strlen(password), verifier, place),
	    FOREIGN_MATCH);
	gate_leave(place);
	gate_free(gate);
	close(ends[0]);
	close(ends[1]);
	close(ends[2]);
}

/* ---- behind password.h --------------------------------------------------- */

static void
test_through_password(void **state)
{
	const struct scrypt_cost cheap = { 6, 8, 1 };

	(void)state;
	password_init(&cheap);
	for (size_t i = 0; i < VECTORS; i++) {
		const char *password = foreign_vectors[i].password;
		const char *verifier = foreign_vectors[i].verifier;
		const char *why;

		assert_int_equal(
		    password_check(password, strlen(password), verifier, NULL),
		    PASSWORD_MATCH);
		assert_int_equal(password_check("wrong", 5, verifier, NULL),
		    PASSWORD_MISMATCH);
		assert_true(password_needs_rehash(verifier));
		assert_string_equal(form_of(verifier, &why),
		    foreign_vectors[i].form);
	}
	assert_false(password_needs_rehash("$2b$16$" C21 "." C31));
	assert_int_equal(password_check("x", 1, "$2b$16$" C21 "." C31, NULL),
	    PASSWORD_UNREADABLE);
}

static void
test_form(void **state)
{
	char verifier[PASSWORD_VERIFIER_SIZE];
	const char *why;

	(void)state;
	assert_int_equal(password_make("password", 8, verifier, NULL), 0);
	assert_string_equal(form_of(verifier, &why), "scrypt");
	assert_null(why);
	assert_null(form_of("$2b$16$" C21 "." C31, &why));
	assert_string_equal(why, "checking it would take too much time, or "
				 "more memory than hash_other_mib");
	assert_null(form_of("$2b$10$" C21 "." C21, &why));
	assert_string_equal(why, "it is cut off or garbled");
	assert_null(form_of("plain text", &why));
	assert_string_equal(why, "it is of no known form");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_every_part_counts),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_nothing_behind),
		cmocka_unit_test(test_readings),
		cmocka_unit_test(test_refused_at_once),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_what_cannot_be_a_password),
		cmocka_unit_test(test_empty_password),
		cmocka_unit_test(test_bcrypt_looks_at_72_bytes),
		cmocka_unit_test(test_normalised_by_better_auth_alone),
		cmocka_unit_test(test_takes_a_slot),
		cmocka_unit_test(test_too_large_for_a_slot),
		cmocka_unit_test(test_not_for_nobody),
		cmocka_unit_test(test_waits_for_a_slot_until_the_deadline),
		cmocka_unit_test(test_through_password),
		cmocka_unit_test(test_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
