/* test_gate.c - processes hash together, wait for each other, and die. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/shared.h"
#include "hash/gate.h"
#include "hash/gate_private.h"

/* Cheap enough for valgrind, long enough to be killed in. */
static const struct scrypt_cost cheap = { 6, 8, 3 };
static const struct scrypt_cost slow = { 10, 8, 3 };

/* Beyond the arenas of the gates here, of at most 8 MiB. */
static const struct scrypt_cost large = { 14, 8, 1 };

static const struct gate_caller nobody_leaves = { NULL, NULL };

static struct gate *
open_gate(unsigned slots, unsigned places)
{
	const struct gate_options options = {
		.engine = GATE_ENGINE_LANES,
		.slots = slots,
		.lanes = lanes_width(),
		.places = places,
		.cost = slow,
		.other_memory = scrypt_memory(&large),
		.deadline_ms = 60000,
	};
	struct gate *gate = gate_new(&options);

	assert_non_null(gate);
	return gate;
}

static struct gate_stats
stats_of(const struct gate *gate)
{
	struct gate_stats stats;

	gate_stats(gate, &stats);
	return stats;
}

/* Hash one of many passwords and compare with libscrypt.  Returns the result,
 * or -1 for a wrong hash. */
static int
hash(struct gate_place *place, const struct scrypt_cost *cost, unsigned number)
{
	unsigned char key[SCRYPT_HASH_SIZE], expected[SCRYPT_HASH_SIZE];
	char password[32];
	enum gate_result result;
	int size = snprintf(password, sizeof(password), "password %u", number);

	result = gate_scrypt(place, cost, password, (size_t)size, "salt", 4,
	    key, sizeof(key));
	if (result != GATE_OK)
		return (int)result;
	if (scrypt_derive(cost, password, (size_t)size, "salt", 4, expected) !=
	    0)
		return -1;
	return memcmp(key, expected, sizeof(key)) == 0 ? GATE_OK : -1;
}

static int
hash_once(struct gate *gate, const struct scrypt_cost *cost, unsigned number)
{
	struct gate_place *place = gate_enter(gate, &nobody_leaves);
	int result = place == NULL ? -2 : hash(place, cost, number);

	gate_leave(place);
	return result;
}

/* ---- children ------------------------------------------------------------ */

static void
assert_child_succeeds(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The end of a child that behaves; leak checkers look at it, too. */
static _Noreturn void
leave(struct gate *gate, int status)
{
	gate_free(gate);
	_exit(status & 0xff);
}

/* The end of one that does not. */
static _Noreturn void
die(void)
{
	kill(getpid(), SIGKILL);
	abort();
}

static void
assert_child_died(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void
kill_child(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_child_died(pid);
}

/* Work that stays in its slot until it is killed, or for as long as a test may
 * take. */
static int
stay(void *argument)
{
	(void)argument;
	poll(NULL, 0, 30000);
	return 0;
}

static void
await(bool (*there)(const struct gate_stats *stats), const struct gate *gate)
{
	for (int i = 0; i < 3000; i++) {
		struct gate_stats stats = stats_of(gate);

		if (there(&stats))
			return;
		poll(NULL, 0, 10);
	}
	fail_msg("it did not come to that in 30 s");
}

static bool
one_slot_is_busy(const struct gate_stats *stats)
{
	return stats->busy_slots == 1;
}

static bool
two_wait(const struct gate_stats *stats)
{
	return stats->waiting == 2;
}

/* A child that holds a slot. */
static pid_t
occupy_slot(struct gate *gate)
{
	pid_t pid = fork();

	if (pid == 0) {
		gate_run(gate_enter(gate, &nobody_leaves), 0, stay, NULL);
		die();
	}
	await(one_slot_is_busy, gate);
	return pid;
}

/* A child that wants one hash. */
static pid_t
want_hash(struct gate *gate, const struct scrypt_cost *cost, unsigned number)
{
	pid_t pid = fork();

	if (pid == 0)
		leave(gate, hash_once(gate, cost, number));
	return pid;
}

/* ---- one process --------------------------------------------------------- */

static void
test_every_p(void **state)
{
	struct gate *gate = open_gate(1, 1);

	(void)state;
	for (unsigned p = 1; p <= 16; p++) {
		const struct scrypt_cost cost = { 4, 8, p };

		assert_int_equal(hash_once(gate, &cost, p), GATE_OK);
	}
	assert_int_equal(stats_of(gate).hashes, 16);
	assert_int_equal(stats_of(gate).blocks, 16 * 17 / 2);
	gate_free(gate);
}

/* Other costs than that of the setting: in the lanes when they fit, else by
 * libscrypt. */
static void
test_other_costs(void **state)
{
	static const struct scrypt_cost costs[] = { { 1, 1, 1 }, { 6, 16, 1 },
		{ 8, 1, 16 }, { 12, 1, 2 } };
	/* One needs too large an arena, the other too large a room. */
	const struct scrypt_cost odd[] = { large, { 4, 32, 16 } };
	struct gate *gate = open_gate(1, 1);
	uint64_t batches;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(hash_once(gate, &costs[i], i), GATE_OK);
	batches = stats_of(gate).batches;
	assert_true(batches >= 4);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(hash_once(gate, &odd[i], i), GATE_OK);
	assert_int_equal(stats_of(gate).batches, batches);
	assert_int_equal(stats_of(gate).hashes, 6);
	gate_free(gate);
}

static void
test_refused_costs(void **state)
{
	static const struct scrypt_cost costs[] = { { 0, 8, 1 }, { 21, 8, 1 },
		{ 15, 0, 1 }, { 15, 8, 0 }, { 15, 8, 17 }, { 20, 8, 1 } };
	unsigned char key[SCRYPT_HASH_SIZE + 1], zeros[sizeof(key)] = { 0 };
	struct gate *gate = open_gate(1, 1);
	struct gate_place *place = gate_enter(gate, &nobody_leaves);

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		memset(key, 1, sizeof(key));
		assert_int_equal(gate_scrypt(place, &costs[i], "a", 1, "b", 1,
		    key, 64), GATE_FAILED);
		assert_memory_equal(key, zeros, 64);
	}
	assert_int_equal(gate_scrypt(place, &cheap, "a", 1, "b", 1, key, 0),
	    GATE_FAILED);
	assert_int_equal(gate_scrypt(place, &cheap, "a", 1, "b", 1, key, 65),
	    GATE_FAILED);
	assert_int_equal(stats_of(gate).failed, 8);
	gate_leave(place);
	gate_free(gate);
}

static void
test_short_keys(void **state)
{
	unsigned char key[SCRYPT_HASH_SIZE], expected[SCRYPT_HASH_SIZE];
	const struct scrypt_cost costs[] = { cheap, large };
	struct gate *gate = open_gate(1, 1);
	struct gate_place *place = gate_enter(gate, &nobody_leaves);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(scrypt_derive(&costs[i], "a", 1, "b", 1,
		    expected), 0);
		memset(key, 0, sizeof(key));
		assert_int_equal(gate_scrypt(place, &costs[i], "a", 1, "b", 1,
		    key, 20), GATE_OK);
		assert_memory_equal(key, expected, 20);
		assert_int_equal(key[20], 0);
	}
	gate_leave(place);
	gate_free(gate);
}

