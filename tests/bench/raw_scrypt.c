/* raw_scrypt.c - how fast libscrypt is here: the measure that Postern's own
 * hashing is held against.
 *
 *   raw_scrypt THREADS SECONDS LOG2_N R P
 *
 * Each thread computes one hash after the other until the time is over; prints
 * "HASHES SECONDS", the time being that of the slowest thread. */

#include <libscrypt.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS_LIMIT 256

struct job {
	double seconds;
	uint64_t n;
	uint32_t r, p;
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
	static const char password[] = "correct horse battery staple";
	static const uint8_t salt[16] = "sixteen bytes..";
	struct job *job = argument;
	double start = now();
	uint8_t hash[64];

	do {
		if (libscrypt_scrypt((const uint8_t *)password,
			strlen(password), salt, sizeof(salt), job->n, job->r,
			job->p, hash, sizeof(hash)) != 0) {
			job->failed = 1;
			break;
		}
		job->done++;
		job->took = now() - start;
	} while (job->took < job->seconds);
	return NULL;
}

int
main(int argc, char **argv)
{
	static struct job jobs[THREADS_LIMIT];
	static pthread_t threads[THREADS_LIMIT];
	double took = 0;
	long count, done = 0;

	count = argc == 6 ? strtol(argv[1], NULL, 10) : 0;
	if (count < 1 || count > THREADS_LIMIT) {
		fprintf(stderr,
		    "usage: raw_scrypt THREADS SECONDS LOG2_N R P\n");
		return 2;
	}
	for (long i = 0; i < count; i++) {
		jobs[i].seconds = strtod(argv[2], NULL);
		jobs[i].n = UINT64_C(1) << (strtoul(argv[3], NULL, 10) & 31);
		jobs[i].r = (uint32_t)strtoul(argv[4], NULL, 10);
		jobs[i].p = (uint32_t)strtoul(argv[5], NULL, 10);
		if (pthread_create(&threads[i], NULL, work, &jobs[i]) != 0) {
			fprintf(stderr, "raw_scrypt: could not make a thread\n");
			return 1;
		}
	}
	for (long i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
		if (jobs[i].failed) {
			fprintf(stderr, "raw_scrypt: libscrypt refused\n");
			return 1;
		}
		done += jobs[i].done;
		if (jobs[i].took > took)
			took = jobs[i].took;
	}
	printf("%ld %.6f\n", done, took);
	return 0;
}
