/* key_dir.h - the files of the key directory, each checked before it is trusted.
 *
 *   keys.json    the list (key_list.h)
 *   <kid>.pem    one private key each, PKCS #8
 *   master.key   the master secret, base64url of 32 bytes
 *
 * The directory and its files must belong to root, to the user we run as, or
 * (for root) to the directory's owner.  Others must not be able to write any of
 * them, nor to read the secret ones; a group may read those that root owns.
 *
 * Calls that can fail return -1 with a sentence in `why`: which file, and what is
 * wrong with it.  One that writes has then changed nothing, unless the sentence says
 * that the file is written, but may not last. */

#ifndef POSTERN_TOKEN_KEY_DIR_H
#define POSTERN_TOKEN_KEY_DIR_H

#include <stddef.h>
#include <sys/stat.h>

#include "token/key_list.h"

#define KEYS_WHY_SIZE 512
#define MASTER_SECRET_SIZE 32

/* Is the directory one to trust?  0 or -1. */
int key_dir_check(const char *dir, char why[static KEYS_WHY_SIZE]);

/* Put an empty list and a new master secret there, each where there is none. */
int key_dir_fill(const char *dir, char why[static KEYS_WHY_SIZE]);

/* What lstat() says of keys.json: it was replaced when this differs. */
int key_dir_stat(const char *dir, struct stat *about,
    char why[static KEYS_WHY_SIZE]);

/* The list, without the keys' pairs; and back. */
int key_dir_read_list(const char *dir, struct key_list *list,
    char why[static KEYS_WHY_SIZE]);
int key_dir_write_list(const char *dir, const struct key_list *list,
    char why[static KEYS_WHY_SIZE]);

/* The pair of a key that the list tells of; and back. */
int key_dir_read_key(const char *dir, struct key *key,
    char why[static KEYS_WHY_SIZE]);
int key_dir_write_key(const char *dir, const struct key *key,
    char why[static KEYS_WHY_SIZE]);

/* Remove a key's file; none is as good. */
int key_dir_remove_key(const char *dir, const struct key *key,
    char why[static KEYS_WHY_SIZE]);

/* The master secret, which the caller wipes. */
int key_dir_read_master(const char *dir,
    unsigned char master[static MASTER_SECRET_SIZE],
    char why[static KEYS_WHY_SIZE]);

#endif