static int
add_one(void *argument)
{
	++*(int *)argument;
	return 0;
}

static int
fail_at_it(void *argument)
{
	(void)argument;
	return -1;
}

static void
test_other_work(void **state)
{
	struct gate *gate = open_gate(1, 1);
	struct gate_place *place = gate_enter(gate, &nobody_leaves);
	int number = 1;

	(void)state;
	assert_int_equal(gate_run(place, 0, add_one, &number), GATE_OK);
	assert_int_equal(number, 2);
	assert_int_equal(gate_run(place, 0, fail_at_it, NULL), GATE_FAILED);
	assert_int_equal(hash(place, &cheap, 1), GATE_OK);
	gate_leave(place);
	assert_int_equal(stats_of(gate).taken_places, 0);
	gate_free(gate);
}

/* What has no place in an arena has its own bound, which is part of the sum. */
static void
test_too_large(void **state)
{
	struct gate *gate = open_gate(2, 1);
	struct gate_options options = gate->options;
	const uint64_t most = options.other_memory;
	unsigned char key[SCRYPT_HASH_SIZE], zeros[sizeof(key)] = { 0 };
	struct gate_place *place = gate_enter(gate, &nobody_leaves);
	int number = 1;

	(void)state;
	assert_int_equal(gate_memory(&options), gate_mapping(gate) + 2 * most);
	assert_int_equal(gate_run(place, most, add_one, &number), GATE_OK);
	assert_int_equal(gate_run(place, most + 1, add_one, &number),
	    GATE_TOO_LARGE);
	assert_int_equal(number, 2);
	assert_int_equal(hash(place, &large, 1), GATE_OK);

	gate->options.other_memory = most - 1;
	memset(key, 1, sizeof(key));
	assert_int_equal(gate_scrypt(place, &large, "a", 1, "b", 1, key,
	    sizeof(key)), GATE_TOO_LARGE);
	assert_memory_equal(key, zeros, sizeof(key));
	assert_int_equal(hash(place, &cheap, 1), GATE_OK);
	assert_int_equal(stats_of(gate).failed, 2);

	/* libscrypt takes as much for each hash. */
	options.engine = GATE_ENGINE_LIBSCRYPT;
	options.other_memory = 1;
	assert_int_equal(gate_memory_beside(&options), scrypt_memory(&slow));
	gate_leave(place);
	gate_free(gate);
}

static void
test_by_libscrypt(void **state)
{
	const struct gate_options options = {
		.engine = GATE_ENGINE_LIBSCRYPT,
		.slots = 2,
		.lanes = 1,
		.places = 2,
		.cost = cheap,
		.deadline_ms = 1000,
	};
	struct gate *gate = gate_new(&options);

	(void)state;
	assert_non_null(gate);
	assert_int_equal(hash_once(gate, &cheap, 1), GATE_OK);
	assert_int_equal(stats_of(gate).hashes, 1);
	assert_int_equal(stats_of(gate).batches, 0);
	assert_true(gate_mapping(gate) < 4 << 20);
	assert_int_equal(gate_memory(&options),
	    gate_mapping(gate) + 2 * scrypt_memory(&cheap));
	gate_free(gate);
}

