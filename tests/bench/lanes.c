/* lanes.c - scrypt hashes a core computes: others' code, and our kernels.
 *
 * All contenders take turns within each round, so that whatever else the
 * machine does meets each of them; ratios are taken within a round, and the
 * medians are of those. */

#include "config.h"

#include <getopt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <libscrypt.h>
#include <openssl/evp.h>
#ifdef HAVE_SODIUM
#include <sodium.h>
#endif

#include "hash/lanes.h"

#define KEY_SIZE 32
#define PASSWORD "correct horse battery staple"

static const char usage[] =
    "usage: tests/bench/lanes [--rounds N] [--cores N] [--huge-pages] [--json]\n"
    "\n"
    "Measures how long one core takes for one scrypt hash: by libscrypt, by\n"
    "libsodium (when it was there at configure's time), by OpenSSL, and by each\n"
    "kernel of src/hash/lanes.h that this processor can run, with each number of\n"
    "lanes; on one core, and on all cores at once.  Then a lone hash with p=3,\n"
    "whose three parts lie side by side.\n"
    "\n"
    "  --rounds N     how often each is measured, in turns (default 7)\n"
    "  --cores N      how many are \"all cores\" (default: those online)\n"
    "  --huge-pages   ask for huge pages for the memory of our kernels\n"
    "  --json         the same numbers as JSON\n"
    "  --help         this text\n"
    "\n"
    "Times are milliseconds of a core, not of the clock, for one hash: the median\n"
    "of all rounds, the shortest and the longest.  Ratios say how many hashes\n"
    "there are for one of libscrypt's in the same round.  Memory is the\n"
    "contender's own business: the libraries take it and give it back for each\n"
    "hash, ours is taken once.\n";

struct bench {
	const char *title;
	struct scrypt_cost cost;
	bool lone; /* one password by lanes_scrypt(), not many with p = 1 */
	unsigned cores; /* 0: all */
};

static const struct bench benches[] = {
	{ "many hashes", { 14, 8, 1 }, false, 1 },
	{ "many hashes", { 14, 8, 1 }, false, 0 },
	{ "many hashes", { 15, 8, 1 }, false, 1 },
	{ "many hashes", { 15, 8, 1 }, false, 0 },
	{ "a lone hash", { 15, 8, 3 }, true, 1 },
	{ "a lone hash", { 15, 8, 3 }, true, 0 },
};

#define BENCH_COUNT (sizeof(benches) / sizeof(benches[0]))

struct contender {
	char name[32];
	const char *kernel; /* of ours, or NULL */
	unsigned lanes;     /* hashes in one call */
	int (*hash)(const struct contender *contender,
	    const struct scrypt_cost *cost, const struct lanes_arena *arena,
	    unsigned char key[LANES_MAX][KEY_SIZE]);
};

/* ---- the contenders ------------------------------------------------------ */

/* Everybody has the password and a salt of their own, so that lanes do not read
 * their memories in step. */
static void
salt_of(unsigned lane, unsigned char salt[static 16])
{
	memset(salt, (int)lane, 16);
}

static int
hash_libscrypt(const struct contender *contender,
    const struct scrypt_cost *cost, const struct lanes_arena *arena,
    unsigned char key[LANES_MAX][KEY_SIZE])
{
	unsigned char salt[16];

	(void)contender;
	(void)arena;
	salt_of(0, salt);
	return libscrypt_scrypt((const uint8_t *)PASSWORD, strlen(PASSWORD),
	    salt, sizeof(salt), (uint64_t)1 << cost->log2_n, cost->r, cost->p,
	    key[0], KEY_SIZE);
}

static int
hash_openssl(const struct contender *contender, const struct scrypt_cost *cost,
    const struct lanes_arena *arena, unsigned char key[LANES_MAX][KEY_SIZE])
{
	unsigned char salt[16];

	(void)contender;
	(void)arena;
	salt_of(0, salt);
	return EVP_PBE_scrypt(PASSWORD, strlen(PASSWORD), salt, sizeof(salt),
		   (uint64_t)1 << cost->log2_n, cost->r, cost->p,
		   (uint64_t)1 << 30, key[0], KEY_SIZE) == 1
	    ? 0
	    : -1;
}

