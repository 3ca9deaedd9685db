/* fuzz_status.c - whatever a board's file holds, what is written of it are lines
 * of visible text. */

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/board.h"
#include "base/metrics.h"
#include "fuzz.h"
#include "process/status.h"

#define SLOTS 4

static uint8_t good[BOARD_FILE_MOST]; /* a board, as it lies in its file */
static size_t good_size;

static void
make_good(void)
{
	const struct board_kind kind = status_board_kind();
	char folder[] = "/tmp/postern-fuzz-XXXXXX", path[128];
	struct board *board;
	FILE *file;

	MUST(mkdtemp(folder) != NULL);
	board = board_new(&kind, SLOTS, folder, "unix:/sock");
	snprintf(path, sizeof(path), "%s/postern-board-%ld", folder,
	    (long)getpid());
	file = fopen(path, "r");
	MUST(file != NULL);
	good_size = fread(good, 1, sizeof(good), file);
	fclose(file);
	board_free(board);
	rmdir(folder);
	MUST(good_size > 0);
}

/* Lines of visible ASCII. */
static void
check_text(const char *text)
{
	size_t size = strlen(text);

	MUST(size == 0 || text[size - 1] == '\n');
	for (size_t i = 0; i < size; i++)
		MUST(text[i] == '\n' || (text[i] >= ' ' && text[i] < 0x7f));
}

/*
 * The input: how many bytes are cut off, and then four bytes for each that is
 * changed: where (two), how many in a row, and to what.  Short of that, a board
 * would have to be guessed to the last bit before anything of it is looked at.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct status_clock clock = { INT64_C(1800000000000000),
		86400000 };
	struct board_copy copy = { .pid = 1, .owner = 0 };
	uint8_t *bytes;
	char *text = NULL;
	size_t room;
	FILE *out;

	if (good_size == 0)
		make_good();
	if (size == 0)
		return 0;
	copy.size = good_size - (data[0] < good_size ? data[0] : good_size);
	bytes = malloc(copy.size + 1);
	MUST(bytes != NULL);
	memcpy(bytes, good, copy.size);
	for (size_t i = 1; i + 4 <= size && copy.size > 0; i += 4) {
		size_t at = (size_t)(data[i] << 8 | data[i + 1]) % copy.size;

		for (size_t n = 0; n <= data[i + 2] && at < copy.size; n++)
			bytes[at++] = data[i + 3];
	}
	copy.bytes = bytes;
	out = open_memstream(&text, &room);
	MUST(out != NULL);
	status_write(&copy, NULL, &clock, out);
	MUST(fclose(out) == 0);
	check_text(text);
	free(text);
	free(bytes);
	return 0;
}