/* ---- places, deadlines, callers ------------------------------------------ */

static void
test_no_place(void **state)
{
	struct gate *gate = open_gate(1, 2);
	struct gate_place *first, *second;

	(void)state;
	first = gate_enter(gate, &nobody_leaves);
	assert_false(gate_is_full(gate));
	second = gate_enter(gate, &nobody_leaves);
	assert_non_null(first);
	assert_non_null(second);
	assert_null(gate_enter(gate, &nobody_leaves));
	assert_int_equal(stats_of(gate).full, 1);
	assert_true(gate_is_full(gate));
	assert_int_equal(stats_of(gate).full, 2);
	assert_int_equal(stats_of(gate).taken_places, 2);
	gate_leave(first);
	assert_false(gate_is_full(gate));
	assert_int_equal(stats_of(gate).full, 2);
	assert_int_equal(stats_of(gate).taken_places, 1);
	first = gate_enter(gate, &nobody_leaves);
	assert_non_null(first);
	gate_leave(first);
	gate_leave(second);
	gate_leave(NULL);
	gate_free(gate);
	gate_free(NULL);
}

/* Who dies in a place does not keep it. */
static void
test_place_of_the_dead(void **state)
{
	struct gate *gate = open_gate(1, 1);
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		gate_enter(gate, &nobody_leaves);
		die();
	}
	assert_child_died(pid);
	assert_int_equal(stats_of(gate).taken_places, 1);
	assert_int_equal(hash_once(gate, &cheap, 1), GATE_OK);
	assert_int_equal(stats_of(gate).taken_places, 0);
	gate_free(gate);
}

/* Nor is the gate full for ever, where all who ask turn back at a full one. */
static void
test_full_of_the_dead(void **state)
{
	struct gate *gate = open_gate(1, 2);
	struct gate_place *place = gate_enter(gate, &nobody_leaves);
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		gate_enter(gate, &nobody_leaves);
		die();
	}
	assert_child_died(pid);
	assert_int_equal(stats_of(gate).taken_places, 2);
	assert_false(gate_is_full(gate));
	assert_int_equal(stats_of(gate).taken_places, 1);
	gate_leave(place);
	gate_free(gate);
}

static void
test_deadline(void **state)
{
	struct gate *gate = open_gate(1, 2);
	struct gate_place *place;
	int64_t began_ms;
	pid_t holder;

	(void)state;
	gate->options.deadline_ms = 150;
	holder = occupy_slot(gate);
	place = gate_enter(gate, &nobody_leaves);
	began_ms = clock_steady_ms();
	assert_int_equal(hash(place, &cheap, 1), GATE_LATE);
	assert_in_range(clock_steady_ms() - began_ms, 150, 5000);
	assert_int_equal(stats_of(gate).late, 1);
	assert_int_equal(stats_of(gate).waiting, 0);

	/* And the place is as good as before. */
	kill_child(holder);
	assert_int_equal(hash(place, &cheap, 1), GATE_OK);
	gate_leave(place);
	gate_free(gate);
}

struct leaving {
	int asked;
	int after; /* gone when asked so often */
};

static bool
is_gone(void *self)
{
	struct leaving *leaving = self;

	return ++leaving->asked > leaving->after;
}

static void
test_caller_gone(void **state)
{
	struct gate *gate = open_gate(1, 2);
	struct leaving leaving = { 0, 0 };
	const struct gate_caller caller = { is_gone, &leaving };
	struct gate_place *place = gate_enter(gate, &caller);
	pid_t holder;

	(void)state;
	/* Gone before it begins, although a slot is free. */
	assert_int_equal(hash(place, &cheap, 1), GATE_GONE);
	assert_int_equal(stats_of(gate).blocks, 0);
	leaving = (struct leaving){ 0, 1 };
	assert_int_equal(hash(place, &cheap, 1), GATE_OK);
	assert_int_equal(leaving.asked, 1);

	/* Gone while waiting. */
	holder = occupy_slot(gate);
	leaving = (struct leaving){ 0, 2 };
	assert_int_equal(hash(place, &cheap, 1), GATE_GONE);
	assert_int_equal(stats_of(gate).gone, 2);
	kill_child(holder);
	gate_leave(place);
	gate_free(gate);
}

/* ---- together ------------------------------------------------------------ */

/* Two that wait are computed by the one who gets the slot, in one batch. */
static void
test_combined(void **state)
{
	const struct scrypt_cost two = { 6, 8, 2 };
	struct gate *gate = open_gate(1, 4);
	pid_t holder = occupy_slot(gate), first, second;

	(void)state;
	first = want_hash(gate, &two, 1);
	second = want_hash(gate, &two, 2);
	await(two_wait, gate);
	kill_child(holder);
	assert_child_succeeds(first);
	assert_child_succeeds(second);
	assert_int_equal(stats_of(gate).blocks, 4);
	assert_int_equal(stats_of(gate).batches, 1);
	gate_free(gate);
}