#ifdef HAVE_SODIUM
static int
hash_libsodium(const struct contender *contender,
    const struct scrypt_cost *cost, const struct lanes_arena *arena,
    unsigned char key[LANES_MAX][KEY_SIZE])
{
	unsigned char salt[16];

	(void)contender;
	(void)arena;
	salt_of(0, salt);
	return crypto_pwhash_scryptsalsa208sha256_ll((const uint8_t *)PASSWORD,
	    strlen(PASSWORD), salt, sizeof(salt), (uint64_t)1 << cost->log2_n,
	    cost->r, cost->p, key[0], KEY_SIZE);
}
#endif

/* One password after another through the three parts, as a gate does it. */
static int
hash_lanes(const struct contender *contender, const struct scrypt_cost *cost,
    const struct lanes_arena *arena, unsigned char key[LANES_MAX][KEY_SIZE])
{
	static _Thread_local unsigned char memory[LANES_MAX][128 * 8];
	unsigned char *blocks[LANES_MAX];
	unsigned char salt[16];
	unsigned i;

	for (i = 0; i < contender->lanes; i++) {
		blocks[i] = memory[i];
		salt_of(i, salt);
		if (lanes_spread(cost, PASSWORD, strlen(PASSWORD), salt,
			sizeof(salt), blocks[i]) != 0)
			return -1;
	}
	if (lanes_smix(cost, blocks, contender->lanes, arena) != 0)
		return -1;
	for (i = 0; i < contender->lanes; i++)
		if (lanes_gather(cost, PASSWORD, strlen(PASSWORD), blocks[i],
			key[i], KEY_SIZE) != 0)
			return -1;
	return 0;
}

static int
hash_lanes_alone(const struct contender *contender,
    const struct scrypt_cost *cost, const struct lanes_arena *arena,
    unsigned char key[LANES_MAX][KEY_SIZE])
{
	unsigned char salt[16];

	(void)contender;
	salt_of(0, salt);
	return lanes_scrypt(cost, PASSWORD, strlen(PASSWORD), salt,
	    sizeof(salt), key[0], KEY_SIZE, arena);
}

#define CONTENDERS_MAX (3 + 3 * LANES_MAX)

static unsigned
add_kernel(struct contender *contenders, unsigned count, const char *kernel,
    unsigned lanes, bool lone)
{
	struct contender *c = &contenders[count];

	c->kernel = kernel;
	c->lanes = lone ? 1 : lanes;
	c->hash = lone ? hash_lanes_alone : hash_lanes;
	if (lone)
		snprintf(c->name, sizeof(c->name), "%s", kernel);
	else
		snprintf(c->name, sizeof(c->name), "%s, %u lane%s", kernel,
		    lanes, lanes == 1 ? "" : "s");
	return count + 1;
}

/* The first is the measure of the others. */
static unsigned
list_contenders(struct contender *contenders, bool lone)
{
	unsigned count = 0, i, lanes;
	const char *kernel;

	contenders[count++] =
	    (struct contender){ "libscrypt", NULL, 1, hash_libscrypt };
#ifdef HAVE_SODIUM
	contenders[count++] =
	    (struct contender){ "libsodium", NULL, 1, hash_libsodium };
#endif
	contenders[count++] =
	    (struct contender){ "OpenSSL", NULL, 1, hash_openssl };

	for (i = 0; (kernel = lanes_kernel_name(i)) != NULL; i++) {
		if (lone) {
			count = add_kernel(contenders, count, kernel, 1, true);
			continue;
		}
		lanes_choose(kernel);
		for (lanes = 1; lanes <= lanes_width(); lanes++)
			count = add_kernel(contenders, count, kernel, lanes,
			    false);
	}
	return count;
}

/* ---- cores --------------------------------------------------------------- */

/* What all threads do next; written while they wait. */
static struct {
	const struct contender *contender;
	const struct scrypt_cost *cost;
	unsigned cores; /* the first so many work, the others wait */
} task;

struct core {
	pthread_t thread;
	unsigned number;
	struct lanes_arena arena;
	double ms; /* of the last task, for one hash */
	unsigned char key[LANES_MAX][KEY_SIZE];
};

static pthread_barrier_t start, finish;

static _Noreturn void
give_up(const char *what)
{
	fprintf(stderr, "lanes: could not %s\n", what);
	exit(1);
}

/* This thread's own time, so that other work on the machine counts as little
 * as it can: it still takes its share of caches and memory. */
