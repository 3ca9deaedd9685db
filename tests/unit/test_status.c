/* test_status.c - what --status writes of a board, and of bytes that are none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "acts/sign_in.h"
#include "base/board.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "config.h"
#include "process/status.h"
#include "temp_dir.h"

#define SLOTS 8

static char folder[TEMP_DIR_SIZE];

static struct board *
new_board(const char *listen)
{
	const struct board_kind kind = status_board_kind();
	struct board *board = board_new(&kind, SLOTS, folder, listen);

	assert_non_null(board);
	metrics_use(board_rest(board));
	return board;
}

static void
end_board(struct board *board)
{
	metrics_use(NULL);
	board_free(board);
}

/* A board's bytes, as they lie in its file; to be freed. */
static unsigned char *
bytes_of(const struct board *board, size_t *size)
{
	char path[TEMP_PATH_SIZE], name[64];
	unsigned char *bytes = malloc(BOARD_FILE_MOST);
	FILE *file;

	(void)board;
	snprintf(name, sizeof(name), "postern-board-%ld", (long)getpid());
	file = fopen(temp_path(folder, name, path), "r");
	assert_non_null(file);
	*size = fread(bytes, 1, BOARD_FILE_MOST, file);
	fclose(file);
	assert_true(*size > 0);
	return bytes;
}

/* What is written of these bytes; to be freed. */
static char *
written(const void *bytes, size_t size, const char *listen,
    enum status_result expected)
{
	const struct board_copy copy = {
		.pid = 4711,
		.owner = geteuid(),
		.bytes = bytes,
		.size = size,
	};
	const struct status_clock clock = { clock_now_us() + 90000000,
		clock_steady_ms() + 4200 };
	char *text = NULL;
	size_t room;
	FILE *out = open_memstream(&text, &room);

	assert_int_equal(status_write(&copy, listen, &clock, out), expected);
	fclose(out);
	return text;
}

static void
assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no \"%s\" in:\n%s", part, text);
}

/* For a terminal of 80 columns, and no orders to it. */
static void
assert_fit(const char *text)
{
	const char *start = text;

	for (; *text != '\0'; text++) {
		if (*text == '\n') {
			assert_true(text - start < 80);
			start = text + 1;
		} else {
			assert_in_range((unsigned char)*text, ' ', '~');
		}
	}
	assert_ptr_equal(start, text);
}

static void
test_a_pool(void **state)
{
	struct board *board = new_board("unix:/run/postern.sock");
	unsigned char *bytes;
	size_t size;
	char *text;

	(void)state;
	board_assign(board, 0);
	board_name(board, 0, 4712);
	board_set(board, 0, BOARD_BUSY);
	board_answers(board, 0, 1);
	board_assign(board, 2);
	board_name(board, 2, 4713);
	board_set(board, 2, BOARD_IDLE);
	board_served(board, 2);
	board_holds(board, 2, 7);
	board_put(board, BOARD_LOOKED_MS, clock_steady_ms());
	board_put(board, BOARD_WORKERS, 2);
	board_put(board, BOARD_HASH_SLOTS, 4);
	board_put(board, BOARD_HASH_SLOTS_BUSY, 3);
	board_put(board, BOARD_HASH_QUEUE, 17);
	board_put(board, BOARD_ADDRESSES, 12);
	metrics_count(METRICS_SIGN_INS, SIGN_IN_OK);
	metrics_count(METRICS_SIGN_INS, SIGN_IN_OK);
	metrics_count(METRICS_SIGN_INS, SIGN_IN_DENIED);
	bytes = bytes_of(board, &size);
	text = written(bytes, size, NULL, STATUS_SHOWN);
	assert_fit(text);
	assert_has(text, "postern.fcgi " PACKAGE_VERSION ": process 4711 of ");
	assert_has(text, "\nlistens at  unix:/run/postern.sock\n");
	assert_has(text, "\nruns for    1 min 30 s\n");
	assert_has(text, "\nworkers     1 idle, 1 busy\n");
	assert_has(text, "\npasswords   3 of 4 slots busy, 0 of 0 places");
	assert_has(text, "0 places taken, 17 waiting, 0 hashed");
	assert_has(text, "\nanswers     7 held back\n");
	assert_has(text, "\nsign-ins    2 signed_in, 1 denied\n");
	assert_has(text, "\naddresses   12 refused at present\n");
	assert_has(text, "\n      4712  busy             4.2 s             0"
			 "  POST /auth/sign-in\n");
	assert_has(text, "\n      4713  idle             4.2 s             1\n");
	assert_null(strstr(text, "warning"));
	free(text);

	/* One of them alone is asked for. */
	free(written(bytes, size, "unix:/run/postern.sock", STATUS_SHOWN));
	text = written(bytes, size, "unix:/run/postern", STATUS_ELSEWHERE);
	assert_string_equal(text, "");
	free(text);
	free(bytes);
	end_board(board);
}