/* A hash goes on where a batch ended: seven blocks are one batch of eight lanes
 * or two of four. */
static void
test_split(void **state)
{
	const struct scrypt_cost five = { 6, 8, 5 }, two = { 6, 8, 2 };
	struct gate *gate = open_gate(1, 4);
	pid_t holder = occupy_slot(gate), first, second;

	(void)state;
	first = want_hash(gate, &five, 1);
	second = want_hash(gate, &two, 2);
	await(two_wait, gate);
	kill_child(holder);
	assert_child_succeeds(first);
	assert_child_succeeds(second);
	assert_int_equal(stats_of(gate).blocks, 7);
	assert_int_equal(stats_of(gate).batches, lanes_width() >= 7 ? 1 : 2);
	gate_free(gate);
}

#define CROWD 12

/* Any mixture of costs, p and work, on two slots. */
static void
mingle(struct gate *gate, unsigned seed)
{
	static const struct scrypt_cost costs[] = { { 7, 8, 3 }, { 7, 8, 1 },
		{ 7, 8, 7 }, { 8, 4, 2 }, { 5, 16, 1 } };
	int number = 0;

	for (unsigned i = 0; i < 5; i++) {
		const struct scrypt_cost *cost = &costs[(seed + i) % 5];
		struct gate_place *place = gate_enter(gate, &nobody_leaves);

		if (place == NULL || hash(place, cost, seed * 8 + i) != GATE_OK)
			die();
		if (seed % 3 == 0 &&
		    gate_run(place, 0, add_one, &number) != GATE_OK)
			die();
		gate_leave(place);
	}
	leave(gate, 0);
}

static void
test_crowd(void **state)
{
	struct gate *gate = open_gate(2, CROWD);
	uint64_t before = metrics_timed(METRICS_HASH_RUN, 0).count;
	struct gate_stats stats;
	pid_t pids[CROWD];

	(void)state;
	for (unsigned i = 0; i < CROWD; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			mingle(gate, i);
	}
	for (unsigned i = 0; i < CROWD; i++)
		assert_child_succeeds(pids[i]);
	stats = stats_of(gate);
	assert_int_equal(stats.hashes, CROWD * 5 + 4 * 5);
	assert_int_equal(stats.late + stats.gone + stats.full + stats.failed, 0);
	assert_int_equal(stats.busy_slots + stats.taken_places + stats.waiting,
	    0);
	assert_int_equal(metrics_timed(METRICS_HASH_WAIT, 0).count,
	    before + stats.hashes);
	assert_int_equal(metrics_timed(METRICS_HASH_RUN, 0).count,
	    before + stats.hashes);
	gate_free(gate);
}

/* ---- deaths -------------------------------------------------------------- */

/* Long enough for some to die with others' blocks in their hands. */
static bool
is_enough(const struct gate *gate, int64_t began_ms)
{
	int64_t ms = clock_steady_ms() - began_ms;

	return ms > 60000 || (ms > 1000 && stats_of(gate).rescued > 20);
}

/* The one who computes for others dies in the middle of it, again and again; all
 * the others get their hashes. */
static void
test_combiner_killed(void **state)
{
	/* The place of a dead one is kept while others still mix its blocks. */
	struct gate_place *places[2 * CROWD];
	struct gate *gate = open_gate(2, 2 * CROWD);
	pid_t pids[CROWD] = { 0 };
	int64_t began_ms = clock_steady_ms();
	unsigned number = 0;

	(void)state;
	for (int round = 0; !is_enough(gate, began_ms); round++) {
		for (unsigned i = 0; i < CROWD; i++)
			if (pids[i] == 0)
				pids[i] = want_hash(gate, &slow, number++);
		poll(NULL, 0, round % 7);
		/* Some holder, whoever it is now. */
		for (unsigned i = 0; i < CROWD; i++) {
			int holder = gate->slots[round % 2].holder, status;

			if (holder != 0 && holder == pids[i]) {
				kill_child(pids[i]);
				pids[i] = 0;
			} else if (waitpid(pids[i], &status, WNOHANG) != 0) {
				assert_int_equal(status, 0);
				pids[i] = 0;
			}
		}
	}
	for (unsigned i = 0; i < CROWD; i++)
		if (pids[i] != 0)
			assert_child_succeeds(pids[i]);
	assert_true(stats_of(gate).rescued > 0);

	/* Nothing is left of the dead. */
	gate_tend(gate, 0);
	for (unsigned i = 0; i < 2 * CROWD; i++) {
		places[i] = gate_enter(gate, &nobody_leaves);
		assert_non_null(places[i]);
	}
	assert_int_equal(stats_of(gate).busy_slots, 0);
	assert_int_equal(stats_of(gate).waiting, 0);
	for (unsigned i = 0; i < 2 * CROWD; i++)
		gate_leave(places[i]);
	gate_free(gate);
}