static double
used_ms(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

static void
work(struct core *core)
{
	const struct contender *contender = task.contender;
	double began = used_ms();

	if (contender->hash(contender, task.cost, &core->arena, core->key) != 0)
		give_up("compute a hash");
	core->ms = (used_ms() - began) / contender->lanes;
}

static void *
core_main(void *argument)
{
	struct core *core = argument;

	/* Touched by the core that uses it, and before it is measured. */
	memset(core->arena.memory, 1, core->arena.size);
	for (;;) {
		pthread_barrier_wait(&start);
		if (task.contender == NULL)
			return NULL;
		if (core->number < task.cores)
			work(core);
		pthread_barrier_wait(&finish);
	}
}

#define HUGE_PAGE ((size_t)2 << 20)

static void
arena_open(struct lanes_arena *arena, bool huge_pages)
{
	const struct scrypt_cost largest = { .log2_n = 15, .r = 8, .p = 1 };
	size_t size = lanes_arena_size(&largest, LANES_MAX);

	arena->size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	arena->memory = aligned_alloc(HUGE_PAGE, arena->size);
	if (arena->memory == NULL)
		give_up("get memory");
	madvise(arena->memory, arena->size,
	    huge_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

static struct core *
cores_start(unsigned count, bool huge_pages)
{
	struct core *cores = calloc(count, sizeof(*cores));
	unsigned i;

	if (cores == NULL ||
	    pthread_barrier_init(&start, NULL, count + 1) != 0 ||
	    pthread_barrier_init(&finish, NULL, count + 1) != 0)
		give_up("prepare the threads");
	for (i = 0; i < count; i++) {
		cores[i].number = i;
		arena_open(&cores[i].arena, huge_pages);
		if (pthread_create(&cores[i].thread, NULL, core_main,
			&cores[i]) != 0)
			give_up("start a thread");
	}
	return cores;
}

static void
cores_stop(struct core *cores, unsigned count)
{
	unsigned i;

	task.contender = NULL;
	pthread_barrier_wait(&start);
	for (i = 0; i < count; i++) {
		pthread_join(cores[i].thread, NULL);
		free(cores[i].arena.memory);
	}
	free(cores);
}

/* One turn of a contender on so many cores: milliseconds, their mean. */
static double
turn(struct core *cores, const struct contender *contender,
    const struct scrypt_cost *cost, unsigned count)
{
	double sum = 0;
	unsigned i;

	if (contender->kernel != NULL)
		lanes_choose(contender->kernel);
	task.contender = contender;
	task.cost = cost;
	task.cores = count;
	pthread_barrier_wait(&start);
	pthread_barrier_wait(&finish);
	for (i = 0; i < count; i++)
		sum += cores[i].ms;
	return sum / count;
}

/* ---- figures ------------------------------------------------------------- */

#define ROUNDS_MAX 99

struct spread {
	double median, low, high;
};

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static struct spread
spread_of(const double *values, unsigned count)
{
	double sorted[ROUNDS_MAX];

	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(*sorted), compare);
	return (struct spread){
		(sorted[(count - 1) / 2] + sorted[count / 2]) / 2,
		sorted[0],
		sorted[count - 1],
	};
}

struct result {
	struct contender contender;
	double ms[ROUNDS_MAX], ratio[ROUNDS_MAX];
};

static struct result results[CONTENDERS_MAX];

/* Run all rounds of a bench; returns how many contenders there were. */
static unsigned
measure(const struct bench *bench, struct core *cores, unsigned core_count,
    unsigned rounds)
{
	struct contender contenders[CONTENDERS_MAX];
	unsigned count = list_contenders(contenders, bench->lone);
	unsigned char key[KEY_SIZE] = { 0 };
	unsigned round, i;

	for (round = 0; round < rounds; round++)
		for (i = 0; i < count; i++) {
			results[i].contender = contenders[i];
			results[i].ms[round] = turn(cores, &contenders[i],
			    &bench->cost, core_count);
			results[i].ratio[round] =
			    results[0].ms[round] / results[i].ms[round];
			if (i == 0)
				memcpy(key, cores[0].key[0], KEY_SIZE);
			else if (memcmp(key, cores[0].key[0], KEY_SIZE) != 0)
				give_up("agree on a hash");
		}
	return count;
}

static void
print_table(const struct bench *bench, unsigned cores, unsigned rounds,
    unsigned count)
{
	unsigned i;

	printf("\n%s, N=2^%u r=%u p=%u, on %u core%s at once, %u rounds\n\n",
	    bench->title, bench->cost.log2_n, bench->cost.r, bench->cost.p,
	    cores, cores == 1 ? "" : "s", rounds);
	printf("%18s %26s   %24s %8s\n", "", "ms of a core for a hash ",
	    "times libscrypt     ", "hashes/s");
	printf("%18s %8s %8s %8s   %8s %7s %7s %8s\n", "", "median", "low",
	    "high", "median", "low", "high", "in all");
	for (i = 0; i < count; i++) {
		struct spread ms = spread_of(results[i].ms, rounds);
		struct spread ratio = spread_of(results[i].ratio, rounds);

		printf("%-18s %8.2f %8.2f %8.2f   %8.2f %7.2f %7.2f %8.1f\n",
		    results[i].contender.name, ms.median, ms.low, ms.high,
		    ratio.median, ratio.low, ratio.high,
		    cores * 1e3 / ms.median);
	}
}

static void
print_json(const struct bench *bench, unsigned cores, unsigned rounds,
    unsigned count)
{
	unsigned i;

	printf("  {\"bench\": \"%s\", \"log2_n\": %u, \"r\": %u, \"p\": %u, "
	       "\"cores\": %u, \"rounds\": %u, \"results\": [\n",
	    bench->title, bench->cost.log2_n, bench->cost.r, bench->cost.p,
	    cores, rounds);
	for (i = 0; i < count; i++) {
		struct spread ms = spread_of(results[i].ms, rounds);
		struct spread ratio = spread_of(results[i].ratio, rounds);

		printf("    {\"name\": \"%s\", \"lanes\": %u,\n"
		       "     \"ms\": {\"median\": %.3f, \"low\": %.3f, "
		       "\"high\": %.3f},\n"
		       "     \"times_libscrypt\": {\"median\": %.3f, "
		       "\"low\": %.3f, \"high\": %.3f}}%s\n",
		    results[i].contender.name, results[i].contender.lanes,
		    ms.median, ms.low, ms.high, ratio.median, ratio.low,
		    ratio.high, i + 1 < count ? "," : "");
	}
	printf("  ]}");
}

static unsigned
number(const char *text, unsigned most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || value < 1 ||
	    value > most) {
		fprintf(stderr, "lanes: \"%s\" is no number from 1 to %u\n",
		    text, most);
		exit(2);
	}
	return (unsigned)value;
}

static unsigned
cores_online(void)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	return online < 1 ? 1 : online > 256 ? 256 : (unsigned)online;
}