static void
test_what_is_wrong(void **state)
{
	struct board *board = new_board("");
	unsigned char *bytes;
	size_t size;
	char *text;

	(void)state;
	board_put(board, BOARD_LOOKED_MS, clock_steady_ms() - 61000);
	board_put(board, BOARD_WORKERS, 4);
	board_put(board, BOARD_INHERITED, 3);
	board_set(board, 1, BOARD_STARTING);
	bytes = bytes_of(board, &size);
	text = written(bytes, size, NULL, STATUS_SHOWN);
	assert_has(text, "\nworkers     1 starting, 4 wanted, 3 of the program "
			 "before\n");
	assert_has(text, "\nwarning     the parent has not looked after its "
			 "workers for 1 min 5 s\n");
	assert_fit(text);
	free(text);
	free(bytes);
	end_board(board);
}

static void
test_long_lines_are_broken(void **state)
{
	struct board *board = new_board("unix:/a/path/that/is/longer/than/a/"
					"line/of/a/terminal/may/be/and/so/it/is/"
					"cut/sock");
	unsigned char *bytes;
	size_t size;
	char *text;

	(void)state;
	for (size_t i = 0; i < metrics_cells(METRICS_SIGN_INS); i++)
		for (size_t n = 0; n < 1234; n++)
			metrics_count(METRICS_SIGN_INS, i);
	for (size_t i = 0; i < metrics_cells(METRICS_REQUESTS); i++)
		metrics_count(METRICS_REQUESTS, i);
	for (int i = 0; i < BOARD_NUMBERS; i++)
		board_put(board, (enum board_number)i, INT64_MAX);
	bytes = bytes_of(board, &size);
	text = written(bytes, size, NULL, STATUS_SHOWN);
	assert_fit(text);
	assert_has(text, ",\n            1234 ");
	free(text);
	free(bytes);
	end_board(board);
}

static void
test_another_version(void **state)
{
	struct board *board = new_board("");
	unsigned char *bytes;
	size_t size;
	char *text;

	(void)state;
	bytes = bytes_of(board, &size);
	text = written(bytes, size - 64, NULL, STATUS_UNKNOWN);
	assert_has(text, "this is another build of " PACKAGE_VERSION);
	free(text);
	/* The version is the second thing in it. */
	memcpy(bytes + 16, "99.1", 5);
	text = written(bytes, size, NULL, STATUS_UNKNOWN);
	assert_has(text, "process 4711 of ");
	assert_has(text, " is postern.fcgi 99.1, and this is " PACKAGE_VERSION
			 ":\n");
	assert_fit(text);
	free(text);
	free(bytes);
	end_board(board);
}

static void
test_no_board(void **state)
{
	struct board *board = new_board("");
	unsigned char *bytes;
	size_t size;

	(void)state;
	bytes = bytes_of(board, &size);
	for (size_t cut = 0; cut < 200; cut++)
		free(written(bytes, cut, NULL, STATUS_UNKNOWN));
	memcpy(bytes + 16, "\033[2J", 5);
	free(written(bytes, size, NULL, STATUS_UNKNOWN));
	memset(bytes + 16, 'A', 32); /* without an end */
	free(written(bytes, size, NULL, STATUS_UNKNOWN));
	memset(bytes, 0, size);
	free(written(bytes, size, NULL, STATUS_UNKNOWN));
	free(bytes);
	end_board(board);
}

/* Whoever made it may have written anything behind a right head. */
static void
test_hostile_content(void **state)
{
	struct board *board = new_board("unix:/\033[2Jx");
	unsigned char *bytes;
	size_t size, head;
	char *text;

	(void)state;
	bytes = bytes_of(board, &size);
	text = written(bytes, size, NULL, STATUS_SHOWN);
	assert_has(text, "listens at  unix:/?[2Jx\n");
	free(text);
	head = size - metrics_size() - SLOTS * 64;
	for (int value = 0x7f; value <= 0xff; value += 0x80) {
		memset(bytes + head / 2, value, size - head / 2);
		text = written(bytes, size, NULL, STATUS_SHOWN);
		for (const char *c = text; *c != '\0'; c++)
			assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
		free(text);
	}
	free(bytes);
	end_board(board);
}

static int
make_folder(void **state)
{
	(void)state;
	temp_dir_make(folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	temp_dir_remove(folder);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_pool),
		cmocka_unit_test(test_what_is_wrong),
		cmocka_unit_test(test_long_lines_are_broken),
		cmocka_unit_test(test_another_version),
		cmocka_unit_test(test_no_board),
		cmocka_unit_test(test_hostile_content),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