/* The owner dies while its hash waits: the next in line is not kept. */
static void
test_waiting_killed(void **state)
{
	struct gate *gate = open_gate(1, 3);
	pid_t holder = occupy_slot(gate), first, second;

	(void)state;
	first = want_hash(gate, &slow, 1);
	second = want_hash(gate, &cheap, 2);
	await(two_wait, gate);
	kill_child(first);
	kill_child(holder);
	assert_child_succeeds(second);
	assert_int_equal(hash_once(gate, &cheap, 3), GATE_OK);
	gate_free(gate);
}

static void
test_rooms_are_wiped(void **state)
{
	struct gate *gate = open_gate(1, 1);
	const unsigned char *rooms = gate->rooms;
	pid_t first, holder;

	(void)state;
	assert_int_equal(hash_once(gate, &cheap, 1), GATE_OK);
	for (size_t i = 0; i < 2 * gate->room_size; i++)
		assert_int_equal(rooms[i], 0);

	/* Also behind one who died, when the next one comes. */
	gate->rooms[7] = 1;
	first = fork();
	if (first == 0) {
		gate_enter(gate, &nobody_leaves);
		die();
	}
	assert_child_died(first);
	holder = occupy_slot(gate);
	assert_int_equal(rooms[7], 0);
	kill_child(holder);
	gate_free(gate);
}

/* ---- what a test does to cells ------------------------------------------- */

/* Make it look as if the blocks of a hash were computed in our slot, or not. */
static void
move_blocks(struct gate_cell *cell, unsigned from, unsigned to)
{
	cell->begun_us = clock_steady_us();
	for (unsigned i = 0; i < GATE_BLOCKS_MAX; i++)
		gate_cell_move(cell, i, from, to);
}

/* ---- the next in line ---------------------------------------------------- */

/* A hash that waits, of an owner who has so much of a slot's arena mapped. */
static struct gate_cell *
make_wait(struct gate_place *place, uint64_t ticket, unsigned slot,
    size_t mapped)
{
	struct gate_cell *cell = place->cell;

	cell->kind = gate_kind(&slow);
	cell->ticket = ticket;
	cell->slot = slot;
	cell->mapped = mapped;
	cell->posted_us = clock_steady_us();
	cell->blocks[0] = GATE_BLOCK_PENDING;
	return cell;
}

static void
test_next_in_line(void **state)
{
	struct gate *gate = open_gate(2, 3);
	struct gate_place *places[3];
	struct gate_cell *first, *second, *third;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		places[i] = gate_enter(gate, &nobody_leaves);
		assert_non_null(places[i]);
	}
	assert_null(gate_next(gate));
	third = make_wait(places[0], 3, 1, 0);
	assert_ptr_equal(gate_next(gate), third);
	first = make_wait(places[1], 1, 0, 0);
	second = make_wait(places[2], 2, 1, 0);
	assert_ptr_equal(gate_next(gate), first);

	/* Who has the most mapped; but not before the first for as much. */
	second->mapped = 100;
	assert_ptr_equal(gate_next(gate), second);
	third->mapped = 101;
	assert_ptr_equal(gate_next(gate), third);
	first->mapped = 101;
	assert_ptr_equal(gate_next(gate), first);
	first->mapped = 0;

	/* Not what it has of a slot that is held. */
	second->slot = 0;
	assert_int_equal(gate_slot_take(gate), 0);
	assert_ptr_equal(gate_next(gate), third);
	third->slot = 0;
	assert_ptr_equal(gate_next(gate), first);
	gate_slot_release(gate, 0);
	assert_ptr_equal(gate_next(gate), third);

	/* Not where it could not begin with what has waited longest. */
	first->kind = gate_kind(&cheap);
	assert_ptr_equal(gate_next(gate), first);
	first->kind = 0;
	assert_ptr_equal(gate_next(gate), first);

	/* Nor when all slots are held, or what it waits for has begun. */
	first->kind = third->kind;
	third->blocks[0] = GATE_BLOCK_TAKEN;
	assert_ptr_equal(gate_next(gate), second);
	assert_int_equal(gate_slot_take(gate), 0);
	assert_int_equal(gate_slot_take(gate), 1);
	assert_null(gate_next(gate));
	for (unsigned i = 0; i < 3; i++) {
		move_blocks(places[i]->cell, GATE_BLOCK_TAKEN, GATE_BLOCK_NONE);
		move_blocks(places[i]->cell, GATE_BLOCK_PENDING,
		    GATE_BLOCK_NONE);
		gate_leave(places[i]);
	}
	gate_slot_release(gate, 0);
	gate_slot_release(gate, 1);
	gate_free(gate);
}

/* Here it is this process, which does not look. */
static void
test_next_in_line_sleeps(void **state)
{
	struct gate *gate = open_gate(1, 2);
	struct gate_place *place = gate_enter(gate, &nobody_leaves);
	struct gate_cell *cell;

	(void)state;
	assert_non_null(place);
	cell = make_wait(place, 0, 0, SIZE_MAX);
	assert_ptr_equal(gate_next(gate), cell);
	assert_child_succeeds(want_hash(gate, &slow, 1));
	assert_int_equal(cell->blocks[0], GATE_BLOCK_DONE);
	cell->blocks[0] = GATE_BLOCK_NONE;
	gate_leave(place);
	gate_free(gate);
}

