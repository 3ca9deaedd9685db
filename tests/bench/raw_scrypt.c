/* raw_scrypt.c - how fast others' scrypt is here: the measure that Postern's own
 * hashing is held against.
 *
 *   raw_scrypt LIBRARY THREADS SECONDS LOG2_N R P
 *
 * LIBRARY is libscrypt, libsodium or openssl.  Each thread computes one hash after
 * the other until the time is over; prints "HASHES SECONDS", the time being that of
 * the slowest thread. */

#include <libscrypt.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_LIMIT 256
#define HASH_SIZE     64
#define MEMORY_MOST   ((uint64_t)2 << 30)

static const char password[] = "correct horse battery staple";
static const uint8_t salt[16] = "sixteen bytes..";

struct cost {
	uint64_t n;
	uint32_t r, p;
};

/* ---- the libraries ------------------------------------------------------- */

static int
hash_libscrypt(const struct cost *cost, uint8_t hash[static HASH_SIZE])
{
	return libscrypt_scrypt((const uint8_t *)password, strlen(password),
	    salt, sizeof(salt), cost->n, cost->r, cost->p, hash, HASH_SIZE);
}

static int
hash_libsodium(const struct cost *cost, uint8_t hash[static HASH_SIZE])
{
	return crypto_pwhash_scryptsalsa208sha256_ll((const uint8_t *)password,
	    strlen(password), salt, sizeof(salt), cost->n, cost->r, cost->p,
	    hash, HASH_SIZE);
}

static int
hash_openssl(const struct cost *cost, uint8_t hash[static HASH_SIZE])
{
	return EVP_PBE_scrypt(password, strlen(password), salt, sizeof(salt),
		   cost->n, cost->r, cost->p, MEMORY_MOST, hash,
		   HASH_SIZE) == 1
		   ? 0
		   : -1;
}

static const struct library {
	const char *name;
	int (*hash)(const struct cost *cost, uint8_t hash[static HASH_SIZE]);
} libraries[] = {
	{ "libscrypt", hash_libscrypt },
	{ "libsodium", hash_libsodium },
	{ "openssl", hash_openssl },
};

static const struct library *
library_of(const char *name)
{
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
		if (strcmp(libraries[i].name, name) == 0)
			return &libraries[i];
	return NULL;
}

/* ---- the threads --------------------------------------------------------- */

struct job {
	const struct library *library;
	double seconds;
	struct cost cost;
	long done;
	double took;
	int failed;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *
work(void *argument)
{
	struct job *job = argument;
	double start = now();
	uint8_t hash[HASH_SIZE];

	do {
		if (job->library->hash(&job->cost, hash) != 0) {
			job->failed = 1;
			break;
		}
		job->done++;
		job->took = now() - start;
	} while (job->took < job->seconds);
	return NULL;
}

static int
run(const struct job *job, long count)
{
	static struct job jobs[THREADS_LIMIT];
	static pthread_t threads[THREADS_LIMIT];
	double took = 0;
	long done = 0;

	for (long i = 0; i < count; i++) {
		jobs[i] = *job;
		if (pthread_create(&threads[i], NULL, work, &jobs[i]) != 0) {
			fprintf(stderr, "raw_scrypt: could not make a thread\n");
			return 1;
		}
	}
	for (long i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		if (jobs[i].failed) {
			fprintf(stderr, "raw_scrypt: %s refused\n",
			    job->library->name);
			return 1;
		}
		done += jobs[i].done;
		if (jobs[i].took > took)
			took = jobs[i].took;
	}
	printf("%ld %.6f\n", done, took);
	return 0;
}

int
main(int argc, char **argv)
{
	struct job job = { 0 };
	long count = 0;

	if (argc == 7) {
		job.library = library_of(argv[1]);
		count = strtol(argv[2], NULL, 10);
		job.seconds = strtod(argv[3], NULL);
		job.cost.n = UINT64_C(1) << (strtoul(argv[4], NULL, 10) & 31);
		job.cost.r = (uint32_t)strtoul(argv[5], NULL, 10);
		job.cost.p = (uint32_t)strtoul(argv[6], NULL, 10);
	}
	if (job.library == NULL || count < 1 || count > THREADS_LIMIT) {
		fprintf(stderr, "usage: raw_scrypt libscrypt|libsodium|openssl "
				"THREADS SECONDS LOG2_N R P\n");
		return 2;
	}
	/* Without it libsodium takes its slow path. */
	if (sodium_init() < 0) {
		fprintf(stderr, "raw_scrypt: could not start libsodium\n");
		return 1;
	}
	return run(&job, count);
}
