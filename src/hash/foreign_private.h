/* foreign_private.h - what foreign.c and the files of the forms, foreign_*.c, share:
 * a verifier taken apart, and how its parts are read. */

#ifndef POSTERN_HASH_FOREIGN_PRIVATE_H
#define POSTERN_HASH_FOREIGN_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hash/foreign.h"
#include "hash/scrypt.h"

/* The work that a check may be, as bytes of memory times passes over them, for
 * those forms whose cost is in both. */
#define FOREIGN_WORK_MOST ((uint64_t)1 << 30)

#define FOREIGN_SALT_LIMIT 128
#define FOREIGN_HASH_LEAST 16
#define FOREIGN_HASH_LIMIT 86

/* A password on its way into a library: a private copy, which derive functions
 * may change; counted, with a NUL behind it and none inside; secret. */
struct foreign_password {
	char text[FOREIGN_PASSWORD_LIMIT + 1];
	size_t size;
};

/* A verifier, taken apart.  Which costs there are is the form's own affair. */
struct foreign {
	const char *text; /* all of it, borrowed */
	const struct foreign_form *form;
	struct scrypt_cost scrypt;
	uint32_t version, memory_kib, passes, lanes;
	uint64_t memory; /* bytes that the form's derive takes; 0: hardly any */
	unsigned char salt[FOREIGN_SALT_LIMIT];
	size_t salt_size;
	unsigned char signer[FOREIGN_HASH_LIMIT]; /* what Firebase encrypts */
	size_t signer_size;
	unsigned char hash[FOREIGN_HASH_LIMIT];
	size_t hash_size;
};

/* Read what stands behind the form's prefix.  How much memory is too much is not
 * its affair. */
typedef enum foreign_state foreign_parse(const char *rest,
    struct foreign *foreign);

/* Compute foreign->hash_size bytes.  Returns 0, ENOMEM, or EINVAL when the
 * library will not. */
typedef int foreign_derive(const struct foreign *foreign,
    struct foreign_password *password,
    unsigned char hash[static FOREIGN_HASH_LIMIT]);

struct foreign_form {
	const char *prefix;
	const char *name;
	foreign_parse *parse;
	foreign_derive *derive;
	size_t longest;  /* password in bytes that the library takes */
	bool normalises; /* the other system took a password's NFKC form */
};

/* CRYPT_MAX_PASSPHRASE_SIZE counts the NUL. */
#define FOREIGN_CRYPT_LONGEST 511

foreign_parse foreign_argon2_parse;
foreign_derive foreign_argon2_derive_i, foreign_argon2_derive_id;

foreign_parse foreign_crypt_parse_bcrypt, foreign_crypt_parse_sha256,
    foreign_crypt_parse_sha512, foreign_crypt_parse_yescrypt;
foreign_derive foreign_crypt_derive, foreign_crypt_derive_bcrypt;

foreign_parse foreign_firebase_parse;
foreign_derive foreign_firebase_derive;

foreign_parse foreign_pbkdf2_parse_django, foreign_pbkdf2_parse_sha256,
    foreign_pbkdf2_parse_sha512;
foreign_derive foreign_pbkdf2_derive_sha256, foreign_pbkdf2_derive_sha512;

foreign_parse foreign_scrypt_parse_7, foreign_scrypt_parse_better_auth,
    foreign_scrypt_parse_phc;
foreign_derive foreign_scrypt_derive;

/* Is the cost of scrypt one that is computed here?  Notes its memory.  One that
 * RFC 7914 does not know is DAMAGED. */
enum foreign_state foreign_scrypt_check(struct foreign *foreign);

/* ---- foreign_text.c: each call moves *at behind what it has read --------- */

/* This very text. */
bool foreign_text_word(const char **at, const char *word);

/* A decimal number of at most nine digits, without sign or leading zero. */
bool foreign_text_number(const char **at, uint32_t *number);

/* Base64 up to the character `end`, with or without padding, "." for "+" as
 * some have it, without stray bits.  At least one byte, at most `room`. */
bool foreign_text_base64(const char **at, char end, unsigned char *bytes,
    size_t room, size_t *size);

/* The characters of crypt(3): their values "./0-9A-Za-z" count from 0. */
#define FOREIGN_TEXT_CRYPT \
	"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* The value of such a character, or -1. */
int foreign_text_crypt_value(char c);

#endif