/* What was mapped is shown to the others as long as it lasts. */
static void
test_mapped(void **state)
{
	struct gate *gate = open_gate(1, 1);
	struct gate_place *place = gate_enter(gate, &nobody_leaves);

	(void)state;
	assert_int_equal(gate_arena_mapped(gate), 0);
	assert_int_equal(hash(place, &cheap, 1), GATE_OK);
	assert_int_equal(gate_arena_mapped(gate), lanes_arena_size(&cheap, 3));
	assert_int_equal(place->cell->mapped, gate_arena_mapped(gate));
	assert_int_equal(hash(place, &slow, 1), GATE_OK);
	assert_int_equal(gate_arena_mapped(gate), lanes_arena_size(&slow, 3));
	assert_int_equal(hash(place, &cheap, 2), GATE_OK);
	assert_int_equal(gate_arena_mapped(gate), lanes_arena_size(&slow, 3));
	assert_int_equal(place->cell->mapped, gate_arena_mapped(gate));
	gate_tend(gate, 0);
	assert_int_equal(gate_arena_mapped(gate), 0);
	gate_leave(place);
	gate_free(gate);
}

/* ---- memory -------------------------------------------------------------- */

static size_t
resident_pages(const struct gate *gate)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;
	size_t pages = gate->arena_size / page;
	unsigned char *resident = malloc(pages);

	assert_non_null(resident);
	assert_int_equal(mincore(gate->arenas, gate->arena_size, resident), 0);
	for (size_t i = 0; i < pages; i++)
		count += resident[i] & 1;
	free(resident);
	return count;
}

static void
test_arena_given_back(void **state)
{
	struct gate *gate = open_gate(1, 2);
	pid_t holder;

	(void)state;
	assert_int_equal(resident_pages(gate), 0);
	assert_int_equal(hash_once(gate, &cheap, 1), GATE_OK);
	gate_tend(gate, 3600);
	assert_true(resident_pages(gate) > 0);

	/* Not from under somebody. */
	holder = occupy_slot(gate);
	gate_tend(gate, 0);
	assert_true(resident_pages(gate) > 0);
	kill_child(holder);

	gate_tend(gate, 0);
	assert_int_equal(resident_pages(gate), 0);
	assert_int_equal(hash_once(gate, &cheap, 2), GATE_OK);
	gate_free(gate);
}

/* Has the mapping that this lies in been left out of core dumps?  (The flag "dd"
 * of proc(5).) */
static bool
is_undumped(const void *memory)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	uintptr_t begin = 0, end = 0;
	char line[1024];
	bool found = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		char *behind;
		uintptr_t first = strtoull(line, &behind, 16);

		if (behind > line && *behind == '-') {
			begin = first;
			end = strtoull(behind + 1, NULL, 16);
		}
		if (begin <= (uintptr_t)memory && (uintptr_t)memory < end &&
		    strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, " dd") != NULL;
	}
	fclose(file);
	return found;
}

static struct gate_options named_options(void);

static void
test_not_in_core_dumps(void **state)
{
	struct gate_options options = named_options();
	struct gate *gates[] = { open_gate(1, 1), gate_new(&options) };
	static const char other[] = "what is dumped";

	(void)state;
	assert_false(is_undumped(other));
	for (unsigned i = 0; i < 2; i++) {
		assert_true(is_undumped(gates[i]->rooms));
		assert_true(is_undumped(gates[i]->arenas));
		assert_true(is_undumped(
		    gates[i]->arenas + gates[i]->arena_size - 1));
		gate_free(gates[i]);
	}
}

/* ---- who has others to look after ---------------------------------------- */

static bool
is_waiting(const struct gate_stats *stats)
{
	return stats->waiting == 1;
}

static bool
count_look(void *self)
{
	atomic_fetch_add((atomic_int *)self, 1);
	return false;
}

static void
await_more(const atomic_int *number, int more)
{
	int before = *number;

	for (int i = 0; i < 3000; i++) {
		if (*number >= before + more)
			return;
		poll(NULL, 0, 10);
	}
	fail_msg("nobody looked within 30 s");
}

/* Who waits looks up, also while somebody else computes for it. */
static void
test_looks_while_another_computes(void **state)
{
	struct gate *gate = open_gate(1, 2);
	atomic_int *looks = shared_new(sizeof(*looks));
	const struct gate_caller caller = { count_look, looks };
	int slot = gate_slot_take(gate);
	struct gate_cell *cell;
	pid_t pid;

	(void)state;
	assert_non_null(looks);
	pid = fork();
	if (pid == 0) {
		struct gate_place *place = gate_enter(gate, &caller);
		int result = hash(place, &cheap, 1);

		gate_leave(place);
		leave(gate, result);
	}
	await(is_waiting, gate);
	cell = gate_oldest(gate, 0);
	assert_non_null(cell);
	await_more(looks, 1);
	move_blocks(cell, GATE_BLOCK_PENDING, GATE_BLOCK_TAKEN + (unsigned)slot);
	await_more(looks, 3);
	move_blocks(cell, GATE_BLOCK_TAKEN + (unsigned)slot, GATE_BLOCK_PENDING);
	gate_slot_release(gate, (unsigned)slot);
	assert_child_succeeds(pid);
	gate_free(gate);
	shared_free(looks, sizeof(*looks));
}