struct options {
	unsigned rounds, cores;
	bool huge_pages, json;
};

static struct options
read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "cores", required_argument, NULL, 'c' },
		{ "huge-pages", no_argument, NULL, 'H' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .rounds = 7, .cores = cores_online() };
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (option) {
		case 'r':
			options.rounds = number(optarg, ROUNDS_MAX);
			break;
		case 'c':
			options.cores = number(optarg, 256);
			break;
		case 'H':
			options.huge_pages = true;
			break;
		case 'j':
			options.json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	if (optind < argc) {
		fputs(usage, stderr);
		exit(2);
	}
	return options;
}

int
main(int argc, char **argv)
{
	struct options options = read_options(argc, argv);
	struct core *cores;
	unsigned core_count, count;
	size_t i;

#ifdef HAVE_SODIUM
	/* Without it libsodium takes its slow path. */
	if (sodium_init() < 0)
		give_up("start libsodium");
#endif
	if (lanes_self_test() != 0)
		give_up("get libscrypt's answers from the kernels");
	cores = cores_start(options.cores, options.huge_pages);

	if (options.json)
		printf("{\"best_kernel\": \"%s\", \"huge_pages\": %s, "
		       "\"benches\": [\n", lanes_name(),
		    options.huge_pages ? "true" : "false");
	for (i = 0; i < BENCH_COUNT; i++) {
		core_count = benches[i].cores != 0 ? benches[i].cores
						   : options.cores;
		count = measure(&benches[i], cores, core_count, options.rounds);
		if (options.json) {
			print_json(&benches[i], core_count, options.rounds,
			    count);
			puts(i + 1 < BENCH_COUNT ? "," : "");
		} else {
			print_table(&benches[i], core_count, options.rounds,
			    count);
		}
		fflush(stdout);
	}
	if (options.json)
		puts("]}");
	cores_stop(cores, options.cores);
	return 0;
}