/* ---- by name ------------------------------------------------------------- */

/* Its deadline does not belong to the layout, and so not to the name. */
static struct gate_options
named_options(void)
{
	return (struct gate_options){
		.engine = GATE_ENGINE_LANES,
		.slots = 1,
		.lanes = 2,
		/* Not shared with another run of this test. */
		.places = 2 + (unsigned)getpid() % 512,
		.cost = cheap,
		.deadline_ms = 60000,
		.folder = "/dev/shm",
	};
}

static bool
name_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* A process that has nothing from us but the options. */
static void
test_by_name(void **state)
{
	struct gate_options options = named_options();
	struct gate *gate = gate_new(&options), *other;
	char name[sizeof(gate->file.path)];
	pid_t pid;

	(void)state;
	assert_non_null(gate);
	memcpy(name, gate->file.path, sizeof(name));
	assert_true(name_exists(name));
	pid = fork();
	if (pid == 0) {
		struct gate *theirs = gate_new(&options);
		int wrong = theirs == NULL || theirs->memory == gate->memory ||
		    hash_once(theirs, &cheap, 1) != GATE_OK;

		gate_free(theirs);
		leave(gate, wrong);
	}
	assert_child_succeeds(pid);
	assert_int_equal(stats_of(gate).hashes, 1);

	/* The first one may go before the last. */
	other = gate_new(&options);
	assert_non_null(other);
	gate_free(gate);
	assert_true(name_exists(name));
	assert_int_equal(stats_of(other).hashes, 1);
	assert_int_equal(hash_once(other, &cheap, 2), GATE_OK);
	gate_free(other);
	assert_false(name_exists(name));
}

/* One that was started like us, and knows the gate by its name alone. */
static pid_t
start_sibling(const struct gate_options *options,
    void (*act)(struct gate *gate))
{
	pid_t pid = fork();

	if (pid == 0) {
		struct gate *gate = gate_new(options);

		if (gate == NULL)
			_exit(1);
		act(gate);
		leave(gate, 0);
	}
	return pid;
}

static void
stay_in_slot(struct gate *gate)
{
	gate_run(gate_enter(gate, &nobody_leaves), 0, stay, NULL);
}

/* Siblings wait for each other's slots; when one dies in a slot, others go on. */
static void
test_sibling_killed(void **state)
{
	struct gate_options options = named_options();
	struct gate *gate = gate_new(&options);
	pid_t holder = start_sibling(&options, stay_in_slot);

	(void)state;
	assert_non_null(gate);
	await(one_slot_is_busy, gate);
	gate->options.deadline_ms = 150;
	assert_int_equal(hash_once(gate, &cheap, 1), GATE_LATE);
	kill_child(holder);
	gate->options.deadline_ms = 60000;
	assert_int_equal(hash_once(gate, &cheap, 1), GATE_OK);
	assert_int_equal(stats_of(gate).busy_slots, 0);
	gate_free(gate);
}

static void
wait_for_death(struct gate *gate)
{
	gate_enter(gate, &nobody_leaves);
	stay_in_slot(gate);
}

/* All die, and nobody takes the name away: who comes next finds slots and places
 * held by the dead. */
static void
test_all_siblings_killed(void **state)
{
	struct gate_options options = named_options();
	struct gate *gate = gate_new(&options);
	pid_t holder = start_sibling(&options, wait_for_death);
	char name[sizeof(gate->file.path)];
	pid_t late;

	(void)state;
	assert_non_null(gate);
	memcpy(name, gate->file.path, sizeof(name));
	await(one_slot_is_busy, gate);
	/* Not the last, so that the name stays. */
	gate_free(gate);
	kill_child(holder);
	assert_true(name_exists(name));

	gate = gate_new(&options);
	assert_non_null(gate);
	assert_int_equal(stats_of(gate).taken_places, 2);
	gate_tend(gate, 0);
	assert_int_equal(stats_of(gate).busy_slots, 0);
	assert_int_equal(hash_once(gate, &cheap, 1), GATE_OK);
	late = start_sibling(&options, stay_in_slot);
	await(one_slot_is_busy, gate);
	kill_child(late);
	gate_free(gate);
	assert_false(name_exists(name));
}

/* Whose options or version differ is no sibling. */
static void
test_other_options_other_name(void **state)
{
	struct gate_options options = named_options(), others[] = { options,
		options, options, options, options, options };
	struct gate *gate = gate_new(&options);

	(void)state;
	assert_non_null(gate);
	others[0].engine = GATE_ENGINE_LIBSCRYPT;
	others[1].slots++;
	others[2].lanes--;
	others[3].places += 512;
	others[4].cost.log2_n++;
	others[5].cost.p++;
	for (unsigned i = 0; i < 6; i++) {
		struct gate *other = gate_new(&others[i]);

		assert_non_null(other);
		assert_string_not_equal(other->file.path, gate->file.path);
		assert_int_equal(hash_once(other, &cheap, i), GATE_OK);
		gate_free(other);
	}
	assert_int_equal(stats_of(gate).hashes, 0);
	gate_free(gate);
}

static int
open_name(struct shared_file *file, const char *folder, const char *text,
    size_t size)
{
	const struct shared_name name = {
		.folder = folder,
		.name = text,
		.size = size,
		.use = "a test",
		.remedy = "run no tests",
	};

	return shared_open(file, &name);
}

/* Who dies while filling it in leaves it to the next. */
static void
test_name_half_made(void **state)
{
	struct shared_file file;
	char name[32];
	pid_t pid;

	(void)state;
	snprintf(name, sizeof(name), "postern-test-%d", (int)getpid());
	pid = fork();
	if (pid == 0) {
		if (open_name(&file, "/dev/shm", name, 4096) != 0 ||
		    !file.fresh)
			leave(NULL, 1);
		memset(file.memory, 1, 4096);
		die();
	}
	assert_child_died(pid);
	assert_int_equal(open_name(&file, "/dev/shm", name, 4096), 0);
	assert_true(file.fresh);
	assert_int_equal(*(unsigned char *)file.memory, 0);
	shared_ready(&file);
	shared_close(&file);
	assert_int_equal(open_name(&file, "/dev/shm", name, 4096), 0);
	assert_true(file.fresh);
	shared_close(&file);
}

static void
test_names_refused(void **state)
{
	struct shared_file file;
	char name[32], path[40], in_shm[64];
	int fd;

	(void)state;
	snprintf(name, sizeof(name), "postern-test-%d", (int)getpid());
	snprintf(path, sizeof(path), "/%s", name);
	snprintf(in_shm, sizeof(in_shm), "/dev/shm/%s", name);
	fd = shm_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);

	assert_int_equal(fchmod(fd, 0660), 0);
	assert_int_equal(open_name(&file, "/dev/shm", name, 4096), -1);
	assert_int_equal(fchmod(fd, 0600), 0);
	if (geteuid() == 0) {
		assert_int_equal(fchown(fd, 65534, (gid_t)-1), 0);
		assert_int_equal(open_name(&file, "/dev/shm", name, 4096), -1);
		assert_int_equal(fchown(fd, 0, (gid_t)-1), 0);
	}
	/* Nor what is no file. */
	close(fd);
	assert_int_equal(shm_unlink(path), 0);
	assert_int_equal(mkfifo(in_shm, 0600), 0);
	assert_int_equal(open_name(&file, "/dev/shm", name, 4096), -1);
	assert_int_equal(unlink(in_shm), 0);
	assert_int_equal(symlink("/tmp/postern-test-nowhere", in_shm), 0);
	assert_int_equal(open_name(&file, "/dev/shm", name, 4096), -1);
	assert_int_equal(unlink(in_shm), 0);
	assert_int_equal(mkdir(in_shm, 0700), 0);
	assert_int_equal(open_name(&file, "/dev/shm", name, 4096), -1);
	assert_int_equal(rmdir(in_shm), 0);

	fd = shm_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(open_name(&file, "/dev/shm", name, 4096), -1);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(open_name(&file, "/dev/shm", name, SIZE_MAX / 4),
	    -1);
	assert_int_equal(open_name(&file, "/dev/shm", name, 4096), 0);
	shared_close(&file);
	close(fd);
	assert_false(name_exists(in_shm));

	/* Nor a folder that is not in memory, or not there. */
	assert_int_equal(open_name(&file, "/proc", name, 4096), -1);
	assert_int_equal(open_name(&file, "/dev/shm/none", name, 4096), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_p),
		cmocka_unit_test(test_other_costs),
		cmocka_unit_test(test_refused_costs),
		cmocka_unit_test(test_short_keys),
		cmocka_unit_test(test_other_work),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_by_libscrypt),
		cmocka_unit_test(test_no_place),
		cmocka_unit_test(test_place_of_the_dead),
		cmocka_unit_test(test_full_of_the_dead),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_caller_gone),
		cmocka_unit_test(test_combined),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_crowd),
		cmocka_unit_test(test_combiner_killed),
		cmocka_unit_test(test_waiting_killed),
		cmocka_unit_test(test_next_in_line),
		cmocka_unit_test(test_next_in_line_sleeps),
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_rooms_are_wiped),
		cmocka_unit_test(test_arena_given_back),
		cmocka_unit_test(test_not_in_core_dumps),
		cmocka_unit_test(test_looks_while_another_computes),
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_sibling_killed),
		cmocka_unit_test(test_all_siblings_killed),
		cmocka_unit_test(test_other_options_other_name),
		cmocka_unit_test(test_name_half_made),
		cmocka_unit_test(test_names_refused),
	};

	/* What children count, we see. */
	metrics_use(shared_new(metrics_size()));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
